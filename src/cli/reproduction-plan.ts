import { MlvError } from '../core/errors.js';
import type { Oid } from '../objects/oid.js';
import { chainOf, judgesOf } from '../provenance/run-chain.js';
import type { RunInput } from '../provenance/run-record.js';
import { findRun, type StoredRun } from '../provenance/run-store.js';
import type { Manifest } from '../registry/manifest.js';
import { toTarget } from '../registry/version-targets.js';
import { isWithin, type RepositoryPath } from '../workspace/paths.js';
import type { Target } from '../workspace/pointers.js';
import type { OpenRepository } from './context.js';
import { bringObjects, type WantedObject } from './restored-version.js';
import type { Session } from './session.js';

/** What is run again for a version, and what has to be there before. */
export interface ReproductionPlan {
  /** In the order in which they are to run. */
  runs: StoredRun[];
  /** Runs that have figures of what those make: for the case that it has other bytes. */
  judges: StoredRun[];
  /** Artifacts that no run is known to have made. */
  unmade: RepositoryPath[];
  /** What is brought into the tree. */
  targets: Target[];
}

/** What a plan is made from. */
export interface PlanSource {
  repository: OpenRepository;
  manifest: Manifest;
  /** The targets of the version, and those that its commit tracks. */
  named: readonly Target[];
  here: readonly Target[];
  /** The whole chain, and not only the runs that made the artifacts. */
  all: boolean;
}

/**
 * Finds the runs that made a version, by the pointers of its commit, and what they read. Records that the cache lacks are
 * fetched. Errors: `OBJECT_MISSING` where no run or no record is known, `POINTER_UNSAFE` for an input whose path leads
 * elsewhere, those of bringObjects.
 */
export async function reproductionPlan(session: Session, source: PlanSource): Promise<ReproductionPlan> {
  const { manifest, named, here, all } = source;
  const known = await knownRuns(session, source);
  const makers = new Map<Oid, StoredRun>();
  const unmade: RepositoryPath[] = [];
  for (const { path, oid } of manifest.artifacts) {
    const run = runOf(path, oid, { manifest, targets: [...named, ...here], known });
    if (run) makers.set(run.run.oid, run);
    else unmade.push(path);
  }
  if (makers.size === 0) throw noRun(manifest);
  const last = [...makers.values()];
  const runs = chainOf(last, all ? [...known.values()] : last);
  const judges = chainOf(judgesOf(runs, [...known.values()]), []);
  const made = runs.flatMap(({ record }) => record.outputs.map(({ path }) => path));
  return { runs, judges, unmade, targets: wantedTargets([...runs, ...judges], { made, named, here }) };
}

/** Every record that a pointer of the commit names, or the manifest, as far as it is to be had. */
async function knownRuns(session: Session, source: PlanSource): Promise<Map<Oid, StoredRun>> {
  const { repository, manifest, named, here } = source;
  const wanted = new Map<Oid, WantedObject>();
  if (manifest.run !== undefined) {
    const oid = manifest.run as Oid;
    wanted.set(oid, { oid, size: 0, files: 1, path: 'the record of its run' });
  }
  for (const { path, pointer } of [...named, ...here]) {
    if (pointer.run) wanted.set(pointer.run.oid, { ...pointer.run, path: `the record of the run of ${path}` });
  }
  const lacking = [...wanted.values()].filter(({ oid }) => !findRun(repository, oid));
  await bringObjects(session, repository, lacking);
  const found = [...wanted.keys()].map((oid) => [oid, findRun(repository, oid)] as const);
  return new Map(found.filter((each): each is readonly [Oid, StoredRun] => each[1] !== undefined));
}

/** The run whose record says that it made that content there. */
function runOf(
  path: RepositoryPath,
  oid: string,
  { manifest, targets, known }: { manifest: Manifest; targets: readonly Target[]; known: ReadonlyMap<Oid, StoredRun> },
): StoredRun | undefined {
  const pointed = targets.filter((target) => target.path === path).map(({ pointer }) => pointer.run?.oid);
  const candidates = [...pointed, manifest.run as Oid | undefined, ...known.keys()];
  for (const each of candidates) {
    const run = each === undefined ? undefined : known.get(each);
    if (run?.record.outputs.some((output) => output.path === path && output.oid === oid)) return run;
  }
  return undefined;
}

function noRun({ model, version, run }: Manifest): MlvError {
  const name = `${model}@${version}`;
  if (run === undefined) {
    return new MlvError('OBJECT_MISSING', `no run is recorded that made ${name}`, {
      hint: 'runs are recorded by: mlv run, mlv repro; then register',
      data: { version: name },
    });
  }
  return new MlvError('OBJECT_MISSING', `the record of the run that made ${name} is neither here nor on a remote`, {
    hint: 'push from the clone that has it: mlv push',
    data: { version: name, oid: run },
  });
}

/** What the version has and the runs do not make, and what they read: as they read it, where that is known. */
function wantedTargets(
  runs: readonly StoredRun[],
  { made, named, here }: { made: readonly RepositoryPath[]; named: readonly Target[]; here: readonly Target[] },
): Target[] {
  const isMade = (path: RepositoryPath): boolean => made.some((each) => isWithin(path, each) || isWithin(each, path));
  const inputs = runs.flatMap(({ record }) => record.inputs).filter(({ kind }) => kind === 'tracked');
  const wanted = new Map<RepositoryPath, Target>();
  for (const target of named) wanted.set(target.path, target);
  for (const target of here) {
    if (inputs.some((input) => isWithin(input.path, target.path) || isWithin(target.path, input.path)))
      wanted.set(target.path, wanted.get(target.path) ?? target);
  }
  for (const input of inputs) {
    if (isWhole(input)) wanted.set(input.path, toTarget(input, wanted.get(input.path), 'the record of the run'));
  }
  return [...wanted.values()]
    .filter(({ path }) => !isMade(path))
    .sort((left, right) => (left.path < right.path ? -1 : 1));
}

/** True for a tracked file or directory that was read as a whole, so that the record says all of it. */
function isWhole(input: RunInput): input is RunInput & { size: number } {
  const { within } = input as { within?: unknown };
  return within === undefined && input.size !== undefined;
}
