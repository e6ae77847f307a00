import { type ErrorCode, MlvError } from '../core/errors.js';

export type Operation = 'stat' | 'get' | 'put' | 'list' | 'delete';

/** What was tried, for messages. */
export interface Attempt {
  operation: Operation;
  /** The remote's URL, without credentials. */
  url: string;
  /** The key, or the prefix of a listing. */
  key?: string;
}

export interface RemoteFailure {
  code: ErrorCode;
  /** Why, as the end of a sentence. */
  reason: string;
  hint?: string | undefined;
  cause?: unknown;
  data?: Record<string, unknown>;
}

const SENTENCES: Record<Operation, readonly [verb: string, preposition: string]> = {
  stat: ['look up', 'on'],
  get: ['read', 'from'],
  put: ['store', 'on'],
  list: ['list', 'on'],
  delete: ['delete', 'from'],
};

/** The error of a remote: `cannot read 'packs/ab' from s3://bucket/prefix: <reason>`; url, key and operation are data. */
export function remoteError(attempt: Attempt, failure: RemoteFailure): MlvError {
  const [verb, preposition] = SENTENCES[attempt.operation];
  const what = attempt.key ? `'${attempt.key}' ${preposition} ${attempt.url}` : attempt.url;
  const { operation, url, key } = attempt;
  return new MlvError(failure.code, `cannot ${verb} ${what}: ${failure.reason}`, {
    ...(failure.hint === undefined ? {} : { hint: failure.hint }),
    ...(failure.cause === undefined ? {} : { cause: failure.cause }),
    data: { operation, url, ...(key === undefined ? {} : { key }), ...failure.data },
  });
}

/** The `REMOTE_NOT_FOUND` error for a key that is not there. */
export function keyMissing(attempt: Attempt, cause?: unknown): MlvError {
  const failure = { code: 'REMOTE_NOT_FOUND', reason: 'it is not there', data: { missing: 'key' } } as const;
  return remoteError(attempt, cause === undefined ? failure : { ...failure, cause });
}
