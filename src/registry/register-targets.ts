import { MlvError } from '../core/errors.js';
import type { Reporter } from '../core/reporter.js';
import type { Oid } from '../objects/oid.js';
import type { RepositoryPath } from '../workspace/paths.js';
import { loadTargets, loadTargetsAt, selectTargets, type Target } from '../workspace/pointers.js';
import type { Repository } from '../workspace/repository.js';
import { status, type TargetStatus } from '../workspace/status.js';
import { dirtyWorkspace, relevantDirt, uncommittedPointers, unsavedTargets } from './clean-workspace.js';
import { type RecordedRuns, recordedRuns } from './recorded-runs.js';

/** What a registration takes from the workspace. */
export interface TargetRequest {
  /** Tracked files and directories, or directories that hold such. */
  artifacts: readonly RepositoryPath[];
  data: readonly RepositoryPath[];
  /** Files that parameters and metrics were read from. */
  read: readonly RepositoryPath[];
  /** True where what was not committed is kept with the version. */
  allowDirty: boolean;
  /** True where the records of the runs that made the artifacts say what the user does not. */
  fromRuns: boolean;
}

export interface RegisterTargets {
  artifacts: Target[];
  data: Target[];
  /** What the runs that made the artifacts say of them. */
  recorded: RecordedRuns | undefined;
  /** The commit that HEAD is on, hex. */
  commit: string;
  /** True where the workspace has something that the commit has not. */
  dirty: boolean;
  /** The pointers of the workspace by the path of their target, for data sets that metrics name. */
  pointers: ReadonlyMap<RepositoryPath, Target>;
  /** Untracked files that do not look like code. */
  passedOver: readonly RepositoryPath[];
  /** With `allowDirty`: other targets whose content is not what their pointer says, and is kept nowhere. */
  notKept: readonly RepositoryPath[];
}

/**
 * Finds the targets that are to be registered, and makes sure that a commit says what they are. Errors:
 * `WORKSPACE_DIRTY`, `PATH_NOT_TRACKED`, `USAGE`, `REVISION_UNKNOWN` where there is no commit yet, those of status.
 */
export async function registerTargets(
  repository: Repository,
  request: TargetRequest,
  options: { reporter?: Reporter; signal?: AbortSignal } = {},
): Promise<RegisterTargets> {
  const commit = await headOf(repository);
  const { targets, problems } = await loadTargets(repository);
  const artifacts = wholeTargets(targets, request.artifacts, problems);
  const recorded = request.fromRuns ? recordedRuns(repository, { artifacts, targets }) : undefined;
  const data = request.data.length > 0 ? wholeTargets(targets, request.data, problems) : (recorded?.data ?? []);
  refuseBoth(artifacts, data);
  const named = new Set([...artifacts, ...data].map(({ path }) => path));
  const differing = (await status(repository, [], options)).targets.filter(isOther).map(({ path }) => path);
  const unsaved = differing.filter((path) => named.has(path));
  if (unsaved.length > 0) throw unsavedTargets(unsaved);
  const read = [...request.read, ...(recorded?.read ?? [])];
  const changes = await repository.git.workingChanges();
  const dirt = relevantDirt({ ...changes, targets: differing }, read);
  const uncommitted = await uncommittedTargets(repository, { commit, targets: [...artifacts, ...data] });
  if (!request.allowDirty) {
    if (uncommitted.length > 0) throw uncommittedPointers(uncommitted);
    const refusal = dirtyWorkspace(dirt);
    if (refusal) throw refusal;
  }
  const dirty = dirt.changed.length + dirt.untracked.length > 0;
  const passedOver = changes.untracked.filter((path) => !dirt.untracked.includes(path) && !read.includes(path));
  const pointers = new Map(targets.map((each) => [each.path, each]));
  return { artifacts, data, recorded, commit, dirty, pointers, passedOver, notKept: differing };
}

async function headOf({ git }: Repository): Promise<string> {
  const commit = await git.head();
  if (commit !== undefined) return commit;
  throw new MlvError('REVISION_UNKNOWN', 'there is no commit yet that a version could be of', {
    hint: 'commit the code and the pointers first: git add . && git commit',
  });
}

/** Errors: `PATH_NOT_TRACKED`, `USAGE` for a part of a tracked directory. */
function wholeTargets(
  targets: readonly Target[],
  paths: readonly RepositoryPath[],
  problems: readonly MlvError[],
): Target[] {
  if (paths.length === 0) return [];
  return selectTargets(targets, paths, problems).map(({ target, below }) => {
    if (below === '') return target;
    throw new MlvError('USAGE', `'${target.path}/${below}' is a part of the tracked directory '${target.path}'`, {
      hint: `name the whole: ${target.path}`,
      data: { path: `${target.path}/${below}` },
    });
  });
}

function refuseBoth(artifacts: readonly Target[], data: readonly Target[]): void {
  const both = artifacts.find(({ path }) => data.some((each) => each.path === path));
  if (!both) return;
  throw new MlvError('USAGE', `'${both.path}' is named as an artifact and as data`, { data: { path: both.path } });
}

/** What was never brought here (after a clone) has no content that could be another. */
function isOther({ state }: TargetStatus): boolean {
  return state === 'modified' || state === 'behind' || state === 'type';
}

async function uncommittedTargets(
  repository: Repository,
  { commit, targets }: { commit: string; targets: readonly Target[] },
): Promise<RepositoryPath[]> {
  const there = await loadTargetsAt(repository, { kind: 'revision', revision: commit });
  const committed = new Map<RepositoryPath, Oid>(there.targets.map(({ path, pointer }) => [path, pointer.oid]));
  return targets.filter(({ path, pointer }) => committed.get(path) !== pointer.oid).map(({ path }) => path);
}
