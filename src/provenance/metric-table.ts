import { MAX_NAMES, type NamedValue, type Refuse } from './dotted-names.js';

/** Columns that count or time the rows of a table and measure nothing. */
const STEPS = new Set([
  '',
  'step',
  'steps',
  'epoch',
  'epochs',
  'iteration',
  'iter',
  'timestamp',
  'time',
  'date',
  'batch',
  'global_step',
]);
const NAME_COLUMNS = new Set(['name', 'metric', 'key']);

/**
 * The figures of a table, whose rows are taken one by one and not kept. Two columns headed `name` (or `metric`, `key`) and
 * `value`, or two columns without a heading whose first is text and whose second is a number, are names with their values.
 * Anything else is a table of steps with a heading: the last value of each column, empty cells passed over; columns that
 * count the rows (`step`, `epoch`, `timestamp`, …) are left out. Values are the cells' text.
 */
export class MetricTable {
  private heading: readonly string[] | undefined;
  /** Of a table of names. */
  private pairs: NamedValue[] | undefined;
  /** Of a table of steps: the last value of each column. */
  private readonly last: string[] = [];

  /** `refuse` is called with a reason for what is too much. */
  constructor(private readonly refuse: Refuse) {}

  /** Takes the next row; the first one may be the heading. */
  take(row: readonly string[]): void {
    if (!this.heading) {
      this.begin(row);
    } else if (this.pairs) {
      this.pair(row);
    } else {
      const cells = Math.min(row.length, this.heading.length);
      for (let column = 0; column < cells; column++) {
        const value = (row[column] as string).trim();
        if (value !== '') this.last[column] = value;
      }
    }
  }

  /** The figures of the rows that were taken. */
  leaves(): NamedValue[] {
    if (this.pairs) return this.pairs;
    return (this.heading ?? []).flatMap((written, column) => {
      const name = written.trim();
      const value = this.last[column];
      return value === undefined || STEPS.has(name.toLowerCase()) ? [] : [{ name, value }];
    });
  }

  private begin(first: readonly string[]): void {
    if (first.length > MAX_NAMES) this.refuse(`it has more than ${MAX_NAMES} columns`);
    this.heading = first;
    const [name = '', value = ''] = first.map((cell) => cell.trim().toLowerCase());
    if (first.length !== 2) return;
    if (NAME_COLUMNS.has(name) && value === 'value') this.pairs = [];
    else if (!isNumeric(name) && isNumeric(value)) {
      this.pairs = [];
      this.pair(first);
    }
  }

  private pair([name = '', value = '']: readonly string[]): void {
    this.pairs?.push({ name: name.trim(), value: value.trim() });
    if ((this.pairs?.length ?? 0) > MAX_NAMES) this.refuse(`it holds more than ${MAX_NAMES} names`);
  }
}

/** True for text that a column of figures may hold, `nan` and `inf` among it. */
export function isNumeric(text: string): boolean {
  return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text.trim()) || isNotFinite(text);
}

/** True for the ways in which programs write what is no finite number. */
export function isNotFinite(text: string): boolean {
  return /^[+-]?\.?(?:nan|inf|infinity)$/i.test(text.trim());
}
