import type { Comparison, MetricRow, Row } from '../../registry/compare.js';
import type { ItemRow } from '../../registry/compare-items.js';
import { totalsLine } from './changes.js';
import { type FittedTable, fitColumns } from './columns.js';
import { quotePath } from './quote.js';
import { figure, paramText, plain, shortHex } from './registry.js';
import type { Style } from './style.js';
import { formatBytes, formatCount } from './units.js';
import type { TableOptions } from './version-list.js';

type Line = readonly string[];

/** Versions beside one another; rows that are the same in all are left out unless `all` is set. */
export function comparisonTable(comparison: Comparison, options: TableOptions & { all: boolean }): FittedTable {
  const { style, columns, all } = options;
  const { versions, code } = comparison;
  const section = <T extends { same: boolean }>(title: string, rows: readonly T[], line: (row: T) => Line): Line[] => {
    const shown = all ? rows : rows.filter(({ same }) => !same);
    if (rows.length === 0) return [];
    const equal = rows.length - shown.length;
    const note = equal === 0 ? '' : style.dim(shown.length === 0 ? ' (the same)' : ` (${equal} more the same)`);
    return [[style.bold(title) + note, ...versions.map(() => '')], ...shown.map(line)];
  };
  const lines = [
    ...section('metrics', comparison.metrics, (row) => metricLine(row, style)),
    ...section('params', comparison.params, (row) => plainLine(row, paramText)),
    ...section('artifacts', comparison.artifacts, itemLine),
    ...section('data', comparison.data, itemLine),
    ...section('components', comparison.components, (row) => plainLine(row, (value) => value)),
    ...section('environment', comparison.environment, (row) => plainLine(row, shortHex)),
    ...section('code', [{ same: code.every(({ range }) => range === undefined) && !all }], () => codeLine(code)),
  ];
  const table = fitColumns(
    [
      { title: '', cells: lines.map(([label = '']) => label) },
      ...versions.map((version, index) => ({
        title: plain(version),
        cells: lines.map((line) => line[index + 1] ?? ''),
        // What is compared with what must stay; further versions may not fit.
        optional: index > 1,
      })),
    ],
    { columns, head: style.bold },
  );
  return { ...table, lines: [...table.lines, ...rangeLines(code, style)] };
}

function plainLine<T>({ name, values }: Row<T>, show: (value: T) => string): Line {
  return [`  ${plain(name)}`, ...values.map((value) => (value === undefined ? '-' : plain(show(value))))];
}

function metricLine({ name, on, values, marks, better }: MetricRow, style: Style): Line {
  const label = `  ${plain(name)}${on === undefined ? '' : ` on ${plain(on)}`}${better === 'lower' ? ' (lower is better)' : ''}`;
  const cells = values.map((value, index) => {
    if (value === undefined) return '-';
    const mark = marks[index];
    if (mark === undefined || mark === 'same') return figure(value);
    const [first = value] = values;
    const difference = `${value > first ? '+' : ''}${figure(value - first)}`;
    const colour = mark === 'better' ? style.green : style.red;
    return `${figure(value)} ${colour(`${mark} (${difference})`)}`;
  });
  return [label, ...cells];
}

function itemLine({ path, values, changes }: ItemRow): Line {
  const cells = values.map((value, index) => {
    const change = changes[index];
    if (!value) return change?.kind === 'removed' ? 'removed' : '-';
    const size = formatBytes(value.size) + (value.files === undefined ? '' : `, ${formatCount(value.files, 'file')}`);
    if (change?.kind === 'added') return `${size}: added`;
    if (change?.kind !== 'changed') return size;
    return `${size}: ${change.files ? totalsLine(change.files) : 'changed'}`;
  });
  return [`  ${quotePath(path)}`, ...cells];
}

function codeLine(code: Comparison['code']): Line {
  return ['  commit', ...code.map(({ commit, unsaved }) => shortHex(commit) + (unsaved ? ' and more' : ''))];
}

function rangeLines(code: Comparison['code'], style: Style): string[] {
  const ranges = [...new Set(code.map(({ range }) => range).filter((range) => range !== undefined))];
  return ranges.map((range) => style.dim(`git log ${range.split('..').map(shortHex).join('..')}`));
}
