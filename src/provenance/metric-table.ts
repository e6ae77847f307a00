import type { NamedValue } from './dotted-names.js';

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
 * The figures of a table. Two columns headed `name` (or `metric`, `key`) and `value`, or two columns without a heading
 * whose first is text and whose second is a number, are names with their values. Anything else is a table of steps with a
 * heading: the last value of each column, empty cells passed over; columns that count the rows (`step`, `epoch`,
 * `timestamp`, …) are left out. Values are the cells' text.
 */
export function tableLeaves(rows: readonly (readonly string[])[]): NamedValue[] {
  const [first, ...rest] = rows;
  if (!first) return [];
  const heading = first.map((cell) => cell.trim().toLowerCase());
  if (heading.length === 2 && NAME_COLUMNS.has(heading[0] ?? '') && heading[1] === 'value') return pairs(rest);
  const withoutHeading = first.length === 2 && !isNumeric(first[0] ?? '') && isNumeric(first[1] ?? '');
  return withoutHeading ? pairs(rows) : lastValues(first, rest);
}

function pairs(rows: readonly (readonly string[])[]): NamedValue[] {
  return rows.map(([name = '', value = '']) => ({ name: name.trim(), value: value.trim() }));
}

function lastValues(heading: readonly string[], rows: readonly (readonly string[])[]): NamedValue[] {
  return heading.flatMap((written, column) => {
    const name = written.trim();
    if (STEPS.has(name.toLowerCase())) return [];
    const row = rows.findLast((cells) => (cells[column] ?? '').trim() !== '');
    return row ? [{ name, value: (row[column] ?? '').trim() }] : [];
  });
}

/** True for text that a column of figures may hold, `nan` and `inf` among it. */
export function isNumeric(text: string): boolean {
  return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text.trim()) || isNotFinite(text);
}

/** True for the ways in which programs write what is no finite number. */
export function isNotFinite(text: string): boolean {
  return /^[+-]?\.?(?:nan|inf|infinity)$/i.test(text.trim());
}
