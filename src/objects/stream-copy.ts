import { readSync, write, writeSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { EarlyFlush } from './early-flush.js';
import type { HashFunction } from './hash.js';

/**
 * Bytes that are read at once where the thread pool writes them. Linux gives a long write huge pages of the page cache,
 * which are dear to find: 4 MiB cost up to six times the processor time of 1 MiB.
 */
const BUFFER_BYTES = 1024 * 1024;
/** Bytes that are read and used on the spot: they stay in the processor's own cache. */
const NEAR_BYTES = 256 * 1024;
/** Milliseconds without a turn of the event loop: sockets of other transfers fill up meanwhile. */
const TURN_MS = 10;

export interface StreamResult {
  /** 32-byte digest of every byte that was read. */
  digest: Buffer;
  /** Bytes read. */
  size: number;
}

export interface PassOptions {
  /** Called with the bytes of each buffer, for progress. */
  onBytes?: (bytes: number) => void;
  signal?: AbortSignal;
}

export interface StreamOptions extends PassOptions {
  hash: HashFunction;
}

export interface CopyOptions extends StreamOptions {
  /**
   * The caller flushes the target when it is whole: hand its bytes to the disk on the way, so that little is left to wait
   * for. A head start only, no promise that anything is on the disk.
   */
  flushed?: boolean;
}

/**
 * Copies from one open file to another and hashes on the way: one pass over the bytes, the write of one buffer (in
 * the thread pool) under way while the next is read and hashed. File-system errors are passed on as they are.
 */
export async function copyAndHash(source: number, target: number, options: CopyOptions): Promise<StreamResult> {
  const hasher = options.hash.create();
  const buffers = [Buffer.allocUnsafeSlow(BUFFER_BYTES), Buffer.allocUnsafeSlow(BUFFER_BYTES)];
  let writing: Promise<void> = Promise.resolve();
  const flusher = options.flushed ? new EarlyFlush(target) : undefined;
  let size = 0;
  try {
    for (let turn = 0; ; turn ^= 1) {
      options.signal?.throwIfAborted();
      const buffer = buffers[turn] as Buffer;
      const count = readSync(source, buffer, 0, BUFFER_BYTES, null);
      if (count === 0) break;
      const part = buffer.subarray(0, count);
      const before = writing;
      const offset = size;
      writing = before.then(() => writeFully(target, part, offset));
      // The hash runs here while the pool writes; the other buffer is free again once `before` is done.
      hasher.update(part);
      size += count;
      options.onBytes?.(count);
      await before;
      flusher?.written(size - count);
    }
    await writing;
    await flusher?.finish();
  } catch (error) {
    await writing.catch(() => {});
    // The caller closes the file: nothing may be using its descriptor any more.
    await flusher?.finish().catch(() => {});
    throw error;
  }
  return { digest: hasher.digest(), size };
}

/** Hashes an open file from its current position to its end, leaving the event loop a turn now and then. */
export async function hashStream(source: number, options: StreamOptions): Promise<StreamResult> {
  const hasher = options.hash.create();
  const size = await eachPart(source, options, (part) => hasher.update(part));
  return { digest: hasher.digest(), size };
}

/**
 * Copies the rest of one open file to another without a look at the bytes, leaving the event loop a turn now and then,
 * and gives their count. Less work than the kernel's own copy by measurement, and it can be interrupted. File-system
 * errors are passed on as they are.
 */
export function copyOnly(source: number, target: number, options: PassOptions): Promise<number> {
  return eachPart(source, options, (part) => {
    for (let done = 0; done < part.length; ) done += writeSync(target, part, done, part.length - done, null);
  });
}

async function eachPart(source: number, options: PassOptions, use: (part: Buffer) => void): Promise<number> {
  const buffer = Buffer.allocUnsafeSlow(NEAR_BYTES);
  let size = 0;
  for (let turned = performance.now(); ; ) {
    options.signal?.throwIfAborted();
    const count = readSync(source, buffer, 0, NEAR_BYTES, null);
    if (count === 0) return size;
    use(count === NEAR_BYTES ? buffer : buffer.subarray(0, count));
    size += count;
    options.onBytes?.(count);
    if (performance.now() - turned < TURN_MS) continue;
    await nextTurn();
    turned = performance.now();
  }
}

/**
 * Reads as many bytes from that offset on as the buffer holds, or the file has, and gives their count. File-system errors
 * are passed on as they are.
 */
export function readFully(source: number, into: Uint8Array, position: number): number {
  let done = 0;
  while (done < into.length) {
    const count = readSync(source, into, done, into.length - done, position + done);
    if (count === 0) break;
    done += count;
  }
  return done;
}

/** Writes all of the bytes at that offset, in the thread pool. File-system errors are passed on as they are. */
export function writeFully(target: number, bytes: Buffer, position: number): Promise<void> {
  return new Promise((resolve, reject) => {
    write(target, bytes, 0, bytes.length, position, (error, written) => {
      if (error) reject(error);
      else if (written === bytes.length) resolve();
      else resolve(writeFully(target, bytes.subarray(written), position + written));
    });
  });
}
