import { closeSync } from 'node:fs';
import { fileSystemError, systemErrorCode } from '../core/errors.js';
import { corrupt, type ObjectCache } from '../objects/cache.js';
import { DIGEST_BYTES, digestOf, type Oid } from '../objects/oid.js';
import type { ChunkerParams } from './chunker.js';
import { type CutBlock, cutBufferBytes, FileCutter, fill } from './file-cutter.js';
import type { PushThread } from './push-thread.js';

/** Blocks of a file that are with the thread that cuts it, or on the way. */
const BLOCKS_AHEAD = 3;

/** Takes one chunk of a file: its digest and its bytes, which are used again when the promise is done. */
export type ChunkTaker = (digest: Buffer, bytes: Buffer) => undefined | Promise<void>;

/** Gives the thread that cuts a file of that size, or undefined for none. */
export type CutterFor = (size: number) => Promise<PushThread | undefined>;

/**
 * Reads cached objects for a push. Everything is compared with its name on the way, so that a damaged object is never
 * sent as a good one.
 */
export class PushSource {
  private readonly buffer: Buffer<ArrayBuffer>;

  constructor(
    private readonly cache: ObjectCache,
    private readonly chunker: ChunkerParams,
    private readonly cutterFor: CutterFor,
  ) {
    this.buffer = Buffer.allocUnsafeSlow(Math.max(cutBufferBytes(chunker), chunker.whole));
  }

  /**
   * The bytes of an object that is one chunk (up to `whole` bytes): a view that the next call overwrites.
   * Errors: `OBJECT_MISSING`, `OBJECT_CORRUPT`.
   */
  readWhole(oid: Oid, size: number): Buffer {
    const { descriptor, size: stored } = this.cache.open(oid);
    try {
      if (stored !== size) throw corrupt(oid, this.cache.pathOf(oid));
      const count = fill(descriptor, this.buffer, { offset: 0, length: size });
      const bytes = this.buffer.subarray(0, count);
      if (!this.cache.hash.digest(bytes).equals(digestOf(oid))) throw corrupt(oid, this.cache.pathOf(oid));
      return bytes;
    } finally {
      closeSync(descriptor);
    }
  }

  /**
   * Cuts a large object into chunks, in order; in a thread, where there is one, while earlier chunks are sent. Errors:
   * `OBJECT_MISSING`, `OBJECT_CORRUPT` (at the end), `FILE_SYSTEM`, the taker's.
   */
  async eachChunk(oid: Oid, size: number, take: ChunkTaker): Promise<void> {
    const thread = await this.cutterFor(size);
    const { descriptor, size: stored } = this.cache.open(oid);
    try {
      if (stored !== size) throw corrupt(oid, this.cache.pathOf(oid));
      let whole: Uint8Array | undefined;
      for await (const block of thread ? this.cutIn(thread, descriptor) : this.cutHere(descriptor)) {
        await giveChunks(block, take);
        whole = block.whole;
      }
      if (!whole || !digestOf(oid).equals(whole)) throw corrupt(oid, this.cache.pathOf(oid));
    } catch (error) {
      throw systemErrorCode(error) === undefined ? error : fileSystemError('read', this.cache.pathOf(oid), error);
    } finally {
      closeSync(descriptor);
    }
  }

  private *cutHere(descriptor: number): Generator<CutBlock> {
    const cutter = new FileCutter(descriptor, this.cache.hash, this.chunker);
    for (;;) {
      const block = cutter.next(this.buffer);
      yield block;
      if (block.whole) return;
    }
  }

  private async *cutIn(thread: PushThread, descriptor: number): AsyncGenerator<CutBlock> {
    const { algorithm, implementation } = this.cache.hash;
    const preference = implementation === 'openssl' ? 'auto' : implementation;
    await thread.request({ kind: 'open', file: { descriptor, chunker: this.chunker, algorithm, preference } });
    const waiting: Promise<CutBlock>[] = [];
    const request = (buffer: ArrayBuffer): void => {
      const block = thread.request({ kind: 'cut', buffer }, [buffer]);
      // Whoever waits for it gets the error; until then it is nobody's.
      block.catch(() => {});
      waiting.push(block);
    };
    try {
      for (let count = 0; count < BLOCKS_AHEAD; count++) request(new ArrayBuffer(cutBufferBytes(this.chunker)));
      for (;;) {
        const block = (await waiting.shift()) as CutBlock;
        yield block;
        if (block.whole) return;
        request(block.bytes.buffer);
      }
    } finally {
      // The descriptor is closed next: the thread must have read what it was asked for.
      await Promise.allSettled(waiting);
    }
  }
}

async function giveChunks({ bytes, lengths, digests }: CutBlock, take: ChunkTaker): Promise<void> {
  let at = 0;
  for (const [index, length] of lengths.entries()) {
    const digest = Buffer.from(digests.buffer, digests.byteOffset + index * DIGEST_BYTES, DIGEST_BYTES);
    const waiting = take(digest, Buffer.from(bytes.buffer, bytes.byteOffset + at, length));
    if (waiting) await waiting;
    at += length;
  }
}
