/** What kind of value a cell holds. Text that reads as a number, a truth value or a date counts as that. */
export type CellKind = 'int' | 'float' | 'bool' | 'date' | 'timestamp' | 'string' | 'list' | 'object' | 'binary';

/** `mixed` where kinds meet that are not each other's (numbers and words), `empty` where there is no value at all. */
export type ColumnType = CellKind | 'mixed' | 'empty';

/** The distinct values of a column, most frequent first; or that there are more than were counted. */
export type Categories = { values: { value: string; count: number }[] } | { moreThan: number };

/** What is known of one column. What is absent was not looked at, or means nothing for the type. */
export interface ColumnProfile {
  name: string;
  type: ColumnType;
  /** How many values of each kind, for a mixed column. */
  kinds?: Partial<Record<CellKind, number>>;
  /** Rows without a value. */
  nulls?: number;
  /** Of numbers; of dates and timestamps as they are written. */
  min?: number | string;
  max?: number | string;
  /** Of numbers. */
  mean?: number;
  /** Of texts in UTF-16 units, of lists in items, of binary values in bytes. */
  length?: { min: number; max: number; mean: number };
  categories?: Categories;
}

/** A row that could not be read, and is in no count. `line` is counted from 1. */
export interface MalformedRow {
  line: number;
  reason: string;
}

export type DataFormat = 'csv' | 'tsv' | 'jsonl' | 'parquet';

/** What is in a file of rows. */
export interface DataProfile {
  format: DataFormat;
  /** Rows that were looked at; all good ones where `complete`. */
  rows: number;
  /** False where only the first rows were asked for, and there are more. */
  complete: boolean;
  columns: ColumnProfile[];
  /** How many rows could not be read, and the first of them. */
  malformed: { count: number; first: MalformedRow[] };
  /** What could not be found out, in words. */
  notes: string[];
}

/** How a file of rows is to be looked at. */
export interface ProfileOptions {
  /** Only these columns. */
  columns?: readonly string[];
  /** Only this many rows, from the first. */
  sample?: number;
  /** How many distinct values of a column are counted. */
  categories: number;
  /** What stands between the cells of a CSV file; found out where absent. */
  delimiter?: string;
  /** False where the first row of a CSV file is data. */
  header: boolean;
  /** False: of a Parquet file, only what its metadata says. */
  data: boolean;
  signal?: AbortSignal;
}

/** Columns beyond this many are refused: no table that people made has them. */
export const MAX_COLUMNS = 100_000;
/** Distinct values that are kept at once, in all columns. */
const CATEGORY_BUDGET = 200_000;
/** Rows beyond this many are only counted when they are malformed. */
const FIRST_MALFORMED = 5;

/** How many distinct values each of some columns may have, so that all together stay within bounds. */
export function categoryBound(wanted: number, columns: number): number {
  return Math.max(0, Math.min(wanted, Math.floor(CATEGORY_BUDGET / Math.max(1, columns))));
}

/** Rows that could not be read: how many, and where the first of them are. */
export class MalformedRows {
  count = 0;
  readonly first: MalformedRow[] = [];

  add(line: number, reason: string): void {
    this.count += 1;
    if (this.first.length < FIRST_MALFORMED) this.first.push({ line, reason });
  }
}
