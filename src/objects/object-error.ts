import { isMlvError, type MlvError } from '../core/errors.js';

/** True for an error that concerns one object and leaves all others as good as they were. */
export function isObjectError(error: unknown): error is MlvError {
  return (
    isMlvError(error, 'OBJECT_MISSING') || isMlvError(error, 'OBJECT_CORRUPT') || isMlvError(error, 'TREE_INVALID')
  );
}
