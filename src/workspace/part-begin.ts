import { lstatSync } from 'node:fs';
import { digestOf } from '../objects/oid.js';
import { completeBlock } from './absent-entries.js';
import { changeParts, loadParts } from './part-store.js';
import { absolutePath } from './paths.js';
import type { Target } from './pointers.js';
import type { Repository } from './repository.js';
import { walkTarget } from './scan-target.js';
import { WantedPart } from './wanted-part.js';
import { cacheLoader } from './workspace-trees.js';

/**
 * True for a tracked directory of which a part may be brought, or changed, without the rest: one that is partial already,
 * or that was never here as a whole and lacks something. Errors: `OBJECT_MISSING` where its listing is not in the cache.
 */
export function mayBePartial(repository: Repository, target: Target): boolean {
  const { layout, index, cache } = repository;
  if (loadParts(layout).has(target.path)) return true;
  if (!lstatSync(absolutePath(layout, target.path), { throwIfNoEntry: false })?.isDirectory()) return true;
  const known = index.load(target.path);
  if (known?.base) return false;
  const { root } = walkTarget(repository, target.path, known ? { previous: known.block } : {});
  const options = { digest: digestOf(target.pointer.oid), part: WantedPart.nothing, load: cacheLoader(cache) };
  return completeBlock(root, options).absent.files > 0;
}

/**
 * Writes down that nothing is wanted yet of a directory that may be partial, before any of it comes: after a kill, what is
 * not here yet passes for no deletion. Gives whether the directory is partial. Errors: as mayBePartial and changeParts.
 */
export function beginPart(repository: Repository, target: Target): boolean {
  if (!mayBePartial(repository, target)) return false;
  const here = lstatSync(absolutePath(repository.layout, target.path), { throwIfNoEntry: false })?.isDirectory();
  changeParts(repository.layout, [target.path], (part) => (here && part) || WantedPart.nothing);
  return true;
}
