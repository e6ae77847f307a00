import type { MlvError } from '../../core/errors.js';
import { percentDecoded } from '../../core/percent.js';
import { redactUrl } from '../../core/redact.js';
import type { GitRewriting } from '../../git/rewriting.js';
import {
  batchRequest,
  LFS_MEDIA_TYPE,
  type LfsAnswer,
  type LfsDownload,
  type LfsObject,
  MAX_BATCH_ANSWER,
  parseBatchAnswer,
} from '../../interop/lfs-batch.js';
import type { LfsEndpoint } from '../../interop/lfs-endpoint.js';
import { Backoff } from '../../remotes/backoff.js';
import { remoteError } from '../../remotes/remote-error.js';
import type { Session } from '../session.js';
import { boundedText, saidBy } from './lfs-answer.js';
import { authenticate } from './lfs-ssh.js';

const MAX_REDIRECTS = 5;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** Failures of TLS, which no second try mends. */
const UNTRUSTED = /^(?:CERT_|ERR_TLS|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_|ERR_SSL)/;

interface Request {
  method: 'GET' | 'POST';
  url: URL;
  headers: Record<string, string>;
  body?: string;
}

/**
 * A server of Git LFS: its batch API and downloads. Credentials come from SSH, from the URL, from Git's configuration
 * (`http.<url>.extraHeader`) or from Git's credential helpers; each is sent to the origin that it belongs to and no other.
 */
export class LfsServer {
  /** For messages: without credentials. */
  readonly shown: string;
  private readonly base: URL;
  /** Sent to the origin of `base`. */
  private headers: Record<string, string>;
  private readonly userInUrl: { username?: string; password?: string } = {};

  private constructor(
    private readonly session: Session,
    private readonly git: GitRewriting,
    { url, headers }: { url: string; headers: Record<string, string> },
  ) {
    this.base = new URL(url);
    const { username, password } = this.base;
    if (username !== '') this.userInUrl.username = percentDecoded(username);
    this.base.username = '';
    this.base.password = '';
    this.headers = { ...headers };
    if (password !== '') this.authorize(percentDecoded(username), percentDecoded(password));
    this.shown = redactUrl(this.base.href);
  }

  /** Finds out how the server is reached. Error: `REMOTE_DENIED` where SSH refuses. */
  static async open(
    session: Session,
    git: GitRewriting,
    endpoint: Exclude<LfsEndpoint, { kind: 'directory' }>,
  ): Promise<LfsServer> {
    if (endpoint.kind === 'ssh') {
      const answer = await authenticate(session, git, endpoint);
      return new LfsServer(session, git, { url: answer?.href ?? endpoint.fallback, headers: answer?.headers ?? {} });
    }
    const server = new LfsServer(session, git, { url: endpoint.url, headers: {} });
    // Continuous integration puts its token there.
    for (const header of await git.configForUrl('http.extraHeader', server.base.href)) {
      const at = header.indexOf(':');
      if (at > 0) server.headers[header.slice(0, at).trim().toLowerCase()] = header.slice(at + 1).trim();
    }
    return server;
  }

  /** Where each object is. Errors: `REMOTE_DENIED`, `REMOTE_NOT_FOUND`, `REMOTE_PERMANENT`, `REMOTE_TRANSIENT`. */
  async locate(objects: readonly LfsObject[]): Promise<LfsAnswer[]> {
    const response = await this.retried(() => this.askOnce(batchRequest(objects)));
    const text = await boundedText(response, MAX_BATCH_ANSWER);
    const answers =
      text === undefined ? undefined : parseBatchAnswer(text, objects, { now: Date.now(), base: this.base.href });
    if (answers) return answers;
    throw remoteError(this.attempt(), {
      code: 'REMOTE_PERMANENT',
      reason: 'its answer is not one of a Git LFS server',
    });
  }

  /**
   * Has `take` read an object from the start, again after each failure of the network. An address that is refused is
   * asked for once more: it may have expired. Errors as locate, and those of `take`.
   */
  async download<T>(
    object: LfsObject,
    first: LfsDownload,
    take: (body: AsyncIterable<Uint8Array>) => Promise<T>,
  ): Promise<T> {
    let download = first;
    let renewed = false;
    return this.retried(async () => {
      const response = await this.getFresh(object, { download, renew: !renewed }, (next) => {
        download = next;
        renewed = true;
      });
      return take(this.bodyOf(response, object));
    });
  }

  private async getFresh(
    object: LfsObject,
    { download, renew }: { download: LfsDownload; renew: boolean },
    onRenewed: (download: LfsDownload) => void,
  ): Promise<Response> {
    const expired = download.expires !== undefined && download.expires <= Date.now();
    const response = expired && renew ? undefined : await this.get(download);
    if (response?.ok) return response;
    const refused = response === undefined || [401, 403, 404, 410].includes(response.status);
    if (!refused || !renew) throw await this.failure(response as Response, object.oid);
    await response?.body?.cancel();
    const [answer] = await this.locate([object]);
    if (!answer || !('download' in answer)) {
      const reason = answer && 'problem' in answer ? answer.problem : 'the server does not have it';
      throw remoteError(this.attempt(object.oid), { code: 'REMOTE_NOT_FOUND', reason });
    }
    onRenewed(answer.download);
    const again = await this.get(answer.download);
    if (again.ok) return again;
    throw await this.failure(again, object.oid);
  }

  private get({ href, headers }: LfsDownload): Promise<Response> {
    const url = new URL(href);
    const named = Object.keys(headers).some((key) => key.toLowerCase() === 'authorization');
    const own = url.origin === this.base.origin && !named ? this.headers : {};
    return this.follow({ method: 'GET', url, headers: { ...own, ...headers } });
  }

