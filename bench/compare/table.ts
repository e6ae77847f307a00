import { type Machine, machineLine } from '../machine.js';
import { replaceBetween } from '../report.js';

/** What one tool took for one job: medians of the rounds. */
export interface Cell {
  tool: string;
  /** Wall-clock seconds. */
  seconds: number;
  /** Seconds of processor time of the client, its children included; absent where it cannot be counted. */
  cpuSeconds?: number;
  /** Where a job is more than one command: the seconds of each. */
  parts?: number[];
}

/** One row: a job, and what each tool took for it. */
export interface JobResult {
  job: string;
  /** Bytes of the whole data set. */
  bytes: number;
  cells: Cell[];
}

/** One run of the comparison. */
export interface Comparison {
  date: string;
  smoke: boolean;
  machine: Machine;
  server: string;
  /** Tools with their versions, in the order of the columns; and those that were not there or failed, and why. */
  tools: { name: string; version: string; objectPerFile: boolean; variant: boolean }[];
  skipped: { tool: string; job?: string; reason: string }[];
  jobs: JobResult[];
}

const GIB = 1024 ** 3;
const OURS = 'mlv';
const MARKS = [
  '<!-- comparison: begin (written by npm run bench -- compare --write-docs) -->',
  '<!-- comparison: end -->',
] as const;

/** The comparison as a Markdown section: seconds, processor seconds a GiB, and how mlv stands. */
export function comparisonMarkdown(report: Comparison): string {
  const names = report.tools.map(({ name }) => name);
  const head = ['job', ...names, 'mlv against the best other', 'mlv against the best of one object a file'];
  const perFile = new Set(report.tools.filter(({ objectPerFile }) => objectPerFile).map(({ name }) => name));
  const variants = new Set(report.tools.filter(({ variant }) => variant).map(({ name }) => name));
  const rows = report.jobs.map(({ job, cells, bytes }) => [
    job,
    ...names.map((name) => cellText(find(cells, name), bytes)),
    lead(cells, (name) => !variants.has(name)),
    lead(cells, (name) => perFile.has(name)),
  ]);
  const versions = report.tools
    .filter(({ variant }) => !variant)
    .map(({ name, version }) => (name === OURS ? name : `${name} (${version})`))
    .join(', ');
  const skipped = report.skipped.map(({ tool, job, reason }) => `- ${tool}${job ? `, ${job}` : ''}: ${reason}`);
  return [
    `Measured on ${report.date.slice(0, 10)}: ${machineLine(report.machine)}. Server: ${report.server}, on the same machine. ${versions}.`,
    '',
    ...[head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`),
    ...(skipped.length > 0 ? ['', 'Not measured in this run:', '', ...skipped] : []),
  ].join('\n');
}

/** The text of docs/benchmarks.md with a new comparison. Throws an Error when the marks are not there. */
export function replaceComparison(document: string, report: Comparison): string {
  return replaceBetween(document, MARKS, comparisonMarkdown(report));
}

function find(cells: readonly Cell[], name: string): Cell | undefined {
  return cells.find(({ tool }) => tool === name);
}

function cellText(cell: Cell | undefined, bytes: number): string {
  if (!cell) return '–';
  const parts = cell.parts && cell.parts.length > 1 ? ` (${cell.parts.map(seconds).join(' + ')})` : '';
  const cpu = cell.cpuSeconds === undefined ? '' : `; CPU ${(cell.cpuSeconds / (bytes / GIB)).toFixed(1)} s/GiB`;
  return `${seconds(cell.seconds)} s${parts}${cpu}`;
}

function seconds(value: number): string {
  return value < 10 ? value.toFixed(2) : value.toFixed(1);
}

/** How many times as long as mlv the fastest of the other tools takes. */
function lead(cells: readonly Cell[], counts: (tool: string) => boolean): string {
  const ours = find(cells, OURS);
  const others = cells.filter(({ tool }) => tool !== OURS && counts(tool)).map((cell) => cell.seconds);
  if (!ours || others.length === 0) return '';
  const ratio = Math.min(...others) / ours.seconds;
  const text = `${ratio >= 10 ? ratio.toFixed(0) : ratio.toFixed(1)} ×`;
  return ratio < 1 ? `**${ratio.toFixed(2)} ×**` : text;
}
