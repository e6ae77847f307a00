import { checkInterrupted, interruption } from './interrupted.js';

/** The promise's result, or the signal's interruption as soon as it is aborted. */
export function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T>;
export function untilAborted<T>(
  promise: Promise<T> | undefined,
  signal: AbortSignal | undefined,
): Promise<T | undefined>;
export async function untilAborted<T>(
  promise: Promise<T> | undefined,
  signal: AbortSignal | undefined,
): Promise<T | undefined> {
  if (!signal || !promise) return promise;
  // Nobody waits for it once the signal is aborted.
  promise.catch(() => undefined);
  checkInterrupted(signal);
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(interruption(signal));
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
