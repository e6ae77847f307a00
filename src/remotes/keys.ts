import type { MlvError } from '../core/errors.js';
import { checkInterrupted } from './interrupted.js';
import type { ByteRange } from './remote.js';
import { type Attempt, remoteError } from './remote-error.js';

/** First segment that no key may have: a directory remote keeps files there that are being written. */
export const TEMPORARY_SEGMENT = 'tmp';

const SEGMENT = /^[A-Za-z0-9._=@+-]+$/;
const MAX_KEY_LENGTH = 512;

/**
 * Refuses a key that a remote could take for something else: one that leaves the base directory, that two file systems
 * write differently, or that names the place of unfinished files. Error: `REMOTE_PERMANENT`.
 */
function checkKey(attempt: Attempt, key: string): void {
  const segments = key.split('/');
  if (key.length <= MAX_KEY_LENGTH && segments[0] !== TEMPORARY_SEGMENT && segments.every(isSegment)) return;
  throw remoteError(attempt, { code: 'REMOTE_PERMANENT', reason: 'it is not a valid key' });
}

function isSegment(segment: string): boolean {
  return SEGMENT.test(segment) && segment !== '.' && segment !== '..';
}

/**
 * Begins a call that concerns one key, and gives the attempt that its errors tell of. Errors: `REMOTE_PERMANENT` for a key
 * that is none, the interruption of an aborted signal.
 */
export function beginAttempt(attempt: Attempt & { key: string }, signal: AbortSignal | undefined): Attempt {
  checkInterrupted(signal);
  checkKey(attempt, attempt.key);
  return attempt;
}

/** Refuses a range of no byte, or one that is not of whole, safe numbers. Error: `REMOTE_PERMANENT`. */
export function checkRange(attempt: Attempt, range: ByteRange | undefined): void {
  if (!range) return;
  const { start, length } = range;
  const valid = Number.isSafeInteger(start) && Number.isSafeInteger(length) && start >= 0 && length >= 1;
  if (valid && Number.isSafeInteger(start + length)) return;
  throw remoteError(attempt, {
    code: 'REMOTE_PERMANENT',
    reason: `${length} bytes from ${start} on are not a range`,
    data: { range },
  });
}

/** The `REMOTE_PERMANENT` error for a range that ends beyond the content's last byte. */
export function rangeBeyondEnd(
  attempt: Attempt,
  range: ByteRange,
  details: { size?: number; cause?: unknown },
): MlvError {
  const size = details.size === undefined ? '' : `, which is ${details.size} bytes`;
  return remoteError(attempt, {
    code: 'REMOTE_PERMANENT',
    reason: `${range.length} bytes from ${range.start} on are beyond its end${size}`,
    cause: details.cause,
    data: { range },
  });
}

/** True when `key` comes after `other` in the order of their UTF-8 bytes. */
export function comesAfter(key: string, other: string): boolean {
  // Code units give the same order for ASCII, which is nearly everything and far cheaper.
  return key > other || (key !== other && Buffer.compare(Buffer.from(key), Buffer.from(other)) > 0);
}
