import { isObjectError } from '../objects/object-error.js';
import { diffTrees } from '../objects/tree-diff.js';
import { isWithin } from './paths.js';
import type { Repository } from './repository.js';
import { pathsBehind, type TargetBase, type ThreeTrees, targetsBehind } from './workspace-behind.js';

/** A target that differs from its pointer, and may only be older than it. */
export interface BehindCandidate extends TargetBase {
  /** True when nothing of what was asked for was changed here. */
  isOnlyOld: () => boolean;
  /** Told of a target whose workspace came from an older version of its pointer. */
  found: (isOnlyOld: boolean) => void;
  /** Told of one whose workspace came from another version that is not older (of another branch, say) and was not changed. */
  foundOther: () => void;
}

/**
 * Tells what is older than its pointer, or of another version, from what was changed. Git is asked once for all, and only where the workspace came
 * from something else than the pointer names. Errors: those of Git.
 */
export async function findBehind(repository: Repository, candidates: readonly BehindCandidate[]): Promise<void> {
  const behind = await targetsBehind(repository, candidates);
  for (const { target, base, isOnlyOld, found, foundOther } of candidates) {
    if (behind.has(target.path)) found(isOnlyOld());
    else if (repository.cache.oid(base) !== target.pointer.oid && isOnlyOld()) foundOther();
  }
}

/** True when nothing at or below the path (empty: all) was changed here; false where that cannot be told. */
export function isOnlyBehind(trees: ThreeTrees, below: string): boolean {
  try {
    const behind = new Set(pathsBehind(trees));
    const changes = [...diffTrees(trees.pointer, trees.now)];
    return changes.every(({ path }) => !(below === '' || isWithin(path, below)) || behind.has(path));
  } catch (error) {
    if (isObjectError(error)) return false;
    throw error;
  }
}
