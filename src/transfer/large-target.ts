import {
  type BigIntStats,
  chmodSync,
  closeSync,
  fstatSync,
  ftruncateSync,
  futimesSync,
  openSync,
  rmSync,
} from 'node:fs';
import { fileSystemError, systemErrorCode } from '../core/errors.js';
import { corrupt, type ObjectCache } from '../objects/cache.js';
import type { CacheBatch } from '../objects/cache-batch.js';
import type { EarlyCopy } from '../objects/early-copy.js';
import { EarlyFlush } from '../objects/early-flush.js';
import { digestOf, type Oid } from '../objects/oid.js';
import { readFully, writeFully } from '../objects/stream-copy.js';
import { settled } from './in-parallel.js';
import { PrefixHash } from './prefix-hash.js';

/** Descriptors that are kept open between chunks, over all large files under way. */
const MOST_OPEN = 64;
const open = new Set<LargeTarget>();

export interface LargeTargetOptions {
  /** Begins a copy that is written beside the object: see EarlyCopy. */
  beginCopy?: (() => EarlyCopy | undefined) | undefined;
  /** Gives up all copies, of other objects, too: what they take is needed for the object. */
  giveUpCopies?: (() => void) | undefined;
}

/**
 * A large object on its way into the cache: its chunks are written where they belong, in any order; the whole is read
 * back once, on the way as far as it is there, and compared with the oid before the batch takes it.
 */
export class LargeTarget {
  private readonly temporary: string;
  private descriptor: number | undefined;
  private flush: EarlyFlush | undefined;
  private copy: EarlyCopy | undefined;
  private left: number;
  private created = false;
  private finishing = false;
  private dropped = false;
  /** Borrowers of the descriptor. */
  private lent = 0;
  private readonly writes = new Set<Promise<void>>();
  /** The kernel lets one thread at a time write to a file: others would only turn in circles. */
  private lastWrite: Promise<void> = Promise.resolve();
  private failure: unknown;
  private whole: PrefixHash;

  constructor(
    private readonly cache: ObjectCache,
    readonly oid: Oid,
    readonly size: number,
    private readonly options: LargeTargetOptions = {},
  ) {
    this.temporary = cache.temporary.next();
    this.left = size;
    this.whole = this.hashAnew();
  }

  /** True when a write was begun for every byte. */
  get complete(): boolean {
    return this.left === 0;
  }

  /**
   * Begins to write bytes at their offset in the object; they are not to be changed before the promise is fulfilled,
   * which it is in any case: `finish` has the failure. Error, of a write before it too: `DISK_FULL`, `FILE_SYSTEM`.
   */
  write(bytes: Buffer, offset: number): Promise<void> {
    // One damaged chunk has ended it; others of its chunks were on their way.
    if (this.dropped) return Promise.resolve();
    const descriptor = this.open();
    this.left -= bytes.length;
    this.whole.offer(offset, bytes);
    const writing = this.lastWrite
      .then(() => this.writeBoth(descriptor, bytes, offset))
      .then(() => {
        this.flush?.written(this.size - this.left);
        this.whole.note(offset, bytes.length);
      })
      .catch((error: unknown) => {
        this.failure ??= error;
      })
      .finally(() => {
        this.writes.delete(writing);
        if (this.dropped) this.rest();
      });
    this.writes.add(writing);
    this.lastWrite = writing;
    return writing;
  }

  /**
   * Opens the file for somebody who writes to `borrowed` by himself, tells `landed` of it, and gives it back in the end.
   * Errors: `DISK_FULL`, `FILE_SYSTEM`.
   */
  lend(): void {
    this.open();
    this.copy?.lend();
    this.lent++;
  }

  /** The descriptor, which stays what it is until it is given back. */
  get borrowed(): number {
    if (this.lent === 0 || this.descriptor === undefined) throw new Error('the file was not borrowed');
    return this.descriptor;
  }

  /** The descriptor of the copy, which has to be written, too; it is given back with the other. */
  get borrowedCopy(): number | undefined {
    return this.copy?.borrowed;
  }

  /** True when nothing more is taken of it. */
  get isDropped(): boolean {
    return this.dropped;
  }

  /** Told that a borrower wrote bytes there, and to the copy. */
  landed(offset: number, length: number): void {
    if (this.dropped) return;
    this.left -= length;
    this.flush?.written(this.size - this.left);
    this.whole.note(offset, length);
  }

  /** The borrower writes no more. */
  giveBack(): void {
    this.lent--;
    this.copy?.giveBack();
    if (this.dropped) this.rest();
  }

  /** Bytes before that offset that are not hashed yet. */
  hashLag(offset: number): number {
    return this.whole.lag(offset);
  }

  /** Hashes at once what is written before that offset, so that what comes there next need not be read back. */
  hashUpTo(offset: number): void {
    this.whole.catchUp(offset);
  }

