import type { Oid } from '../objects/oid.js';
import { POINTER_SUFFIX } from '../workspace/pointer-format.js';
import { readPointerText } from '../workspace/pointers.js';
import type { Repository } from '../workspace/repository.js';
import type { LiveRoot } from './collection-mark.js';
import {
  collectGitRoots,
  type Retained,
  readVersions,
  requireWorktrees,
  type UnreadablePointer,
} from './collection-roots.js';
import { type CommitDepth, chooseCommits } from './commit-scope.js';
import { type PointerOrigin, PointerRoots } from './pointer-roots.js';

/** What a collection of the cache keeps besides what it always keeps. */
export interface LocalScope {
  /** Commits of the branch tips and tags, too, and how far back from each. Undefined keeps all that Git leads to. */
  commits: (CommitDepth & { branches: boolean; tags: boolean }) | undefined;
}

/** What the registry of models keeps, and what else it names. */
export interface LocalRetained extends Retained {
  /** Named by versions that no rule keeps. */
  released: LiveRoot[];
}

export interface LocalRootOptions {
  /** What the registry keeps; told whether the scope is limited. */
  retained: (limited: boolean) => Promise<LocalRetained>;
  ignoreUnreadable: boolean;
  /** Whether what nothing names may go: then everything must be seen. */
  complete: boolean;
}

/** What is kept for one reason. */
export interface KeptGroup {
  reason: 'working trees' | 'stash' | 'commits' | 'history' | 'registry' | 'links' | 'other repositories' | 'unproven';
  roots: LiveRoot[];
}

export interface LocalRoots {
  groups: KeptGroup[];
  /** All that anything names, kept or not. */
  named: LiveRoot[];
  origins: ReadonlyMap<Oid, PointerOrigin>;
  unreadable: UnreadablePointer[];
}

/**
 * What a collection of the cache keeps, reason by reason, and all that is named at all. Always kept are the pointers of
 * every working tree, of its index, of HEAD and of what is under way in it; the stash; and what the registry retains.
 * Errors: as collectGitRoots.
 */
export async function localRoots(
  repository: Repository,
  scope: LocalScope,
  { retained, ignoreUnreadable, complete }: LocalRootOptions,
): Promise<LocalRoots> {
  const limited = scope.commits !== undefined;
  const registry = await retained(limited);
  const options = { offline: true, shallow: !complete, ignoreUnreadable };
  const all = await collectGitRoots(repository, options);
  const groups = await alwaysKept(repository, ignoreUnreadable);
  if (scope.commits) groups.push({ reason: 'commits', roots: await commitRoots(repository, scope.commits) });
  else groups.push({ reason: 'history', roots: await historyRoots(repository, { options, registry, all: all.roots }) });
  groups.push({ reason: 'registry', roots: registry.roots });
  return {
    groups,
    named: [...all.roots, ...registry.roots, ...registry.released],
    origins: all.origins,
    unreadable: [...all.unreadable, ...registry.unreadable],
  };
}

async function alwaysKept(repository: Repository, ignoreUnreadable: boolean): Promise<KeptGroup[]> {
  const { git, layout } = repository;
  const states = await git.worktreeStates(POINTER_SUFFIX);
  if (!ignoreUnreadable) requireWorktrees(states.missing);
  const trees = new PointerRoots();
  await readVersions(repository, states.versions, trees);
  await readVersions(
    repository,
    await git.filesOfCommits(POINTER_SUFFIX, { commits: [], whole: states.commits }),
    trees,
  );
  for (const { top, path } of states.files) {
    const text = readPointerText({ ...layout, worktree: top }, path);
    if (text !== undefined) trees.add(text, path);
  }
  const stash = new PointerRoots();
  const { stashed } = await git.commitGraph([]);
  await readVersions(repository, await git.filesOfCommits(POINTER_SUFFIX, { commits: [], whole: stashed }), stash);
  return [
    { reason: 'working trees', roots: [...trees.roots.values()] },
    { reason: 'stash', roots: [...stash.roots.values()] },
  ];
}

async function commitRoots(
  repository: Repository,
  { branches, tags, last, since }: NonNullable<LocalScope['commits']>,
): Promise<LiveRoot[]> {
  const { git } = repository;
  const head = await git.head();
  const refs = branches || tags ? await git.refs({ branches, tags }) : [];
  const starts = [...new Set([...(head === undefined ? [] : [head]), ...refs.map(({ commit }) => commit)])];
  const deep = last > 1 || since !== undefined;
  const { commits } = deep ? await git.commitGraph(starts) : { commits: new Map() };
  const chosen = chooseCommits(commits, starts, { last, since });
  const found = new PointerRoots();
  await readVersions(repository, await git.filesOfCommits(POINTER_SUFFIX, chosen), found);
  return [...found.roots.values()];
}

/** All that Git leads to, but not by the tags of versions that the rules let go. */
async function historyRoots(
  repository: Repository,
  given: {
    options: { offline: boolean; shallow: boolean; ignoreUnreadable: boolean };
    registry: Retained;
    all: LiveRoot[];
  },
): Promise<LiveRoot[]> {
  const { options, registry, all } = given;
  const { releasedRefs = [] } = registry;
  if (releasedRefs.length === 0) return all;
  const retained = async (): Promise<Retained> => ({ roots: [], unreadable: [], releasedRefs });
  return (await collectGitRoots(repository, { ...options, retained })).roots;
}
