import { setTimeout as wait } from 'node:timers/promises';
import { MlvError } from '../../core/errors.js';
import { isMapping } from '../../core/mapping.js';
import { percentDecoded } from '../../core/percent.js';
import { redactUrl } from '../../core/redact.js';
import { sourceInvalid } from './values.js';

/** What the server may say in one answer that is read as a whole. */
const ANSWER_LIMIT = 64 * 1024 * 1024;
const ANSWER_MS = 120_000;
const ATTEMPTS = 4;
const PAUSE_MS = 500;
/** More pages than any server has. */
const PAGES = 100_000;

/** Who asks. Never printed. */
export interface MlflowCredentials {
  username?: string | undefined;
  password?: string | undefined;
  token?: string | undefined;
}

export interface ServerOptions {
  credentials: MlflowCredentials;
  signal: AbortSignal;
  /** Milliseconds before the second attempt; for tests. */
  pause?: number;
}

/** Questions to a tracking server by its REST API (mlflow.org/docs/latest/api_reference/rest-api.html). */
export class MlflowClient {
  /** Without user and password, and without a slash at its end. */
  readonly url: string;
  private readonly headers: Record<string, string>;

  /** Error: `USAGE` for what is no URL. */
  constructor(
    url: string,
    private readonly options: ServerOptions,
  ) {
    if (!URL.canParse(url)) throw new MlvError('USAGE', `'${redactUrl(url)}' is no URL of a tracking server`);
    const parsed = new URL(url);
    const { username = percentDecoded(parsed.username), token } = options.credentials;
    const { password = percentDecoded(parsed.password) } = options.credentials;
    parsed.username = '';
    parsed.password = '';
    parsed.hash = '';
    parsed.search = '';
    this.url = parsed.href.replace(/\/+$/, '');
    const basic = Buffer.from(`${username}:${password}`, 'utf8').toString('base64');
    this.headers = {
      ...(token ? { authorization: `Bearer ${token}` } : username ? { authorization: `Basic ${basic}` } : {}),
    };
  }

  /** Asks with GET. Errors: `REMOTE_*`, `FOREIGN_INVALID`. */
  async get(path: string, query: Record<string, string> = {}): Promise<Record<string, unknown>> {
    const search = new URLSearchParams(query).toString();
    return this.answer(`${path}${search === '' ? '' : `?${search}`}`, {});
  }

  /** Asks with POST and a JSON body. */
  async post(path: string, body: unknown): Promise<Record<string, unknown>> {
    const headers = { 'content-type': 'application/json' };
    return this.answer(path, { method: 'POST', body: JSON.stringify(body), headers });
  }

  /** All items of a list that comes in pages; `ask` is given the token of the page. */
  async pages(
    ask: (token: string) => Promise<Record<string, unknown>>,
    key: string,
  ): Promise<Record<string, unknown>[]> {
    const items: Record<string, unknown>[] = [];
    const seen = new Set<string>();
    for (let token = ''; seen.size < PAGES; ) {
      const answer = await ask(token);
      items.push(...listOf(answer, key));
      token = typeof answer.next_page_token === 'string' ? answer.next_page_token : '';
      if (token === '') return items;
      if (seen.has(token)) break;
      seen.add(token);
    }
    throw sourceInvalid(`${this.url} does not come to the end of its list of ${key}`);
  }

  /** A file's bytes as they come. */
  async body(path: string): Promise<{ body: AsyncIterable<Uint8Array>; size: number | undefined }> {
    const response = await this.request(path, {}, this.options.signal);
    const length = response.headers.get('content-length');
    // What is compressed on the way has another length.
    const plain = response.headers.get('content-encoding') === null;
    const size = plain && length !== null && /^\d{1,15}$/.test(length) ? Number(length) : undefined;
    return { body: this.bytes(response), size };
  }

  private async *bytes(response: Response): AsyncGenerator<Uint8Array> {
    if (!response.body) return;
    try {
      yield* response.body as unknown as AsyncIterable<Uint8Array>;
    } catch (error) {
      this.options.signal.throwIfAborted();
      throw failure(response.url, 'REMOTE_TRANSIENT', 'the connection broke while a file came', error);
    }
  }

