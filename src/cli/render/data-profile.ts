import type { Categories, ColumnProfile, DataProfile } from '../../provenance/data-profile.js';
import { fitColumns } from './columns.js';
import { escapeControls } from './quote.js';
import type { Style } from './style.js';
import { formatCount } from './units.js';

/** Longer names and values are cut for people; --json has them whole. */
const CELL = 24;
const SHOWN_CATEGORIES = 4;

/** A profile for people: what the file is, and a line for each column. */
export function profileLines(name: string, profile: DataProfile, style: Style): string[] {
  const { format, rows, complete, columns } = profile;
  const looked = complete ? formatCount(rows, 'row') : `the first ${formatCount(rows, 'row')}`;
  const { lines } = fitColumns(
    [
      { title: 'column', cells: columns.map((each) => shortText(each.name)) },
      { title: 'type', cells: columns.map(typeWords) },
      {
        title: 'nulls',
        cells: columns.map(({ nulls }) => (nulls === undefined ? '?' : String(nulls))),
        align: 'right',
      },
      { title: 'range', cells: columns.map(rangeWords), optional: true },
      { title: 'mean', cells: columns.map(({ mean }) => (mean === undefined ? '' : figure(mean))), optional: true },
      { title: 'length', cells: columns.map(lengthWords), optional: true },
      { title: 'values', cells: columns.map(({ categories }) => categoryWords(categories)), optional: true },
    ],
    { columns: undefined, head: (line) => style.dim(line) },
  );
  return [`${name}: ${format}, ${looked}, ${formatCount(columns.length, 'column')}`, ...lines];
}

/** What has to be said of a profile beside its columns. */
export function profileNotes({ malformed, notes }: DataProfile): string[] {
  const { count, first } = malformed;
  const more = count > first.length ? [`… and ${count - first.length} more`] : [];
  const listed = [...first.map(({ line, reason }) => `line ${line}: ${reason}`), ...more];
  const bad = count > 0 ? [`${count} malformed row${count === 1 ? '' : 's'} left out:`, ...listed] : [];
  return [...bad, ...notes].map((note) => escapeControls(note));
}

function typeWords({ type, kinds }: ColumnProfile): string {
  if (!kinds) return type;
  return `${type} (${Object.entries(kinds)
    .map(([kind, count]) => `${count} ${kind}`)
    .join(', ')})`;
}

/** The range of a column's values, or nothing. */
function rangeWords({ min, max }: Pick<ColumnProfile, 'min' | 'max'>): string {
  return min === undefined || max === undefined ? '' : `${figure(min)} … ${figure(max)}`;
}

function lengthWords({ length }: ColumnProfile): string {
  if (!length) return '';
  return length.min === length.max ? String(length.min) : `${length.min} … ${length.max}`;
}

function categoryWords(categories: Categories | undefined): string {
  if (!categories) return '';
  if ('moreThan' in categories) return `more than ${categories.moreThan}`;
  const { values } = categories;
  const shown = values.slice(0, SHOWN_CATEGORIES).map(({ value, count }) => `${shortText(value)} (${count})`);
  const rest = values.length - shown.length;
  return [...shown, ...(rest > 0 ? [`and ${rest} more`] : [])].join(', ');
}

/** A number in few digits; text as it is. */
export function figure(value: number | string): string {
  if (typeof value === 'string') return shortText(value);
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(6)));
}

/** A text of the data, safe to be printed, and not long. */
export function shortText(text: string): string {
  const letters = Array.from(text.length > 4 * CELL ? text.slice(0, 4 * CELL) : text);
  return escapeControls(letters.length > CELL ? `${letters.slice(0, CELL - 1).join('')}…` : text);
}
