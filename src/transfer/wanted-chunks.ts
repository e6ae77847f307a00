import type { ChunkRows, ChunkTable } from './chunk-table.js';
import { planStretches, type RangeRequest, type StretchRequest } from './range-plan.js';
import type { ChunkUse } from './range-reader.js';

/** A use of a chunk: which file it belongs to, and where. */
export interface FileChunk<F> extends ChunkUse {
  file: F;
  /** Offset in the file. */
  at: number;
}

/**
 * Rows of a table of chunks that are wanted, four bytes each: what a request is for is told as objects only when it is
 * made. `F` is what the caller knows a file as.
 */
export class WantedChunks<F> {
  private readonly files = new Map<number, F>();
  private rows = new Uint32Array(0);
  private count = 0;

  constructor(private readonly table: ChunkTable) {}

  /** Wants the chunks of a file but for those in `taken` (by row). */
  want(file: F, { first, count }: ChunkRows, taken?: ReadonlySet<number>): void {
    for (let row = first; row < first + count; row++) if (!taken?.has(row)) this.wantRow(file, row);
  }

  /** Wants one chunk of a file. */
  wantRow(file: F, row: number): void {
    this.files.set(this.table.file(row), file);
    if (this.count === this.rows.length) {
      const longer = new Uint32Array(Math.max(256, 2 * this.count));
      longer.set(this.rows);
      this.rows = longer;
    }
    this.rows[this.count++] = row;
  }

  /** Raw bytes of the chunks of those files. */
  bytes(of: (file: F) => boolean): number {
    let bytes = 0;
    for (const row of this.wanted) if (of(this.fileOf(row))) bytes += this.table.length(row);
    return bytes;
  }

  /** The requests for all of it: see planRanges. */
  plan(): StretchRequest[] {
    const { table } = this;
    const stretches = {
      pack: (row: number) => table.pack(row),
      offset: (row: number) => table.offset(row),
      length: (row: number) => table.stored(row),
    };
    return planStretches(stretches, this.wanted);
  }

  /** A request of the plan with what its parts are for. */
  request({ pack, start, length, stretches }: StretchRequest): RangeRequest<FileChunk<F>> {
    const { table } = this;
    const parts = Array.from(stretches, (row) => ({
      pack,
      offset: table.offset(row),
      length: table.stored(row),
      use: { file: this.fileOf(row), at: table.at(row), digest: table.digest(row), length: table.length(row) },
    }));
    return { pack, start, length, parts };
  }

  private get wanted(): Uint32Array {
    return this.rows.subarray(0, this.count);
  }

  private fileOf(row: number): F {
    return this.files.get(this.table.file(row)) as F;
  }
}
