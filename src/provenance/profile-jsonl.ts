import { ColumnAccumulator } from './column-profile.js';
import { categoryBound, type DataProfile, MAX_COLUMNS, MalformedRows, type ProfileOptions } from './data-profile.js';
import { unknownColumns } from './data-unreadable.js';
import type { DataSource } from './profile-csv.js';

const MAX_LINE_BYTES = 16 * 1024 * 1024;
/** How many columns are thought of when distinct values are counted: which there will be is not known. */
const EXPECTED_COLUMNS = 1000;

/**
 * Profiles a file with one JSON object a line as it streams by. A key that a row lacks is a null of that column; what is
 * nested is not looked into. Errors: `USAGE` for columns that no row has, those of the source.
 */
export async function profileJsonl(source: DataSource, options: ProfileOptions): Promise<DataProfile> {
  const table = new JsonTable(options);
  let line = 0;
  for await (const text of lines(source.chunks)) {
    options.signal?.throwIfAborted();
    line += 1;
    if (!table.take(text, line)) break;
  }
  return table.finish(source.name);
}

/** The lines of a file; undefined for one that is too long to be kept. */
async function* lines(chunks: AsyncIterable<Buffer>): AsyncGenerator<string | undefined> {
  let parts: Buffer[] = [];
  let length = 0;
  const take = (): string | undefined => {
    const line = length > MAX_LINE_BYTES ? undefined : Buffer.concat(parts).toString('utf8');
    parts = [];
    length = 0;
    return line;
  };
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      length += end - start;
      if (length <= MAX_LINE_BYTES) parts.push(chunk.subarray(start, end));
      yield take();
      start = end + 1;
    }
    length += chunk.length - start;
    // Of a line that is too long nothing has to be kept.
    if (length > MAX_LINE_BYTES) parts = [];
    else if (start < chunk.length) parts.push(chunk.subarray(start));
  }
  if (length > 0) yield take();
}

class JsonTable {
  private rows = 0;
  private done = false;
  private readonly columns = new Map<string, ColumnAccumulator>();
  private readonly malformed = new MalformedRows();
  private readonly bound: number;

  constructor(private readonly options: ProfileOptions) {
    this.bound = categoryBound(options.categories, EXPECTED_COLUMNS);
  }

  /** Takes a line; false where no more are wanted. */
  take(text: string | undefined, line: number): boolean {
    if (text === undefined) {
      this.malformed.add(line, `it is longer than ${MAX_LINE_BYTES / 1024 / 1024} MiB`);
      return true;
    }
    const trimmed = (line === 1 ? text.replace(/^\uFEFF/, '') : text).trim();
    if (trimmed === '') return true;
    if (this.rows === this.options.sample) {
      this.done = true;
      return false;
    }
    const row = parseRow(trimmed);
    if (typeof row === 'string') this.malformed.add(line, row);
    else this.row(row, line);
    return true;
  }

  finish(name: string): DataProfile {
    const { rows, done, malformed } = this;
    const names = [...this.columns.keys()];
    const { columns: chosen } = this.options;
    const unknown = chosen?.filter((each) => !this.columns.has(each)) ?? [];
    if (unknown.length > 0) throw unknownColumns(name, unknown, names);
    const columns = [...this.columns.values()].filter((column) => chosen?.includes(column.name) ?? true);
    return {
      format: 'jsonl',
      rows,
      complete: !done,
      columns: columns.map((column) => column.finish(rows)),
      malformed: { count: malformed.count, first: malformed.first },
      notes: [],
    };
  }

  private row(row: object, line: number): void {
    const entries = Object.entries(row);
    const added = entries.filter(([name]) => !this.columns.has(name));
    if (this.columns.size + added.length > MAX_COLUMNS) {
      this.malformed.add(line, `with it there are more than ${MAX_COLUMNS} columns`);
      return;
    }
    for (const [name] of added) this.columns.set(name, new ColumnAccumulator(name, this.boundNow()));
    this.rows += 1;
    for (const [name, value] of entries) this.columns.get(name)?.addValue(value);
  }

  private boundNow(): number {
    return this.columns.size < EXPECTED_COLUMNS ? this.bound : 0;
  }
}

function parseRow(text: string): object | string {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : 'it is not a JSON object';
  } catch {
    return 'it is not JSON';
  }
}
