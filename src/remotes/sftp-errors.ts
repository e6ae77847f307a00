import { MlvError } from '../core/errors.js';
import { networkFailure } from './network-failure.js';
import { type Attempt, remoteError } from './remote-error.js';

/** Statuses of SFTP version 3. */
export const STATUS = {
  noSuchFile: 2,
  permissionDenied: 3,
  failure: 4,
  noConnection: 6,
  connectionLost: 7,
  unsupported: 8,
} as const;

const REASONS: Record<number, string> = {
  1: 'it ended early',
  3: 'permission denied',
  4: 'the server could not do it',
  5: 'the server did not understand it',
  6: 'the server has no connection to its storage',
  7: 'the server lost the connection to its storage',
  8: 'the server does not support it',
};
const TRANSIENT = new Set<number>([STATUS.noConnection, STATUS.connectionLost]);

/** The status with which the server answered; undefined for an error that is no answer. */
export function statusOf(error: unknown): number | undefined {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  return typeof code === 'number' ? code : undefined;
}

/** True where the server says that a file or directory is not there. */
export function isMissing(error: unknown): boolean {
  return statusOf(error) === STATUS.noSuchFile;
}

/** Turns an error of SFTP into the remote's, by its status or code. An MlvError is given back as it is. */
export function sftpError(attempt: Attempt, error: unknown): MlvError {
  if (error instanceof MlvError) return error;
  const network = networkFailure(error, attempt.url);
  if (network) return remoteError(attempt, { ...network, cause: error });
  const status = statusOf(error);
  if (status === undefined) {
    // Every answer has a status: what has none was not answered. A channel that ends before its connection does so.
    const said = error instanceof Error ? error.message : String(error);
    return remoteError(attempt, { code: 'REMOTE_TRANSIENT', reason: `there was no answer (${said})`, cause: error });
  }
  const reason = `${REASONS[status] ?? 'the server refused it'} (status ${status})`;
  const data = { status };
  if (status === STATUS.permissionDenied) {
    const hint = `check the owner and the permissions of the directory on the server`;
    return remoteError(attempt, { code: 'REMOTE_DENIED', reason, hint, cause: error, data });
  }
  const code = TRANSIENT.has(status) ? 'REMOTE_TRANSIENT' : 'REMOTE_PERMANENT';
  return remoteError(attempt, { code, reason, cause: error, data });
}

/** The error of a connection, with what it was needed for as data. An interruption is given back as it is. */
export function duringAttempt(attempt: Attempt, error: MlvError): MlvError {
  if (!error.code.startsWith('REMOTE_')) return error;
  const { message, hint, cause, data } = error;
  return new MlvError(error.code, message, {
    ...(hint !== undefined && { hint }),
    cause,
    data: { ...attempt, ...data },
  });
}

/** The `DISK_FULL` error of a server that has no room left. */
export function serverFull(attempt: Attempt, cause: unknown): MlvError {
  const hint = 'free some space there and run the same command again; what is already stored is kept';
  return remoteError(attempt, { code: 'DISK_FULL', reason: 'no space is left on the server', hint, cause });
}