  private async askOnce(body: string): Promise<Response> {
    const url = new URL(`${this.base.href.replace(/\/+$/, '')}/objects/batch`);
    const headers = { accept: LFS_MEDIA_TYPE, 'content-type': LFS_MEDIA_TYPE };
    const ask = (): Promise<Response> =>
      this.follow({ method: 'POST', url, headers: { ...headers, ...this.headers }, body });
    const response = await ask();
    if (response.ok) return response;
    if (response.status !== 401) throw await this.failure(response);
    await response.body?.cancel();
    const request = {
      protocol: this.base.protocol.slice(0, -1),
      host: this.base.host,
      path: this.base.pathname.slice(1),
      ...(this.userInUrl.username && { username: this.userInUrl.username }),
    };
    const found = await this.git.credential('fill', request);
    if (found.password === undefined) throw this.denied('it wants credentials, and Git knows none for it');
    this.authorize(found.username ?? '', found.password);
    const again = await ask();
    if (again.ok || again.status !== 401) await this.git.credential('approve', found);
    else {
      await this.git.credential('reject', found);
      throw this.denied('it did not accept the credentials that Git has for it');
    }
    if (again.ok) return again;
    throw await this.failure(again);
  }

  /** Follows redirects itself: what is sent to one origin is not sent to another, and nothing in clear what was not. */
  private async follow(request: Request): Promise<Response> {
    let { url, headers, method } = request;
    for (let hops = 0; ; hops += 1) {
      const response = await this.send({ ...request, method, url, headers });
      const location = response.headers.get('location');
      if (!REDIRECTS.has(response.status) || location === null || !URL.canParse(location, url.href)) return response;
      await response.body?.cancel();
      const target = new URL(location, url);
      const unsafe = target.protocol !== 'https:' && target.protocol !== url.protocol;
      if (unsafe || hops === MAX_REDIRECTS) {
        const reason = unsafe ? 'it redirects to an address that is less safe' : 'it redirects too often';
        throw remoteError(this.attempt(), { code: 'REMOTE_PERMANENT', reason });
      }
      if (target.origin !== url.origin) headers = withoutSecrets(headers);
      if (response.status === 303) method = 'GET';
      url = target;
    }
  }

  private async send({ method, url, headers, body }: Request): Promise<Response> {
    try {
      return await fetch(url, {
        method,
        headers: { 'user-agent': 'mlv', 'accept-encoding': 'identity', ...headers },
        redirect: 'manual',
        signal: this.session.signal,
        ...(body !== undefined && method === 'POST' && { body }),
      });
    } catch (error) {
      this.session.signal.throwIfAborted();
      throw this.networkFailure(error);
    }
  }

  private async *bodyOf(response: Response, object: LfsObject): AsyncGenerator<Uint8Array> {
    let size = 0;
    try {
      for await (const part of response.body ?? []) {
        size += part.byteLength;
        yield part;
      }
    } catch (error) {
      this.session.signal.throwIfAborted();
      throw this.networkFailure(error, object.oid);
    }
    if (size >= object.size) return;
    const reason = `it ended ${object.size - size} bytes early`;
    throw remoteError(this.attempt(object.oid), { code: 'REMOTE_TRANSIENT', reason });
  }

  private retried<T>(work: () => Promise<T>): Promise<T> {
    return new Backoff({ signal: this.session.signal }, this.session.signal).run(work);
  }

  private networkFailure(error: unknown, oid?: string): MlvError {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const code = String((cause as NodeJS.ErrnoException | undefined)?.code ?? '');
    const reason = redactUrl(cause instanceof Error ? cause.message || code : String(cause));
    const kind = UNTRUSTED.test(code) ? 'REMOTE_PERMANENT' : 'REMOTE_TRANSIENT';
    return remoteError(this.attempt(oid), { code: kind, reason, cause: error });
  }

  private async failure(response: Response, oid?: string): Promise<MlvError> {
    const { status } = response;
    const text = await boundedText(response, 64 * 1024);
    const said = redactUrl(saidBy(text)).slice(0, 200);
    const reason = `the server answered ${status}${said === '' ? '' : `: ${said}`}`;
    if (status === 401 || status === 403) return this.denied(reason);
    if (status === 404) {
      return remoteError(this.attempt(oid), {
        code: 'REMOTE_NOT_FOUND',
        reason,
        hint: 'is this the address of a Git LFS server? See lfs.url',
      });
    }
    const busy = status === 429 || status === 408 || status >= 500;
    const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
    const data = Number.isFinite(seconds) ? { retryAfterMs: seconds * 1000 } : {};
    return remoteError(this.attempt(oid), { code: busy ? 'REMOTE_TRANSIENT' : 'REMOTE_PERMANENT', reason, data });
  }

  private denied(reason: string): MlvError {
    return remoteError(this.attempt(), {
      code: 'REMOTE_DENIED',
      reason,
      hint: `let Git learn them: git credential approve, or your credential helper, for ${this.base.host}`,
    });
  }

  private attempt(oid?: string): { operation: 'get'; url: string; key?: string } {
    return { operation: 'get', url: this.shown, ...(oid !== undefined && { key: oid }) };
  }

  private authorize(username: string, password: string): void {
    this.headers = {
      ...this.headers,
      authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
    };
  }
}

/** Headers that any server may have. */
function withoutSecrets(headers: Record<string, string>): Record<string, string> {
  const plain = new Set(['accept', 'content-type']);
  return Object.fromEntries(Object.entries(headers).filter(([key]) => plain.has(key.toLowerCase())));
}
