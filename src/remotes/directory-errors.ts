import { fileSystemError, MlvError, systemErrorCode } from '../core/errors.js';
import { type Attempt, remoteError } from './remote-error.js';

const DENIED = new Set(['EACCES', 'EPERM', 'EROFS']);
// What a network file system says when its server or the way to it fails for a while.
const TRANSIENT = new Set([
  'EAGAIN',
  'EBUSY',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'EINTR',
  'EIO',
  'EMFILE',
  'ENETDOWN',
  'ENETUNREACH',
  'ENFILE',
  'ENOTCONN',
  'ESTALE',
  'ETIMEDOUT',
]);

/** The reason in words, taken from the one place that knows them. */
function reasonOf(error: unknown): string {
  const { message } = fileSystemError('use', '', error);
  return message.slice(message.indexOf(': ') + 2);
}

/**
 * Turns a Node file-system error into the remote's: `REMOTE_DENIED` for permissions, `REMOTE_TRANSIENT` for what a
 * network file system may recover from, `DISK_FULL`, otherwise `REMOTE_PERMANENT`. An MlvError is given back as it is.
 */
export function directoryError(attempt: Attempt, error: unknown): MlvError {
  if (error instanceof MlvError) return error;
  const system = systemErrorCode(error);
  const reason = reasonOf(error);
  const data = system === undefined ? {} : { system };
  if (system === 'ENOSPC' || system === 'EDQUOT') {
    const hint = 'free some space there and run the same command again; what is already stored is kept';
    return remoteError(attempt, { code: 'DISK_FULL', reason, hint, cause: error, data });
  }
  if (system !== undefined && DENIED.has(system)) {
    const hint = `check the owner and the permissions of ${attempt.url}, and how its file system is mounted`;
    return remoteError(attempt, { code: 'REMOTE_DENIED', reason, hint, cause: error, data });
  }
  const code = system !== undefined && TRANSIENT.has(system) ? 'REMOTE_TRANSIENT' : 'REMOTE_PERMANENT';
  return remoteError(attempt, { code, reason, cause: error, data });
}

/** The `REMOTE_NOT_FOUND` error for a base directory, or its parent, that is not there. */
export function directoryMissing(attempt: Attempt, cause?: unknown): MlvError {
  return remoteError(attempt, {
    code: 'REMOTE_NOT_FOUND',
    reason: 'the directory does not exist',
    hint: 'check the path, and that its file system is mounted; a push creates the directory when its parent exists',
    cause,
    data: { missing: 'directory' },
  });
}
