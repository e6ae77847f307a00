import type { RunRecord } from '../../provenance/run-record.js';
import { escapeControls } from './quote.js';
import type { Style } from './style.js';
import { alignColumns } from './table.js';

/** The record of a run for people: what ran, on what, with what, and what came of it. */
export function runLines(oid: string, record: RunRecord, style: Style): string[] {
  const { command, commit, dirty, params, metrics, changed = [] } = record;
  const shown = typeof command === 'string' ? command : command.join(' ');
  const values = params.flatMap((file) => Object.entries(file.values).map(([name, value]) => `${name}=${text(value)}`));
  const rows = [
    ['command', escapeControls(shown)],
    ['in', record.directory === '' ? '.' : escapeControls(record.directory)],
    ['code', `${commit ?? 'no commit'}${dirty ? ', with changes that the record holds' : ''}`],
    ['when', `${record.started} to ${record.ended}`],
    ['where', escapeControls(record.host)],
    ...record.inputs.map(({ path, oid: id }) => ['reads', `${escapeControls(path)}  ${short(id)}`]),
    ...record.outputs.map(({ path, oid: id }) => ['makes', `${escapeControls(path)}  ${short(id)}`]),
    ...(values.length > 0 ? [['params', escapeControls(values.join(' '))]] : []),
    ...Object.entries(metrics).map(([name, { value }]) => ['metric', `${escapeControls(name)} ${value}`]),
    ...changed.map(({ path }) => ['changed', `${escapeControls(path)} while it ran: what came of it may be of either`]),
  ];
  const title = record.name === undefined ? 'run' : `run ${escapeControls(record.name)}`;
  return [`${style.bold(title)}  ${short(oid)}`, ...alignColumns(rows.map((row) => ['', ...row]))];
}

function short(oid: string): string {
  return oid.slice(0, oid.indexOf(':') + 13);
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
