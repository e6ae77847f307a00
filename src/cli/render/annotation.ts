import type { Annotation } from '../../workspace/annotation.js';
import { escapeControls } from './quote.js';
import { alignColumns } from './table.js';
import { formatCount } from './units.js';

const SHOWN_COLUMNS = 8;

/** What is said of the origin of data, line by line; `oid` is its content today. */
export function annotationLines(annotation: Annotation, oid: string): string[] {
  const { urls = [], from, to, filters = [], licence, procedure, facts = {} } = annotation;
  const rows = [
    ...urls.map((url) => ['origin', url]),
    ...(from !== undefined || to !== undefined ? [['time', `${from ?? '…'} to ${to ?? '…'}`]] : []),
    ...filters.map((filter) => ['filter', filter]),
    ...(licence !== undefined ? [['licence', licence]] : []),
    ...(procedure !== undefined ? [['procedure', procedure]] : []),
    ...(annotation.schema ? [['schema', schemaWords(annotation.schema, oid)]] : []),
    ...Object.entries(facts),
  ];
  return alignColumns(rows.map((row) => ['', ...row.map((each) => escapeControls(each))]));
}

function schemaWords({ rows, columns, digest, oid: of }: NonNullable<Annotation['schema']>, oid: string): string {
  const shown = columns?.slice(0, SHOWN_COLUMNS).map(({ name, type }) => `${name} ${type}`);
  const rest = (columns?.length ?? 0) - (shown?.length ?? 0);
  const names = shown ? [...shown, ...(rest > 0 ? [`and ${rest} more`] : [])].join(', ') : digest.slice(0, 19);
  return `${formatCount(rows, 'row')}: ${names}${of === oid ? '' : ' (of an earlier content)'}`;
}
