import { DIGEST_BYTES } from '../objects/oid.js';
import { MOST_CHUNK_BYTES, PACK_BYTES_LIMITS } from './pack-format.js';
import type { ChunkCursor, PackList } from './record-cursor.js';

/** The rows of one file in a table of chunks, in the order of the file. */
export interface ChunkRows {
  /** Number of the file, counted from 0. */
  file: number;
  first: number;
  count: number;
}

/** Rows of a file without chunks. */
export const NO_ROWS: ChunkRows = { file: -1, first: 0, count: 0 };

/** A chunk that no pack can hold. */
export interface ImpossibleChunk {
  length: number;
  offset: number;
}

const FIRST_ROWS = 256;

/**
 * Chunks of files and where a remote has them, one row each: arrays side by side, some 60 bytes a chunk, because a large
 * file has hundreds of thousands.
 */
export class ChunkTable {
  private rows = 0;
  private files = 0;
  private digests = Buffer.alloc(0);
  private lengths = new Uint32Array(0);
  private storedLengths = new Uint32Array(0);
  private offsets = new Uint32Array(0);
  private packs = new Uint32Array(0);
  private fileNumbers = new Uint32Array(0);
  private positions = new Float64Array(0);
  private readonly packNames: string[] = [];
  private readonly packNumbers = new Map<string, number>();

  /** Number of rows. */
  get count(): number {
    return this.rows;
  }

  /** The numbers that the packs of a record have in this table, in the record's order. */
  numbersOf(packs: PackList): number[] {
    return Array.from({ length: packs.count }, (_, index) => this.packNumber(packs.digest(index).toString('hex')));
  }

  /**
   * Adds the chunks of the cursor's current file, whose packs have those numbers here. Whoever wrote the record decides
   * what is taken into memory and asked for only within bounds: a chunk beyond them is given back, and nothing is added.
   */
  add(cursor: ChunkCursor, packs: readonly number[]): ChunkRows | ImpossibleChunk {
    const first = this.rows;
    let at = 0;
    while (cursor.next()) {
      const { length, offset } = cursor;
      if (length > MOST_CHUNK_BYTES || offset > PACK_BYTES_LIMITS.most) {
        this.rows = first;
        return { length, offset };
      }
      this.push(cursor, packs[cursor.packIndex] as number, at);
      at += length;
    }
    return { file: this.files++, first, count: this.rows - first };
  }

  /** Digest of the chunk's raw bytes: a view, not a copy. */
  digest(row: number): Buffer {
    return this.digests.subarray(row * DIGEST_BYTES, (row + 1) * DIGEST_BYTES);
  }

  /** Raw bytes. */
  length(row: number): number {
    return this.lengths[row] as number;
  }

  /** Bytes in the pack. */
  stored(row: number): number {
    return this.storedLengths[row] as number;
  }

  /** Where it begins in its pack. */
  offset(row: number): number {
    return this.offsets[row] as number;
  }

  /** Hex digest of its pack. */
  pack(row: number): string {
    return this.packNames[this.packs[row] as number] as string;
  }

  /** Number of the file that it belongs to. */
  file(row: number): number {
    return this.fileNumbers[row] as number;
  }

  /** Where it begins in its file. */
  at(row: number): number {
    return this.positions[row] as number;
  }

  private push({ digest, length, stored, offset }: ChunkCursor, pack: number, at: number): void {
    const row = this.rows;
    if (row === this.lengths.length) this.grow();
    this.rows++;
    this.digests.set(digest, row * DIGEST_BYTES);
    this.lengths[row] = length;
    this.storedLengths[row] = stored;
    this.offsets[row] = offset;
    this.packs[row] = pack;
    this.fileNumbers[row] = this.files;
    this.positions[row] = at;
  }

  private grow(): void {
    const rows = Math.max(FIRST_ROWS, 2 * this.rows);
    const digests = Buffer.alloc(rows * DIGEST_BYTES);
    digests.set(this.digests);
    this.digests = digests;
    this.lengths = longer(this.lengths, rows);
    this.storedLengths = longer(this.storedLengths, rows);
    this.offsets = longer(this.offsets, rows);
    this.packs = longer(this.packs, rows);
    this.fileNumbers = longer(this.fileNumbers, rows);
    const positions = new Float64Array(rows);
    positions.set(this.positions);
    this.positions = positions;
  }

  private packNumber(name: string): number {
    let number = this.packNumbers.get(name);
    if (number === undefined) {
      number = this.packNames.push(name) - 1;
      this.packNumbers.set(name, number);
    }
    return number;
  }
}

function longer(numbers: Uint32Array<ArrayBuffer>, length: number): Uint32Array<ArrayBuffer> {
  const copy = new Uint32Array(length);
  copy.set(numbers);
  return copy;
}
