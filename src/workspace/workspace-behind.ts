import type { Oid } from '../objects/oid.js';
import { type DiffSide, diffTrees } from '../objects/tree-diff.js';
import type { RepositoryPath } from './paths.js';
import { pointerHistory } from './pointer-history.js';
import type { Target } from './pointers.js';
import type { Repository } from './repository.js';

/** Commits of the pointer that are looked at. */
const HISTORY = 1000;

/** Three trees of one directory. */
export interface ThreeTrees {
  /** What the workspace came from. */
  base: DiffSide;
  /** What the pointer names; undefined where it names nothing there. */
  pointer: DiffSide | undefined;
  /** What the workspace holds. */
  now: DiffSide;
}

/**
 * Paths below the directory that the pointer changed, added or removed since `base`, and that are in the workspace as they
 * were in `base`: nobody changed them here, they are only old. `known` leaves out what the pointer added. The cost follows
 * the differences. Error: `OBJECT_MISSING`.
 */
export function pathsBehind({ base, pointer, now }: ThreeTrees, { known = false } = {}): string[] {
  const changedHere = new Set([...diffTrees(base, now)].map(({ path }) => path));
  const behind: string[] = [];
  for (const { path, before } of diffTrees(base, pointer)) {
    if ((before || !known) && !changedHere.has(path)) behind.push(path);
  }
  return behind;
}

/** A target, and the digest of what the workspace came from. */
export interface TargetBase {
  target: Target;
  base: Buffer;
}

/**
 * The targets whose workspace came from a version that stood in the pointer's history before the one of now: after a
 * `git pull` without `mlv pull`. Who went back in history on purpose is not among them, nor is a pointer that was never
 * committed. One look at Git's history for all. Errors: those of Git.
 */
export async function targetsBehind(
  repository: Repository,
  targets: readonly TargetBase[],
): Promise<Set<RepositoryPath>> {
  const candidates = targets.filter(({ target, base }) => repository.cache.oid(base) !== target.pointer.oid);
  const paths = candidates.map(({ target }) => target.path);
  const histories = await pointerHistory(repository, paths, { revisions: [], limit: HISTORY });
  const behind = candidates.filter(({ target, base }) =>
    isOlder(histories.get(target.path) ?? [], { base: repository.cache.oid(base), pointer: target.pointer.oid }),
  );
  return new Set(behind.map(({ target }) => target.path));
}

/** True when `base` comes after `pointer` in a history that begins with the newest. */
function isOlder(history: readonly Oid[], { base, pointer }: { base: Oid; pointer: Oid }): boolean {
  const at = history.indexOf(pointer);
  return at >= 0 && history.indexOf(base) > at;
}
