import { isMlvError } from '../core/errors.js';

/** What servers answer when they are asked too much, and what gateways answer for a server that is too slow. */
const STATUS = new Set([408, 429, 503, 504, 509, 529]);
/** Those among the codes of S3. */
export const S3_OVERLOAD = [
  'BandwidthLimitExceeded',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'RequestThrottled',
  'RequestTimeout',
  'RequestTimeoutException',
  'SlowDown',
  'SlowDownRead',
  'SlowDownWrite',
  'ThrottledException',
  'Throttling',
  'ThrottlingException',
  'TimeoutError',
  'TooManyRequestsException',
] as const;
const S3_CODES: ReadonlySet<unknown> = new Set(S3_OVERLOAD);

/** True for a failure that fewer requests at once may cure: the remote is overloaded, or did not answer in time. */
export function isOverload(error: unknown): boolean {
  if (!isMlvError(error, 'REMOTE_TRANSIENT')) return false;
  const { status, system, s3Code } = error.data;
  return STATUS.has(status as number) || system === 'ETIMEDOUT' || S3_CODES.has(s3Code);
}
