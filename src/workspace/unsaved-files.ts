import type { TreeLoader } from '../objects/tree-diff.js';
import { decodeTree, type TreeEntry } from '../objects/tree-format.js';
import type { DirectoryBlock } from './directory-block.js';
import type { RepositoryPath } from './paths.js';

/** A directory of the workspace, with the tree that it is compared with. */
export interface ComparedDirectory {
  path: RepositoryPath;
  /** As it was walked; all its files have their digests. */
  block: DirectoryBlock;
  /** The tree of the pointer; undefined where that has no such directory. */
  digest: Buffer | undefined;
}

export interface SavedOptions {
  load: TreeLoader;
  /** True when the file's object can be had again. */
  isSaved: (entry: Extract<TreeEntry, { digest: Buffer }>) => boolean;
  /** False for a path that is not looked at, and nothing below it; all when absent. */
  concerns?: (path: RepositoryPath, directory: boolean) => boolean;
}

/**
 * The files and links of a directory that would be lost with it: other content than the tree names at the same path, or
 * content that is saved nowhere. Reads the trees of directories that are here only. Errors: those of `load`.
 */
export function* unsavedFiles(directory: ComparedDirectory, options: SavedOptions): Generator<RepositoryPath> {
  const { path, block, digest } = directory;
  const entries = new Map(digest ? decodeTree(options.load(digest)).map((entry) => [entry.name, entry]) : []);
  for (const [at, name] of block.names.entries()) {
    const child = block.children.get(at);
    const below = `${path}/${name}`;
    if (options.concerns && !options.concerns(below, child !== undefined)) continue;
    const before = entries.get(name);
    if (child) {
      const inner = before?.kind === 'tree' ? before.digest : undefined;
      yield* unsavedFiles({ path: below, block: child, digest: inner }, options);
    } else if (!isSame(before, block.entryAt(at), options)) yield below;
  }
}

function isSame(before: TreeEntry | undefined, now: TreeEntry, { isSaved }: SavedOptions): boolean {
  if (before === undefined || before.kind === 'tree' || now.kind === 'tree') return false;
  if (before.kind === 'link' || now.kind === 'link') {
    return before.kind === 'link' && now.kind === 'link' && before.target === now.target;
  }
  return before.digest.equals(now.digest) && isSaved(now);
}
