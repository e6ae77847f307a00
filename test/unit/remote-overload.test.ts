import { describe, expect, it } from 'vitest';
import { type ErrorCode, MlvError } from '../../src/core/errors.js';
import { isOverload } from '../../src/remotes/overload.js';

describe('a failure that fewer requests at once may cure', () => {
  it.each<[boolean, ErrorCode, Record<string, unknown>]>([
    [true, 'REMOTE_TRANSIENT', { status: 503 }],
    [true, 'REMOTE_TRANSIENT', { status: 429, retryAfterMs: 1000 }],
    [true, 'REMOTE_TRANSIENT', { status: 504 }],
    [true, 'REMOTE_TRANSIENT', { status: 400, s3Code: 'RequestTimeout' }],
    [true, 'REMOTE_TRANSIENT', { s3Code: 'SlowDown' }],
    [true, 'REMOTE_TRANSIENT', { system: 'ETIMEDOUT' }],
    [false, 'REMOTE_TRANSIENT', { status: 500 }],
    [false, 'REMOTE_TRANSIENT', { system: 'ECONNRESET' }],
    [false, 'REMOTE_TRANSIENT', {}],
    [false, 'REMOTE_DENIED', { status: 503 }],
  ])('%s: %s %j', (overload, code, data) => {
    expect(isOverload(new MlvError(code, 'no', { data }))).toBe(overload);
  });

  it('is no error of another kind', () => {
    expect([isOverload(undefined), isOverload(new Error('503'))]).toEqual([false, false]);
  });
});
