import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { EarlyCopies } from '../objects/early-copy.js';
import { isForGroup } from '../objects/group-directory.js';
import { absolutePath, ensureRealDirectory, parentOf } from './paths.js';
import type { Selection } from './pointers.js';
import type { Repository } from './repository.js';
import { temporaryBeside } from './workspace-temporary.js';

/**
 * For a fetch whose objects are checked out afterwards: has it write copies of large files to the file system of their
 * targets, which the checkout renames. Undefined where files of the workspace are links. The caller ends them, whatever happens.
 */
export function beginEarlyCopies(
  { layout, cache, settings }: Repository,
  selections: readonly Selection[],
): EarlyCopies | undefined {
  const modes = settings.linkModes;
  const first = modes.slice(0, modes.includes('copy') ? modes.indexOf('copy') : modes.length);
  if (first.includes('hardlink') || first.includes('symlink')) return undefined;
  const roots = new Map(selections.map(({ target }) => [target.path, target.pointer.oid]));
  return new EarlyCopies({
    temporaryFor: ({ path, oid }) => {
      if (roots.get(path) !== oid) return undefined;
      ensureRealDirectory(layout, parentOf(path));
      const beside = temporaryBeside(absolutePath(layout, path));
      const inCache = cache.temporary.next();
      return canBeMoved(dirname(inCache), dirname(beside)) ? inCache : beside;
    },
    probe: first.includes('reflink') ? () => cache.temporary.next() : undefined,
  });
}

/** What a killed process leaves in the cache Git does not see. A file that was made in a group's cache would stay the group's. */
function canBeMoved(from: string, to: string): boolean {
  return statSync(from).dev === statSync(to).dev && !isForGroup(from);
}
