import { setMaxListeners } from 'node:events';
import { EXIT, MlvError } from '../core/errors.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface Interrupts {
  /** Aborted with an `INTERRUPTED` error at the first signal. */
  readonly signal: AbortSignal;
  /**
   * Has signals go to the listener and nowhere else, for a program that runs in the place of this one, until the function
   * it gives is called.
   */
  divert(listener: (name: NodeJS.Signals) => void): () => void;
  /** Stops listening. */
  dispose(): void;
}

/**
 * Turns SIGINT, SIGTERM and SIGHUP into an aborted signal. A run that is not `careful` ends at once with exit code 130;
 * a careful one brings its step to an end, and ends at once at the second signal. `onSignal` is called before, to clear
 * the terminal and say what happens.
 */
export function watchInterrupts(careful: boolean, onSignal: (ending: boolean) => void): Interrupts {
  const controller = new AbortController();
  // Every request that is under way listens.
  setMaxListeners(0, controller.signal);
  const diverted = new Set<(name: NodeJS.Signals) => void>();
  const listener = (name: NodeJS.Signals): void => {
    if (diverted.size > 0) {
      for (const take of diverted) take(name);
      return;
    }
    const ending = controller.signal.aborted || !careful;
    onSignal(ending);
    controller.abort(new MlvError('INTERRUPTED', 'interrupted'));
    if (ending) process.exit(EXIT.interrupted);
  };
  for (const name of SIGNALS) process.on(name, listener);
  return {
    signal: controller.signal,
    divert(take) {
      diverted.add(take);
      return () => void diverted.delete(take);
    },
    dispose() {
      for (const name of SIGNALS) process.off(name, listener);
    },
  };
}
