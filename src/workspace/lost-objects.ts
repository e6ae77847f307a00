import { lstatSync } from 'node:fs';
import { missing } from '../objects/cache.js';
import type { CacheBatch } from '../objects/cache-batch.js';
import { DIGEST_BYTES } from '../objects/oid.js';
import type { DirectoryBlock } from './directory-block.js';
import { absolutePath, childOf, type RepositoryPath } from './paths.js';
import type { Repository } from './repository.js';
import { eachFile } from './scan-target.js';
import type { Walk } from './walk.js';

/** What a block holds as the digest of a file that was not read yet. */
const UNREAD = Buffer.alloc(DIGEST_BYTES);

/**
 * Has files of a walk read again that the index knows, but whose objects are gone from the cache. Gives the directories
 * that hold such files. Error: `OBJECT_MISSING` for a link into the cache, which has no bytes of its own.
 */
export function rereadLost(
  { repository, batch }: { repository: Repository; batch: CacheBatch },
  walk: Walk,
  path: RepositoryPath,
): Set<DirectoryBlock> {
  const reread = new Set<DirectoryBlock>();
  eachFile(walk.root, path, (block, at, directory) => {
    const digest = block.digestAt(at);
    const hex = digest.toString('hex');
    if (digest.equals(UNREAD) || batch.holds(hex, block.sizeAt(at))) return;
    const file = childOf(directory, block.names[at] as string);
    if (isLink(absolutePath(repository.layout, file))) throw missing(repository.cache.oid(hex));
    walk.pending.push(block, at, directory);
    reread.add(block);
  });
  return reread;
}

/**
 * Has a directory sealed anew, and all above it, where a file was read that the index knew (it may be another by now),
 * and where the tree is gone from the cache. True for such a directory.
 */
export function reopenTrees(
  block: DirectoryBlock,
  options: { reread: ReadonlySet<DirectoryBlock>; batch: CacheBatch },
): boolean {
  const { reread, batch } = options;
  let open = !block.unchanged || reread.has(block) || !batch.holds(block.treeDigest.toString('hex'));
  for (const child of block.children.values()) if (reopenTrees(child, options)) open = true;
  if (open) block.unchanged = false;
  return open;
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
}
