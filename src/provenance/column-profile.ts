import type { Categories, CellKind, ColumnProfile, ColumnType } from './data-profile.js';

/** What stands for no value in CSV files, as the usual readers have it. */
const NULL_WORDS = new Set(['', 'NA', 'N/A', 'NaN', 'nan', 'null', 'NULL', 'None']);
const INT = /^[+-]?\d+$/;
const FLOAT = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const INFINITE = /^[+-]?(?:inf|Inf|Infinity)$/;
const BOOL = /^(?:true|false)$/i;
const DATE = /^\d{4}-\d\d-\d\d$/;
const TIMESTAMP = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?: ?(?:Z|[+-]\d\d(?::?\d\d)?))?$/;
/** A longer value is no category, and is not kept. */
const MAX_CATEGORY_LENGTH = 200;

/** The kind of a cell of text, or undefined for one that stands for no value. */
export function kindOfText(text: string): CellKind | undefined {
  if (NULL_WORDS.has(text)) return undefined;
  const first = text.charCodeAt(0);
  const isNumberLike = (first >= 48 && first <= 57) || first === 43 || first === 45 || first === 46;
  if (isNumberLike) {
    if (INT.test(text)) return 'int';
    if (FLOAT.test(text)) return 'float';
    if (DATE.test(text) && !Number.isNaN(momentOf(text))) return 'date';
    if (TIMESTAMP.test(text) && !Number.isNaN(momentOf(text))) return 'timestamp';
  }
  if (text.length <= 5 && BOOL.test(text)) return 'bool';
  return INFINITE.test(text) ? 'float' : 'string';
}

/** The moment that an ISO date or timestamp names, in milliseconds since 1970; without an offset, UTC. NaN for none. */
export function momentOf(text: string): number {
  if (text.length === 10) return Date.parse(text);
  const [, day = '', time = '', offset = 'Z'] = /^(.{10})[T ]([\d:.,]+) ?(.*)$/.exec(text) ?? [];
  const full = /^[+-]\d\d$/.test(offset) ? `${offset}:00` : offset.replace(/^([+-]\d\d)(\d\d)$/, '$1:$2');
  return Date.parse(`${day}T${time.replace(',', '.')}${full || 'Z'}`);
}

/** Collects what is to be known of one column, cell by cell, in bounded memory. */
export class ColumnAccumulator {
  private values = 0;
  private readonly kinds = new Map<CellKind, number>();
  private numbers = 0;
  private mean = 0;
  private min = Number.POSITIVE_INFINITY;
  private max = Number.NEGATIVE_INFINITY;
  private earliest: { time: number; text: string } | undefined;
  private latest: { time: number; text: string } | undefined;
  private readonly length = { count: 0, total: 0, min: Number.POSITIVE_INFINITY, max: 0 };
  private categories: Map<string, number> | undefined = new Map();
  /** Lists, objects and bytes are no values that can be counted. */
  private isNested = false;

  constructor(
    readonly name: string,
    private readonly bound: number,
  ) {}

  /** A cell of text, which is taken for what it reads as. */
  addText(text: string): void {
    const kind = kindOfText(text);
    if (kind === undefined) return;
    this.count(kind);
    this.category(text);
    if (kind === 'string') this.measure(text.length);
    else if (kind === 'int' || kind === 'float') this.number(Number(text));
    else if (kind !== 'bool') this.moment(momentOf(text), text);
  }

  /** A value with a type of its own, as JSON and Parquet have them; `kind` where more is known than the value shows. */
  addValue(value: unknown, kind: CellKind | undefined = kindOfValue(value)): void {
    if (kind === undefined || value === null || value === undefined || Number.isNaN(value)) return;
    this.count(kind);
    if (value instanceof Date) {
      this.date(value, kind);
      return;
    }
    if (typeof value === 'number' || typeof value === 'bigint') this.number(Number(value));
    else if (typeof value === 'string' && (kind === 'date' || kind === 'timestamp'))
      this.moment(momentOf(value), value);
    else if (typeof value === 'string' || Array.isArray(value)) this.measure(value.length);
    else if (value instanceof Uint8Array) this.measure(value.length);
    if (typeof value === 'object') this.isNested = true;
    else this.category(String(value));
  }

