import { once } from 'node:events';
import { type CsvError, type Parser, parse } from 'csv-parse';
import { MAX_COLUMNS } from './data-profile.js';

/** A longer row is malformed: a quote that nobody closed must not fill the memory. */
const MAX_ROW_BYTES = 16 * 1024 * 1024;
const QUOTE = 34;
const DELIMITERS = [',', ';', '\t', '|'] as const;

/** What is said of a row that is too long. */
export const TOO_LONG = `is longer than ${MAX_ROW_BYTES / 1024 / 1024} MiB: is a quote not closed?`;

const REASONS: Record<string, string> = {
  CSV_QUOTE_NOT_CLOSED: 'a quote is never closed',
};

/** Who takes the rows of a file as they come. Lines count from 1. */
export interface CsvRows {
  /** True when no more rows are wanted. */
  readonly done: boolean;
  /** Rows that came, good or not. */
  readonly seen: number;
  take(cells: readonly string[], line: number): void;
  /** A row that cannot be used, which ends at a line, and why. */
  malformedRow(line: number, reason: string): void;
  /** A row that began at or before a line was longer than any may be. */
  tooLong(line: number): void;
  /** The first line has more cells than any may have. */
  tooWide(): never;
}

/**
 * Cuts a file into rows. As long as no quote was seen, lines are rows and delimiters stand between cells, which is several
 * times faster than a parser; from the first quote on, the parser has it.
 */
export class CsvReader {
  private parts: Buffer[] = [];
  private lines = 0;
  private parser: Parser | undefined;
  private failure: unknown;
  /** Lines before the first one that the parser got. */
  private linesBefore = 0;
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
    private readonly table: CsvRows,
    private readonly how: { delimiter: string; plain: boolean },
  ) {}

  /** True when nothing more can be read. */
  get ended(): boolean {
    return this.failure !== undefined;
  }

  /** Takes the next bytes of the file. Errors: those of the table. */
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

  /** Takes what is left, and ends the parser. Errors: those of the table, and what the parser failed with for other reasons than the data. */
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
    if (this.failure) this.broken(this.failure);
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
      this.parser = this.newParser(this.lines);
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

  private newParser(linesBefore: number): Parser {
    const { delimiter, plain } = this.how;
    this.linesBefore = linesBefore;
    const parser = parse({
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
        this.table.take(record, linesBefore + lines);
        return null;
      },
    });
    parser.on('error', (error) => {
      this.failure = error;
    });
    parser.resume();
    return parser;
  }

  private broken(error: unknown): void {
    const code = (error as { code?: string }).code ?? '';
    if (!code.startsWith('CSV_')) throw error;
    this.skipped(error as CsvError);
  }

  private skipped(error: CsvError | undefined): void {
    const { code = '', lines = 0 } = (error ?? {}) as { code?: string; lines?: number };
    this.table.malformedRow(this.linesBefore + lines, REASONS[code] ?? 'it cannot be read');
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
