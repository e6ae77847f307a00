import { describe, expect, it } from 'vitest';
import { sftpError } from '../../src/remotes/sftp-errors.js';

const attempt = { operation: 'stat', url: 'sftp://host/dir', key: 'key' } as const;

describe('what went wrong over SFTP', () => {
  it('takes a request that got no answer for a passing fault: every answer has a status', () => {
    const unanswered = new Error('No response from server');
    expect(sftpError(attempt, unanswered)).toMatchObject({ code: 'REMOTE_TRANSIENT', cause: unanswered });
  });

  it.each([
    [3, 'REMOTE_DENIED'],
    [4, 'REMOTE_PERMANENT'],
    [6, 'REMOTE_TRANSIENT'],
    [7, 'REMOTE_TRANSIENT'],
    [8, 'REMOTE_PERMANENT'],
  ])('takes an answer of status %i for %s', (status, code) => {
    expect(sftpError(attempt, Object.assign(new Error('x'), { code: status }))).toMatchObject({
      code,
      data: { status },
    });
  });
});
