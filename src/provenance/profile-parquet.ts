import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import {
  type AsyncBuffer,
  type ColumnMetaData,
  type FileMetaData,
  parquetMetadataAsync,
  parquetRead,
  parquetSchema,
  type SchemaElement,
  type SchemaTree,
} from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { fileSystemError, isMlvError, systemErrorCode } from '../core/errors.js';
import { ColumnAccumulator } from './column-profile.js';
import {
  type CellKind,
  type ColumnProfile,
  categoryBound,
  type DataProfile,
  MAX_COLUMNS,
  type ProfileOptions,
} from './data-profile.js';
import { dataUnreadable, unknownColumns } from './data-unreadable.js';
import { PARQUET_END_BYTES, parquetProblem } from './parquet-ends.js';

/** A column chunk beyond this would not fit in memory; what its metadata says is all there is then. */
const MAX_CHUNK_BYTES = 512 * 1024 * 1024;
const MAX_CHUNK_VALUES = 16_000_000;

/**
 * Profiles a Parquet file: the metadata first, and where `options.data` the data, one column of one row group at a time.
 * Errors: `DATA_UNREADABLE`, `USAGE` for columns that are not there, `FILE_SYSTEM`.
 */
export async function profileParquet(
  file: { path: string; name: string },
  options: ProfileOptions,
): Promise<DataProfile> {
  const { buffer, close } = openBuffer(file.path);
  try {
    return await new ParquetTable(file.name, buffer, options).profile();
  } finally {
    close();
  }
}

function openBuffer(path: string): { buffer: AsyncBuffer; close: () => void } {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch (error) {
    throw fileSystemError('read', path, error);
  }
  const byteLength = fstatSync(descriptor).size;
  const slice = (start: number, end = byteLength): ArrayBuffer => {
    const bytes = new Uint8Array(Math.max(0, Math.min(end, byteLength) - start));
    let offset = 0;
    while (offset < bytes.length) {
      const count = readSync(descriptor, bytes, offset, bytes.length - offset, start + offset);
      if (count === 0) break;
      offset += count;
    }
    return bytes.buffer;
  };
  return { buffer: { byteLength, slice }, close: () => closeSync(descriptor) };
}

class ParquetTable {
  private readonly notes: string[] = [];

  constructor(
    private readonly name: string,
    private readonly file: AsyncBuffer,
    private readonly options: ProfileOptions,
  ) {}

  async profile(): Promise<DataProfile> {
    const metadata = await this.metadata();
    const chosen = await this.read(async () => this.chosen(parquetSchema(metadata).children));
    const rows = Number(metadata.num_rows);
    const wanted = Math.min(rows, this.options.sample ?? rows);
    const bound = categoryBound(this.options.categories, chosen.length);
    const columns: ColumnProfile[] = [];
    for (const tree of chosen) {
      this.options.signal?.throwIfAborted();
      const known = await this.read(async () => fromMetadata(tree, metadata));
      const found = await this.fromData(tree, { metadata, wanted, bound, known });
      columns.push(found ?? known);
    }
    const { notes } = this;
    const malformed = { count: 0, first: [] };
    const complete = wanted === rows;
    return { format: 'parquet', rows: this.options.data ? wanted : rows, complete, columns, malformed, notes };
  }

  private async metadata(): Promise<FileMetaData> {
    const { byteLength: size } = this.file;
    const end = async (start: number): Promise<Buffer> =>
      Buffer.from(await this.read(async () => this.file.slice(start, start + PARQUET_END_BYTES)));
    const problem = parquetProblem(await end(0), await end(Math.max(0, size - PARQUET_END_BYTES)), size);
    if (problem !== undefined) throw dataUnreadable(this.name, problem);
    try {
      return await parquetMetadataAsync(this.file, { geoparquet: false });
    } catch (error) {
      // What the library says of bytes that are no footer is about its own variables.
      const reason = systemErrorCode(error) === undefined ? 'its footer is damaged' : reasonOf(error);
      throw dataUnreadable(this.name, reason);
    }
  }

  private chosen(columns: readonly SchemaTree[]): readonly SchemaTree[] {
    if (columns.length > MAX_COLUMNS) throw dataUnreadable(this.name, `it has more than ${MAX_COLUMNS} columns`);
    const { columns: chosen } = this.options;
    if (!chosen) return columns;
    const names = columns.map(({ element }) => element.name);
    const unknown = chosen.filter((each) => !names.includes(each));
    if (unknown.length > 0) throw unknownColumns(this.name, unknown, names);
    return columns.filter(({ element }) => chosen.includes(element.name));
  }

  /** Of a flat column; undefined where the data is not to be looked at, or cannot be. */
  private async fromData(
    tree: SchemaTree,
    { metadata, wanted, bound, known }: { metadata: FileMetaData; wanted: number; bound: number; known: ColumnProfile },
  ): Promise<ColumnProfile | undefined> {
    const { name } = tree.element;
    if (!this.options.data || !isFlat(tree) || metadata.row_groups.length === 0) return undefined;
    const chunks = chunksOf(name, metadata);
    const tooLarge = chunks.some(
      ({ total_uncompressed_size: size, num_values: values }) =>
        Number(size) > MAX_CHUNK_BYTES || Number(values) > MAX_CHUNK_VALUES,
    );
    if (tooLarge) {
      this.notes.push(
        `column '${name}' has row groups that are too large to be read; its metadata is all that is known`,
      );
      return undefined;
    }
    const kind = kindOf(tree.element);
    const column = new ColumnAccumulator(name, bound);
    try {
      await this.readColumn(name, { metadata, wanted, take: (value) => column.addValue(value, kind) });
    } catch (error) {
      if (this.options.signal?.aborted) throw error;
      this.notes.push(`the data of column '${name}' cannot be read: ${reasonOf(error)}`);
      return undefined;
    }
    const profile = column.finish(wanted);
    return profile.type === 'empty' ? profile : { ...profile, type: known.type };
  }

