import { ColumnAccumulator } from './column-profile.js';
import { CsvReader, type CsvRows, delimiterOf, TOO_LONG } from './csv-reader.js';
import { categoryBound, type DataProfile, MAX_COLUMNS, MalformedRows, type ProfileOptions } from './data-profile.js';
import { dataUnreadable, unknownColumns } from './data-unreadable.js';

/** The file as it is read, and what to call it in messages. */
export interface DataSource {
  name: string;
  format: 'csv' | 'tsv' | 'jsonl';
  chunks: AsyncIterable<Buffer>;
}

/**
 * Profiles a CSV or TSV file as it streams by. Rows with too many or too few cells, or with a quote that is never closed,
 * are counted as malformed and are in nothing else. Errors: `DATA_UNREADABLE` for what is no text or has too many columns,
 * `USAGE` for columns that are not there, those of the source.
 */
export async function profileCsv(source: DataSource, options: ProfileOptions): Promise<DataProfile> {
  const table = new CsvTable(source, options);
  let reader: CsvReader | undefined;
  for await (const chunk of source.chunks) {
    options.signal?.throwIfAborted();
    if (!reader) {
      checkIsText(chunk, source.name);
      const delimiter = options.delimiter ?? (source.format === 'tsv' ? '\t' : delimiterOf(chunk));
      reader = new CsvReader(table, { delimiter, plain: chunk.includes(10) });
    }
    await reader.write(chunk);
    if (reader.ended || table.done) break;
  }
  await reader?.end();
  return table.finish();
}

/** What becomes of the rows: a profile of each column that is wanted. */
class CsvTable implements CsvRows {
  done = false;
  private rows = 0;
  private columns: ColumnAccumulator[] | undefined;
  /** What to fill of each row, by position. */
  private wanted: (readonly [position: number, column: ColumnAccumulator])[] = [];
  private width = 0;
  private readonly malformed = new MalformedRows();
  seen = 0;

  constructor(
    private readonly source: DataSource,
    private readonly options: ProfileOptions,
  ) {}

  finish(): DataProfile {
    const columns = (this.columns ?? []).map((column) => column.finish(this.rows));
    const { count, first } = this.malformed;
    const { rows, done, source } = this;
    return { format: source.format as 'csv', rows, complete: !done, columns, malformed: { count, first }, notes: [] };
  }

  malformedRow(line: number, reason: string): void {
    if (!this.done) this.malformed.add(line, reason);
  }

  tooLong(line: number): void {
    if (!this.columns) throw dataUnreadable(this.source.name, `its first row ${TOO_LONG}`);
    this.malformed.add(line, `it ${TOO_LONG}`);
  }

  tooWide(): never {
    throw dataUnreadable(this.source.name, `it has more than ${MAX_COLUMNS} columns`);
  }

  take(record: readonly string[], line: number): void {
    if (this.done) return;
    this.seen += 1;
    if (!this.columns) {
      this.begin(record);
      if (this.options.header) return;
    }
    if (this.rows === this.options.sample) {
      this.done = true;
      return;
    }
    if (record.length !== this.width) {
      const cells = record.length > MAX_COLUMNS ? `more than ${MAX_COLUMNS}` : record.length;
      this.malformed.add(line, `it has ${cells} cells where ${this.width} belong`);
      return;
    }
    this.rows += 1;
    for (const [position, column] of this.wanted) column.addText(record[position] as string);
  }

  private begin(first: readonly string[]): void {
    const { name } = this.source;
    if (first.length > MAX_COLUMNS) this.tooWide();
    this.width = first.length;
    const names = this.options.header ? distinctNames(first) : first.map((_, at) => `column ${at + 1}`);
    const { columns: chosen } = this.options;
    if (chosen) {
      const unknown = chosen.filter((each) => !names.includes(each));
      if (unknown.length > 0) throw unknownColumns(name, unknown, names);
    }
    const positions = names.map((_, at) => at).filter((at) => chosen?.includes(names[at] as string) ?? true);
    const bound = categoryBound(this.options.categories, positions.length);
    this.wanted = positions.map((at) => [at, new ColumnAccumulator(names[at] as string, bound)] as const);
    this.columns = this.wanted.map(([, column]) => column);
  }
}

/** Names of columns that can be told apart: empty ones get their position, and repeated ones a number. */
export function distinctNames(cells: readonly string[]): string[] {
  const used = new Set<string>();
  return cells.map((cell, at) => {
    const name = cell.trim() || `column ${at + 1}`;
    let distinct = name;
    for (let again = 2; used.has(distinct); again += 1) distinct = `${name} (${again})`;
    used.add(distinct);
    return distinct;
  });
}

function checkIsText(chunk: Buffer, name: string): void {
  const isWide = (chunk[0] === 0xff && chunk[1] === 0xfe) || (chunk[0] === 0xfe && chunk[1] === 0xff);
  if (isWide)
    throw dataUnreadable(name, 'it is UTF-16; rows are read as UTF-8', 'convert it: iconv -f UTF-16 -t UTF-8');
  if (chunk.includes(0)) throw dataUnreadable(name, 'it is not text: it holds zero bytes');
}
