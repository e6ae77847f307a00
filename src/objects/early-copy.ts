import {
  type BigIntStats,
  closeSync,
  constants,
  copyFileSync,
  fstatSync,
  ftruncateSync,
  lstatSync,
  openSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { Oid } from './oid.js';
import { writeFully } from './stream-copy.js';

/** Smaller objects are copied in no time. */
const LEAST_BYTES = 4 * 1024 * 1024;
/** Copies that are written at the same time, each an open file. */
const MOST_OPEN = 16;
/** What is left free of a disk, whatever is copied. */
const RESERVE_BYTES = 512 * 1024 * 1024;
const PROBE_BYTES = 4096;

/**
 * A copy of a large object in the file system of the workspace, written beside the object while that arrives in the
 * cache, so that a checkout has to rename it only. It is a help and no promise: whatever goes wrong with it ends it, and
 * the checkout makes a copy of its own.
 */
export class EarlyCopy {
  private state: 'open' | 'whole' | 'gone' = 'open';
  private users = 0;
  private closed = false;
  private stat: BigIntStats | undefined;

  /** @param ended told when the file is closed. */
  constructor(
    readonly path: string,
    private readonly descriptor: number,
    private readonly ended: () => void,
  ) {}

  /** The descriptor for who writes by himself, between `lend` and `giveBack`; undefined where the copy is given up. */
  get borrowed(): number | undefined {
    return this.state === 'open' ? this.descriptor : undefined;
  }

  /** The file stays open until it is given back. */
  lend(): void {
    this.users++;
  }

  giveBack(): void {
    this.users--;
    if (this.state !== 'open') this.close();
  }

  /** Writes bytes at their offset, in the thread pool. Never fails: a copy that cannot be written is given up. */
  async write(bytes: Buffer, offset: number): Promise<void> {
    if (this.state !== 'open') return;
    this.lend();
    try {
      await writeFully(this.descriptor, bytes, offset);
    } catch {
      this.drop();
    }
    this.giveBack();
  }

  /** Told that every byte is written and that the object has the content that it is to have; a borrower may yet give it back. */
  complete(size: number): void {
    if (this.state !== 'open') return;
    try {
      this.stat = fstatSync(this.descriptor, { bigint: true });
    } catch {
      // Without its stat nobody could tell that it is still what was written.
    }
    if (this.stat?.size !== BigInt(size)) {
      this.drop();
      return;
    }
    this.state = 'whole';
    this.close();
  }

  /** True when it is whole and the file still is what was written. */
  get isWhole(): boolean {
    const { stat } = this;
    if (this.state !== 'whole' || !stat) return false;
    const now = lstatSync(this.path, { bigint: true, throwIfNoEntry: false });
    return (
      now !== undefined &&
      (['dev', 'ino', 'size', 'mtimeNs', 'ctimeNs'] as const).every((key) => now[key] === stat[key])
    );
  }

  /** True when it was given up. */
  get isGone(): boolean {
    return this.state === 'gone';
  }

  /** Gives the copy up; its space is free at once, though somebody may still be writing. Never fails. */
  drop(): void {
    if (this.state === 'gone') return;
    const wasOpen = this.state === 'open';
    this.state = 'gone';
    try {
      rmSync(this.path, { force: true });
    } catch {
      // A leftover is taken away by a checkout once this process is gone.
    }
    if (!wasOpen) return;
    try {
      ftruncateSync(this.descriptor, 0);
    } catch {
      // Its space is free when it is closed.
    }
    this.close();
  }

  private close(): void {
    // It may be lent once more after it was given up: its number is another file's by then.
    if (this.users > 0 || this.closed) return;
    this.closed = true;
    closeSync(this.descriptor);
    this.ended();
  }
}

/** What the copies of a command begin with. */
export interface EarlyCopiesOptions {
  /** A path in the file system of a root of that path and oid, for a new file; undefined where nothing of it is to be placed. */
  temporaryFor: (root: { path: string; oid: Oid }) => string | undefined;
  /** A path in the cache for a small file, to find out whether the file system shares blocks; undefined where it is not asked to. */
  probe: (() => string) | undefined;
}

/** The early copies of one command, from its fetch to its checkout. */
export class EarlyCopies {
  private readonly copies = new Map<Oid, EarlyCopy>();
  private open = 0;
  private room: number | undefined;
  /** True where the file system shares blocks: a checkout writes nothing there. */
  private shares: boolean | undefined;
  private arriving = 0;
  private isOver = false;

  constructor(private readonly options: EarlyCopiesOptions) {}

  /** Told how many bytes are on their way into the cache: those come before any copy where space is short. */
  expect(bytes: number): void {
    this.arriving = bytes;
    this.room = undefined;
  }

  /** Begins the copy of an object; undefined where none is to be made, or none can. Never fails. */
  begin(oid: Oid, size: number, root: { path: string; oid: Oid }): EarlyCopy | undefined {
    if (this.isOver || size < LEAST_BYTES || this.open >= MOST_OPEN || this.copies.get(oid)?.isGone === false)
      return undefined;
    try {
      const path = this.options.temporaryFor(root);
      if (path === undefined) return undefined;
      this.shares ??= sharesBlocks(path, this.options.probe);
      if (this.shares) return undefined;
      this.room ??= freeBytes(path) - this.arriving - RESERVE_BYTES;
      if (size > this.room) return undefined;
      const descriptor = openSync(path, 'wx', 0o600);
      const copy = new EarlyCopy(path, descriptor, () => this.open--);
      this.open++;
      this.room -= size;
      this.copies.set(oid, copy);
      return copy;
    } catch {
      return undefined;
    }
  }

  /** The path of a whole copy, which belongs to the caller from now on; undefined where there is none. */
  take(oid: Oid): string | undefined {
    const copy = this.copies.get(oid);
    if (!copy?.isWhole) return undefined;
    this.copies.delete(oid);
    return copy.path;
  }

  /** For an object that lacks the room, the quota or the open file that a copy takes: gives all of them up, and begins no more. Never fails. */
  giveUp(): void {
    this.isOver = true;
    this.end();
  }

  /** Removes what nobody took. Never fails. */
  end(): void {
    for (const copy of this.copies.values()) copy.drop();
    this.copies.clear();
  }
}

function freeBytes(path: string): number {
  const { bavail, bsize } = statfsSync(dirname(path));
  return bavail * bsize;
}

function sharesBlocks(path: string, probe: EarlyCopiesOptions['probe']): boolean {
  if (!probe) return false;
  const source = probe();
  try {
    writeFileSync(source, Buffer.alloc(PROBE_BYTES), { flag: 'wx' });
    copyFileSync(source, path, constants.COPYFILE_FICLONE_FORCE | constants.COPYFILE_EXCL);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(source, { force: true });
    rmSync(path, { force: true });
  }
}
