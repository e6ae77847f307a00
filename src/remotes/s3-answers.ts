import type { MlvError } from '../core/errors.js';
import { rangeBeyondEnd } from './keys.js';
import type { ByteRange } from './remote.js';
import { type Attempt, remoteError } from './remote-error.js';
import { notAnS3Answer, type S3Context } from './s3-errors.js';

type Where = Pick<S3Context, 'endpoint'>;

interface ObjectAnswer {
  ETag?: string | undefined;
  ContentType?: string | undefined;
  ContentLength?: number | undefined;
  ContentRange?: string | undefined;
}

/**
 * The number of bytes that a GET or HEAD announces. Refuses what a proxy, a login page or a web server gives in the
 * place of an object. Error: `REMOTE_PERMANENT`.
 */
export function announcedSize(answer: ObjectAnswer, attempt: Attempt, where: Where): number {
  if (answer.ContentType?.startsWith('text/html')) throw strange(attempt, where, 'a web page');
  if (answer.ETag === undefined) throw strange(attempt, where, 'no ETag');
  if (answer.ContentLength === undefined) throw strange(attempt, where, 'no length');
  return answer.ContentLength;
}

/** Checks that a GET with a range gives just that range. Error: `REMOTE_PERMANENT`. */
export function checkRangeAnswer(
  answer: ObjectAnswer,
  range: ByteRange,
  { attempt, where }: { attempt: Attempt; where: Where },
): void {
  const match = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(answer.ContentRange ?? '');
  if (!match) {
    // The whole is as good where the whole was asked for.
    if (range.start === 0 && answer.ContentLength === range.length) return;
    const shorter = range.start === 0 && (answer.ContentLength ?? 0) < range.length;
    throw shorter ? rangeBeyondEnd(attempt, range, {}) : strange(attempt, where, 'it ignores ranges');
  }
  const [first, last, total] = [Number(match[1]), Number(match[2]), Number(match[3])];
  if (first === range.start && last === total - 1 && last < range.start + range.length - 1) {
    throw rangeBeyondEnd(attempt, range, { size: total });
  }
  const right = first === range.start && last === range.start + range.length - 1;
  if (!right || answer.ContentLength !== range.length) throw strange(attempt, where, 'another range than asked for');
}

/** Checks that a PUT was answered by something that stores. Error: `REMOTE_PERMANENT`. */
export function checkStored(answer: { ETag?: string | undefined }, attempt: Attempt, where: Where): void {
  if (!answer.ETag) throw strange(attempt, where, 'no ETag, so nothing was stored');
}

function strange(attempt: Attempt, where: Where, detail: string): MlvError {
  return remoteError(attempt, notAnS3Answer(where, detail));
}
