import { MlvError } from '../core/errors.js';

/** What an aborted call ends with: the signal's own MlvError, or `INTERRUPTED`. */
export function interruption(signal: AbortSignal): MlvError {
  const { reason } = signal as { reason: unknown };
  return reason instanceof MlvError ? reason : new MlvError('INTERRUPTED', 'interrupted', { cause: reason });
}

/** Throws the signal's interruption once it is aborted. */
export function checkInterrupted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw interruption(signal);
}
