import { describe, expect, it } from 'vitest';
import type { MlvError } from '../../src/core/errors.js';
import { networkFailure } from '../../src/remotes/network-failure.js';
import { type RemoteFailure, remoteError } from '../../src/remotes/remote-error.js';
import { sourceUnreached } from '../../src/remotes/source-types.js';

describe('a server that cannot be reached', () => {
  it.each([
    ['ECONNREFUSED', 'REMOTE_TRANSIENT'],
    ['EHOSTUNREACH', 'REMOTE_TRANSIENT'],
    ['ENOTFOUND', 'REMOTE_PERMANENT'],
  ])('%s comes with the setting to look at and the command that tries it', (system, code) => {
    const failure = networkFailure(Object.assign(new Error('no'), { code: system }), 'https://example.com');
    expect(failure).toMatchObject({ code, data: { system } });
    expect(failure?.hint).toContain('endpoint');
    expect(failure?.hint).toContain('mlv doctor');
  });
});

describe('a server that an address to import names', () => {
  it('gets advice of its own where it was not reached, and keeps that of all else', () => {
    const failure = (code: string): Error => {
      const found = networkFailure(Object.assign(new Error(code), { code }), 'https://example.com');
      return remoteError({ operation: 'get', url: 'https://example.com/x' }, found as RemoteFailure);
    };
    for (const code of ['ECONNREFUSED', 'ENOTFOUND']) {
      const { hint, data } = sourceUnreached(failure(code)) as MlvError;
      expect([hint, data.system]).toEqual([expect.stringMatching(/^check the address and the network/), code]);
      expect(hint).not.toContain('remote');
    }
    const untrusted = failure('CERT_HAS_EXPIRED');
    expect(sourceUnreached(untrusted)).toBe(untrusted);
    const other = new Error('x');
    expect(sourceUnreached(other)).toBe(other);
  });
});
