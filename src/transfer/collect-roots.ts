import { isMlvError, MlvError } from '../core/errors.js';
import type { GitSource } from '../git/git.js';
import type { Oid } from '../objects/oid.js';
import type { RepositoryPath } from '../workspace/paths.js';
import { pointerHistory } from '../workspace/pointer-history.js';
import {
  loadTargets,
  loadTargetsAt,
  notTracked,
  type Selection,
  selectTargets,
  type Target,
  type Targets,
} from '../workspace/pointers.js';
import type { Repository } from '../workspace/repository.js';
import { historyTargets } from './history-targets.js';
import type { FetchRoot, FormerVersions, PushRoot, Root } from './roots.js';

/** Versions of a pointer that are looked at for what the remote may hold already. */
const HISTORY = 10;
/** The same, where something is missing that must be in one of them. */
const FAR_HISTORY = 200;

/** Which pointers a transfer takes: those of the working tree, or those of commits. */
export interface RootScope {
  /** Targets or paths below them; all when empty. */
  paths: readonly RepositoryPath[];
  /** Revisions whose pointers are taken instead of the working tree's. */
  revisions?: readonly string[];
  allBranches?: boolean;
  allTags?: boolean;
  /** Every commit that a local branch, a tag or HEAD leads to; only whole, so without paths. */
  allCommits?: boolean;
}

/** What a transfer works on. */
export interface CollectedRoots {
  selections: Selection[];
  /** Pointers that could not be read. */
  problems: MlvError[];
  /** The commits that were looked at besides the working tree. */
  revisions: string[];
}

/**
 * The targets that a scope names, each object once. Errors: `PATH_NOT_TRACKED` when a path names nothing in any of the
 * states, `REVISION_UNKNOWN`, `USAGE` for paths with `allCommits`.
 */
export async function collectTargets(repository: Repository, scope: RootScope): Promise<CollectedRoots> {
  if (scope.allCommits && scope.paths.length > 0) throw pathsOfHistory();
  const revisions = await scopeRevisions(repository, scope);
  const states: Targets[] = [];
  const history = scope.allCommits ? await historyTargets(repository) : undefined;
  if (history) states.push(history);
  else if (revisions.length === 0) states.push(await loadTargets(repository));
  for (const revision of revisions)
    states.push(await loadTargetsAt(repository, { kind: 'revision', revision } satisfies GitSource));
  const chosen = new Map<string, Selection>();
  for (const state of states) {
    for (const selection of selectHere(state.targets, scope.paths)) {
      chosen.set(`${selection.target.path}\0${selection.target.pointer.oid}\0${selection.below}`, selection);
    }
  }
  requireEach(
    states.flatMap((state) => state.targets),
    scope.paths,
  );
  return {
    selections: [...chosen.values()],
    problems: states.flatMap((state) => state.problems),
    revisions: [...new Set([...revisions, ...(history?.tips ?? [])])],
  };
}

function pathsOfHistory(): MlvError {
  return new MlvError('USAGE', '--all-commits takes everything, and no paths', {
    hint: 'leave the paths out, or name commits: --rev <revision>',
  });
}

/** The selections of one state; a path that names nothing there may name something in another. */
function selectHere(targets: readonly Target[], paths: readonly RepositoryPath[]): Selection[] {
  const here = paths.filter((path) => selects(targets, path));
  return paths.length > 0 && here.length === 0 ? [] : selectTargets(targets, here);
}

function requireEach(targets: readonly Target[], paths: readonly RepositoryPath[]): void {
  for (const path of paths) if (!selects(targets, path)) throw notTracked(path);
}

function selects(targets: readonly Target[], path: RepositoryPath): boolean {
  try {
    return selectTargets(targets, [path]).length > 0;
  } catch (error) {
    if (isMlvError(error, 'PATH_NOT_TRACKED')) return false;
    throw error;
  }
}

async function scopeRevisions(repository: Repository, scope: RootScope): Promise<string[]> {
  const named = await Promise.all((scope.revisions ?? []).map((revision) => repository.git.resolve(revision)));
  const kinds = { branches: scope.allBranches ?? false, tags: scope.allTags ?? false };
  const refs = kinds.branches || kinds.tags ? await repository.git.refs(kinds) : [];
  return [...new Set([...named, ...refs.map((ref) => ref.commit)])];
}

/** Roots to push, the records of the runs that made them included; formerVersions knows their predecessors. */
export function toPushRoots(selections: readonly Selection[]): PushRoot[] {
  return toFetchRoots(selections).map(({ below: _below, part: _part, ...root }) => ({ ...root, predecessors: [] }));
}

/** The records of the runs that made the targets, each once. */
function runRoots(selections: readonly Selection[]): Root[] {
  const roots = new Map<Oid, Root>();
  for (const { target } of selections) {
    const { run } = target.pointer;
    if (!run || roots.has(run.oid)) continue;
    const path = `${target.path} (record of its run)`;
    roots.set(run.oid, { oid: run.oid, directory: true, size: run.size, path, isRecord: true });
  }
  return [...roots.values()];
}

/** The objects that pointers name, and nothing else. */
export function selectionRoots(selections: readonly Selection[]): FetchRoot[] {
  return selections.map(({ target: { path, pointer }, below, part }) => ({
    ...(part && { part }),
    oid: pointer.oid,
    directory: pointer.files !== undefined,
    size: pointer.size,
    path,
    below,
  }));
}

/** Roots to fetch, the records of the runs that made them included. */
export function toFetchRoots(selections: readonly Selection[]): FetchRoot[] {
  return [...selectionRoots(selections), ...runRoots(selections).map((root) => ({ ...root, below: '' }))];
}

/**
 * What pointers named in the history of HEAD and of some revisions, newest first: for a push that sends only what the
 * remote has not, and a fetch that takes from the cache what older versions hold. Git is asked when it is called.
 */
export function formerVersions(repository: Repository, revisions: readonly string[] = []): FormerVersions {
  return (paths) => pointerHistory(repository, paths as readonly RepositoryPath[], { revisions, limit: HISTORY });
}

/**
 * What pointers named in the history of any branch or tag, here or of a Git remote as last fetched: where a merge or
 * cherry-pick made a directory that no remote knows, its files are in one of these. Git is asked when it is called.
 */
export function versionsAnywhere(repository: Repository): FormerVersions {
  return async (paths) => {
    const refs = await repository.git.refs({ branches: true, tags: true, remoteBranches: true });
    const revisions = refs.map(({ commit }) => commit);
    return pointerHistory(repository, paths as readonly RepositoryPath[], { revisions, limit: FAR_HISTORY });
  };
}
