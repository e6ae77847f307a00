import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Hasher, HashFunction } from '../objects/hash.js';
import { readFully } from '../objects/stream-copy.js';

/**
 * Bytes that are read and hashed at once: they stay in the processor's own cache. BLAKE3 is a tree of blocks of powers of
 * two, and slower where it is not fed whole ones.
 */
const READ_BYTES = 256 * 1024;
/** Milliseconds without a turn of the event loop: sockets fill up meanwhile. */
const TURN_MS = 10;

/** One for all files: it is in use for one read and its hash, without a turn in between. */
let buffer: Buffer | undefined;

/**
 * Hashes a file from its start while it is still being written, in whatever order: what follows the start without a gap
 * is read back from the file when nothing else is to be done, so that little is left when the last byte is there; what
 * comes in order is not even read back. What was noted as written must not be written again.
 */
export class PrefixHash {
  private hasher: Hasher | undefined;
  /** Everything before is written. */
  private written = 0;
  private hashed = 0;
  /** Stretches that are written beyond the first gap: their ends by their starts. */
  private readonly beyond = new Map<number, number>();
  private running: Promise<void> | undefined;
  private failure: unknown;
  private ended = false;

  /** @param descriptor gives the open file, anew after each turn of the event loop. */
  constructor(
    private readonly hash: HashFunction,
    private readonly descriptor: () => number,
  ) {}

  /** Told of bytes that are in the file now. */
  note(offset: number, length: number): void {
    this.beyond.set(offset, offset + length);
    for (let end = this.beyond.get(this.written); end !== undefined; end = this.beyond.get(this.written)) {
      this.beyond.delete(this.written);
      this.written = end;
    }
    if (this.hasBlock && !this.ended) this.running ??= this.run();
  }

  /** Bytes before that offset that are not hashed yet; less than none where more than those are. */
  lag(offset: number): number {
    return offset - this.hashed;
  }

  /**
   * Takes bytes that are about to be written there: where they follow what was hashed, they are not read back. They are
   * noted all the same when they are written.
   */
  offer(offset: number, bytes: Uint8Array): void {
    if (offset !== this.hashed || this.ended) return;
    this.hasher ??= this.hash.create();
    this.hasher.update(bytes);
    this.hashed += bytes.length;
  }

  /** Hashes what is written before that offset, all at once. A failure is for `digest` to tell. */
  catchUp(offset: number): void {
    try {
      while (this.hashed < Math.min(offset, this.written) && !this.ended) this.hashNext();
    } catch (error) {
      this.failure = error;
      this.ended = true;
    }
  }

  private get hasBlock(): boolean {
    return this.written - this.hashed >= READ_BYTES;
  }

  /** The digest of the first `size` bytes, all of which were noted. Errors: those of the file system, as they are. */
  async digest(size: number): Promise<Buffer> {
    while (this.running) await this.running;
    if (this.failure === undefined && this.hashed < this.written) this.hashNext();
    if (this.failure !== undefined) throw this.failure;
    if (this.hashed !== size) throw new Error(`${this.hashed} bytes were hashed instead of ${size}`);
    return (this.hasher ?? this.hash.create()).digest();
  }

  /** Nothing is read any more. */
  end(): void {
    this.ended = true;
  }

  private async run(): Promise<void> {
    // Who noted the bytes has something to do first: the next write.
    await nextTurn();
    try {
      while (this.hasBlock && !this.ended) {
        this.step();
        await nextTurn();
      }
    } catch (error) {
      this.failure = error;
      this.ended = true;
    }
    this.running = undefined;
  }

  private step(): void {
    const began = performance.now();
    while (this.hasBlock && performance.now() - began < TURN_MS) this.hashNext();
  }

  private hashNext(): void {
    buffer ??= Buffer.allocUnsafeSlow(READ_BYTES);
    this.hasher ??= this.hash.create();
    const part = buffer.subarray(0, Math.min(READ_BYTES, this.written - this.hashed));
    const count = readFully(this.descriptor(), part, this.hashed);
    if (count < part.length) throw new Error(`the file ends after ${this.hashed + count} bytes`);
    this.hasher.update(part);
    this.hashed += part.length;
  }
}
