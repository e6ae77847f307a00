import { once } from 'node:events';
import { type CsvError, type Parser, parse } from 'csv-parse';
import { ColumnAccumulator } from './column-profile.js';
import { categoryBound, type DataProfile, MAX_COLUMNS, MalformedRows, type ProfileOptions } from './data-profile.js';
import { dataUnreadable, unknownColumns } from './data-unreadable.js';

/** A longer row is malformed: a quote that nobody closed must not fill the memory. */
const MAX_ROW_BYTES = 16 * 1024 * 1024;
const QUOTE = 34;
const DELIMITERS = [',', ';', '\t', '|'] as const;

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

/**
 * Cuts a file into rows. As long as no quote was seen, lines are rows and delimiters stand between cells, which is several
 * times faster than a parser; from the first quote on, the parser has it.
 */
class CsvReader {
  private parts: Buffer[] = [];
  private lines = 0;
  private parser: Parser | undefined;
  private failure: unknown;
  /** Bytes since the last end of a line. */
  private lineBytes = 0;
  /** Bytes that the parser took without giving a row. */
  private rowBytes = 0;
  private inFirstLine = true;
  /** Delimiters in the first line so far. */
  private firstCells = 0;
  /** True where the line that goes on belongs to a row that was given up. */
  private midLine = false;

  constructor(
    private readonly table: CsvTable,
    private readonly how: { delimiter: string; plain: boolean },
  ) {}

  /** True when nothing more can be read. */
  get ended(): boolean {
    return this.failure !== undefined;
  }

  async write(read: Buffer): Promise<void> {
    const chunk = this.fromNextLine(read);
    if (chunk.length === 0) return;
    if (this.inFirstLine) this.countCells(chunk);
    this.lineBytes = chunk.includes(10) ? chunk.length - chunk.lastIndexOf(10) - 1 : this.lineBytes + chunk.length;
    if (this.lineBytes > MAX_ROW_BYTES) {
      this.giveUpRow();
      return;
    }
    if (!this.parser && this.how.plain && !chunk.includes(QUOTE)) this.plain(chunk);
    else await this.parse(chunk);
  }

  async end(): Promise<void> {
    const { parser, table } = this;
    if (!parser) {
      if (!table.done) this.rows(Buffer.concat(this.parts));
      return;
    }
    if (!this.failure && !table.done) {
      parser.end();
      await closed(parser);
    }
    parser.destroy();
    if (this.failure) table.broken(this.failure);
  }

  /** Refuses a first line with too many cells before it is taken apart. With a quote in it, only the parser can tell. */
  private countCells(chunk: Buffer): void {
    const end = chunk.findIndex((byte) => byte === 10 || byte === 13);
    const line = end < 0 ? chunk : chunk.subarray(0, end);
    this.inFirstLine = end < 0 && !line.includes(QUOTE);
    if (line.includes(QUOTE)) return;
    for (let at = line.indexOf(this.how.delimiter); at >= 0; at = line.indexOf(this.how.delimiter, at + 1)) {
      if (++this.firstCells > MAX_COLUMNS) this.table.tooWide();
    }
  }

  private fromNextLine(chunk: Buffer): Buffer {
    if (!this.midLine) return chunk;
    const end = chunk.indexOf(10);
    if (end < 0) return chunk.subarray(0, 0);
    this.midLine = false;
    this.lines += 1;
    return chunk.subarray(end + 1);
  }

  private plain(chunk: Buffer): void {
    const end = chunk.lastIndexOf(10);
    if (end >= 0) {
      this.rows(Buffer.concat([...this.parts, chunk.subarray(0, end + 1)]));
      this.parts = [];
    }
    const rest = chunk.subarray(end + 1);
    if (rest.length > 0) this.parts.push(rest);
  }

  private rows(bytes: Buffer): void {
    const text = bytes.toString('utf8');
    const lines = (this.lines === 0 ? text.replace(/^\uFEFF/, '') : text).split('\n');
    if (lines.at(-1) === '') lines.pop();
    for (const line of lines) {
      this.lines += 1;
      const row = line.endsWith('\r') ? line.slice(0, -1) : line;
      if (row !== '') this.table.take(row.split(this.how.delimiter, MAX_COLUMNS + 1), this.lines);
      if (this.table.done) return;
    }
  }

