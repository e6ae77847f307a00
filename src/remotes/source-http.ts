import type { IncomingMessage } from 'node:http';
import { isMlvError, type MlvError } from '../core/errors.js';
import { percentDecoded } from '../core/percent.js';
import { redactUrl } from '../core/redact.js';
import { refusedBy } from './http-answers.js';
import { drain, type HttpAnswer, HttpClient } from './http-client.js';
import { checkInterrupted, interruption } from './interrupted.js';
import { networkFailure } from './network-failure.js';
import { type Attempt, type Operation, remoteError } from './remote-error.js';
import {
  invalidSource,
  type SourceOptions,
  type SourceState,
  sourceUnreached,
  type UrlSource,
} from './source-types.js';

const HEAD_UNKNOWN = new Set([403, 405, 501]);

/** A file of a web server. A user and password in the URL are used, and kept nowhere. Error: `REMOTE_URL_INVALID`. */
export function openHttpSource(given: string, options: SourceOptions): UrlSource {
  let url: URL;
  try {
    url = new URL(given);
  } catch {
    throw invalidSource(given, 'it is not a URL');
  }
  const { username, password } = url;
  const withUser = username !== '' || password !== '';
  url.username = '';
  url.password = '';
  url.hash = '';
  const shown = redactUrl(url.href);
  const pair = Buffer.from(`${percentDecoded(username)}:${percentDecoded(password)}`).toString('base64');
  const ofRemote = options.authorization?.origin === url.origin ? options.authorization.value : undefined;
  const authorization = withUser ? `Basic ${pair}` : ofRemote;
  const client = new HttpClient({ origin: url.origin, authorization, connections: 2 });
  const name = percentDecoded(url.pathname.split('/').filter(Boolean).at(-1) ?? '');
  return new HttpSource({ url, shown, client, signal: options.signal, secret: withUser || shown !== url.href, name });
}

interface Parts {
  url: URL;
  shown: string;
  client: HttpClient;
  signal: AbortSignal | undefined;
  secret: boolean;
  name: string;
}

class HttpSource implements UrlSource {
  readonly url: string;
  readonly name: string;
  readonly secret: boolean;

  constructor(private readonly parts: Parts) {
    this.url = parts.shown;
    this.name = parts.name;
    this.secret = parts.secret;
  }

  async stat(): Promise<SourceState> {
    const head = await this.send('HEAD', 'stat');
    if (!HEAD_UNKNOWN.has(head.status)) return stateOf(this.check(head, 'stat'));
    drain(head.response);
    // An address that is signed for GET knows no HEAD.
    const get = this.check(await this.send('GET', 'stat'), 'stat');
    get.response.destroy();
    return stateOf(get);
  }

  async read(from: number): Promise<{ state: SourceState; start: number; body: AsyncIterable<Uint8Array> }> {
    const answer = await this.send('GET', 'get', from > 0 ? `bytes=${from}-` : undefined);
    if (answer.status === 416) {
      drain(answer.response);
      return this.read(0);
    }
    this.check(answer, 'get');
    const match = /^bytes (\d+)-/.exec(answer.response.headers['content-range'] ?? '');
    const start = answer.status === 206 && match ? Number(match[1]) : 0;
    return { state: stateOf(answer), start, body: this.body(answer.response) };
  }

  close(): void {
    this.parts.client.close();
  }

  private async *body(response: IncomingMessage): AsyncGenerator<Uint8Array> {
    const announced = response.headers['content-length'];
    let received = 0;
    try {
      for await (const part of response) {
        received += (part as Buffer).length;
        yield part as Buffer;
      }
    } catch (error) {
      throw this.translate(error, 'get');
    }
    if (announced === undefined ? response.complete : received === Number(announced)) return;
    const reason = `the connection ended after ${received} bytes`;
    throw remoteError(this.attempt('get'), { code: 'REMOTE_TRANSIENT', reason });
  }

  private async send(method: 'GET' | 'HEAD', operation: Operation, range?: string): Promise<HttpAnswer> {
    const { client, url, signal } = this.parts;
    checkInterrupted(signal);
    try {
      return await client.send({ method, url, range, signal });
    } catch (error) {
      throw this.translate(error, operation);
    }
  }

  private check(answer: HttpAnswer, operation: Operation): HttpAnswer {
    const { url, response } = answer;
    const attempt = this.attempt(operation);
    const type = response.headers['content-type'] ?? '';
    const encoded = (response.headers['content-encoding'] ?? 'identity') !== 'identity';
    const page = /^(?:text\/html|application\/xhtml\+xml)\b/i.test(type) && !/\.x?html?$/i.test(url.pathname);
    const refused = refusedBy(answer, attempt, undefined);
    const strange = page ? `it gave a web page (${type.split(';')[0]})` : 'it compresses what it gives';
    if (!refused && !page && !encoded) return answer;
    response.destroy();
    if (refused) throw withHint(refused);
    throw remoteError(attempt, {
      code: 'REMOTE_PERMANENT',
      reason: `the server does not serve it as a plain file: ${strange}`,
      hint: 'open the address in a browser: it may be a login page',
    });
  }

  private attempt(operation: Operation): Attempt {
    return { operation, url: this.url };
  }

  private translate(error: unknown, operation: Operation): Error {
    const { signal, url } = this.parts;
    if (signal?.aborted) return interruption(signal);
    if (isMlvError(error)) return error;
    const failure = networkFailure(error, url.origin);
    if (failure) return sourceUnreached(remoteError(this.attempt(operation), { ...failure, cause: error }));
    const reason = `the request failed (${error instanceof Error ? error.message : String(error)})`;
    return remoteError(this.attempt(operation), { code: 'REMOTE_PERMANENT', reason: redactUrl(reason), cause: error });
  }
}

/** What helps for a remote does not help for an address. */
function withHint(error: MlvError): MlvError {
  if (error.code !== 'REMOTE_DENIED') return error;
  return Object.assign(error, {
    hint: 'give the name of a remote whose credentials the server takes (--remote), or an address that is signed',
  });
}

function stateOf({ response, status }: HttpAnswer): SourceState {
  const { headers } = response;
  const total =
    /\/(\d+)$/.exec(headers['content-range'] ?? '')?.[1] ?? (status === 206 ? undefined : headers['content-length']);
  const modified = Date.parse(headers['last-modified'] ?? '');
  return {
    ...(total !== undefined && /^\d+$/.test(total) && { size: Number(total) }),
    ...(headers.etag !== undefined && headers.etag.length <= 1024 && { etag: headers.etag }),
    ...(!Number.isNaN(modified) && { modified: new Date(modified).toISOString() }),
  };
}
