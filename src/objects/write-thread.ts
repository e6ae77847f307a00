import { availableParallelism } from 'node:os';
import { Thread, threadProgram } from '../core/thread.js';
import { JobMemory, type WriteJob } from './write-jobs.js';

/** From so many files on, or such bytes of them, a thread is worth the 30 ms and 10 MiB that it takes to start it. */
const FROM_FILES = 1000;
const FROM_BYTES = 32 * 1024 * 1024;
/** Jobs at once: one that is filled, one that is carried out, and one that waits. */
const JOBS = 3;

export interface WriteThreadOptions {
  /** What the thread runs; undefined where there is none. */
  program?: URL | undefined;
  fromFiles?: number;
  cores?: number;
}

/** Room for a job. */
export interface JobRoom {
  /** Its number among those of the thread. */
  number: number;
  memory: JobMemory;
}

/**
 * A thread that writes small files beside the main one, started when there is work for it. It keeps no process alive. Where
 * none can be had, or it ends, there is no room for jobs: the main thread then writes everything itself.
 */
export class WriteThread {
  private readonly program: URL | undefined;
  private readonly fromFiles: number;
  private files = 0;
  private bytes = 0;
  private thread: Thread<WriteJob, never> | undefined;
  private readonly free: JobRoom[] = [];
  private tickets = 0;
  /** No thread can be had. */
  private none = false;

  constructor({
    program = threadProgram('write-worker.js'),
    fromFiles = FROM_FILES,
    cores = availableParallelism(),
  }: WriteThreadOptions = {}) {
    this.program = cores > 1 ? program : undefined;
    this.fromFiles = fromFiles;
  }

  /** True when the thread ended and finishes nothing any more; known after a turn of the event loop. */
  get ended(): boolean {
    return this.none || this.thread?.alive === false;
  }

  /** Room for a job that begins with a file of so many bytes; undefined where it is better written at once. */
  room(bytes: number): JobRoom | undefined {
    this.files++;
    this.bytes += bytes;
    if (!this.thread && (this.files >= this.fromFiles || this.bytes >= FROM_BYTES)) this.start();
    return this.ended ? undefined : this.free.pop();
  }

  /** Gives room back that is used no more. */
  release(room: JobRoom): void {
    this.free.push(room);
  }

  /** Offers a job to the thread, and gives its ticket. It may be taken back, with `take`, until the thread took it. */
  post({ number, memory }: JobRoom, files: Omit<WriteJob, 'memory' | 'ticket'>): number {
    const ticket = ++this.tickets;
    memory.offer(ticket);
    this.thread?.post({ ...files, memory: number, ticket });
    return ticket;
  }

  private start(): void {
    if (this.program === undefined || this.none) return;
    const rooms = Array.from({ length: JOBS }, (_, number) => ({ number, memory: JobMemory.create() }));
    this.thread = Thread.start(
      this.program,
      rooms.map(({ memory }) => memory.shared),
    );
    this.none = this.thread === undefined;
    if (this.thread) this.free.push(...rooms);
  }
}
