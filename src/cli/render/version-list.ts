import type { ModelSummary } from '../../registry/registry.js';
import type { VersionSummary } from '../../registry/version-list.js';
import { type Column, type FittedTable, fitColumns } from './columns.js';
import { dayOf, figure, paramText, percent, personName, plain, shortHex, stageWords } from './registry.js';
import type { Style } from './style.js';

/** How a table is made. */
export interface TableOptions {
  style: Style;
  /** Of the terminal; undefined where there is none. */
  columns: number | undefined;
}

/** The table of models. */
export function modelTable(models: readonly ModelSummary[], { style, columns }: TableOptions): FittedTable {
  const of = (cell: (model: ModelSummary) => string): string[] => models.map(cell);
  const table: Column[] = [
    { title: 'MODEL', cells: of(({ model }) => plain(model)) },
    { title: 'VERSIONS', cells: of(({ versions }) => String(versions)), align: 'right' },
    { title: 'LATEST', cells: of(({ latest }) => plain(latest ?? '')) },
    { title: 'STAGES', cells: of(stagesText) },
    { title: 'OWNERS', cells: of(({ owners }) => (owners ?? []).map(personName).join(', ')), optional: true },
    { title: 'DESCRIPTION', cells: of(({ description }) => paramText(description)), optional: true },
  ];
  return fitColumns(table, { columns, head: style.bold });
}

function stagesText({ stages }: ModelSummary): string {
  return stages
    .map(({ stage, versions }) => {
      const shared = versions.length > 1;
      const words = versions.map(({ version, traffic }) =>
        shared ? `${plain(version)} (${percent(traffic)})` : plain(version),
      );
      return `${plain(stage)} ${words.join(' + ')}`;
    })
    .join(', ');
}

/** The table of versions. Metrics are those asked for, or all of them; with `models` the model's name stands before. */
export function versionTable(
  versions: readonly VersionSummary[],
  options: TableOptions & { metrics?: readonly string[]; params?: readonly string[]; models: boolean },
): FittedTable {
  const of = (cell: (version: VersionSummary) => string): string[] => versions.map(cell);
  const { metrics = namesIn(versions.map((each) => each.metrics)), params = [], style, columns } = options;
  const name = (each: VersionSummary): string =>
    plain(options.models ? `${each.model}@${each.version}` : each.version) + (each.deprecated ? ' (deprecated)' : '');
  const table: Column[] = [
    { title: 'VERSION', cells: of(name) },
    { title: 'STAGE', cells: of(({ stages }) => stageWords(stages)) },
    { title: 'CREATED', cells: of(({ created }) => dayOf(created)) },
    ...metrics.map((metric): Column => figureColumn(versions, metric)),
    ...params.map(
      (param): Column => ({
        title: plain(param),
        cells: of((each) => paramText(own(each.params, param))),
        optional: true,
      }),
    ),
    { title: 'AUTHOR', cells: of(({ author }) => personName(author)), optional: true },
    { title: 'COMMIT', cells: of(({ commit }) => shortHex(commit)), optional: true },
  ];
  return fitColumns(table, { columns, head: style.bold });
}

function figureColumn(versions: readonly VersionSummary[], metric: string): Column {
  return {
    title: plain(metric),
    cells: versions.map(({ metrics }) => figure(own(metrics, metric))),
    align: 'right',
    optional: true,
  };
}

function own<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

function namesIn(records: readonly Readonly<Record<string, unknown>>[]): string[] {
  return [...new Set(records.flatMap((record) => Object.keys(record)))].sort();
}

/** What to say of columns that did not fit. */
export function narrowNote(left: readonly string[]): string[] {
  return left.length === 0 ? [] : [`not shown, for want of space: ${left.join(', ')}`];
}
