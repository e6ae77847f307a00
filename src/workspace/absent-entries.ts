import { compareNames } from '../objects/entry-name.js';
import { digestOf } from '../objects/oid.js';
import type { TreeLoader } from '../objects/tree-diff.js';
import { checkTreeLevel, decodeTree, KIND, type TreeEntry } from '../objects/tree-format.js';
import { DirectoryBlock, STAT_FIELDS } from './directory-block.js';
import type { Parts } from './part-store.js';
import type { RepositoryPath } from './paths.js';
import { isDirectoryTarget, type Target } from './pointers.js';
import type { Repository } from './repository.js';
import type { WalkProblem } from './walk.js';
import type { WantedPart } from './wanted-part.js';
import { cacheLoader } from './workspace-trees.js';

/** A directory of the workspace, and what of its tree is not here because nobody wants it here. */
export interface CompletedBlock {
  /** What `mlv add` records. The block that was given where nothing is absent. */
  root: DirectoryBlock;
  /** Files and links that are not here, and their bytes. */
  absent: { files: number; bytes: number };
  /** Paths at which something else stands than a directory of which all, or a part, is not here. */
  inTheWay: RepositoryPath[];
}

export interface AbsentOptions {
  /** The tree that the pointer names for this directory. */
  digest: Buffer;
  part: WantedPart;
  /** Gives the trees of directories of which a part is wanted, and of those that are here. */
  load: TreeLoader;
  /** Where the directory lies below the tracked one; empty for that itself. */
  below?: string;
}

/**
 * Puts into a walked directory what its pointer's tree has, the workspace has not, and the part does not want: files that
 * are not here are no deletions. What is here counts as it is, wanted or not; what is wanted and not here is gone. The
 * digests of the walk's files may still be unknown. Errors: `OBJECT_MISSING`, `TREE_INVALID` of a tree that must be read.
 */
export function completeBlock(block: DirectoryBlock, options: AbsentOptions): CompletedBlock {
  const run = new Completion(options);
  const root = run.visit(block, options.digest, options.below ?? '') ?? block;
  return { root, absent: run.absent, inTheWay: run.inTheWay };
}

/**
 * As completeBlock, for the whole of a target; paths in the way come as problems of a walk. A target of which everything
 * is wanted, or that is no directory, is left as it is.
 */
export function completeTarget(
  repository: Repository,
  target: Target,
  { block, parts }: { block: DirectoryBlock; parts: Parts },
): Omit<CompletedBlock, 'inTheWay'> & { problems: WalkProblem[] } {
  const part = parts.get(target.path);
  if (!part || !isDirectoryTarget(target)) return { root: block, absent: { files: 0, bytes: 0 }, problems: [] };
  const load = cacheLoader(repository.cache);
  const { inTheWay, ...completed } = completeBlock(block, { digest: digestOf(target.pointer.oid), part, load });
  return { ...completed, problems: inTheWay.map((path) => blocked(`${target.path}/${path}`)) };
}

/** The problem of a file that stands where a directory belongs that is not here. */
export function blocked(path: RepositoryPath): WalkProblem {
  return { path, reason: 'it stands where a directory belongs of which a part is not here' };
}

class Completion {
  readonly absent = { files: 0, bytes: 0 };
  readonly inTheWay: RepositoryPath[] = [];

  constructor(private readonly options: AbsentOptions) {}

  /** The completed directory; undefined where it is not here, and holds nothing that is not wanted. */
  visit(block: DirectoryBlock | undefined, digest: Buffer, path: string): DirectoryBlock | undefined {
    if (this.options.part.covers(path, true) === 'all') return block;
    if (block?.unchanged && block.treeDigest.equals(digest)) return block;
    checkTreeLevel(path === '' ? 0 : path.split('/').length);
    const merged = new MergedEntries();
    let at = 0;
    let changed = false;
    for (const entry of decodeTree(this.options.load(digest))) {
      while (block && at < block.length && compareNames(block.names[at] as string, entry.name) < 0)
        merged.take(block, at++);
      if (block?.names[at] === entry.name) {
        const child = this.here({ block, at }, entry, join(path, entry.name));
        merged.take(block, at++, child);
        changed ||= child !== undefined;
      } else changed = this.missing(entry, join(path, entry.name), merged) || changed;
    }
    for (; block && at < block.length; at++) merged.take(block, at);
    if (!changed) return block;
    return merged.block();
  }

