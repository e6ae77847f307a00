import { MlvError } from '../core/errors.js';
import { isObjectError } from '../objects/object-error.js';
import { digestOf } from '../objects/oid.js';
import { type DiffSide, diffTrees } from '../objects/tree-diff.js';
import type { DirectoryBlock } from './directory-block.js';
import type { RepositoryPath } from './paths.js';
import { pointerHistory } from './pointer-history.js';
import type { Target } from './pointers.js';
import type { Repository } from './repository.js';
import { blockLoader, cacheLoader } from './workspace-trees.js';

/** Commits of the pointer that are looked at. */
const HISTORY = 1000;

/** Three trees of one directory. */
export interface ThreeTrees {
  /** What the workspace came from. */
  base: DiffSide;
  /** What the pointer names. */
  pointer: DiffSide;
  /** What the workspace holds. */
  now: DiffSide;
}

/**
 * Paths below the directory that the pointer changed or removed since `base`, and that are in the workspace as they were
 * in `base`: nobody changed them here, they are only old. The cost follows the differences. Error: `OBJECT_MISSING`.
 */
export function filesBehind({ base, pointer, now }: ThreeTrees): string[] {
  const changedHere = new Set([...diffTrees(base, now)].map(({ path }) => path));
  const behind: string[] = [];
  for (const { path, before } of diffTrees(base, pointer)) {
    if (before && !changedHere.has(path)) behind.push(path);
  }
  return behind;
}

/** The workspace, as far as it is needed to tell whether it is older than its pointer. */
export interface WorkspaceSide {
  /** Digest of the tree that it came from. */
  base: Buffer;
  /** Looks at what is there now and gives it sealed; nothing of it is stored. */
  look: () => Promise<DirectoryBlock>;
}

/**
 * After a `git pull` without `mlv pull` the workspace has files as they were before somebody changed them; a pointer to it
 * would silently take that change back for everybody. Only where the tree that the workspace came from stood in the
 * pointer's history before the one of now: who went back in history on purpose is let through. What cannot be compared,
 * since listings are not here, is let through, too. To be asked before anything is stored: a checkout may replace what an
 * object has. Error: `WORKSPACE_BEHIND`.
 */
export async function refuseBehind(
  repository: Repository,
  { path, pointer }: Target,
  { base, look }: WorkspaceSide,
): Promise<void> {
  const named = digestOf(pointer.oid);
  if (pointer.files === undefined || base.equals(named)) return;
  const history = (await pointerHistory(repository, [path], { revisions: [], limit: HISTORY })).get(path) ?? [];
  const at = history.indexOf(pointer.oid);
  if (at < 0 || history.indexOf(repository.cache.oid(base)) < at) return;
  const load = cacheLoader(repository.cache);
  const now = await look();
  const behind = compare({
    base: { digest: base, load },
    pointer: { digest: named, load },
    now: { digest: now.treeDigest, load: blockLoader(now, load) },
  });
  if (behind.length > 0) throw workspaceBehind(path, behind);
}

function compare(trees: ThreeTrees): string[] {
  try {
    return filesBehind(trees);
  } catch (error) {
    if (isObjectError(error)) return [];
    throw error;
  }
}

function workspaceBehind(path: RepositoryPath, behind: readonly string[]): MlvError {
  const [first = ''] = behind;
  const more = behind.length > 1 ? ` and ${behind.length - 1} more` : '';
  const message = `'${path}' was not added: its pointer is newer than what is here, and '${path}/${first}'${more} would go back to the former content for everybody`;
  return new MlvError('WORKSPACE_BEHIND', message, {
    hint: `bring the newer files first, which keeps your changes: mlv pull '${path}'   (to go back: mlv rm --keep '${path}' && mlv add '${path}')`,
    data: { path, paths: behind.slice(0, 100).map((below) => `${path}/${below}`) },
  });
}
