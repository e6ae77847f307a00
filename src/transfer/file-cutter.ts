import { readSync } from 'node:fs';
import type { Hasher, HashFunction } from '../objects/hash.js';
import { DIGEST_BYTES } from '../objects/oid.js';
import { type Chunker, type ChunkerParams, createChunker } from './chunker.js';

/** Bytes of a file that are read at once. */
const READ_BYTES = 1024 * 1024;

/** Length of the buffers that FileCutter fills. */
export function cutBufferBytes(chunker: ChunkerParams): number {
  return READ_BYTES + chunker.max;
}

/** The next chunks of a file. */
export interface CutBlock {
  /** The chunks, back to back from `begin` on. */
  bytes: Uint8Array<ArrayBuffer>;
  begin: number;
  /** Length of each. */
  lengths: Uint32Array<ArrayBuffer>;
  /** Digest of each, back to back. */
  digests: Uint8Array<ArrayBuffer>;
  /** Digest of the whole file: only in its last block. */
  whole?: Uint8Array<ArrayBuffer>;
}

/** Cuts an open file into chunks, block by block; hashes each chunk and the whole in the same pass. */
export class FileCutter {
  private readonly chunker: Chunker;
  private readonly whole: Hasher;
  /** Begin of a chunk that the blocks so far did not end. */
  private readonly rest: Uint8Array;
  private restLength = 0;
  private last: CutBlock['whole'];

  constructor(
    private readonly descriptor: number,
    private readonly hash: HashFunction,
    params: ChunkerParams,
  ) {
    this.chunker = createChunker(params);
    this.whole = hash.create();
    this.rest = new Uint8Array(params.max);
  }

  /**
   * Fills a buffer of cutBufferBytes with the next chunks. Behind the last block it gives blocks without chunks. Errors:
   * those of the file system, as Node raises them.
   */
  next(buffer: Uint8Array<ArrayBuffer>): CutBlock {
    if (this.last) return this.block(buffer, []);
    const held = this.restLength;
    buffer.set(this.rest.subarray(0, held));
    const count = fill(this.descriptor, buffer, { offset: held, length: READ_BYTES });
    const fresh = buffer.subarray(held, held + count);
    this.whole.update(fresh);
    const lengths = this.chunker.push(fresh);
    if (count < READ_BYTES) {
      const length = this.chunker.finish();
      if (length > 0) lengths.push(length);
      this.last = new Uint8Array(this.whole.digest());
    }
    const end = lengths.reduce((sum, length) => sum + length, 0);
    this.rest.set(buffer.subarray(end, held + count));
    this.restLength = held + count - end;
    return this.block(buffer, lengths);
  }

  private block(bytes: Uint8Array<ArrayBuffer>, lengths: readonly number[]): CutBlock {
    const digests = new Uint8Array(lengths.length * DIGEST_BYTES);
    let at = 0;
    for (const [index, length] of lengths.entries()) {
      digests.set(this.hash.digest(bytes.subarray(at, at + length)), index * DIGEST_BYTES);
      at += length;
    }
    return { bytes, begin: 0, lengths: Uint32Array.from(lengths), digests, ...(this.last && { whole: this.last }) };
  }
}

/** Reads `length` bytes at the descriptor's position, fewer at the end of the file; gives how many. */
function fill(descriptor: number, buffer: Uint8Array, { offset, length }: { offset: number; length: number }): number {
  let count = 0;
  while (count < length) {
    const read = readSync(descriptor, buffer, offset + count, length - count, null);
    if (read === 0) break;
    count += read;
  }
  return count;
}
