import { fstatSync } from 'node:fs';
import { type NewFileStat, writeNewFile } from './new-file.js';

/** What one job holds at most: enough that handing it over costs little, little enough to wait for. */
export const JOB_FILES = 128;
export const JOB_BYTES = 512 * 1024;

const STAT_NUMBERS = 4;
/** Bytes before the stats; they begin with four 32-bit numbers. */
const HEADER_BYTES = 16;
const STATE = 0;
const WRITTEN = 1;
const STOPPED = 2;
/** A job is waiting, then taken, then done; each ticket has numbers of its own for that. */
const STEPS = 3;

/** Files to be written where nothing stands; their bytes follow each other in the memory of that number. */
export interface WriteJob {
  memory: number;
  /** Which use of the memory this is: a job that was taken back is not carried out when its message comes late. */
  ticket: number;
  /** One after the other, each with a NUL behind it: one text crosses to another thread faster than a hundred. */
  paths: string;
  lengths: Uint32Array;
  modes: Uint16Array;
  /** Leave the stat of each file in the memory. */
  stats: boolean;
}

/**
 * Memory that two threads share for one job at a time: the bytes of its files, what came of it, and who carries it out.
 * So each side knows at once how far the other is, in the midst of a loop of synchronous calls.
 */
export class JobMemory {
  /** The bytes of the files, one after the other. */
  readonly bytes: Uint8Array;
  private readonly header: Int32Array;
  private readonly stats: Float64Array;

  constructor(readonly shared: SharedArrayBuffer) {
    this.header = new Int32Array(shared, 0, HEADER_BYTES / 4);
    this.stats = new Float64Array(shared, HEADER_BYTES, JOB_FILES * STAT_NUMBERS);
    this.bytes = new Uint8Array(shared, HEADER_BYTES + this.stats.byteLength, JOB_BYTES);
  }

  static create(): JobMemory {
    const stats = JOB_FILES * STAT_NUMBERS * Float64Array.BYTES_PER_ELEMENT;
    return new JobMemory(new SharedArrayBuffer(HEADER_BYTES + stats + JOB_BYTES));
  }

  /** Makes it ready for files of which none is written. */
  begin(): void {
    Atomics.store(this.header, WRITTEN, 0);
    Atomics.store(this.header, STOPPED, 0);
  }

  /** Offers the job of that ticket to whoever takes it first. */
  offer(ticket: number): void {
    this.begin();
    Atomics.store(this.header, STATE, ticket * STEPS);
  }

  /** True for the one side that may carry the job out. */
  take(ticket: number): boolean {
    return Atomics.compareExchange(this.header, STATE, ticket * STEPS, ticket * STEPS + 1) === ticket * STEPS;
  }

  /** Says that nothing is done for the job any more. */
  finish(ticket: number): void {
    Atomics.store(this.header, STATE, ticket * STEPS + 2);
    Atomics.notify(this.header, STATE);
  }

  isFinished(ticket: number): boolean {
    return Atomics.load(this.header, STATE) === ticket * STEPS + 2;
  }

  /** Waits until a job that was taken is finished, or that many ms; true when it is. */
  wait(ticket: number, ms: number): boolean {
    Atomics.wait(this.header, STATE, ticket * STEPS + 1, ms);
    return this.isFinished(ticket);
  }

  /** Has whoever carries the job out end after the file that he is at. */
  stop(): void {
    Atomics.store(this.header, STOPPED, 1);
  }

  get stopped(): boolean {
    return Atomics.load(this.header, STOPPED) === 1;
  }

  /** How many files of the job, in their order, are whole. */
  get written(): number {
    return Atomics.load(this.header, WRITTEN);
  }

  /** Notes one more whole file, with its stat where that was asked for. */
  note(stat: NewFileStat | undefined): void {
    const index = this.written;
    if (stat) this.stats.set([stat.size, stat.mtimeMs, stat.ctimeMs, stat.ino], index * STAT_NUMBERS);
    Atomics.store(this.header, WRITTEN, index + 1);
  }

  /** The stat of a file that was noted with it. */
  statAt(index: number): NewFileStat {
    const number = (field: number): number => this.stats[index * STAT_NUMBERS + field] as number;
    return { size: number(0), mtimeMs: number(1), ctimeMs: number(2), ino: number(3) };
  }
}

/** Writes the files of a job that is taken, as far as it gets. System errors pass; the file that failed is not there. */
export function carryOut(job: WriteJob, memory: JobMemory): void {
  const look = job.stats ? (descriptor: number): NewFileStat => fstatSync(descriptor) : () => undefined;
  const paths = job.paths.split('\0');
  let at = 0;
  for (let index = 0; index < job.lengths.length && !memory.stopped; index++) {
    const bytes = memory.bytes.subarray(at, at + (job.lengths[index] as number));
    memory.note(writeNewFile(paths[index] as string, bytes, job.modes[index] as number, look));
    at += bytes.length;
  }
}