  private async answer(path: string, init: RequestInit): Promise<Record<string, unknown>> {
    const signal = AbortSignal.any([this.options.signal, AbortSignal.timeout(ANSWER_MS)]);
    const response = await this.request(path, init, signal);
    const parts: Uint8Array[] = [];
    let size = 0;
    for await (const part of this.bytes(response)) {
      size += part.byteLength;
      if (size > ANSWER_LIMIT) throw sourceInvalid(`${this.shown(path)} answers with more than ${ANSWER_LIMIT} bytes`);
      parts.push(part);
    }
    try {
      const value: unknown = JSON.parse(Buffer.concat(parts).toString('utf8'));
      if (isMapping(value)) return value;
    } catch {
      // Said below.
    }
    throw sourceInvalid(`${this.shown(path)} does not answer as a tracking server does: it is no JSON object`);
  }

  private async request(path: string, init: RequestInit, signal: AbortSignal): Promise<Response> {
    for (let attempt = 1; ; attempt += 1) {
      const found = await this.attempt(path, init, signal);
      if (found instanceof Response) return found;
      if (found.code !== 'REMOTE_TRANSIENT' || attempt === ATTEMPTS) throw found;
      await wait((this.options.pause ?? PAUSE_MS) * 4 ** (attempt - 1), undefined, { signal });
    }
  }

  private async attempt(path: string, init: RequestInit, signal: AbortSignal): Promise<Response | MlvError> {
    const headers = { ...this.headers, ...(init.headers as Record<string, string> | undefined) };
    try {
      // A redirection would take the credentials to whomever it names.
      const response = await fetch(`${this.url}${path}`, { ...init, headers, signal, redirect: 'manual' });
      if (response.status === 200) return response;
      const said = (await response.text().catch(() => '')).slice(0, 500);
      return this.refusal(path, response.status, said);
    } catch (error) {
      this.options.signal.throwIfAborted();
      return failure(this.shown(path), 'REMOTE_TRANSIENT', reasonOf(error), error);
    }
  }

  private refusal(path: string, status: number, said: string): MlvError {
    const code =
      status === 401 || status === 403
        ? 'REMOTE_DENIED'
        : status === 404
          ? 'REMOTE_NOT_FOUND'
          : status === 429 || status >= 500
            ? 'REMOTE_TRANSIENT'
            : 'REMOTE_PERMANENT';
    const moved = status >= 300 && status < 400 ? ': it sends elsewhere; name the server by its own URL' : '';
    return failure(this.shown(path), code, `status ${status}${moved}${moved === '' ? messageOf(said) : ''}`);
  }

  private shown(path: string): string {
    return redactUrl(`${this.url}${path}`).slice(0, 500);
  }
}

function failure(where: string, code: MlvError['code'], reason: string, cause?: unknown): MlvError {
  return new MlvError(code, `MLflow at ${redactUrl(where)}: ${reason}`, {
    hint:
      code === 'REMOTE_DENIED'
        ? 'set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN'
        : 'is it the URL of a tracking server, and does it run? mlflow server --help',
    data: { url: redactUrl(where) },
    ...(cause !== undefined && { cause }),
  });
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = (cause as NodeJS.ErrnoException).code;
  return code ?? (cause instanceof Error ? cause.name : 'no answer');
}

function messageOf(said: string): string {
  try {
    const value: unknown = JSON.parse(said);
    return isMapping(value) && typeof value.message === 'string' ? `: ${redactUrl(value.message.slice(0, 200))}` : '';
  } catch {
    return '';
  }
}

/** The mappings of a list in an answer; none where the key is absent, as MLflow leaves empty lists out. */
export function listOf(answer: Record<string, unknown>, key: string): Record<string, unknown>[] {
  const list = answer[key] ?? [];
  if (Array.isArray(list) && list.every(isMapping)) return list;
  throw sourceInvalid(`the server's list of ${key} is none`);
}
