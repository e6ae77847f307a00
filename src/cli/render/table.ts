/** Which side of its column a cell stands on. */
export type Alignment = 'left' | 'right';

/**
 * Rows as lines with their columns aligned, two spaces apart; columns without an alignment stand left. The last column
 * is never padded, so that no line ends in spaces.
 */
export function alignColumns(rows: readonly (readonly string[])[], alignments: readonly Alignment[] = []): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, width(cell));
  }
  return rows.map((row) =>
    row
      .map((cell, column) =>
        padded(cell, widths[column] ?? 0, { align: alignments[column], last: column === row.length - 1 }),
      )
      .join('  ')
      .trimEnd(),
  );
}

function padded(cell: string, columnWidth: number, options: { align: Alignment | undefined; last: boolean }): string {
  const padding = ' '.repeat(Math.max(0, columnWidth - width(cell)));
  if (options.align === 'right') return padding + cell;
  return options.last ? cell : cell + padding;
}

const COLOURS = /\u001b\[[0-9;]*m/g;

/** Columns of a terminal that a text takes, colours left out and wide characters counted once. */
export function width(text: string): number {
  return Array.from(text.replace(COLOURS, '')).length;
}
