import type { MlvError } from '../core/errors.js';
import { rangeFault } from './content-range.js';
import type { HttpAnswer } from './http-client.js';
import { rangeBeyondEnd } from './keys.js';
import { isTransientStatus, retryAfterMs } from './network-failure.js';
import type { ByteRange } from './remote.js';
import { type Attempt, keyMissing, type RemoteFailure, remoteError } from './remote-error.js';

/** Where in the body of an answer the wanted bytes are. */
export interface Placement {
  /** Bytes of the body. */
  announced: number;
  /** The part of the body that was asked for. */
  slice: ByteRange;
  /** True when a range was asked for and the whole came. */
  ignoredRange: boolean;
}

/**
 * Finds the wanted bytes in an answer of status 200 or 206 and refuses what is something else: a web page, a compressed
 * body, another range. Errors: `REMOTE_PERMANENT`.
 */
export function placeOf(answer: HttpAnswer, range: ByteRange | undefined, attempt: Attempt): Placement {
  checkContent(answer, attempt);
  const announced = lengthOf(answer, attempt);
  if (answer.status === 206) {
    if (!range) throw strange(attempt, 'it gave a part (206) where the whole was asked for');
    checkPart(answer, { range, announced }, attempt);
    return { announced, slice: { start: 0, length: range.length }, ignoredRange: false };
  }
  if (!range) return { announced, slice: { start: 0, length: announced }, ignoredRange: false };
  if (range.start + range.length > announced) throw rangeBeyondEnd(attempt, range, { size: announced });
  return { announced, slice: range, ignoredRange: range.length < announced };
}

/** The size of the whole, of an answer to HEAD or to a GET of the first byte. Error: `REMOTE_PERMANENT`. */
export function wholeSize(answer: HttpAnswer, attempt: Attempt): number {
  checkContent(answer, attempt);
  if (answer.status !== 206) return lengthOf(answer, attempt);
  const total = /\/(\d+)$/.exec(answer.response.headers['content-range'] ?? '')?.[1];
  if (total === undefined) throw strange(attempt, 'it does not say how long it is');
  return Number(total);
}

/** The milliseconds of a `Last-Modified` header; 0 where there is none. */
export function modifiedOf({ response }: HttpAnswer): number {
  const time = Date.parse(response.headers['last-modified'] ?? '');
  return Number.isNaN(time) ? 0 : time;
}

/** The error that a status other than 200 and 206 is; undefined for those two. */
export function refusedBy(answer: HttpAnswer, attempt: Attempt, source: string | undefined): MlvError | undefined {
  const { status, response, url } = answer;
  if (status === 200 || status === 206) return undefined;
  if (status === 404 || status === 410 || answer.refused === 'directory') return keyMissing(attempt);
  const data = { status, ...optional('retryAfterMs', retryAfterMs(response.headers['retry-after'])) };
  return remoteError(attempt, { ...judge(answer, url.origin, source), data });
}

function judge(answer: HttpAnswer, origin: string, source: string | undefined): RemoteFailure {
  const { status } = answer;
  if (answer.refused !== undefined) return redirectFailure(answer, origin);
  if (status === 401 || status === 403) return denied(status, origin, source);
  if (status === 407) {
    return { code: 'REMOTE_DENIED', reason: `a proxy before ${origin} asks for credentials (HTTP 407)` };
  }
  if (isTransientStatus(status)) {
    return { code: 'REMOTE_TRANSIENT', reason: `the server is busy or failing (HTTP ${status})` };
  }
  return { code: 'REMOTE_PERMANENT', reason: `${origin} refused it (HTTP ${status})` };
}

function denied(status: number, origin: string, source: string | undefined): RemoteFailure {
  const used = source === undefined ? 'and no credentials are set' : `the credentials from ${source}`;
  const reason =
    source === undefined
      ? `${origin} asks for credentials (HTTP ${status}), ${used}`
      : `${origin} refused ${used} (HTTP ${status})`;
  const hint =
    'set remote.<name>.token, or username and password, in your own configuration (mlv config set); some servers answer so for what is missing';
  return { code: 'REMOTE_DENIED', reason, hint };
}

function redirectFailure({ status, refused }: HttpAnswer, origin: string): RemoteFailure {
  const why = {
    directory: 'to a directory',
    'too many': 'too many times in a row',
    nowhere: 'to no address',
    'less safe': 'from https to something less safe, which is not followed',
  }[refused ?? 'nowhere'];
  const hint = 'use the address where the files really are as the URL of the remote';
  return { code: 'REMOTE_PERMANENT', reason: `${origin} redirects ${why} (HTTP ${status})`, hint };
}

function checkContent({ response, url }: HttpAnswer, attempt: Attempt): void {
  const type = response.headers['content-type'] ?? '';
  if (/^(?:text\/html|application\/xhtml\+xml)\b/i.test(type)) {
    const hint = `open ${url.origin} in a browser: it may be a login page, or the page of a program that answers every path`;
    throw strange(attempt, `it gave a web page (${type.split(';')[0]}) in place of the content`, hint);
  }
  const encoding = response.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') {
    throw strange(attempt, `it compresses what it gives (${encoding})`, 'turn compression off for this path');
  }
}

function checkPart(
  { response }: HttpAnswer,
  { range, announced }: { range: ByteRange; announced: number },
  attempt: Attempt,
): void {
  const given = { contentRange: response.headers['content-range'], contentLength: announced };
  const fault = rangeFault(given, range, attempt);
  if (fault === 'unnamed') throw strange(attempt, 'it gave a part (206) without saying which');
  if (fault === 'other') throw strange(attempt, 'it gave another range than asked for');
  if (fault) throw fault;
}

function lengthOf({ response }: HttpAnswer, attempt: Attempt): number {
  const length = response.headers['content-length'];
  if (length === undefined || !/^\d+$/.test(length)) throw strange(attempt, 'it does not say how long it is');
  return Number(length);
}

function strange(attempt: Attempt, detail: string, hint?: string): MlvError {
  return remoteError(attempt, {
    code: 'REMOTE_PERMANENT',
    reason: `the server does not serve it as a plain file: ${detail}`,
    hint,
  });
}

function optional<T>(key: string, value: T | undefined): Record<string, T> {
  return value === undefined ? {} : { [key]: value };
}
