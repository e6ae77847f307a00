import { fstatSync, rmSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { systemErrorCode } from '../core/errors.js';
import { type NewFileStat, writeNewFile } from './new-file.js';
import { carryOut, JOB_BYTES, JOB_FILES, type WriteJob } from './write-jobs.js';
import type { JobRoom, WriteThread } from './write-thread.js';

/** Files of more bytes are written at once: to copy them for another thread would cost too much of what it saves. */
const MOST_FILE_BYTES = 256 * 1024;
/** Jobs that the thread has before it; what comes beyond is written here. */
const MOST_POSTED = 2;
/** How long (ms) to stand still for a job before the event loop gets a turn. */
const STILL_MS = 20;
/** How long (ms) at most to wait for the file that the thread is at when nothing is wanted any more. */
const STOP_MS = 5000;

/** A small file to be written where nothing stands. */
export interface NewFile {
  path: string;
  bytes: Uint8Array;
  /** Subject to the umask. */
  mode: number;
  /**
   * Told when the file is whole, now or later, with its stat; with undefined where the name is there already, because the
   * file system takes two names for one. Where it is absent, no stat is taken, and a name that is there is an error.
   */
  done?: (stat: NewFileStat | undefined) => void;
}

/** Files that one side writes together. */
interface Batch {
  room: JobRoom;
  ticket: number;
  bytes: number;
  paths: string[];
  lengths: number[];
  modes: number[];
  done: NonNullable<NewFile['done']>[];
}

/**
 * Writes many small files, with the help of a thread where there is one: it gets what it has time for, and the main thread
 * writes the rest, so that neither waits for the other. Nothing is said to be written before it is; the first error ends it.
 */
export class FileWriter {
  private filling: Batch | undefined;
  private posted: Batch[] = [];
  private failure: Error | undefined;

  /** `failed` makes the error of a file that could not be written of what the system said. */
  constructor(
    private readonly thread: WriteThread,
    private readonly failed: (path: string, error: unknown) => Error,
  ) {}

  /** Writes a file now or soon; its bytes may be used again on return. Errors: what `failed` made, of this or a former file. */
  write(file: NewFile): void {
    if (this.failure) throw this.failure;
    const batch = this.batchFor(file);
    if (batch) append(batch, file);
    else this.attempt(() => writeHere(file), file.path);
    if (this.failure) throw this.failure;
  }

  /** Waits until all that was given is written. Errors as write; what `done` was not told of is then not there. */
  async settle(): Promise<void> {
    const { filling } = this;
    const posted = this.posted.splice(0);
    this.filling = undefined;
    if (filling) this.carryOut(filling);
    // The latest first: the thread is at the earliest.
    for (const batch of posted.reverse()) {
      if (batch.room.memory.take(batch.ticket)) this.carryOut(batch);
      else this.collect(batch, { cutOff: !(await this.isFinished(batch)) });
    }
    if (this.failure) throw this.failure;
  }

  /** Writes nothing more. On return nobody is at what was given; some of it is written, and `done` is told of none. */
  drop(): void {
    if (this.filling) this.thread.release(this.filling.room);
    for (const { room, ticket } of this.posted) {
      const { memory } = room;
      memory.stop();
      if (memory.take(ticket) || memory.isFinished(ticket) || memory.wait(ticket, STOP_MS)) this.thread.release(room);
    }
    this.filling = undefined;
    this.posted = [];
    this.failure = undefined;
  }

  /** The batch that takes the file; undefined where it is better written at once. */
  private batchFor({ path, bytes, done }: NewFile): Batch | undefined {
    // No file has a NUL in its name: what the system says of such a path is said at once.
    if (bytes.length > MOST_FILE_BYTES || path.includes('\0')) return undefined;
    const { filling } = this;
    if (filling) {
      const isFull = filling.paths.length === JOB_FILES || filling.bytes + bytes.length > JOB_BYTES;
      const asksAlike = filling.done.length > 0 === (done !== undefined);
      if (!isFull && asksAlike) return filling;
      this.filling = undefined;
      this.handOver(filling);
    }
    const room = this.thread.room(bytes.length);
    if (room) this.filling = { room, ticket: 0, bytes: 0, paths: [], lengths: [], modes: [], done: [] };
    return this.filling;
  }

  private handOver(batch: Batch): void {
    while (this.posted[0]?.room.memory.isFinished(this.posted[0].ticket)) this.collect(this.posted.shift() as Batch);
    if (this.posted.length < MOST_POSTED) {
      batch.ticket = this.thread.post(batch.room, filesOf(batch));
      this.posted.push(batch);
    } else this.carryOut(batch);
  }

  /** Writes a batch that the thread does not have. */
  private carryOut(batch: Batch): void {
    const { number, memory } = batch.room;
    memory.begin();
    const job: WriteJob = { memory: number, ticket: batch.ticket, ...filesOf(batch) };
    if (!this.failure) {
      try {
        carryOut(job, memory);
      } catch {
        // What is left is tried once more, one by one.
      }
    }
    this.collect(batch);
  }

  /** Waits for the thread; false when it ended in the midst of the batch. */
  private async isFinished({ room: { memory }, ticket }: Batch): Promise<boolean> {
    while (!memory.wait(ticket, STILL_MS)) {
      if (this.thread.ended) return memory.isFinished(ticket);
      await nextTurn();
    }
    return true;
  }

  /** Tells of what was written of a batch, and writes what was not; a batch that was cut off may have left half a file. */
  private collect(batch: Batch, { cutOff = false } = {}): void {
    const { memory } = batch.room;
    const { written } = memory;
    for (let index = 0; index < written; index++) batch.done[index]?.(memory.statAt(index));
    for (let index = written, at = sum(batch.lengths, written); index < batch.paths.length; index++) {
      const path = batch.paths[index] as string;
      const bytes = memory.bytes.subarray(at, at + (batch.lengths[index] as number));
      const done = batch.done[index];
      this.attempt(() => {
        if (cutOff && index === written) rmSync(path, { force: true });
        writeHere({ path, bytes, mode: batch.modes[index] as number, ...(done && { done }) });
      }, path);
      at += bytes.length;
    }
    this.thread.release(batch.room);
  }

  private attempt(write: () => void, path: string): void {
    if (this.failure) return;
    try {
      write();
    } catch (error) {
      this.failure = this.failed(path, error);
    }
  }
}

function append(batch: Batch, { path, bytes, mode, done }: NewFile): void {
  batch.room.memory.bytes.set(bytes, batch.bytes);
  batch.bytes += bytes.length;
  batch.paths.push(path);
  batch.lengths.push(bytes.length);
  batch.modes.push(mode);
  if (done) batch.done.push(done);
}

function filesOf({ paths, lengths, modes, done }: Batch): Omit<WriteJob, 'memory' | 'ticket'> {
  const text = `${paths.join('\0')}\0`;
  return { paths: text, lengths: Uint32Array.from(lengths), modes: Uint16Array.from(modes), stats: done.length > 0 };
}

function writeHere({ path, bytes, mode, done }: NewFile): void {
  if (!done) {
    writeNewFile(path, bytes, mode, () => undefined);
    return;
  }
  let stat: NewFileStat | undefined;
  try {
    stat = writeNewFile(path, bytes, mode, (descriptor) => fstatSync(descriptor));
  } catch (error) {
    if (systemErrorCode(error) !== 'EEXIST') throw error;
  }
  done(stat);
}

function sum(lengths: readonly number[], count: number): number {
  let total = 0;
  for (let index = 0; index < count; index++) total += lengths[index] as number;
  return total;
}
