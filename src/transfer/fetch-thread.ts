import { availableParallelism } from 'node:os';
import { Thread, threadProgram } from '../core/thread.js';
import type { FetchAnswer, FetchTask, RangeJob } from './fetch-jobs.js';

/** Threads at most: each takes some 20 MiB, and two receive and check about a GiB in a second. */
const MOST_THREADS = 2;
/** A server whose answers are not for threads that often in a row is asked by the main thread alone. */
const MOST_FAILURES = 3;

export interface FetchThreadsOptions {
  /** What a thread runs; what the build made by default. */
  program?: URL | undefined;
  /** Threads to start; two by default, and none where there is one processor. */
  count?: number | undefined;
}

/** A job without what the threads add to it. */
export type NewRangeJob = Omit<RangeJob, 'id'>;

/** Told how many parts of a job are written so far, and how many bytes came since it was told before. */
export type FetchProgress = (written: number, received: number) => void;

interface Waiting {
  progress: FetchProgress;
  received: number;
  written: number;
  ended: (written: number) => void;
}

/** The threads of one fetch, which make ranged requests by themselves. They keep no process alive that has nothing to wait for. */
export class FetchThreads {
  private failures = 0;

  private constructor(private readonly threads: readonly FetchThread[]) {}

  /** Starts threads: some 40 ms. Undefined where none can be had: the requests are then made on the main thread. */
  static async start({
    program = threadProgram('fetch-worker.js'),
    count,
  }: FetchThreadsOptions = {}): Promise<FetchThreads | undefined> {
    const cores = availableParallelism();
    const wanted = count ?? (cores > 1 ? Math.min(cores, MOST_THREADS) : 0);
    if (program === undefined || wanted === 0) return undefined;
    const started = await Promise.all(Array.from({ length: wanted }, () => FetchThread.start(program)));
    const threads = started.filter((thread) => thread !== undefined);
    return threads.length > 0 ? new FetchThreads(threads) : undefined;
  }

  /** False when it is no longer worth it to ask: no thread is left, or nothing came of the last requests. */
  get usable(): boolean {
    return this.failures < MOST_FAILURES && this.threads.some((thread) => thread.alive);
  }

  /**
   * Has the thread with least to do make a request; gives how many of its parts, from the first on, are written. When it
   * is done, nothing is written any more. Never fails: an aborted signal only ends it early.
   */
  async carry(
    job: NewRangeJob,
    { progress, signal }: { progress: FetchProgress; signal?: AbortSignal | undefined },
  ): Promise<number> {
    const alive = this.threads.filter((thread) => thread.alive).sort((left, right) => left.load - right.load);
    const written = (await alive[0]?.carry(job, { progress, signal })) ?? 0;
    this.failures = written > 0 ? 0 : this.failures + 1;
    return written;
  }

  /** Ends the threads, whatever they are at. Never fails. */
  async close(): Promise<void> {
    await Promise.all(this.threads.map((thread) => thread.close()));
  }
}

class FetchThread {
  private readonly jobs = new Map<number, Waiting>();
  private lastId = 0;

  private constructor(private readonly thread: Thread<FetchTask, FetchAnswer>) {
    thread.listen({ hear: (answer) => this.hear(answer), ended: () => this.end() });
  }

  static async start(program: URL): Promise<FetchThread | undefined> {
    const thread = await Thread.startReady<FetchTask, FetchAnswer>(program, { kind: 'ready' });
    return thread && new FetchThread(thread);
  }

  get alive(): boolean {
    return this.thread.alive;
  }

  /** Requests under way. */
  get load(): number {
    return this.jobs.size;
  }

  carry(
    job: NewRangeJob,
    { progress, signal }: { progress: FetchProgress; signal: AbortSignal | undefined },
  ): Promise<number> {
    if (!this.alive || signal?.aborted) return Promise.resolve(0);
    const id = ++this.lastId;
    return new Promise((resolve) => {
      const leave = (): void => this.thread.post({ kind: 'leave', id });
      const ended = (written: number): void => {
        signal?.removeEventListener('abort', leave);
        this.jobs.delete(id);
        this.thread.keepProcess(this.jobs.size > 0);
        resolve(written);
      };
      this.jobs.set(id, { progress, received: 0, written: 0, ended });
      signal?.addEventListener('abort', leave);
      this.thread.keepProcess(true);
      this.thread.post({ kind: 'range', job: { ...job, id } });
    });
  }

  async close(): Promise<void> {
    await this.thread.close();
  }

  private hear(answer: FetchAnswer): void {
    if (answer.kind === 'ready') return;
    const waiting = this.jobs.get(answer.id);
    if (!waiting) return;
    const received = answer.received - waiting.received;
    waiting.received = answer.received;
    waiting.written = answer.written;
    waiting.progress(answer.written, received);
    if (answer.kind === 'ended') waiting.ended(answer.written);
  }

  private end(): void {
    // What it wrote since its last word is written again.
    for (const { ended, written } of [...this.jobs.values()]) ended(written);
  }
}
