import { type Machine, machineLine } from './machine.js';
import type { Sample } from './measure.js';

/** What a figure counts. `ratio` is ours divided by theirs. */
export type Unit = 'ratio' | 'percent' | 'MiB' | 'seconds' | 'requests a root' | 'packs a worker';

/** Several runs of one command, in brief. */
export interface Summary {
  name: string;
  runs: number;
  /** Medians. */
  seconds: number;
  cpuSeconds?: number;
  peakMiB?: number;
}

/** One figure of the report, with the budget it is held to. */
export interface Line {
  row: string;
  job: string;
  figure: number;
  unit: Unit;
  /** The largest figure that meets the budget; absent for a comparison without one. */
  limit?: number;
  /** For ratios: whose time was divided, by whose. */
  ours?: Summary;
  theirs?: Summary;
  /** For ratios: the smallest and largest among the rounds. */
  range?: [number, number];
  note?: string;
}

/** A row, or a comparison of one, that was not measured, and why. */
export interface Skipped {
  row: string;
  job: string;
  reason: string;
}

export interface Report {
  date: string;
  smoke: boolean;
  machine: Machine;
  lines: Line[];
  skipped: Skipped[];
}

export type Verdict = 'met' | 'missed' | '';

/** The middle value, or the mean of the two in the middle. Throws RangeError for none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.ceil(sorted.length / 2) - 1];
  if (upper === undefined || lower === undefined) throw new RangeError('no values');
  return (lower + upper) / 2;
}

/** Medians of several runs; a column that one run lacks is left out. */
export function summarize(name: string, samples: readonly Sample[]): Summary {
  const cpu = samples.map((sample) => sample.cpuSeconds).filter((value) => value !== undefined);
  const peaks = samples.map((sample) => sample.peakMiB).filter((value) => value !== undefined);
  return {
    name,
    runs: samples.length,
    seconds: median(samples.map((sample) => sample.seconds)),
    ...(cpu.length === samples.length && { cpuSeconds: median(cpu) }),
    ...(peaks.length > 0 && { peakMiB: Math.max(...peaks) }),
  };
}

/** Our time as a multiple of theirs: medians divided, with the range over the rounds in which both ran. */
export function ratioLine(
  what: { row: string; job: string; limit?: number; note?: string },
  ours: { name: string; samples: readonly Sample[] },
  theirs: { name: string; samples: readonly Sample[] },
): Line {
  const [left, right] = [summarize(ours.name, ours.samples), summarize(theirs.name, theirs.samples)];
  const rounds = ours.samples
    .slice(0, theirs.samples.length)
    .map((sample, round) => sample.seconds / (theirs.samples[round]?.seconds ?? Number.NaN));
  return {
    ...what,
    figure: left.seconds / right.seconds,
    unit: 'ratio',
    ours: left,
    theirs: right,
    range: [Math.min(...rounds), Math.max(...rounds)],
  };
}

/** Whether a figure meets its budget; empty where there is none. A figure that is not a number has missed. */
export function verdict(line: Pick<Line, 'figure' | 'limit'>): Verdict {
  if (line.limit === undefined) return '';
  return line.figure <= line.limit ? 'met' : 'missed';
}

/** The report as a table for a terminal. */
export function textTable(report: Report): string {
  const rows = report.lines.map((line) => cells(line));
  const widths = HEAD.map((head, column) => Math.max(head.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const render = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  const skipped = report.skipped.map(({ row, job, reason }) => `not measured: ${row} (${job}): ${reason}`);
  return [machineLine(report.machine), '', render(HEAD), ...rows.map(render), ...skipped, '', tally(report)].join('\n');
}

/** The report as the section of docs/benchmarks.md between its two marks. */
export function markdown(report: Report): string {
  const table = [HEAD, HEAD.map(() => '---'), ...report.lines.map(cells)].map((row) => `| ${row.join(' | ')} |`);
  const skipped = report.skipped.map(({ row, job, reason }) => `- \`${row}\` (${job}): ${reason}`);
  return [
    `Measured on ${report.date.slice(0, 10)}: ${machineLine(report.machine)}. ${tally(report)}`,
    '',
    ...table,
    ...(skipped.length > 0 ? ['', 'Not measured in this run:', '', ...skipped] : []),
  ].join('\n');
}

const BEGIN = '<!-- table: begin (written by npm run bench -- --write-docs) -->';
const END = '<!-- table: end -->';

/** The text of docs/benchmarks.md with a new table. Throws an Error when the marks are not there. */
export function replaceTable(document: string, table: string): string {
  return replaceBetween(document, [BEGIN, END], table);
}

/** The text of docs/benchmarks.md with something else between two marks. Throws an Error when they are not there. */
export function replaceBetween(document: string, [begin, end]: readonly [string, string], text: string): string {
  const [from, to] = [document.indexOf(begin), document.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/benchmarks.md lacks the line ${from < 0 ? begin : end}`);
  return `${document.slice(0, from + begin.length)}\n\n${text}\n\n${document.slice(to)}`;
}

const HEAD = ['row', 'job', 'mlv', 'against', 'figure', 'range', 'budget', 'verdict'] as const;

function cells(line: Line): string[] {
  const { row, job, figure, unit, limit, ours, theirs, range, note } = line;
  const met = verdict(line);
  return [
    row,
    note === undefined ? job : `${job} (${note})`,
    ours ? timing(ours) : '',
    theirs ? `${theirs.name}: ${timing(theirs)}` : '',
    format(figure, unit),
    range && Math.min(ours?.runs ?? 0, theirs?.runs ?? 0) > 1
      ? `${format(range[0], unit)} to ${format(range[1], unit)}`
      : '',
    limit === undefined ? '' : `at most ${format(limit, unit)}`,
    met === 'missed' ? '**missed**' : met,
  ];
}

function timing({ seconds, cpuSeconds, peakMiB }: Summary): string {
  const parts = [
    seconds < 1 ? `${Math.round(seconds * 1000)} ms` : `${seconds.toFixed(2)} s`,
    ...(cpuSeconds === undefined || cpuSeconds < 1 ? [] : [`CPU ${cpuSeconds.toFixed(1)} s`]),
    ...(peakMiB === undefined || peakMiB < 100 ? [] : [`${Math.round(peakMiB)} MiB`]),
  ];
  return parts.join(', ');
}

function format(figure: number, unit: Unit): string {
  if (unit === 'ratio') return `${figure.toFixed(2)} ×`;
  if (unit === 'percent') return `${figure.toFixed(2)} %`;
  if (unit === 'MiB') return `${Math.round(figure)} MiB`;
  if (unit === 'seconds') return `${figure.toFixed(2)} s`;
  return `${Number.isInteger(figure) ? figure : figure.toFixed(2)} ${unit}`;
}

function tally({ lines, smoke }: Report): string {
  if (smoke) return 'A smoke run: its figures mean nothing.';
  const verdicts = lines.map(verdict);
  const count = (wanted: Verdict): number => verdicts.filter((each) => each === wanted).length;
  return `${count('met')} budgets met, ${count('missed')} missed.`;
}
