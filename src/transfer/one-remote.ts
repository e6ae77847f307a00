import { EXIT, isMlvError, MlvError } from '../core/errors.js';

/** True for a failure of one remote, which says nothing of this machine or of other remotes. */
export function isRemoteFailure(error: unknown): error is MlvError {
  if (!(error instanceof MlvError)) return false;
  // A full disk is the remote's where it was found while something was stored there.
  return error.exitCode === EXIT.remote || (isMlvError(error, 'DISK_FULL') && error.data.operation === 'put');
}
