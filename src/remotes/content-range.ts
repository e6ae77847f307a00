import type { MlvError } from '../core/errors.js';
import { rangeBeyondEnd } from './keys.js';
import type { ByteRange } from './remote.js';
import type { Attempt } from './remote-error.js';

/** What is wrong with a part that an HTTP server gave. */
export type RangeFault = 'unnamed' | 'other';

/**
 * Compares what a server gave, by its `Content-Range` and `Content-Length`, with the range that was asked for: undefined
 * where they agree, the `REMOTE_PERMANENT` error where the content ends before the range does.
 */
export function rangeFault(
  given: { contentRange: string | undefined; contentLength: number | undefined },
  range: ByteRange,
  attempt: Attempt,
): RangeFault | MlvError | undefined {
  const match = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(given.contentRange ?? '');
  if (!match) return 'unnamed';
  const [first, last, total] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const end = range.start + range.length - 1;
  if (first === range.start && last < end && last === total - 1) return rangeBeyondEnd(attempt, range, { size: total });
  return first === range.start && last === end && given.contentLength === range.length ? undefined : 'other';
}
