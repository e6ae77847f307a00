import { Worker } from 'node:worker_threads';
import { MlvError } from '../core/errors.js';
import type { PushAnswer, PushAnswers, PushJob } from './push-jobs.js';

/** What a thread runs. The build puts it beside this module; Node runs no TypeScript. */
const PROGRAM = import.meta.url.endsWith('.ts') ? undefined : new URL('push-worker.js', import.meta.url);

interface Waiting {
  resolve: (value: never) => void;
  reject: (error: unknown) => void;
}

/** A thread beside the main one, for the work of a push that takes the processor. It keeps no process alive. */
export class PushThread {
  private readonly waiting: Waiting[] = [];
  private failure: MlvError | undefined;

  private constructor(private readonly worker: Worker) {
    worker.on('message', (answer: PushAnswer) => this.settle(answer));
    worker.on('error', (cause) => this.fail(cause));
    worker.on('exit', () => this.fail(undefined));
    worker.unref();
  }

  /**
   * Starts a thread of `program`: some 30 ms and 10 MiB. Undefined where none can be had (a process that may start none, or that runs
   * from the TypeScript sources): the same work is then done on the main thread.
   */
  static async start(program: URL | undefined = PROGRAM): Promise<PushThread | undefined> {
    if (program === undefined) return undefined;
    try {
      const thread = new PushThread(
        new Worker(program, { execArgv: [], resourceLimits: { maxYoungGenerationSizeMb: 4 } }),
      );
      await thread.request({ kind: 'ready' });
      return thread;
    } catch {
      return undefined;
    }
  }

  /**
   * Asks for a job; answers come in the order of the requests. What is in `transfer` is the thread's from then on.
   * Errors: those of the job, with their `code`; `INTERNAL` when the thread ends.
   */
  request<J extends PushJob>(job: J, transfer: ArrayBuffer[] = []): Promise<PushAnswers[J['kind']]> {
    return new Promise((resolve, reject) => {
      if (this.failure) return reject(this.failure);
      this.waiting.push({ resolve, reject });
      // A process must not end while it waits for an answer.
      this.worker.ref();
      this.worker.postMessage(job, transfer);
    });
  }

  /** Ends the thread, whatever it is at. Never fails. */
  async close(): Promise<void> {
    await this.worker.terminate();
  }

  private settle(answer: PushAnswer): void {
    const next = this.waiting.shift();
    if (this.waiting.length === 0) this.worker.unref();
    if ('value' in answer) next?.resolve(answer.value as never);
    else
      next?.reject(
        answer.code === undefined ? answer.error : Object.assign(answer.error as Error, { code: answer.code }),
      );
  }

  private fail(cause: unknown): void {
    this.failure ??= new MlvError('INTERNAL', 'a thread of the push ended unexpectedly', { cause });
    for (const { reject } of this.waiting.splice(0)) reject(this.failure);
  }
}
