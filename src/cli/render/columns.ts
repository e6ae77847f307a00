import { type Alignment, alignColumns, width } from './table.js';

/** One column of a table that fits the terminal. */
export interface Column {
  title: string;
  cells: readonly string[];
  align?: Alignment;
  /** Left out where the terminal is too narrow, the last one first. */
  optional?: boolean;
}

/** A table as lines, and the titles of the columns that did not fit. */
export interface FittedTable {
  lines: string[];
  left: string[];
}

const GAP = 2;

/**
 * Columns under their titles, as many as fit; `columns` of the terminal is undefined where there is none. Columns in which
 * there is nothing are left out. `head` makes the line of titles.
 */
export function fitColumns(
  all: readonly Column[],
  { columns, head = (line) => line }: { columns: number | undefined; head?: (line: string) => string },
): FittedTable {
  const shown = all.filter(({ cells, optional }) => !optional || cells.some((cell) => cell !== ''));
  const left: string[] = [];
  while (columns !== undefined && widthOf(shown) > columns) {
    const index = shown.findLastIndex(({ optional }) => optional);
    if (index < 0) break;
    left.unshift(...shown.splice(index, 1).map(({ title }) => title));
  }
  const rows = (shown[0]?.cells ?? []).map((_, row) => shown.map(({ cells }) => cells[row] ?? ''));
  const [titles = '', ...lines] = alignColumns(
    [shown.map(({ title }) => title), ...rows],
    shown.map(({ align }) => align ?? 'left'),
  );
  return { lines: [head(titles), ...lines], left };
}

function widthOf(columns: readonly Column[]): number {
  const widths = columns.map(({ title, cells }) =>
    cells.reduce((most, cell) => Math.max(most, width(cell)), width(title)),
  );
  return widths.reduce((sum, each) => sum + each + GAP, -GAP);
}
