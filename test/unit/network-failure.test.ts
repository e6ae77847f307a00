import { describe, expect, it } from 'vitest';
import { networkFailure } from '../../src/remotes/network-failure.js';

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
