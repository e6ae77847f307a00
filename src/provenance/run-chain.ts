import { isWithin } from '../workspace/paths.js';
import type { RunInput, RunOutput } from './run-record.js';
import type { StoredRun } from './run-store.js';

/**
 * The runs that some runs needed, through everything that those needed, in the order in which they can be run again: each
 * once, whoever needs it behind it, the given ones included. A run is needed where it made what another read, by the path
 * and, for a whole output, by the content. Of runs that need each other in a circle, one stands first.
 */
export function chainOf(last: readonly StoredRun[], known: readonly StoredRun[]): StoredRun[] {
  const ordered: StoredRun[] = [];
  const visited = new Set<string>();
  const visit = (each: StoredRun): void => {
    if (visited.has(each.run.oid)) return;
    visited.add(each.run.oid);
    for (const maker of known) if (maker.run.oid !== each.run.oid && feeds(maker, each)) visit(maker);
    ordered.push(each);
  };
  for (const each of last) visit(each);
  return ordered;
}

/** The runs that read what the makers made and have figures of it, such as those of a stage that only judges. */
export function judgesOf(makers: readonly StoredRun[], known: readonly StoredRun[]): StoredRun[] {
  const own = new Set(makers.map(({ run }) => run.oid));
  return known.filter(
    (each) =>
      !own.has(each.run.oid) &&
      Object.keys(each.record.metrics).length > 0 &&
      makers.some((maker) => feeds(maker, each)),
  );
}

/** True where a run read what another made. */
function feeds({ record: maker }: StoredRun, { record: reader }: StoredRun): boolean {
  const made = [...maker.outputs, ...maker.metrics_files.flatMap(({ path, oid }) => (oid ? [{ path, oid }] : []))];
  return made.some((output) => reader.inputs.some((input) => isMadeOf(input, output)));
}

function isMadeOf(input: RunInput, output: Pick<RunOutput, 'path' | 'oid'>): boolean {
  if (input.path === output.path) return input.oid === output.oid || input.kind === 'git';
  return isWithin(input.path, output.path) || isWithin(output.path, input.path);
}
