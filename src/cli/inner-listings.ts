import { isMlvError } from '../core/errors.js';
import { digestOf } from '../objects/oid.js';
import { entryAt } from '../objects/tree-diff.js';
import type { RepositoryPath } from '../workspace/paths.js';
import { directoryAbove, isDirectoryTarget, type Target } from '../workspace/pointers.js';
import { cacheLoader } from '../workspace/workspace-trees.js';
import type { OpenRepository } from './context.js';
import { getListings } from './listings.js';
import type { Session } from './session.js';

/**
 * Gets the directory listings that the cache lacks on the way to some paths, from their tracked directories down, and
 * nothing else. Where that does not work a note says why, and the caller finds them missing. Errors: those of getListings.
 */
export async function getListingsOnTheWay(
  session: Session,
  repository: OpenRepository,
  { targets, paths }: { targets: readonly Target[]; paths: readonly RepositoryPath[] },
): Promise<void> {
  const directories = new Map(targets.filter(isDirectoryTarget).map((target) => [target.path, target]));
  for (const path of paths) {
    const target = directories.get(path) ?? directoryAbove(targets, path);
    if (!target) continue;
    const parts = path
      .slice(target.path.length + 1)
      .split('/')
      .filter(Boolean);
    for (let level = 0; level <= parts.length; level++) {
      const below = parts.slice(0, level).join('/');
      if (!isLacking(repository, target, below)) continue;
      await getListings(session, repository, { selections: [{ target, below }], recursive: false });
    }
  }
}

/** True for a directory of the tree whose listing is not in the cache, and those above it are. */
function isLacking({ cache }: OpenRepository, { pointer }: Target, below: string): boolean {
  const load = cacheLoader(cache);
  try {
    const entry = entryAt(digestOf(pointer.oid), below, load);
    if (entry?.kind === 'tree') load(entry.digest);
    return false;
  } catch (error) {
    if (isMlvError(error, 'OBJECT_MISSING')) return true;
    throw error;
  }
}
