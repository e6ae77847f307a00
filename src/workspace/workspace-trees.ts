import type { ObjectCache } from '../objects/cache.js';
import type { TreeLoader } from '../objects/tree-diff.js';
import type { DirectoryBlock } from './directory-block.js';

/** Gives trees from the cache. Errors: `OBJECT_MISSING`, `OBJECT_CORRUPT`. */
export function cacheLoader(cache: ObjectCache): TreeLoader {
  return (digest) => cache.read(cache.oid(digest));
}

/**
 * Gives the trees of a sealed walk, which are encoded when they are asked for, so that unchanged ones cost nothing.
 * `absent` gives those of directories that are not in the workspace.
 */
export function blockLoader(root: DirectoryBlock, absent?: TreeLoader): TreeLoader {
  const blocks = new Map<string, DirectoryBlock>();
  const collect = (block: DirectoryBlock): void => {
    if (block.absent) return;
    blocks.set(block.treeDigest.toString('latin1'), block);
    for (const child of block.children.values()) collect(child);
  };
  collect(root);
  return (digest) => {
    const block = blocks.get(digest.toString('latin1'));
    if (!block && absent) return absent(digest);
    if (!block) throw new RangeError('a tree that is not of this walk was asked for');
    return block.encode();
  };
}
