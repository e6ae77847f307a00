import { MlvError } from '../core/errors.js';
import { figuresOf, type Logged } from './logged.js';
import type { ParamValue } from './params.js';

const MAX_NAMES = 10_000;

/**
 * Reads the log of `python/mlv_log.py`: one JSON object a line, `{"metric": name, "value": number, "step"?: number}` or
 * `{"param": name, "value": value}`. Of each name the value of the last line counts. A last line that a kill cut short is
 * passed over. Error: `METRICS_INVALID` with the line.
 */
export function parseMetricLog(text: string, file: string): Logged {
  const metrics = new Map<string, number>();
  const found = new Map<string, ParamValue>();
  const lines = text.split('\n');
  for (const [at, line] of lines.entries()) {
    if (line.trim() === '') continue;
    const entry = parseLine(line);
    const isCut = entry === undefined && at === lines.length - 1;
    if (isCut) continue;
    if (!entry) throw invalid(file, at, 'it is not a JSON object');
    const { metric, param, value } = entry;
    if (typeof metric === 'string' && metric !== '') {
      if (typeof value !== 'number' || !Number.isFinite(value)) {
        throw invalid(file, at, `the metric '${metric}' is ${JSON.stringify(value)}; a metric is a finite number`);
      }
      metrics.set(metric, value);
    } else if (typeof param === 'string' && param !== '' && isParamValue(value)) found.set(param, value);
    else throw invalid(file, at, "it is neither a 'metric' nor a 'param' with a value");
    if (metrics.size + found.size > MAX_NAMES) throw invalid(file, at, `it has more than ${MAX_NAMES} names`);
  }
  return { metrics: figuresOf(metrics), params: Object.fromEntries(found) };
}

function parseLine(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

function isParamValue(value: unknown): value is ParamValue {
  if (Array.isArray(value)) return value.every(isParamValue);
  return value === null || ['string', 'number', 'boolean'].includes(typeof value);
}

function invalid(file: string, at: number, reason: string): MlvError {
  return new MlvError('METRICS_INVALID', `'${file}', line ${at + 1}: ${reason}`, {
    data: { path: file, line: at + 1 },
  });
}
