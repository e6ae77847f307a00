import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { MlvError } from '../../src/core/errors.js';
import type { Operation } from '../../src/remotes/remote-error.js';
import { type S3Context, s3Error } from '../../src/remotes/s3-errors.js';
import { readFailure } from '../../src/remotes/s3-failure.js';

interface Shape {
  name?: string;
  message?: string;
  status?: number;
  code?: string;
  headers?: Record<string, string>;
  [more: string]: unknown;
}

/** An error as the SDK makes it. */
function sdkError({ name = 'Unknown', message = 'UnknownError', status, headers = {}, ...more }: Shape): Error {
  const error = Object.assign(new Error(message), { name, ...more });
  if (status === undefined) return error;
  Object.assign(error, { $metadata: { httpStatusCode: status, requestId: 'REQ1' } });
  return Object.defineProperty(error, '$response', { value: { statusCode: status, headers }, enumerable: false });
}

const context: S3Context = {
  bucket: 'models',
  endpoint: 'https://s3.example.org',
  source: "the profile 'ml' (~/.aws/credentials)",
  advice: 'correct the profile',
};

function translate(shape: Shape, operation: Operation = 'get'): MlvError {
  return s3Error(sdkError(shape), { operation, url: 's3://models/p', key: 'packs/a' }, context);
}

