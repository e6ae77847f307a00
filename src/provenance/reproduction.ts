import type { RepositoryPath } from '../workspace/paths.js';
import type { Metrics } from './parse-metrics.js';
import { formatTolerance, isWithinTolerance, type Tolerances, toleranceOf } from './tolerance.js';

/** What a repetition of a run came to, compared with what was recorded. */
export type Verdict = 'bit-identical' | 'equivalent' | 'different';

/** One output of a run, then and now. */
export interface ComparedOutput {
  path: RepositoryPath;
  before: string;
  after: string;
  same: boolean;
  /** True for what belongs to the version, and decides the verdict. */
  artifact: boolean;
}

/** One figure, then and now; `after` is null where the repetition has none. */
export interface ComparedMetric {
  name: string;
  before: number;
  after: number | null;
  /** As it is written: `1%`, `0.01`, `any`. */
  tolerance: string;
  within: boolean;
}

/** Compares figures by name; those that only the repetition has are none of the question. */
export function compareMetrics(before: Metrics, after: Metrics, tolerances: Tolerances): ComparedMetric[] {
  return Object.keys(before)
    .sort()
    .map((name) => {
      const tolerance = toleranceOf(name, tolerances);
      const then = before[name]?.value as number;
      const now = Object.hasOwn(after, name) ? (after[name]?.value as number) : null;
      const within = now !== null && isWithinTolerance(then, now, tolerance);
      return { name, before: then, after: now, tolerance: formatTolerance(tolerance), within };
    });
}

/**
 * The verdict: `bit-identical` where every artifact has the same bytes; otherwise `equivalent` where there are figures and
 * all of them are within their tolerance; otherwise `different`.
 */
export function verdictOf(outputs: readonly ComparedOutput[], metrics: readonly ComparedMetric[]): Verdict {
  const artifacts = outputs.filter(({ artifact }) => artifact);
  if (artifacts.length > 0 && artifacts.every(({ same }) => same)) return 'bit-identical';
  return metrics.length > 0 && metrics.every(({ within }) => within) ? 'equivalent' : 'different';
}

/** What was found, one line each, for the history: outputs with other bytes, and the figures where these decided. */
export function findingsOf(outputs: readonly ComparedOutput[], metrics: readonly ComparedMetric[]): string[] {
  const other = outputs.filter(({ same }) => !same);
  const lines = other.map(({ path, before, after }) => `${path} is ${short(after)}, was ${short(before)}`);
  if (!other.some(({ artifact }) => artifact)) return lines;
  if (metrics.length === 0) return [...lines, 'no figures to compare'];
  return [...lines, ...metrics.map(metricLine)];
}

function metricLine({ name, before, after, tolerance, within }: ComparedMetric): string {
  if (after === null) return `${name} is missing, was ${before}`;
  return `${name} is ${after}, was ${before}, ${within ? 'within' : 'NOT within'} ${tolerance}`;
}

function short(oid: string): string {
  return oid.slice(0, oid.indexOf(':') + 13);
}
