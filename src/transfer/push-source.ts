import { closeSync, readSync } from 'node:fs';
import { fileSystemError, systemErrorCode } from '../core/errors.js';
import { corrupt, type ObjectCache } from '../objects/cache.js';
import type { HashPreference } from '../objects/hash.js';
import { DIGEST_BYTES, digestOf, type Oid } from '../objects/oid.js';
import type { ChunkerParams } from './chunker-params.js';
import type { PushThread } from './push-thread.js';
import { ChunkChain, type CutBlock, type CutSpan, SPAN_BYTES, SpanCutter, spanBufferBytes } from './span-cutter.js';

/** Spans of a file that are with each thread that cuts it, or on the way. */
const SPANS_AHEAD = 2;

/** Takes one chunk of a file: its digest and its bytes, which are used again when the promise is done. */
export type ChunkTaker = (digest: Buffer, bytes: Buffer) => undefined | Promise<void>;

/** Who cuts spans of files: a thread, as far as it is needed here. */
export type SpanThread = Pick<PushThread, 'request'>;

/** Gives the threads that cut a file of that size; none for one that is cut on the main thread. */
export type CuttersFor = (size: number) => Promise<readonly SpanThread[]>;

/**
 * Reads cached objects for a push. Everything is compared with its name on the way, so that a damaged object is never
 * sent as a good one.
 */
export class PushSource {
  private readonly buffer: Buffer<ArrayBuffer>;

  constructor(
    private readonly cache: ObjectCache,
    private readonly chunker: ChunkerParams,
    private readonly cuttersFor: CuttersFor,
  ) {
    this.buffer = Buffer.allocUnsafeSlow(Math.max(spanBufferBytes(chunker), chunker.whole + 1));
  }

  /**
   * The bytes of an object that is one chunk (up to `whole` bytes): a view that the next call overwrites.
   * Errors: `OBJECT_MISSING`, `OBJECT_CORRUPT`.
   */
  readWhole(oid: Oid, size: number): Buffer {
    const descriptor = this.cache.openUnseen(oid);
    try {
      const bytes = this.buffer.subarray(0, this.readOneMore(descriptor, size));
      if (bytes.length === size && this.cache.hash.digest(bytes).equals(digestOf(oid))) return bytes;
      throw corrupt(oid, this.cache.pathOf(oid));
    } finally {
      closeSync(descriptor);
    }
  }

  /** Bytes that were read when more than `size` were asked for: one call for a file that is as long as it must be. */
  private readOneMore(descriptor: number, size: number): number {
    let count = 0;
    while (count < size) {
      const read = readAt(descriptor, this.buffer, { offset: count, length: size + 1 - count });
      if (read === 0) break;
      count += read;
    }
    return count;
  }

  /**
   * Cuts a large object into chunks, in order; in threads, where there are any, while earlier chunks are sent. Errors:
   * `OBJECT_MISSING`, `OBJECT_CORRUPT` (at the end), `FILE_SYSTEM`, the taker's.
   */
  async eachChunk(oid: Oid, size: number, take: ChunkTaker): Promise<void> {
    const threads = await this.cuttersFor(size);
    const { descriptor, size: stored } = this.cache.open(oid);
    try {
      if (stored !== size) throw corrupt(oid, this.cache.pathOf(oid));
      let whole: Uint8Array | undefined;
      const file = { descriptor, size };
      for await (const block of threads.length > 0 ? this.cutIn(threads, file) : this.cutHere(file)) {
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

  /** As cutIn, on the main thread. */
  private *cutHere({ descriptor, size }: OpenObject): Generator<CutBlock> {
    const file = { descriptor, size, hash: this.cache.hash, params: this.chunker };
    const cutter = new SpanCutter(file);
    const chain = new ChunkChain(file);
    for (let start = 0; start < size; start += SPAN_BYTES) {
      const block = chain.join(cutter.cut(start, this.buffer));
      if (!block) return;
      yield block;
    }
  }

  /** Ends without the digest of the whole where the file is not as long as it should be. */
  private async *cutIn(threads: readonly SpanThread[], { descriptor, size }: OpenObject): AsyncGenerator<CutBlock> {
    const { hash } = this.cache;
    const { algorithm, implementation } = hash;
    const preference: HashPreference = implementation === 'openssl' ? 'auto' : implementation;
    const file = { descriptor, size, chunker: this.chunker, algorithm, preference };
    await Promise.all(threads.map((thread) => thread.request({ kind: 'open', file })));
    const chain = new ChunkChain({ size, hash, params: this.chunker });
    const waiting: Promise<CutSpan>[] = [];
    let start = 0;
    const request = (buffer: ArrayBuffer): void => {
      if (start >= size) return;
      const thread = threads[(start / SPAN_BYTES) % threads.length] as SpanThread;
      const span = thread.request({ kind: 'cut', start, buffer }, [buffer]);
      // Whoever waits for it gets the error; until then it is nobody's.
      span.catch(() => {});
      waiting.push(span);
      start += SPAN_BYTES;
    };
    try {
      for (let count = 0; count < SPANS_AHEAD * threads.length; count++) {
        request(new ArrayBuffer(spanBufferBytes(this.chunker)));
      }
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        const block = chain.join(await next);
        if (!block) return;
        yield block;
        request(block.bytes.buffer);
      }
    } finally {
      // The descriptor is closed next: the threads must have read what they were asked for.
      await Promise.allSettled(waiting);
    }
  }
}

interface OpenObject {
  descriptor: number;
  size: number;
}

/** As readSync; what is no file is empty. */
function readAt(descriptor: number, buffer: Buffer, { offset, length }: { offset: number; length: number }): number {
  try {
    return readSync(descriptor, buffer, offset, length, null);
  } catch (error) {
    if (systemErrorCode(error) === 'EISDIR') return 0;
    throw error;
  }
}

async function giveChunks({ bytes, begin, lengths, digests }: CutBlock, take: ChunkTaker): Promise<void> {
  let at = begin;
  for (const [index, length] of lengths.entries()) {
    const digest = Buffer.from(digests.buffer, digests.byteOffset + index * DIGEST_BYTES, DIGEST_BYTES);
    const waiting = take(digest, Buffer.from(bytes.buffer, bytes.byteOffset + at, length));
    if (waiting) await waiting;
    at += length;
  }
}