  /** What was found, of this many rows. */
  finish(rows: number): ColumnProfile {
    const type = typeOf(this.kinds);
    const profile: ColumnProfile = { name: this.name, type, nulls: rows - this.values };
    if (type === 'mixed') profile.kinds = Object.fromEntries(this.kinds);
    if (this.numbers > 0) Object.assign(profile, { min: this.min, max: this.max, mean: this.mean });
    else if (this.earliest && this.latest && type !== 'mixed') {
      Object.assign(profile, { min: this.earliest.text, max: this.latest.text });
    }
    const { count, total, min, max } = this.length;
    if (count > 0) profile.length = { min, max, mean: total / count };
    const categories = this.found();
    if (categories) profile.categories = categories;
    return profile;
  }

  private found(): Categories | undefined {
    if (this.isNested || this.bound === 0) return undefined;
    if (!this.categories) return { moreThan: this.bound };
    const values = [...this.categories].map(([value, count]) => ({ value, count }));
    return { values: values.sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1)) };
  }

  private count(kind: CellKind): void {
    this.values += 1;
    this.kinds.set(kind, (this.kinds.get(kind) ?? 0) + 1);
  }

  /** Infinite numbers are in no range. */
  private number(value: number): void {
    if (!Number.isFinite(value)) return;
    this.numbers += 1;
    this.mean += (value - this.mean) / this.numbers;
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
  }

  private date(value: Date, kind: CellKind): void {
    const time = value.getTime();
    if (Number.isNaN(time)) return;
    const text = kind === 'date' ? value.toISOString().slice(0, 10) : value.toISOString();
    this.moment(time, text);
    this.category(text);
  }

  private moment(time: number, text: string): void {
    if (!this.earliest || time < this.earliest.time) this.earliest = { time, text };
    if (!this.latest || time > this.latest.time) this.latest = { time, text };
  }

  private measure(length: number): void {
    const { length: all } = this;
    all.count += 1;
    all.total += length;
    if (length < all.min) all.min = length;
    if (length > all.max) all.max = length;
  }

  private category(value: string): void {
    const { categories } = this;
    if (!categories) return;
    const count = categories.get(value);
    if (count !== undefined) categories.set(value, count + 1);
    else if (categories.size >= this.bound || value.length > MAX_CATEGORY_LENGTH) this.categories = undefined;
    else categories.set(value, 1);
  }
}

/** The kind of a value of JSON; undefined for none. Text is text here, unless it is an ISO date or timestamp. */
function kindOfValue(value: unknown): CellKind | undefined {
  switch (typeof value) {
    case 'number':
      return Number.isInteger(value) ? 'int' : 'float';
    case 'bigint':
      return 'int';
    case 'boolean':
      return 'bool';
    case 'string': {
      const kind = kindOfText(value);
      return kind === 'date' || kind === 'timestamp' ? kind : 'string';
    }
    case 'object':
      if (value === null) return undefined;
      if (value instanceof Date) return 'timestamp';
      if (value instanceof Uint8Array) return 'binary';
      return Array.isArray(value) ? 'list' : 'object';
    default:
      return undefined;
  }
}

/** The type of a column that holds values of these kinds. */
function typeOf(kinds: ReadonlyMap<CellKind, number>): ColumnType {
  const [first, ...others] = [...kinds.keys()];
  if (first === undefined) return 'empty';
  if (others.length === 0) return first;
  const within = (...family: CellKind[]): boolean => [first, ...others].every((kind) => family.includes(kind));
  if (within('int', 'float')) return 'float';
  if (within('date', 'timestamp')) return 'timestamp';
  return 'mixed';
}
