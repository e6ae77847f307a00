import type { HashFunction } from '../objects/hash.js';
import type { DirectoryBlock } from './directory-block.js';

/**
 * Gives every block from the leaves up the digest of its tree. What the walk found unchanged is taken over;
 * for every other directory `onTree` gets the tree's digest and bytes.
 */
export function sealTrees(
  root: DirectoryBlock,
  hash: HashFunction,
  onTree: (digest: Buffer, bytes: Buffer) => void,
): void {
  if (root.unchanged) return;
  for (const child of root.children.values()) sealTrees(child, hash, onTree);
  const bytes = root.encode();
  root.treeDigest = hash.digest(bytes);
  onTree(root.treeDigest, bytes);
}