  private async parse(chunk: Buffer): Promise<void> {
    if (!this.parser) {
      this.parser = this.table.parser({ ...this.how, linesBefore: this.lines });
      this.parser.on('error', (error) => {
        this.failure = error;
      });
      this.parser.resume();
      this.rowBytes = 0;
    }
    const bytes = this.parts.length > 0 ? Buffer.concat([...this.parts, chunk]) : chunk;
    this.parts = [];
    const { parser } = this;
    const before = this.table.seen;
    this.rowBytes += bytes.length;
    if (!parser.write(bytes) && !this.ended && !this.table.done)
      await Promise.race([once(parser, 'drain'), closed(parser)]);
    if (this.table.seen !== before) this.rowBytes = 0;
    if (this.rowBytes > MAX_ROW_BYTES) this.giveUpRow();
  }

  /** A row beyond all bounds, most often a quote that nobody closed, would swallow the rest: begin again at the next line. */
  private giveUpRow(): void {
    const { parser } = this;
    if (parser) {
      this.lines += parser.info.lines - 1;
      parser.removeAllListeners();
      parser.on('error', () => {});
      parser.destroy();
      this.parser = undefined;
    }
    this.table.tooLong(this.lines + 1);
    this.midLine = this.lineBytes > 0;
    this.lineBytes = 0;
    this.rowBytes = 0;
    this.parts = [];
  }
}

/** Resolves when a parser has ended, well or not. */
function closed(parser: Parser): Promise<void> {
  if (parser.readableEnded || parser.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    for (const event of ['end', 'close', 'error']) parser.once(event, () => resolve());
  });
}

class CsvTable {
  done = false;
  private rows = 0;
  private linesBefore = 0;
  private columns: ColumnAccumulator[] | undefined;
  /** What to fill of each row, by position. */
  private wanted: (readonly [position: number, column: ColumnAccumulator])[] = [];
  private width = 0;
  private readonly malformed = new MalformedRows();
  /** Rows that came, good or not. */
  seen = 0;

  constructor(
    private readonly source: DataSource,
    private readonly options: ProfileOptions,
  ) {}

  parser({ delimiter, plain, linesBefore }: { delimiter: string; plain: boolean; linesBefore: number }): Parser {
    this.linesBefore = linesBefore;
    return parse({
      delimiter,
      bom: true,
      ...(plain && { record_delimiter: ['\r\n', '\n'] }),
      relax_column_count: true,
      relax_quotes: true,
      skip_empty_lines: true,
      skip_records_with_error: true,
      on_skip: (error) => {
        this.skipped(error);
        return undefined;
      },
      on_record: (record: string[], { lines }: { lines: number }) => {
        this.take(record, linesBefore + lines);
        return null;
      },
    });
  }

  broken(error: unknown): void {
    const code = (error as { code?: string }).code ?? '';
    if (!code.startsWith('CSV_')) throw error;
    this.skipped(error as CsvError);
  }

  finish(): DataProfile {
    const columns = (this.columns ?? []).map((column) => column.finish(this.rows));
    const { count, first } = this.malformed;
    const { rows, done, source } = this;
    return { format: source.format as 'csv', rows, complete: !done, columns, malformed: { count, first }, notes: [] };
  }

  private skipped(error: CsvError | undefined): void {
    if (this.done) return;
    const { code = '', lines = 0 } = (error ?? {}) as { code?: string; lines?: number };
    this.malformed.add(this.linesBefore + lines, REASONS[code] ?? 'it cannot be read');
  }

  /** A row that began at or before a line was longer than any may be. */
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

const TOO_LONG = `is longer than ${MAX_ROW_BYTES / 1024 / 1024} MiB: is a quote not closed?`;

const REASONS: Record<string, string> = {
  CSV_QUOTE_NOT_CLOSED: 'a quote is never closed',
};

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

/** What stands between the cells of the first line: of the usual delimiters the most frequent one outside quotes. */
export function delimiterOf(chunk: Buffer): string {
  const [line = ''] = chunk
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .replace(/"[^"]*"/g, '')
    .split(/[\r\n]/, 1);
  const counts = DELIMITERS.map((each) => line.split(each).length);
  return DELIMITERS[counts.indexOf(Math.max(...counts))] as string;
}

function checkIsText(chunk: Buffer, name: string): void {
  const isWide = (chunk[0] === 0xff && chunk[1] === 0xfe) || (chunk[0] === 0xfe && chunk[1] === 0xff);
  if (isWide)
    throw dataUnreadable(name, 'it is UTF-16; rows are read as UTF-8', 'convert it: iconv -f UTF-16 -t UTF-8');
  if (chunk.includes(0)) throw dataUnreadable(name, 'it is not text: it holds zero bytes');
}
