import type { ParamValue } from '../../provenance/params.js';
import type { PathChange } from '../../workspace/change-report.js';
import type { ChangeReport, TargetChange } from '../change-report.js';
import { figure } from './data-profile.js';
import { findingWords } from './drift.js';
import { codeOf, markdownTable } from './markdown.js';
import { formatBytes, formatCount } from './units.js';

/** By this line a job finds the comment that it wrote before. */
export const REPORT_MARK = '<!-- mlv report -->';
/** GitHub takes comments up to 65,536 characters. */
const MAX_LENGTH = 60_000;
const MAX_ROWS = 100;
const MAX_TARGETS = 50;
const MAX_FILES = 20;

/** A report as Markdown for GitHub and GitLab, in which nothing that comes of the data does anything. */
export function reportMarkdown(report: ChangeReport): string {
  const { base, head, notes } = report;
  const sections = [
    dataSection(report),
    figureSection('Metrics', metricRows(report)),
    figureSection('Parameters', paramRows(report)),
    schemaSection(report),
    versionSection(report),
  ].filter((lines) => lines.length > 0);
  const none = sections.length === 0 ? ['', 'Neither data nor parameters, metrics or versions changed.'] : [];
  const lines = [
    REPORT_MARK,
    '## Data and models',
    '',
    `From \`${base.commit.slice(0, 12)}\` to \`${head.commit.slice(0, 12)}\`.`,
    ...none,
    ...sections.flatMap((section) => ['', ...section]),
    ...(notes.length > 0 ? ['', '### Not looked at', '', ...notes.map((note) => `- ${codeOf(note, 300)}`)] : []),
  ];
  return `${shortened(lines).join('\n')}\n`;
}

function shortened(lines: readonly string[]): string[] {
  const kept: string[] = [];
  let length = 0;
  for (const line of lines) {
    length += line.length + 1;
    // A table or list that ends early is still one; what is folded has to be closed.
    if (length > MAX_LENGTH) {
      const open = kept.filter((each) => each.startsWith('<details>')).length;
      const closed = kept.filter((each) => each === '</details>').length;
      return [...kept, ...(open > closed ? ['', '</details>'] : []), '', 'There is more: `mlv report --json`'];
    }
    kept.push(line);
  }
  return kept;
}

function dataSection({ data, totals }: ChangeReport): string[] {
  if (data.length === 0) return [];
  const shown = data.slice(0, MAX_TARGETS);
  const rows = shown.map(({ path, change, bytes, files }) => [
    codeOf(path, 200),
    change,
    files ? arrow(String(files.before), String(files.after)) : '',
    arrow(formatBytes(bytes.before), formatBytes(bytes.after)),
  ]);
  return [
    '### Data',
    '',
    ...markdownTable(['path', 'change', 'files', 'size'], rows, [2, 3]),
    ...more(data.length - shown.length),
    ...(totals ? ['', totalWords(totals)] : []),
    ...shown.flatMap(filesOf),
  ];
}

function totalWords(totals: NonNullable<ChangeReport['totals']>): string {
  const { added, modified, deleted, renamed, bytesAdded, bytesDeleted } = totals;
  const counts = [`${added} added`, `${modified} modified`, `${deleted} deleted`, `${renamed} renamed`];
  return `Files: ${counts.join(', ')}; ${formatBytes(bytesAdded)} new, ${formatBytes(bytesDeleted)} gone.`;
}

function filesOf({ path, files, changes = [] }: TargetChange): string[] {
  if (!files || changes.length === 0) return [];
  const shown = changes.slice(0, MAX_FILES);
  return [
    '',
    `<details><summary>${codeOf(path, 200).replaceAll('`', '')}: ${formatCount(changes.length, 'file')}</summary>`,
    '',
    ...shown.map((change) => `- ${changeWords(change)}`),
    ...more(changes.length - shown.length),
    '',
    '</details>',
  ];
}

function changeWords({ kind, path, from, bytesBefore, bytesAfter }: PathChange): string {
  const name = from === undefined ? codeOf(path, 200) : `${codeOf(from, 200)} → ${codeOf(path, 200)}`;
  const sizes: Partial<Record<PathChange['kind'], string>> = {
    added: `, ${formatBytes(bytesAfter)}`,
    deleted: `, ${formatBytes(bytesBefore)}`,
    modified: `, ${arrow(formatBytes(bytesBefore), formatBytes(bytesAfter))}`,
  };
  return `${kind} ${name}${sizes[kind] ?? ''}`;
}

interface FigureRows {
  titles: string[];
  rows: string[][];
  unchanged: number;
}

function figureSection(title: string, { titles, rows, unchanged }: FigureRows): string[] {
  if (rows.length === 0) return [];
  const shown = rows.slice(0, MAX_ROWS);
  return [
    `### ${title}`,
    '',
    ...markdownTable(titles, shown),
    ...more(rows.length - shown.length),
    ...(unchanged > 0 ? ['', `${unchanged} unchanged.`] : []),
  ];
}

function metricRows({ metrics, unchanged }: ChangeReport): FigureRows {
  const rows = metrics.map(({ source, name, before, after, verdict }) => {
    const difference = before === undefined || after === undefined ? '' : signed(after - before);
    const says = verdict === undefined ? (after === undefined ? 'gone' : 'new') : verdict;
    return [codeOf(name), codeOf(source), numberOf(before), numberOf(after), difference, says];
  });
  return { titles: ['metric', 'in', 'before', 'after', 'difference', ''], rows, unchanged: unchanged.metrics };
}

function paramRows({ params, unchanged }: ChangeReport): FigureRows {
  const rows = params.map(({ source, name, before, after }) => [
    codeOf(name),
    codeOf(source),
    parameterText(before),
    parameterText(after),
  ]);
  return { titles: ['parameter', 'in', 'before', 'after'], rows, unchanged: unchanged.params };
}

function schemaSection({ schemas }: ChangeReport): string[] {
  if (schemas.length === 0) return [];
  const rows = schemas.flatMap(({ path, findings }) =>
    findings.map((finding) => [
      codeOf(path, 200),
      finding.column === undefined ? '' : codeOf(finding.column),
      codeOf(findingWords(finding), 200),
      finding.drift ? 'drift' : '',
    ]),
  );
  const shown = rows.slice(0, MAX_ROWS);
  return [
    '### Columns',
    '',
    ...markdownTable(['table', 'column', 'what', ''], shown),
    ...more(rows.length - shown.length),
  ];
}

function versionSection({ versions }: ChangeReport): string[] {
  if (versions.length === 0) return [];
  const rows = versions
    .slice(0, MAX_ROWS)
    .map(({ name, commit, stages, deprecated }) => [
      codeOf(name),
      `\`${commit.slice(0, 12)}\``,
      [...stages, ...(deprecated ? ['deprecated'] : [])].map((each) => codeOf(each)).join(', '),
    ]);
  return [
    '### Registered versions',
    '',
    ...markdownTable(['version', 'commit', 'stands on'], rows),
    ...more(versions.length - rows.length),
  ];
}

function more(count: number): string[] {
  return count > 0 ? ['', `… and ${count} more.`] : [];
}

function arrow(before: string, after: string): string {
  return before === after ? after : `${before} → ${after}`;
}

function numberOf(value: number | undefined): string {
  return value === undefined ? '' : figure(value);
}

function signed(value: number): string {
  return value > 0 ? `+${figure(value)}` : figure(value);
}

function parameterText(value: ParamValue | undefined): string {
  if (value === undefined) return '';
  return codeOf(typeof value === 'string' ? value : JSON.stringify(value));
}
