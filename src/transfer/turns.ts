import { setImmediate as nextTurn } from 'node:timers/promises';
import { checkInterrupted } from '../remotes/interrupted.js';

/** Long enough that a turn costs nothing, short enough that Ctrl-C and progress do not seem to hang. */
const TURN_MS = 50;

/** Lets other work of the process run now and then in long synchronous work, and ends it when it is interrupted. */
export class Turns {
  private last = Date.now();

  constructor(private readonly signal?: AbortSignal) {}

  /** A promise to wait for when it is time to let others run, otherwise undefined. Its error: the interruption. */
  due(): Promise<void> | undefined {
    return Date.now() - this.last < TURN_MS ? undefined : this.take();
  }

  private async take(): Promise<void> {
    checkInterrupted(this.signal);
    await nextTurn();
    checkInterrupted(this.signal);
    this.last = Date.now();
  }
}
