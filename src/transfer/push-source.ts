import { closeSync, readSync } from 'node:fs';
import { corrupt, type ObjectCache } from '../objects/cache.js';
import { digestOf, type Oid } from '../objects/oid.js';
import { type ChunkerParams, createChunker } from './chunker.js';

const READ_BYTES = 4 * 1024 * 1024;

/** Takes one chunk of a file: its digest and its bytes, which are used again when the promise is done. */
export type ChunkTaker = (digest: Buffer, bytes: Buffer) => undefined | Promise<void>;

/**
 * Reads cached objects for a push. Everything is compared with its name on the way, so that a damaged object is never
 * sent as a good one.
 */
export class PushSource {
  private readonly buffer: Buffer;

  constructor(
    private readonly cache: ObjectCache,
    private readonly chunker: ChunkerParams,
  ) {
    this.buffer = Buffer.allocUnsafeSlow(READ_BYTES + chunker.max + chunker.whole);
  }

  /**
   * The bytes of an object that is one chunk (up to `whole` bytes): a view that the next call overwrites.
   * Errors: `OBJECT_MISSING`, `OBJECT_CORRUPT`.
   */
  readWhole(oid: Oid, size: number): Buffer {
    const { descriptor, size: stored } = this.cache.open(oid);
    try {
      if (stored !== size) throw corrupt(oid, this.cache.pathOf(oid));
      const count = fill(descriptor, this.buffer, 0, size);
      const bytes = this.buffer.subarray(0, count);
      if (!this.cache.hash.digest(bytes).equals(digestOf(oid))) throw corrupt(oid, this.cache.pathOf(oid));
      return bytes;
    } finally {
      closeSync(descriptor);
    }
  }

  /** Cuts a large object into chunks, in order. Errors: `OBJECT_MISSING`, `OBJECT_CORRUPT` (at the end), the taker's. */
  async eachChunk(oid: Oid, size: number, take: ChunkTaker): Promise<void> {
    const { descriptor, size: stored } = this.cache.open(oid);
    const { hash } = this.cache;
    const whole = hash.create();
    const chunker = createChunker(this.chunker);
    let held = 0;
    try {
      if (stored !== size) throw corrupt(oid, this.cache.pathOf(oid));
      for (;;) {
        const count = fill(descriptor, this.buffer, held, READ_BYTES);
        const fresh = this.buffer.subarray(held, held + count);
        whole.update(fresh);
        const lengths = chunker.push(fresh);
        if (count < READ_BYTES) {
          const last = chunker.finish();
          if (last > 0) lengths.push(last);
        }
        let at = 0;
        for (const length of lengths) {
          const bytes = this.buffer.subarray(at, at + length);
          const waiting = take(hash.digest(bytes), bytes);
          if (waiting) await waiting;
          at += length;
        }
        if (count < READ_BYTES) break;
        this.buffer.copyWithin(0, at, held + count);
        held += count - at;
      }
      if (!whole.digest().equals(digestOf(oid))) throw corrupt(oid, this.cache.pathOf(oid));
    } finally {
      closeSync(descriptor);
    }
  }
}

function fill(descriptor: number, buffer: Buffer, offset: number, length: number): number {
  let count = 0;
  while (count < length) {
    const read = readSync(descriptor, buffer, offset + count, length - count, null);
    if (read === 0) break;
    count += read;
  }
  return count;
}
