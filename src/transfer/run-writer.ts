import { readFully } from '../objects/stream-copy.js';
import type { LargeTarget } from './large-target.js';

/** Chunks that follow each other are written in pieces of this size: fewer, longer writes, in the thread pool. */
const PIECE_BYTES = 512 * 1024;
/** Pieces of one writer that may wait for the disk before whoever brings more is asked to wait. */
const MOST_UNDER_WAY = 3;

interface Piece {
  target: LargeTarget;
  /** Offset in the object. */
  offset: number;
  buffer: Buffer;
  length: number;
}

/** Bytes of an open file. */
export interface CopySource {
  descriptor: number;
  /** Offset in the file. */
  at: number;
  length: number;
  /** Told of bytes that were read from that offset on, before anything else is done with them. */
  took?: ((bytes: Uint8Array, at: number) => void) | undefined;
}

/** Buffers that no writer uses at the moment, to be used again: fresh ones cost page faults and collections. */
export type FreeBuffers = Buffer[];

/** Gathers the chunks that come one after the other, as those of one ranged request, into few writes to large objects. */
export class RunWriter {
  private piece: Piece | undefined;
  private readonly underWay = new Set<Promise<void>>();

  constructor(private readonly free: FreeBuffers) {}

  /** Takes a copy of the bytes, for `offset` in the object. Errors: `DISK_FULL`, `FILE_SYSTEM`. */
  add(target: LargeTarget, bytes: Uint8Array, offset: number): void {
    for (let done = 0; done < bytes.length; ) {
      const piece = this.pieceAt(target, offset + done);
      const count = Math.min(bytes.length - done, piece.buffer.length - piece.length);
      piece.buffer.set(bytes.subarray(done, done + count), piece.length);
      piece.length += count;
      done += count;
      if (piece.length === piece.buffer.length) this.send();
    }
  }

  /**
   * Adds bytes of an open file, from `at` on, as many as fit into one piece, and gives their count. Where the file ends
   * before, something else is written in their place. Errors: as `add`; those of reading, as they are.
   */
  addFrom(target: LargeTarget, source: CopySource, offset: number): number {
    const piece = this.pieceAt(target, offset);
    // Pieces end at whole multiples of their size: whoever hashes them is faster then.
    const count = Math.min(source.length, piece.buffer.length - piece.length, PIECE_BYTES - (offset % PIECE_BYTES));
    const bytes = piece.buffer.subarray(piece.length, piece.length + count);
    readFully(source.descriptor, bytes, source.at);
    source.took?.(bytes, source.at);
    piece.length += count;
    if (piece.length === piece.buffer.length || (offset + count) % PIECE_BYTES === 0) this.send();
    return count;
  }

  /** Bytes that wait to be sent. */
  get gathered(): number {
    return this.piece?.length ?? 0;
  }

  /** Something to wait for before more is added, when the disk is behind. */
  room(): Promise<void> | undefined {
    return this.underWay.size < MOST_UNDER_WAY ? undefined : Promise.race(this.underWay);
  }

  /** Writes what is gathered, and waits until all of it is written. Errors: as `send`. */
  async drain(): Promise<void> {
    this.send();
    while (this.underWay.size > 0) await Promise.all(this.underWay);
  }

  /** Begins to write what is gathered. Errors: `DISK_FULL`, `FILE_SYSTEM`. */
  send(): void {
    const { piece } = this;
    if (!piece) return;
    this.piece = undefined;
    const { buffer } = piece;
    const writing = piece.target.write(buffer.subarray(0, piece.length), piece.offset).then(() => {
      this.underWay.delete(writing);
      this.free.push(buffer);
    });
    this.underWay.add(writing);
  }

  private pieceAt(target: LargeTarget, offset: number): Piece {
    if (this.piece && (this.piece.target !== target || this.piece.offset + this.piece.length !== offset)) this.send();
    this.piece ??= { target, offset, buffer: this.free.pop() ?? Buffer.allocUnsafeSlow(PIECE_BYTES), length: 0 };
    return this.piece;
  }
}
