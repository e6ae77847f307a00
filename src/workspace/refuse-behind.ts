import { MlvError } from '../core/errors.js';
import { inShellQuotes } from '../core/shell-quote.js';
import { isObjectError } from '../objects/object-error.js';
import { digestOf } from '../objects/oid.js';
import { entryAt, sameEntry, type TreeLoader } from '../objects/tree-diff.js';
import { findPlace } from './add-inside.js';
import type { DirectoryBlock } from './directory-block.js';
import { childOf, type RepositoryPath } from './paths.js';
import type { Target } from './pointers.js';
import type { Repository } from './repository.js';
import { pathsBehind, targetsBehind } from './workspace-behind.js';
import { blockLoader, cacheLoader } from './workspace-trees.js';

/** The workspace, as far as it is needed to tell whether it is older than its pointer. */
export interface WorkspaceSide {
  /** Digest of the tree that it came from. */
  base: Buffer;
  /** Looks at what is there now and gives it sealed; nothing of it is stored. */
  look: () => Promise<DirectoryBlock>;
  /** Only these paths below the directory are to be recorded; all of it where left out. */
  only?: readonly string[];
}

/**
 * After a `git pull` without `mlv pull` the workspace has files as they were before somebody changed them; a pointer to it
 * would silently take that change back for everybody. What cannot be compared, since listings are not here, is let
 * through. To be asked before anything is stored: a checkout may replace what an object has. Error: `WORKSPACE_BEHIND`.
 */
export async function refuseBehind(repository: Repository, target: Target, side: WorkspaceSide): Promise<void> {
  const { base, look, only } = side;
  const pointer = digestOf(target.pointer.oid);
  if (target.pointer.files === undefined || base.equals(pointer)) return;
  if ((await targetsBehind(repository, [{ target, base }])).size === 0) return;
  const now = await look();
  for (const below of only ?? ['']) {
    const behind = behindBelow(now, { below, base, pointer, load: cacheLoader(repository.cache) });
    const asked = below === '' ? target.path : childOf(target.path, below);
    if (behind.length > 0)
      throw workspaceBehind(
        asked,
        behind.map((path) => childOf(target.path, path)),
      );
  }
}

interface Below {
  /** Empty for the directory itself. */
  below: string;
  base: Buffer;
  pointer: Buffer;
  load: TreeLoader;
}

function behindBelow(root: DirectoryBlock, at: Below): string[] {
  try {
    return pathsBelow(root, at);
  } catch (error) {
    if (isObjectError(error)) return [];
    throw error;
  }
}

function pathsBelow(root: DirectoryBlock, { below, base, pointer, load }: Below): string[] {
  const before = entryAt(base, below, load);
  const named = entryAt(pointer, below, load);
  const place = below === '' ? undefined : findPlace(root, below);
  if (!before || (below !== '' && !place)) return [];
  if (before.kind !== 'tree') {
    const untouched = place && sameEntry(before, place.block.entryAt(place.at));
    return untouched && !(named && sameEntry(before, named)) ? [below] : [];
  }
  const block = place ? place.block.children.get(place.at) : root;
  if (!block) return [];
  const paths = pathsBehind(
    {
      base: { digest: before.digest, load },
      pointer: named?.kind === 'tree' ? { digest: named.digest, load } : undefined,
      now: { digest: block.treeDigest, load: blockLoader(block, load) },
    },
    { known: true },
  );
  return paths.map((path) => (below === '' ? path : `${below}/${path}`));
}

/** A single file that is tracked, and what is there now. */
export interface FileNow {
  target: Target;
  /** What mlv left there last, where that is known. */
  base: Buffer | undefined;
  now: Buffer;
}

/**
 * The same for single files: where one holds exactly what mlv left there, which is what an older version of its pointer
 * said. Error: `WORKSPACE_BEHIND`.
 */
export async function refuseFilesBehind(repository: Repository, files: readonly FileNow[]): Promise<void> {
  const untouched = files.flatMap(({ target, base, now }) => (base?.equals(now) ? [{ target, base }] : []));
  const behind = [...(await targetsBehind(repository, untouched))].sort();
  if (behind.length > 0) throw workspaceBehind(behind[0] as RepositoryPath, behind);
}

function workspaceBehind(asked: RepositoryPath, behind: readonly RepositoryPath[]): MlvError {
  const [first = ''] = behind;
  const more = behind.length > 1 ? ` and ${behind.length - 1} more` : '';
  const message = `'${asked}' was not added: its pointer is newer than what is here, and '${first}'${more} would go back to the former content for everybody`;
  return new MlvError('WORKSPACE_BEHIND', message, {
    hint: `bring the newer content first, which keeps your changes: mlv pull ${inShellQuotes(asked)}   (to go back: mlv rm --keep ${inShellQuotes(asked)} && mlv add ${inShellQuotes(asked)})`,
    data: { path: asked, paths: behind.slice(0, 100) },
  });
}
