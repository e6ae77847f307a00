import { MlvError } from '../core/errors.js';
import { Thread, threadProgram } from '../core/thread.js';
import type { PushAnswer, PushAnswers, PushJob } from './push-jobs.js';

interface Waiting {
  resolve: (value: never) => void;
  reject: (error: unknown) => void;
}

/** A thread beside the main one, for the work of a push that takes the processor. It keeps no process alive that waits for nothing. */
export class PushThread {
  private readonly waiting: Waiting[] = [];
  private failure: MlvError | undefined;

  private constructor(private readonly thread: Thread<PushJob, PushAnswer>) {
    thread.listen({ hear: (answer) => this.settle(answer), ended: (cause) => this.fail(cause) });
  }

  /**
   * Starts a thread of `program`: some 30 ms and 10 MiB. Undefined where none can be had (a process that may start none, or that runs
   * from the TypeScript sources): the same work is then done on the main thread.
   */
  static async start(program = threadProgram('push-worker.js')): Promise<PushThread | undefined> {
    const thread = program && (await Thread.startReady<PushJob, PushAnswer>(program, { kind: 'ready' }));
    return thread && new PushThread(thread);
  }

  /**
   * Asks for a job; answers come in the order of the requests. What is in `transfer` is the thread's from then on.
   * Errors: those of the job, with their `code`; `INTERNAL` when the thread ends.
   */
  request<J extends PushJob>(job: J, transfer: ArrayBuffer[] = []): Promise<PushAnswers[J['kind']]> {
    return new Promise((resolve, reject) => {
      if (this.failure) return reject(this.failure);
      this.waiting.push({ resolve, reject });
      this.thread.keepProcess(true);
      this.thread.post(job, transfer);
    });
  }

  /** Ends the thread, whatever it is at. Never fails. */
  async close(): Promise<void> {
    await this.thread.close();
  }

  private settle(answer: PushAnswer): void {
    const next = this.waiting.shift();
    this.thread.keepProcess(this.waiting.length > 0);
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
