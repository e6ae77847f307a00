import type { FiguresAt } from './figures-at.js';
import { type Better, betterOf } from './metrics.js';
import type { ParamValue } from './params.js';

/** A parameter or metric that is other than it was. `source` is the file or run that says so. */
export interface FigureChange<T> {
  source: string;
  name: string;
  /** Absent where it is new. */
  before?: T;
  /** Absent where it is gone. */
  after?: T;
}

/** Which way a metric moved. */
export interface MetricChange extends FigureChange<number> {
  better: Better;
  /** Absent where it is new or gone. */
  verdict?: 'better' | 'worse';
}

/** What is other between two commits, by source and name. `unchanged` counts the rest. Pure. */
export function figureChanges(
  before: Pick<FiguresAt, 'params' | 'metrics'>,
  after: Pick<FiguresAt, 'params' | 'metrics'>,
): { params: FigureChange<ParamValue>[]; metrics: MetricChange[]; unchanged: { params: number; metrics: number } } {
  const params = changes(before.params, after.params);
  const metrics = changes(before.metrics, after.metrics);
  return {
    params: params.changed,
    metrics: metrics.changed.map(({ before: was, after: is, ...place }) => {
      const better = betterOf(place.name, is ?? was ?? {});
      const change: MetricChange = {
        ...place,
        ...(was && { before: was.value }),
        ...(is && { after: is.value }),
        better,
      };
      if (was && is) change.verdict = is.value > was.value === (better === 'higher') ? 'better' : 'worse';
      return change;
    }),
    unchanged: { params: params.same, metrics: metrics.same },
  };
}

type Sources<T> = ReadonlyMap<string, Readonly<Record<string, T>>>;

function changes<T>(before: Sources<T>, after: Sources<T>): { changed: FigureChange<T>[]; same: number } {
  const changed: FigureChange<T>[] = [];
  let same = 0;
  for (const source of [...new Set([...before.keys(), ...after.keys()])].sort()) {
    const [was, is] = [new Map(entries(before, source)), new Map(entries(after, source))];
    for (const name of [...new Set([...was.keys(), ...is.keys()])].sort()) {
      const [old, now] = [was.get(name), is.get(name)];
      if (comparable(old) === comparable(now)) same += 1;
      else
        changed.push({
          source,
          name,
          ...(was.has(name) && { before: old }),
          ...(is.has(name) && { after: now }),
        } as FigureChange<T>);
    }
  }
  return { changed, same };
}

function entries<T>(sources: Sources<T>, source: string): [string, T][] {
  return Object.entries(sources.get(source) ?? {});
}

/** What makes two values the same: of a metric its figure alone. */
function comparable(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return JSON.stringify(value);
  return JSON.stringify((value as { value?: unknown }).value);
}