  /** The completed directory in place of the one that is here; undefined where it stays as it is. */
  private here(
    { block, at }: { block: DirectoryBlock; at: number },
    entry: TreeEntry,
    path: string,
  ): DirectoryBlock | undefined {
    if (entry.kind !== 'tree') return undefined;
    const child = block.children.get(at);
    if (!child) {
      if (this.options.part.covers(path, true) !== 'all') this.inTheWay.push(path);
      return undefined;
    }
    const completed = this.visit(child, entry.digest, path);
    return completed === child ? undefined : completed;
  }

  /** Takes an entry of the tree that is not here, or the part of it that is not wanted; true where there is any. */
  private missing(entry: TreeEntry, path: string, into: MergedEntries): boolean {
    const coverage = this.options.part.covers(path, entry.kind === 'tree');
    if (coverage === 'all') return false;
    if (coverage === 'some' && entry.kind === 'tree') {
      const block = this.visit(undefined, entry.digest, path);
      if (block) into.addDirectory(entry.name, block);
      return block !== undefined;
    }
    this.absent.files += entry.kind === 'tree' ? entry.files : 1;
    this.absent.bytes += entry.kind === 'link' ? 0 : entry.size;
    into.add(entry);
    return true;
  }
}

/** Entries of a block that is being put together, in the order of their names. */
class MergedEntries {
  private readonly names: string[] = [];
  private readonly fills: ((block: DirectoryBlock, index: number) => void)[] = [];

  /** Takes an entry of another block; `child` in place of its sub-directory. */
  take(from: DirectoryBlock, at: number, child = from.children.get(at)): void {
    this.push(from.names[at] as string, (block, index) => {
      block.kinds[index] = from.kindAt(at);
      block.stats.set(from.stats.subarray(at * STAT_FIELDS, (at + 1) * STAT_FIELDS), index * STAT_FIELDS);
      block.setDigest(index, from.digestAt(at));
      const target = from.targets.get(at);
      if (target !== undefined) block.targets.set(index, target);
      if (child) block.children.set(index, child);
    });
  }

  add(entry: TreeEntry): void {
    if (entry.kind === 'tree') return void this.addDirectory(entry.name, absentDirectory(entry));
    this.push(entry.name, (block, index) => {
      block.kinds[index] = KIND[entry.kind];
      if (entry.kind === 'link') return void block.targets.set(index, entry.target);
      block.setStat(index, { size: entry.size, mtimeMs: 0, ctimeMs: 0, ino: 0 });
      block.setDigest(index, entry.digest);
    });
  }

  addDirectory(name: string, child: DirectoryBlock): void {
    this.push(name, (block, index) => {
      block.kinds[index] = KIND.tree;
      block.children.set(index, child);
    });
  }

  block(): DirectoryBlock {
    const block = new DirectoryBlock(this.names);
    for (const [index, fill] of this.fills.entries()) fill(block, index);
    return block;
  }

  private push(name: string, fill: (block: DirectoryBlock, index: number) => void): void {
    this.names.push(name);
    this.fills.push(fill);
  }
}

function absentDirectory({ digest, size, files }: Extract<TreeEntry, { kind: 'tree' }>): DirectoryBlock {
  const block = new DirectoryBlock([]);
  block.treeDigest = digest;
  block.size = size;
  block.files = files;
  block.unchanged = true;
  block.absent = true;
  return block;
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}/${name}`;
}
