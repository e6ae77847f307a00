import { chmodSync, closeSync, ftruncateSync, openSync, rmSync, writeSync } from 'node:fs';
import { fileSystemError } from '../core/errors.js';
import { corrupt, type ObjectCache } from '../objects/cache.js';
import type { CacheBatch } from '../objects/cache-batch.js';
import { digestOf, type Oid } from '../objects/oid.js';
import { hashStream } from '../objects/stream-copy.js';

/** Descriptors that are kept open between chunks, over all large files under way. */
const MOST_OPEN = 64;
const open = new Set<LargeTarget>();

/**
 * A large object on its way into the cache: its chunks are written where they belong, in any order; when the last is
 * there the whole is read once and compared with the oid before the batch takes it.
 */
export class LargeTarget {
  private readonly temporary: string;
  private descriptor: number | undefined;
  private left: number;
  private created = false;

  constructor(
    private readonly cache: ObjectCache,
    readonly oid: Oid,
    readonly size: number,
  ) {
    this.temporary = cache.temporary.next();
    this.left = size;
  }

  /** True when every byte was written. */
  get complete(): boolean {
    return this.left === 0;
  }

  /** Writes a chunk at its offset in the object. Errors: `DISK_FULL`, `FILE_SYSTEM`. */
  write(bytes: Uint8Array, offset: number): void {
    try {
      const descriptor = this.open();
      let done = 0;
      while (done < bytes.length) done += writeSync(descriptor, bytes, done, bytes.length - done, offset + done);
      this.left -= bytes.length;
    } catch (error) {
      throw fileSystemError('write to the cache', this.temporary, error);
    }
  }

  /** Compares the whole with the oid and hands it to the batch. Error: `OBJECT_CORRUPT`. */
  async finish(batch: CacheBatch): Promise<void> {
    this.open();
    this.close();
    chmodSync(this.temporary, 0o444);
    const descriptor = openSync(this.temporary, 'r');
    try {
      const { digest, size } = await hashStream(descriptor, { hash: this.cache.hash });
      if (size !== this.size || !digest.equals(digestOf(this.oid))) throw corrupt(this.oid, this.temporary);
    } finally {
      closeSync(descriptor);
    }
    batch.stage(this.temporary, digestOf(this.oid).toString('hex'), this.size);
  }

  /** Drops what was written. */
  abandon(): void {
    this.close();
    rmSync(this.temporary, { force: true });
  }

  private open(): number {
    if (this.descriptor !== undefined) return this.descriptor;
    if (open.size >= MOST_OPEN)
      for (const other of open) {
        other.close();
        break;
      }
    // Writable until it is finished: it may be closed and opened again in between.
    this.descriptor = openSync(this.temporary, this.created ? 'r+' : 'wx', 0o600);
    if (!this.created) ftruncateSync(this.descriptor, this.size);
    this.created = true;
    open.add(this);
    return this.descriptor;
  }

  private close(): void {
    open.delete(this);
    if (this.descriptor !== undefined) closeSync(this.descriptor);
    this.descriptor = undefined;
  }
}