  private async readColumn(
    name: string,
    { metadata, wanted, take }: { metadata: FileMetaData; wanted: number; take: (value: unknown) => void },
  ): Promise<void> {
    let start = 0;
    for (const { num_rows: count } of metadata.row_groups) {
      const end = Math.min(start + Number(count), wanted);
      if (start >= end) break;
      this.options.signal?.throwIfAborted();
      const range = { rowStart: start, rowEnd: end };
      await parquetRead({
        file: this.file,
        metadata,
        columns: [name],
        ...range,
        compressors,
        utf8: false,
        geoparquet: false,
        onPage: ({ columnData, rowStart }) => {
          const last = Math.min(columnData.length, end - rowStart);
          for (let at = Math.max(0, range.rowStart - rowStart); at < last; at += 1) take(columnData[at]);
        },
      });
      start += Number(count);
    }
  }

  private async read<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (isMlvError(error)) throw error;
      throw dataUnreadable(this.name, reasonOf(error));
    }
  }
}

/** The first line of what the library says. */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return (message.split('\n')[0] ?? '').slice(0, 200);
}

function isFlat({ element, children }: SchemaTree): boolean {
  return children.length === 0 && element.repetition_type !== 'REPEATED';
}

function chunksOf(name: string, { row_groups: groups }: FileMetaData): ColumnMetaData[] {
  return groups.flatMap(({ columns }) =>
    columns.flatMap(({ meta_data: chunk }) =>
      chunk && chunk.path_in_schema.length === 1 && chunk.path_in_schema[0] === name ? [chunk] : [],
    ),
  );
}

function fromMetadata(tree: SchemaTree, metadata: FileMetaData): ColumnProfile {
  const kind = isFlat(tree) ? kindOf(tree.element) : isList(tree) ? 'list' : 'object';
  const profile: ColumnProfile = { name: tree.element.name, type: kind };
  if (!isFlat(tree)) return profile;
  const all = chunksOf(tree.element.name, metadata).map(({ statistics }) => statistics);
  if (tree.element.repetition_type === 'REQUIRED') profile.nulls = 0;
  else if (all.every((each) => each?.null_count !== undefined)) {
    profile.nulls = all.reduce((sum, each) => sum + Number(each?.null_count), 0);
  }
  if (!['int', 'float', 'date', 'timestamp'].includes(kind)) return profile;
  const lows = all.map((each) => each?.min_value ?? each?.min).filter((each) => each !== undefined);
  const highs = all.map((each) => each?.max_value ?? each?.max).filter((each) => each !== undefined);
  // A row group of nothing but nulls has no range; one without statistics may have any.
  const isKnown = all.every((each, at) => each && (lows.length === all.length || hasNoValues(metadata, at, each)));
  if (!isKnown || lows.length === 0 || highs.length === 0) return profile;
  const ends = new ColumnAccumulator('', 0);
  for (const value of [...lows, ...highs]) ends.addValue(value, kind);
  const { min, max } = ends.finish(0);
  return { ...profile, ...(min !== undefined && { min }), ...(max !== undefined && { max }) };
}

function hasNoValues(
  metadata: FileMetaData,
  group: number,
  statistics: { null_count?: bigint; min_value?: unknown },
): boolean {
  return statistics.min_value !== undefined || statistics.null_count === metadata.row_groups[group]?.num_rows;
}

function isList({ element }: SchemaTree): boolean {
  return (
    element.repetition_type === 'REPEATED' || element.logical_type?.type === 'LIST' || element.converted_type === 'LIST'
  );
}

const LOGICAL: Record<string, CellKind> = {
  STRING: 'string',
  ENUM: 'string',
  JSON: 'string',
  UUID: 'string',
  DATE: 'date',
  TIMESTAMP: 'timestamp',
  DECIMAL: 'float',
  FLOAT16: 'float',
  INTEGER: 'int',
  TIME: 'int',
  LIST: 'list',
  MAP: 'object',
};

const CONVERTED: Record<string, CellKind> = {
  UTF8: 'string',
  ENUM: 'string',
  JSON: 'string',
  DATE: 'date',
  TIMESTAMP_MILLIS: 'timestamp',
  TIMESTAMP_MICROS: 'timestamp',
  DECIMAL: 'float',
};

const PHYSICAL: Record<string, CellKind> = {
  BOOLEAN: 'bool',
  INT32: 'int',
  INT64: 'int',
  INT96: 'timestamp',
  FLOAT: 'float',
  DOUBLE: 'float',
  BYTE_ARRAY: 'binary',
  FIXED_LEN_BYTE_ARRAY: 'binary',
};

function kindOf({ logical_type: logical, converted_type: converted, type }: SchemaElement): CellKind {
  return LOGICAL[logical?.type ?? ''] ?? CONVERTED[converted ?? ''] ?? PHYSICAL[type ?? ''] ?? 'binary';
}
