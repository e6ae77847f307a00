import { setTimeout as delay } from 'node:timers/promises';
import { isMlvError, MlvError } from '../core/errors.js';
import { checkInterrupted, interruption } from './interrupted.js';

/** A server that asks for a longer pause than this gets this. */
const MAX_RETRY_AFTER_MS = 120_000;

export interface RetryOptions {
  /** Times that a request is made at most, the first included; 6 by default. */
  attempts?: number;
  /** Upper bound of the first pause in milliseconds, doubled for each further one; 250 by default. */
  minDelayMs?: number;
  /** Upper bound of every pause in milliseconds; 20,000 by default. */
  maxDelayMs?: number;
  /** A number from 0 to below 1; `Math.random` by default. */
  random?: () => number;
  /** Waits; rejects when the signal aborts. */
  sleep?: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
  /** Ends every wait. The signal of a call does so too. */
  signal?: AbortSignal;
  /** Told of each failure that is going to be tried again. */
  onRetry?: (event: { error: MlvError; failures: number; delayMs: number }) => void;
}

async function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  await delay(milliseconds, undefined, signal && { signal });
}

/**
 * How long to wait after the `failures`-th failure in a row: anything below a bound that doubles (full jitter), so that
 * many clients that failed together do not return together; what the server asked for (`error.data.retryAfterMs`) comes
 * on top, for the same reason.
 */
export function retryDelay(error: MlvError, failures: number, options: RetryOptions): number {
  const { minDelayMs = 250, maxDelayMs = 20_000, random = Math.random } = options;
  const ceiling = Math.min(maxDelayMs, minDelayMs * 2 ** (failures - 1));
  const asked = error.data.retryAfterMs;
  const floor = typeof asked === 'number' && asked > 0 ? Math.min(asked, MAX_RETRY_AFTER_MS) : 0;
  return floor + Math.floor(random() * ceiling);
}

/** The failures of one request in a row. */
export class Backoff {
  private failures = 0;

  constructor(
    private readonly options: RetryOptions,
    private readonly signal: AbortSignal | undefined,
  ) {}

  /** Something arrived: what failed before no longer counts. */
  progressed(): void {
    this.failures = 0;
  }

  /** Does the work, again after each transient failure. Errors: the work's own; `INTERRUPTED` while waiting. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        await this.pause(error);
      }
    }
  }

  /** Waits before the next try, or throws the error when there is to be none. */
  async pause(error: unknown): Promise<void> {
    if (!isMlvError(error, 'REMOTE_TRANSIENT')) throw error;
    this.failures++;
    const { attempts = 6, onRetry } = this.options;
    if (this.failures >= attempts) throw attempts > 1 ? givenUp(error, attempts) : error;
    const delayMs = retryDelay(error, this.failures, this.options);
    onRetry?.({ error, failures: this.failures, delayMs });
    await this.wait(delayMs);
  }

  private async wait(delayMs: number): Promise<void> {
    const signals = [this.signal, this.options.signal].filter((signal) => signal !== undefined);
    const signal = signals.length > 1 ? AbortSignal.any(signals) : signals[0];
    checkInterrupted(signal);
    try {
      await (this.options.sleep ?? sleep)(delayMs, signal);
    } catch (error) {
      throw signal?.aborted ? interruption(signal) : error;
    }
    checkInterrupted(signal);
  }
}

function givenUp(error: MlvError, attempts: number): MlvError {
  return new MlvError(error.code, `${error.message} (tried ${attempts} times)`, {
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    cause: error.cause,
    data: { ...error.data, attempts },
  });
}
