import { MlvError } from '../core/errors.js';
import type { Git } from '../git/git.js';
import type { RawRef, RefUpdate } from '../git/plumbing.js';
import type { GitRewriting } from '../git/rewriting.js';

/** Where rewritten histories go without consent to replace the user's own refs: `refs/heads/migrated/main`. */
const MIGRATED = 'migrated/';
/** Where the old values of replaced refs are kept. */
const BEFORE = 'refs/mlv/before-migration/';
/** The registry's branch has no data files, and its chain of signatures must not be broken. */
const NEVER = new Set(['refs/heads/mlv-registry']);

/** A branch or tag with the commit that it leads to. */
export interface HistoryRef extends RawRef {
  commit: string;
}

/** A ref that a migration made or moved. */
export interface MovedRef {
  name: string;
  from: string;
  /** The new object; a tag object for an annotated tag. */
  to: string;
}

/** The local branches and tags that lead to commits, without those of an earlier migration. */
export async function historyRefs(git: Git): Promise<HistoryRef[]> {
  const raw = await git.plumbing.currentRefs(['refs/heads', 'refs/tags']);
  const commits = new Map((await git.refs({ branches: true, tags: true })).map(({ name, commit }) => [name, commit]));
  return raw.flatMap((ref) => {
    const commit = commits.get(ref.name);
    const own = NEVER.has(ref.name) || /^refs\/(?:heads|tags)\/migrated\//.test(ref.name);
    return commit === undefined || own ? [] : [{ ...ref, commit }];
  });
}

/**
 * Moves refs to rewritten commits: beside the old ones, below `migrated/`, or with `replace` in their place, the old
 * values kept below `refs/mlv/before-migration/`. All or none. What did not change is left out. Error: `GIT_FAILED` where
 * a ref moved meanwhile.
 */
export async function moveRefs(
  { git, rewriting }: { git: Git; rewriting: GitRewriting },
  refs: readonly HistoryRef[],
  { rewritten, replace }: { rewritten: ReadonlyMap<string, string>; replace: boolean },
): Promise<MovedRef[]> {
  const moved: MovedRef[] = [];
  const updates: RefUpdate[] = [];
  const current = new Map((await git.plumbing.currentRefs(['refs'])).map(({ name, object }) => [name, object]));
  for (const { name, object, commit } of refs) {
    const target = rewritten.get(commit);
    if (target === undefined || (target === commit && replace)) continue;
    const to = object === commit ? target : await rewriting.retag(object, target);
    const place = replace ? name : name.replace(/^refs\/(heads|tags)\//, `refs/$1/${MIGRATED}`);
    moved.push({ name: place, from: object, to });
    if (current.get(place) !== to) updates.push({ name: place, from: current.get(place), to });
    const kept = `${BEFORE}${name.slice('refs/'.length)}`;
    if (replace && !current.has(kept)) updates.push({ name: kept, from: undefined, to: object });
  }
  if (updates.length > 0 && !(await git.plumbing.updateRefs(updates))) {
    throw new MlvError('GIT_FAILED', 'a branch or tag was changed by someone else meanwhile; none was moved', {
      hint: 'run the same command again',
    });
  }
  return moved;
}
