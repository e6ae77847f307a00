import { type Transferable, Worker } from 'node:worker_threads';
import { addressSpaceLeft } from './address-space.js';

/** Threads make small things in great numbers: more room for new ones would only take longer to touch. */
const LIMITS = { maxYoungGenerationSizeMb: 4 };
/**
 * Addresses that must be left for each thread that is started: it reserves some 750 MiB, and where those are not to be had, V8
 * ends the process. The rest is for what this process does meanwhile.
 */
const ADDRESSES = 1536 * 1024 * 1024;
/** Threads that are being started, and have not reserved anything yet. */
let starting = 0;

/**
 * What a thread runs: the build's file of that name (`push-worker.js`), which stands beside all others of the program.
 * Undefined where the program runs from its TypeScript sources, which no thread of Node can load.
 */
export function threadProgram(name: string): URL | undefined {
  return import.meta.url.endsWith('.ts') ? undefined : new URL(name, import.meta.url);
}

/** Who hears what a thread says. */
export interface ThreadListener<Answer> {
  hear(answer: Answer): void;
  /** Called once, when the thread ended and does nothing any more; `cause` is what it failed with, if it did. */
  ended(cause: unknown): void;
}

/** A thread beside the main one, which is told tasks and answers in messages. It keeps no process alive unless it is asked to. */
export class Thread<Task, Answer> {
  /** True until the thread is known to have ended: after a turn of the event loop at the earliest. */
  alive = true;
  private listener: ThreadListener<Answer> | undefined;
  private cause: unknown;

  private constructor(private readonly worker: Worker) {
    const began = once(() => starting--);
    starting++;
    worker.on('online', began);
    worker.on('message', (answer: Answer) => this.listener?.hear(answer));
    worker.on('error', (cause) => {
      this.cause = cause;
    });
    // Only now is it certain that it does nothing more.
    worker.on('exit', () => {
      began();
      this.alive = false;
      this.listener?.ended(this.cause);
    });
    worker.unref();
  }

  /**
   * Starts a thread, some 10 MiB, that hears tasks when it is ready. Undefined where a process may start none, or has not the
   * addresses for one.
   */
  static start<Task, Answer>(program: URL, workerData?: unknown): Thread<Task, Answer> | undefined {
    if (addressSpaceLeft() < ADDRESSES * (starting + 1)) return undefined;
    try {
      return new Thread(new Worker(program, { execArgv: [], workerData, resourceLimits: LIMITS }));
    } catch {
      return undefined;
    }
  }

  /**
   * Starts a thread and waits, some 30 ms, until it answered `task`: so it is known to work. Undefined where it does not,
   * and where none can be had.
   */
  static async startReady<Task, Answer>(program: URL, task: Task): Promise<Thread<Task, Answer> | undefined> {
    const thread = Thread.start<Task, Answer>(program);
    if (!thread) return undefined;
    const isReady = await new Promise<boolean>((resolve) => {
      thread.listen({ hear: () => resolve(true), ended: () => resolve(false) });
      thread.keepProcess(true);
      thread.post(task);
    });
    thread.keepProcess(false);
    return isReady ? thread : undefined;
  }

  /** Sets who hears answers from now on, in place of who did before. */
  listen(listener: ThreadListener<Answer>): void {
    this.listener = listener;
  }

  /** Tells the thread a task; one that ended hears nothing. What is in `transfer` is the thread's from then on. */
  post(task: Task, transfer: readonly Transferable[] = []): void {
    this.worker.postMessage(task, transfer);
  }

  /** True while somebody waits for an answer: a process must not end then. */
  keepProcess(waiting: boolean): void {
    if (waiting) this.worker.ref();
    else this.worker.unref();
  }

  /** Ends the thread, whatever it is at. Never fails. */
  async close(): Promise<void> {
    await this.worker.terminate();
  }
}

function once(action: () => void): () => void {
  let done = false;
  return () => {
    if (!done) action();
    done = true;
  };
}
