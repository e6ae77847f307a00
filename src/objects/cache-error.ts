import { fileSystemError, MlvError } from '../core/errors.js';

/**
 * As fileSystemError, for what is done in a cache: where permission is denied, the hint says how a cache is shared. An
 * MlvError is given back as it is.
 */
export function cacheError(operation: string, path: string, error: unknown): MlvError {
  const known = fileSystemError(operation, path, error);
  const isDenied = known.data.system === 'EACCES' || known.data.system === 'EPERM';
  if (!isDenied || known.hint !== undefined) return known;
  return new MlvError(known.code, known.message, {
    cause: error,
    data: known.data,
    hint: 'a cache that a group shares needs directories of that group with chmod g+rwxs: see docs/local-space.md',
  });
}