describe('s3Error', () => {
  it.each([
    [{ name: 'NoSuchKey', status: 404 }, 'REMOTE_NOT_FOUND', { missing: 'key' }],
    [{ name: 'NotFound', status: 404 }, 'REMOTE_NOT_FOUND', { missing: 'key' }],
    [{ name: 'NoSuchBucket', status: 404 }, 'REMOTE_NOT_FOUND', { missing: 'bucket' }],
    [{ name: 'AccessDenied', status: 403 }, 'REMOTE_DENIED', { credentialSource: context.source }],
    [{ name: '403', status: 403 }, 'REMOTE_DENIED', { status: 403 }],
    [{ name: 'Unknown', status: 401 }, 'REMOTE_DENIED', {}],
    [{ name: 'SlowDown', status: 503 }, 'REMOTE_TRANSIENT', { s3Code: 'SlowDown', status: 503, requestId: 'REQ1' }],
    [{ name: 'InternalError', status: 500 }, 'REMOTE_TRANSIENT', {}],
    [{ name: 'RequestTimeout', status: 400 }, 'REMOTE_TRANSIENT', {}],
    [{ name: 'Unknown', status: 429 }, 'REMOTE_TRANSIENT', {}],
    [{ name: 'SyntaxError', status: 502 }, 'REMOTE_TRANSIENT', {}],
    [{ name: 'OperationAborted', status: 409 }, 'REMOTE_TRANSIENT', {}],
    [{ name: 'ConditionalRequestConflict', status: 409 }, 'REMOTE_TRANSIENT', {}],
    [{ name: 'XAmzContentSHA256Mismatch', status: 400 }, 'REMOTE_TRANSIENT', {}],
    [{ name: 'InvalidRequest', status: 400 }, 'REMOTE_PERMANENT', {}],
    [{ name: 'NotImplemented', status: 501 }, 'REMOTE_PERMANENT', {}],
    [{ name: 'PreconditionFailed', status: 412 }, 'REMOTE_PERMANENT', { status: 412 }],
    [{ name: 'InvalidObjectState', status: 403 }, 'REMOTE_PERMANENT', {}],
    [{ name: 'XMinioStorageFull', status: 507 }, 'DISK_FULL', {}],
    [{ name: 'SyntaxError', status: 200 }, 'REMOTE_PERMANENT', {}],
    [{ name: 'Error', status: 200, code: 'ECONNRESET' }, 'REMOTE_TRANSIENT', {}],
  ] as const)('makes of %j a %s', (shape, code, data) => {
    expect(translate(shape)).toMatchObject({ code, data });
  });

  it.each(['ECONNRESET', 'ECONNREFUSED', 'EPIPE', 'ETIMEDOUT', 'EAI_AGAIN', 'ENETUNREACH', 'HPE_INVALID_CONSTANT'])(
    'takes %s for something that passes, and names the server',
    (code) => {
      const error = translate({ name: 'Error', code, message: 'read failed' });
      expect(error.code).toBe('REMOTE_TRANSIENT');
      expect(error.message).toContain('https://s3.example.org');
      expect(error.message).toContain(code);
    },
  );

  it.each(['ENOTFOUND', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'CERT_HAS_EXPIRED', 'ERR_TLS_CERT_ALTNAME_INVALID', 'EPROTO'])(
    'takes %s for something that stays, and says what to check',
    (code) => {
      const error = translate({ name: 'Error', code });
      expect(error.code).toBe('REMOTE_PERMANENT');
      expect(error.hint).toMatch(/check the/);
    },
  );

  it('finds the code of a network error behind another error', () => {
    const cause = Object.assign(new Error('reset'), { code: 'ECONNRESET' });
    expect(translate({ name: 'Error', cause }).code).toBe('REMOTE_TRANSIENT');
  });

  it('knows a time-out by its name', () => {
    expect(translate({ name: 'TimeoutError' }).code).toBe('REMOTE_TRANSIENT');
  });

  it.each(['InvalidAccessKeyId', 'SignatureDoesNotMatch', 'ExpiredToken', 'InvalidToken'])(
    'names the source of the credentials that %s is about, and what to do',
    (name) => {
      const error = translate({ name, status: 403, message: 'The key you provided is wrong.' });
      expect(error).toMatchObject({
        code: 'REMOTE_DENIED',
        hint: context.advice,
        data: { credentialSource: context.source },
      });
      expect(error.message).toContain("the profile 'ml'");
      expect(error.message).toContain(name);
    },
  );

  it.each([
    ['put', 's3:PutObject'],
    ['list', 's3:ListBucket'],
    ['delete', 's3:DeleteObject'],
    ['stat', 's3:GetObject'],
  ] as const)('says which permission a denied %s lacks', (operation, permission) => {
    expect(translate({ name: 'AccessDenied', status: 403 }, operation).hint).toContain(permission);
  });

  it('says that the clock is wrong where the clock is wrong', () => {
    const error = translate({ name: 'RequestTimeTooSkewed', status: 403 });
    expect(error.code).toBe('REMOTE_DENIED');
    expect(error.message).toContain('clock');
  });

  it.each([
    ['403', -3_600_000, 'clock'],
    ['Unknown', 20 * 365 * 86_400_000, 'clock'],
    ['403', 60_000, 'access denied'],
    ['AccessDenied', -3_600_000, 'access denied'],
  ])('says so of a refusal %s without a word where the server is %i ms away: %s', (name, away, said) => {
    const headers = { date: new Date(Date.now() + away).toUTCString() };
    const error = translate({ name, status: 403, headers }, 'stat');
    expect(error).toMatchObject({ code: 'REMOTE_DENIED', message: expect.stringContaining(said) });
  });

  it('names the region that the server names, by header or in its answer', () => {
    const headers = { 'x-amz-bucket-region': 'eu-central-1' };
    for (const shape of [
      { name: 'PermanentRedirect', status: 301, headers },
      { name: 'Unknown', status: 400, headers },
      { name: 'AuthorizationHeaderMalformed', status: 400, Region: 'eu-central-1' },
    ]) {
      const error = translate(shape);
      expect(error).toMatchObject({ code: 'REMOTE_PERMANENT', data: { region: 'eu-central-1' } });
      expect(error.message).toContain('eu-central-1');
    }
  });

  it('does not take the region of a denied request for a mistake', () => {
    const headers = { 'x-amz-bucket-region': 'eu-central-1' };
    expect(translate({ name: 'AccessDenied', status: 403, headers }).code).toBe('REMOTE_DENIED');
  });

  it('blames a missing place for a put, not the key', () => {
    const error = translate({ name: 'Unknown', status: 404 }, 'put');
    expect(error.code).toBe('REMOTE_NOT_FOUND');
    expect(error.data.missing).toBeUndefined();
  });

  it('passes on how long the server asks to wait', () => {
    expect(translate({ name: 'SlowDown', status: 503, headers: { 'retry-after': '7' } }).data.retryAfterMs).toBe(7_000);
    const date = 'Sat, 21 Nov 2026 06:00:10 GMT';
    const error = sdkError({ name: 'SlowDown', status: 503, headers: { 'retry-after': date } });
    expect(readFailure(error, Date.parse('Sat, 21 Nov 2026 06:00:00 GMT')).retryAfterMs).toBe(10_000);
    expect(readFailure(error, Date.parse('Sat, 21 Nov 2026 06:00:20 GMT')).retryAfterMs).toBeUndefined();
  });

  it('keeps signatures and key ids out of all that it makes, with what it quotes', () => {
    const error = translate({
      name: 'SignatureDoesNotMatch',
      status: 403,
      message: 'see https://models.s3.example.org/p?X-Amz-Credential=AKIAEXAMPLE&X-Amz-Signature=5ec4e7',
      AWSAccessKeyId: 'AKIAEXAMPLE',
      StringToSign: 'AWS4-HMAC-SHA256 5ec4e7',
      SignatureProvided: '5ec4e7',
    });
    const everything = inspect(error, { depth: 10, showHidden: true });
    expect(everything).not.toContain('AKIAEXAMPLE');
    expect(everything).not.toContain('5ec4e7');
    expect(error.cause).toMatchObject({ name: 'SignatureDoesNotMatch' });
  });

  it('shortens what a server says at length, to one line', () => {
    const error = translate({ name: 'InvalidRequest', status: 400, message: `${'long '.repeat(500)}\nsecond line` });
    expect(error.message.length).toBeLessThan(600);
    expect(error.message).not.toContain('second line');
  });

  it('gives back an error of mlv as it is', () => {
    const own = new MlvError('REMOTE_DENIED', 'no credentials');
    expect(s3Error(own, { operation: 'get', url: 's3://b' }, context)).toBe(own);
  });
});
