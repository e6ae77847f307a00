import { betterByName, type Metric } from './metrics.js';
import type { Params } from './params.js';
import type { Metrics } from './parse-metrics.js';

/** What a training program logged by itself: figures, and the parameters it says it used. */
export interface Logged {
  metrics: Metrics;
  params: Params;
}

/** Figures of plain numbers, with the direction that their names tell. */
export function figuresOf(values: Iterable<readonly [name: string, value: number]>): Metrics {
  const figures = [...values].map(([name, value]): [string, Metric] => [
    name,
    betterByName(name) === 'lower' ? { value, better: 'lower' } : { value },
  ]);
  return Object.fromEntries(figures);
}
