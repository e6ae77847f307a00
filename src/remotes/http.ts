import type { IncomingMessage } from 'node:http';
import { isMlvError, type MlvError } from '../core/errors.js';
import { modifiedOf, placeOf, refusedBy, wholeSize } from './http-answers.js';
import { drain, type HttpAnswer, HttpClient, type HttpRequest } from './http-client.js';
import { type HttpCredentials, httpCredentials } from './http-credentials.js';
import type { HttpOptions } from './http-options.js';
import { interruption } from './interrupted.js';
import { beginAttempt, checkRange, rangeBeyondEnd } from './keys.js';
import { networkFailure } from './network-failure.js';
import type {
  ByteRange,
  Carrier,
  CredentialSource,
  GetOptions,
  PutOptions,
  Remote,
  RemoteBody,
  RemoteContent,
  RemoteEntry,
} from './remote.js';
import { type Attempt, type Operation, remoteError } from './remote-error.js';
import { sliceBody } from './slice-body.js';
import { incomingBody } from './stream-body.js';

const HEAD_UNKNOWN = new Set([405, 501]);
const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/;

/**
 * Opens a remote that a web server serves, for reading only. No request is made yet. Errors: those of httpCredentials.
 */
export function openHttpRemote(options: HttpOptions): Remote {
  return new HttpRemote(options, httpCredentials(options));
}

/**
 * A remote below a URL of any web server that serves files: each key is a path. Nothing is written; a list, which such
 * servers do not give, is refused as writing is (`REMOTE_PERMANENT`).
 */
class HttpRemote implements Remote {
  readonly url: string;
  readonly describeCredentials?: () => Promise<CredentialSource>;
  private readonly base: URL;
  private readonly client: HttpClient;
  private readonly noticed = new Set<string>();

  constructor(
    private readonly options: HttpOptions,
    private readonly credentials: HttpCredentials | undefined,
  ) {
    this.base = new URL(options.url);
    this.url = options.url.replace(/\/+$/, '');
    const { origin, protocol, hostname } = this.base;
    const { connections } = options;
    this.client = new HttpClient({ origin, connections, authorization: credentials?.authorization });
    if (!credentials) return;
    this.describeCredentials = async () => ({ name: credentials.source });
    if (protocol === 'http:' && !LOOPBACK.test(hostname)) {
      this.notice(`the credentials for ${this.url} travel unencrypted; use https where the server has it`);
    }
  }

  async stat(key: string, { signal }: { signal?: AbortSignal } = {}): Promise<RemoteEntry | undefined> {
    const attempt = this.begin('stat', key, signal);
    try {
      const answer = await this.look({ url: this.urlOf(key), signal }, attempt);
      drain(answer.response);
      return { key, size: wholeSize(answer, attempt), modified: modifiedOf(answer) };
    } catch (error) {
      if (isMlvError(error, 'REMOTE_NOT_FOUND')) return undefined;
      throw error;
    }
  }

  async get(key: string, { range, signal }: GetOptions = {}): Promise<RemoteContent> {
    const attempt = this.begin('get', key, signal);
    checkRange(attempt, range);
    const bytes = range && `bytes=${range.start}-${range.start + range.length - 1}`;
    const answer = await this.send({ method: 'GET', url: this.urlOf(key), range: bytes, signal }, attempt);
    const { response } = answer;
    if (range && answer.status === 416) {
      drain(response);
      throw rangeBeyondEnd(attempt, range, {});
    }
    this.check(answer, attempt);
    try {
      const { announced, slice, ignoredRange } = placeOf(answer, range, attempt);
      if (ignoredRange) {
        this.notice(`${this.base.origin} ignores ranges: whole files travel where parts would do`);
      }
      const body = this.bodyOf(response, announced, { attempt, signal });
      return { size: slice.length, body: ignoredRange ? sliceBody(body, slice) : body };
    } catch (error) {
      response.destroy();
      throw error;
    }
  }

