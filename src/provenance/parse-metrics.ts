import { isMlvError, MlvError } from '../core/errors.js';
import { flatten, MAX_NAMES, type NamedValue, nameProblem, type Refuse } from './dotted-names.js';
import { isNotFinite, isNumeric, MetricTable } from './metric-table.js';
import { type Better, betterByName, type Metric } from './metrics.js';
import { type Asker, formatOf, invalidText, parseStructured } from './structured-text.js';

/** Longest row of a table, in characters. */
const MAX_ROW = 4 * 1024 * 1024;

/** Figures by dotted name. */
export type Metrics = Record<string, Metric>;

/**
 * Reads the figures of a file's text: JSON, YAML, CSV or TSV, by the ending of its name. Nested names are dotted; what is
 * no number (text, booleans, lists, nulls) is passed over. `name:lower` and `name:higher` say which direction is better;
 * otherwise a name such as `loss` does. Error: `METRICS_INVALID`, for `NaN` and `Infinity`, too, with the name.
 */
export async function parseMetrics(text: string, file: string): Promise<Metrics> {
  const asker: Asker = { file, code: 'METRICS_INVALID' };
  const leaves = await readLeaves(text, asker);
  const metrics = new Map<string, Metric>();
  for (const leaf of leaves) {
    const value = figureOf(leaf, asker);
    if (value === undefined) continue;
    const { name, better } = splitDirection(leaf.name);
    if (metrics.has(name)) throw invalidText(asker, `two values are called '${name}'`);
    metrics.set(name, metric(name, value, better));
  }
  if (metrics.size === 0) throw invalidText(asker, 'it holds no number');
  return Object.fromEntries(metrics);
}

async function readLeaves(text: string, asker: Asker): Promise<NamedValue[]> {
  const refuse = (reason: string): never => {
    throw invalidText(asker, reason);
  };
  const format = formatOf(asker.file);
  if (format === 'csv' || format === 'tsv') {
    const leaves = await readTable(text, { delimiter: format === 'csv' ? ',' : '\t', asker, refuse });
    return flatten(new Map(unique(leaves, refuse)), refuse);
  }
  if (format !== 'json' && format !== 'yaml') {
    return refuse('its name does not end with .json, .yaml, .yml, .csv or .tsv');
  }
  return flatten(await parseStructured(text, format, asker), refuse);
}

function unique(leaves: readonly NamedValue[], refuse: (reason: string) => never): [string, unknown][] {
  const names = new Set<string>();
  for (const { name } of leaves) {
    if (names.has(name)) refuse(`two values are called '${name}'`);
    names.add(name);
  }
  return leaves.map(({ name, value }) => [name, value]);
}

interface TableOptions {
  delimiter: string;
  asker: Asker;
  refuse: Refuse;
}

async function readTable(text: string, { delimiter, asker, refuse }: TableOptions): Promise<NamedValue[]> {
  const { parse } = await import('csv-parse/sync');
  if (isTooWide(text, delimiter)) refuse(`it has more than ${MAX_NAMES} columns`);
  const table = new MetricTable(refuse);
  try {
    parse(text, {
      bom: true,
      delimiter,
      skip_empty_lines: true,
      relax_column_count: true,
      max_record_size: MAX_ROW,
      on_record: (row: string[]) => {
        table.take(row);
        return null;
      },
    });
  } catch (error) {
    if (isMlvError(error)) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw invalidText(asker, `it is not a valid table: ${reason}`, error);
  }
  return table.leaves();
}

/** True for a first line that has too many cells whatever follows: it is not taken apart to find that out. */
function isTooWide(text: string, delimiter: string): boolean {
  const end = text.search(/[\r\n]/);
  const line = end < 0 ? text : text.slice(0, end);
  return !line.includes('"') && line.split(delimiter, MAX_NAMES + 1).length > MAX_NAMES;
}

/** The number of a leaf, or undefined where it is none. Error: `METRICS_INVALID` for what is not finite. */
function figureOf({ name, value }: NamedValue, asker: Asker): number | undefined {
  const notFinite = (): never => {
    throw invalidText(asker, `'${name}' is ${String(value)}; a metric is a finite number`);
  };
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'number') return Number.isFinite(value) ? value : notFinite();
  if (typeof value !== 'string') return undefined;
  if (isNotFinite(value)) return notFinite();
  const isTable = asker.file.toLowerCase().endsWith('sv');
  if (!isTable || !isNumeric(value)) return undefined;
  return Number.isFinite(Number(value)) ? Number(value) : notFinite();
}

/** `rmse:lower` as its name and the direction; a name without either has none. */
function splitDirection(written: string): { name: string; better?: Better } {
  const found = /^(.+):(lower|higher)$/.exec(written);
  return found ? { name: found[1] as string, better: found[2] as Better } : { name: written };
}

/** A figure that says which direction is better wherever that is not `higher`, or was said. */
function metric(name: string, value: number, said: Better | undefined): Metric {
  const better = said ?? betterByName(name);
  const plain = Object.is(value, -0) ? 0 : value;
  return better === 'lower' || said !== undefined ? { value: plain, better } : { value: plain };
}

/**
 * A metric given as `name=value`, `name:lower=value` or `name:higher=value`. Errors: `USAGE` for what is no assignment,
 * `METRICS_INVALID` for a value that is no finite number.
 */
export function parseMetricAssignment(text: string): Metrics {
  const equals = text.indexOf('=');
  const { name, better } = splitDirection(text.slice(0, Math.max(equals, 0)).trim());
  const problem = equals < 0 ? "it holds no '='" : nameProblem(name);
  if (problem !== undefined) {
    throw new MlvError('USAGE', `'${text}' is not a metric: ${problem}`, { hint: 'write it as -m auc=0.93' });
  }
  const written = text.slice(equals + 1).trim();
  const value = isNumeric(written) ? Number(written) : Number.NaN;
  if (!Number.isFinite(value)) {
    throw new MlvError('METRICS_INVALID', `the metric '${name}' is '${written}'; a metric is a finite number`, {
      data: { name },
    });
  }
  return { [name]: metric(name, value, better) };
}

/** Figures of several files as one. Error: `METRICS_INVALID` where two files give one name different values. */
export function mergeMetrics(sources: readonly { path: string; metrics: Metrics }[]): Metrics {
  const merged = new Map<string, { path: string; metric: Metric }>();
  for (const { path, metrics } of sources) {
    for (const [name, each] of Object.entries(metrics)) {
      const before = merged.get(name);
      if (before && before.metric.value !== each.value) {
        const message = `the metric '${name}' has one value in '${before.path}' and another in '${path}'`;
        throw new MlvError('METRICS_INVALID', message, { data: { name, paths: [before.path, path] } });
      }
      merged.set(name, { path, metric: each });
    }
  }
  return Object.fromEntries([...merged].map(([name, { metric: each }]) => [name, each]));
}