  /** Reads back what was written there, as much as `into` holds. Errors: `DISK_FULL`, `FILE_SYSTEM`. */
  readBack(into: Buffer, offset: number): void {
    const descriptor = this.open();
    let count: number;
    try {
      count = readFully(descriptor, into, offset);
    } catch (error) {
      throw this.failed(error);
    }
    if (count < into.length) throw this.failed(new Error(`the file ends after ${offset + count} bytes`));
  }

  /** After `finish` failed: what was written there is not what belongs there, and will be written again. */
  reopen(stretches: readonly { offset: number; length: number }[]): void {
    this.whole.end();
    this.whole = this.hashAnew();
    let at = 0;
    for (const { offset, length } of stretches) {
      this.left += length;
      if (offset > at) this.whole.note(at, offset - at);
      at = offset + length;
    }
    if (at < this.size) this.whole.note(at, this.size - at);
  }

  /** Compares the whole with the oid and hands it to the batch. Errors: `OBJECT_CORRUPT`, `DISK_FULL`, `FILE_SYSTEM`. */
  async finish(batch: CacheBatch): Promise<void> {
    await Promise.all(this.writes);
    const descriptor = this.open();
    this.finishing = true;
    const before = withEarlierTime(descriptor);
    const hashed = this.whole.digest(this.size).catch((error: unknown) => {
      throw this.failed(error);
    });
    // The disk works while the rest is hashed.
    const flushed = this.flush?.whole(this.size).catch((error: unknown) => {
      throw this.failed(error);
    });
    await settled<unknown>([hashed, Promise.resolve(flushed)]);
    const digest = await hashed;
    const { size } = fstatSync(descriptor);
    this.finishing = false;
    if (size !== this.size || !digest.equals(digestOf(this.oid))) throw corrupt(this.oid, this.temporary);
    this.copy?.complete(this.size);
    this.close();
    chmodSync(this.temporary, 0o444);
    const hex = digestOf(this.oid).toString('hex');
    if (before) batch.stageFresh(this.temporary, hex, before);
    else batch.stage(this.temporary, hex, size);
  }

  /** Drops what was written. */
  abandon(): void {
    this.dropped = true;
    this.whole.end();
    this.finishing = false;
    this.copy?.drop();
    rmSync(this.temporary, { force: true });
    this.rest();
  }

  /** Closes the file unless something is using it; true when it is closed. */
  private rest(): boolean {
    if (this.finishing || this.lent > 0 || this.writes.size > 0 || this.flush?.busy) return false;
    this.close();
    return true;
  }

  private open(): number {
    if (this.failure !== undefined) throw this.failed(this.failure);
    if (this.descriptor !== undefined) return this.descriptor;
    if (open.size >= MOST_OPEN) for (const other of open) if (other.rest()) break;
    try {
      this.descriptor = this.openFile();
      if (!this.created) ftruncateSync(this.descriptor, this.size);
    } catch (error) {
      throw this.failed(error);
    }
    if (!this.created) this.copy = this.options.beginCopy?.();
    this.created = true;
    this.flush = new EarlyFlush(this.descriptor);
    open.add(this);
    return this.descriptor;
  }

  /** Writable until it is finished: it may be closed and opened again in between. */
  private openFile(): number {
    const openIt = (): number => openSync(this.temporary, this.created ? 'r+' : 'wx+', 0o600);
    try {
      return openIt();
    } catch (error) {
      if (systemErrorCode(error) !== 'EMFILE') throw error;
      this.options.giveUpCopies?.();
      for (const other of [...open]) other.rest();
      return openIt();
    }
  }

  /** The two are written at the same time; a disk that is full has room for the object before its copy. */
  private async writeBoth(descriptor: number, bytes: Buffer, offset: number): Promise<void> {
    const { copy } = this;
    const [written] = await Promise.allSettled([writeFully(descriptor, bytes, offset), copy?.write(bytes, offset)]);
    if (written.status === 'fulfilled') return;
    copy?.drop();
    this.options.giveUpCopies?.();
    await writeFully(descriptor, bytes, offset);
  }

  private hashAnew(): PrefixHash {
    return new PrefixHash(this.cache.hash, () => this.open());
  }

  private close(): void {
    open.delete(this);
    // The kernel told that flush alone of bytes that are not on the disk: who opens the file once more must know.
    this.failure ??= this.flush?.failed;
    if (this.descriptor !== undefined) closeSync(this.descriptor);
    this.descriptor = undefined;
    this.flush = undefined;
  }

  private failed(error: unknown): Error {
    return fileSystemError('write to the cache', this.temporary, error);
  }
}

/**
 * The file's stat, after its mtime was set back: a write right after ours would be given the time of ours where the clock
 * is coarse, and could not be told. None where the file system sets no times.
 */
function withEarlierTime(descriptor: number): BigIntStats | undefined {
  const earlier = Math.floor(Date.now() / 1000) - 1;
  try {
    futimesSync(descriptor, earlier, earlier);
    return fstatSync(descriptor, { bigint: true });
  } catch {
    return undefined;
  }
}