  async getBy(carrier: Carrier, key: string, options: { range: ByteRange; signal?: AbortSignal }): Promise<boolean> {
    const { range, signal } = options;
    checkRange(this.begin('get', key, signal), range);
    const bytes = `bytes=${range.start}-${range.start + range.length - 1}`;
    const url = this.urlOf(key);
    return carrier({ url: url.href, headers: this.client.headersFor(url, bytes) }, () => undefined);
  }

  async put(key: string, _body: RemoteBody, { signal }: PutOptions = {}): Promise<never> {
    throw readOnly(this.begin('put', key, signal));
  }

  list(prefix: string): AsyncIterable<RemoteEntry> {
    const error = remoteError(
      { operation: 'list', url: this.url, key: prefix },
      {
        code: 'REMOTE_PERMANENT',
        reason: 'a remote over HTTP is read-only and cannot be listed',
        hint: 'use the storage behind it (its directory, bucket or SFTP address) for this command',
      },
    );
    return { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(error) }) };
  }

  async delete(keys: readonly string[], { signal }: { signal?: AbortSignal } = {}): Promise<void> {
    for (const key of keys) throw readOnly(this.begin('delete', key, signal));
  }

  async close(): Promise<void> {
    this.client.close();
  }

  private begin(operation: Operation, key: string, signal: AbortSignal | undefined): Attempt {
    return beginAttempt({ operation, url: this.url, key }, signal);
  }

  private urlOf(key: string): URL {
    const path = key.split('/').map(encodeURIComponent).join('/');
    return new URL(`${this.base.pathname.replace(/\/+$/, '')}/${path}`, this.base);
  }

  /** The answer to a HEAD, or to a GET of the first byte where the server knows no HEAD. */
  private async look(request: Omit<HttpRequest, 'method'>, attempt: Attempt): Promise<HttpAnswer> {
    const head = await this.send({ ...request, method: 'HEAD' }, attempt);
    if (!HEAD_UNKNOWN.has(head.status)) return this.check(head, attempt);
    drain(head.response);
    const get = await this.send({ ...request, method: 'GET', range: 'bytes=0-0' }, attempt);
    if (get.status !== 416) return this.check(get, attempt);
    drain(get.response);
    // A range of nothing cannot be satisfied; the whole of nothing can.
    return this.check(await this.send({ ...request, method: 'GET' }, attempt), attempt);
  }

  private async send(request: HttpRequest, attempt: Attempt): Promise<HttpAnswer> {
    try {
      return await this.client.send(request);
    } catch (error) {
      throw request.signal?.aborted ? interruption(request.signal) : this.translate(error, attempt);
    }
  }

  /** Throws what a status other than success means. */
  private check(answer: HttpAnswer, attempt: Attempt): HttpAnswer {
    const error = refusedBy(answer, attempt, this.credentials?.source);
    if (!error) return answer;
    drain(answer.response);
    throw error;
  }

  private bodyOf(
    stream: IncomingMessage,
    size: number,
    { attempt, signal }: { attempt: Attempt; signal: AbortSignal | undefined },
  ): AsyncIterable<Uint8Array> {
    return incomingBody({ stream, size, attempt, signal, translate: (error) => this.translate(error, attempt) });
  }

  private translate(error: unknown, attempt: Attempt): MlvError {
    if (isMlvError(error)) return error;
    const failure = networkFailure(error, this.base.origin);
    if (failure) return remoteError(attempt, { ...failure, cause: error });
    const reason = `the request failed (${error instanceof Error ? error.message : String(error)})`;
    return remoteError(attempt, { code: 'REMOTE_PERMANENT', reason, cause: error });
  }

  private notice(message: string): void {
    if (this.noticed.has(message)) return;
    this.noticed.add(message);
    this.options.onNotice?.(message);
  }
}

function readOnly(attempt: Attempt): MlvError {
  return remoteError(attempt, {
    code: 'REMOTE_PERMANENT',
    reason: 'a remote over HTTP is read-only',
    hint: 'push to the storage behind it (its directory, bucket or SFTP address), added as a remote of its own: mlv remote add <name> <address>, then mlv push --remote <name>',
  });
}
