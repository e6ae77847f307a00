import { isMlvError } from '../core/errors.js';
import { digestOf } from '../objects/oid.js';
import { entryAt } from '../objects/tree-diff.js';
import type { Environment } from '../provenance/environment.js';
import type { Params } from '../provenance/params.js';
import type { Metrics } from '../provenance/parse-metrics.js';
import type { RunInput, RunRecord } from '../provenance/run-record.js';
import { findRun } from '../provenance/run-store.js';
import type { RepositoryPath } from '../workspace/paths.js';
import { isDirectoryTarget, type Target } from '../workspace/pointers.js';
import type { Repository } from '../workspace/repository.js';
import { cacheLoader } from '../workspace/workspace-trees.js';

/** What the runs that made some artifacts say of them. */
export interface RecordedRuns {
  params: Params;
  metrics: Metrics;
  /** Where it ran; undefined where the artifacts come of several runs. */
  environment: Environment | undefined;
  /** What was read and is still tracked as it was. */
  data: Target[];
  /** Files that the parameters and metrics came from. */
  read: RepositoryPath[];
  /** Tracked inputs that are other now, or gone. */
  otherNow: RepositoryPath[];
  /** Artifacts whose pointers name a run of which the record is not in the cache, or cannot be read. */
  unread: RepositoryPath[];
}

/**
 * Takes together what the records of the runs say that the pointers of `artifacts` name. `targets` is everything that is
 * tracked. Undefined where no pointer names a run. Errors: `FORMAT_TOO_NEW`, `FILE_SYSTEM`.
 */
export function recordedRuns(
  repository: Repository,
  { artifacts, targets }: { artifacts: readonly Target[]; targets: readonly Target[] },
): RecordedRuns | undefined {
  const made = artifacts.filter(({ pointer }) => pointer.run);
  if (made.length === 0) return undefined;
  const records = new Map<string, RunRecord>();
  const unread: RepositoryPath[] = [];
  for (const { path, pointer } of made) {
    const oid = pointer.run?.oid;
    const record = oid === undefined ? undefined : findRun(repository, oid)?.record;
    if (oid === undefined || !record) unread.push(path);
    else records.set(oid, record);
  }
  const all = [...records.values()];
  const [only] = all;
  const complete = all.length === 1 && unread.length === 0 && made.length === artifacts.length;
  return {
    params: Object.assign({}, ...all.flatMap(({ params }) => params.map(({ values }) => values))),
    metrics: Object.assign({}, ...all.map(({ metrics }) => metrics)),
    environment: complete ? only?.environment : undefined,
    ...inputsNow(repository, { inputs: all.flatMap(({ inputs }) => inputs), artifacts, targets }),
    read: [
      ...new Set(all.flatMap(({ params, metrics_files: files }) => [...params, ...files].map(({ path }) => path))),
    ],
    unread,
  };
}

/** Tracked inputs as targets, where the pointer of now still names what was read. */
function inputsNow(
  repository: Repository,
  {
    inputs,
    artifacts,
    targets,
  }: { inputs: readonly RunInput[]; artifacts: readonly Target[]; targets: readonly Target[] },
): Pick<RecordedRuns, 'data' | 'otherNow'> {
  const byPath = new Map(targets.map((target) => [target.path, target]));
  const data = new Map<RepositoryPath, Target>();
  const otherNow = new Set<RepositoryPath>();
  for (const input of inputs) {
    if (input.kind !== 'tracked') continue;
    const target = byPath.get(input.within ?? input.path);
    if (!target || !stillNames(repository, target, input)) otherNow.add(input.path);
    else if (!artifacts.some(({ path }) => path === target.path)) data.set(target.path, target);
  }
  return { data: [...data.values()], otherNow: [...otherNow] };
}

function stillNames(repository: Repository, target: Target, { path, oid }: RunInput): boolean {
  if (path === target.path) return target.pointer.oid === oid;
  if (!isDirectoryTarget(target)) return false;
  try {
    const below = path.slice(target.path.length + 1);
    const entry = entryAt(digestOf(target.pointer.oid), below, cacheLoader(repository.cache));
    return entry !== undefined && 'digest' in entry && repository.cache.oid(entry.digest) === oid;
  } catch (error) {
    if (!isMlvError(error)) throw error;
    return false;
  }
}
