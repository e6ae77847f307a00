import type { HashFunction } from '../objects/hash.js';
import type { RunInput, RunParams, RunRecord } from './run-record.js';

/** What decides what comes of a run. */
export interface RunQuestion extends Pick<RunRecord, 'command' | 'directory' | 'env'> {
  inputs: readonly Pick<RunInput, 'path' | 'oid'>[];
  params: readonly RunParams[];
  /** Paths that are to be written. */
  outputs: readonly string[];
  metrics: readonly string[];
}

/**
 * The key of a run: two runs with the same key ran the same command in the same directory on the same inputs and
 * parameters for the same outputs. 64 hex digits of the repository's hash over canonical JSON; see docs/formats/run.md.
 */
export function runKey(question: RunQuestion, hash: HashFunction): string {
  const { command, directory, env, inputs, params, outputs, metrics } = question;
  const canonical = {
    mlv_run_key: 1,
    command,
    directory,
    env: sortedEntries(env ?? {}),
    inputs: inputs.map(({ path, oid }) => [path, oid]).sort(byFirst),
    params: params.map(({ path, values }) => [path, sortedEntries(values)]).sort(byFirst),
    outputs: [...outputs].sort(),
    metrics: [...metrics].sort(),
  };
  return hash.digest(Buffer.from(JSON.stringify(canonical), 'utf8')).toString('hex');
}

function sortedEntries(values: Readonly<Record<string, unknown>>): [string, unknown][] {
  return Object.entries(values).sort(byFirst);
}

function byFirst(left: readonly unknown[], right: readonly unknown[]): number {
  const [first, second] = [String(left[0]), String(right[0])];
  if (first !== second) return first < second ? -1 : 1;
  const [rest, other] = [JSON.stringify(left), JSON.stringify(right)];
  return rest < other ? -1 : rest > other ? 1 : 0;
}

/** What differs between two questions, in words, for the reason why something is run again; empty where nothing does. */
export function differencesBetween(before: RunQuestion, now: RunQuestion): string[] {
  const found: string[] = [];
  if (JSON.stringify(before.command) !== JSON.stringify(now.command)) found.push('the command changed');
  if (before.directory !== now.directory) found.push('it runs in another directory');
  if (!sameEntries(before.env ?? {}, now.env ?? {})) found.push('its environment variables changed');
  const inputs = changedNames(
    new Map(before.inputs.map(({ path, oid }) => [path, oid])),
    new Map(now.inputs.map(({ path, oid }) => [path, oid])),
  );
  found.push(...inputs.map((path) => `input ${path} changed`));
  found.push(...changedNames(paramsOf(before), paramsOf(now)).map((name) => `parameter ${name} changed`));
  if (!sameNames(before.outputs, now.outputs)) found.push('its outputs are other ones');
  if (!sameNames(before.metrics, now.metrics)) found.push('its metrics files are other ones');
  return found;
}

function paramsOf({ params }: RunQuestion): Map<string, string> {
  const all = params.flatMap(({ path, values }) =>
    Object.entries(values).map(([name, value]) => [`${path}:${name}`, JSON.stringify(value)] as const),
  );
  return new Map(all);
}

function changedNames(before: Map<string, string>, now: Map<string, string>): string[] {
  const names = [...new Set([...before.keys(), ...now.keys()])].sort();
  return names.filter((name) => before.get(name) !== now.get(name));
}

function sameNames(left: readonly string[], right: readonly string[]): boolean {
  return JSON.stringify([...left].sort()) === JSON.stringify([...right].sort());
}

function sameEntries(left: Readonly<Record<string, string>>, right: Readonly<Record<string, string>>): boolean {
  return JSON.stringify(sortedEntries(left)) === JSON.stringify(sortedEntries(right));
}
