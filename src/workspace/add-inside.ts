import { MlvError } from '../core/errors.js';
import { inShellQuotes } from '../core/shell-quote.js';
import type { CacheBatch } from '../objects/cache-batch.js';
import { entryAt, type TreeLoader } from '../objects/tree-diff.js';
import type { TreeEdit } from '../objects/tree-edit.js';
import type { TreeEntry } from '../objects/tree-format.js';
import { blocked, completeBlock } from './absent-entries.js';
import type { DirectoryBlock } from './directory-block.js';
import { type EditedTarget, editTargets } from './edit-targets.js';
import { beginPart } from './part-begin.js';
import { changeParts, loadParts } from './part-store.js';
import { nameOf, parentOf, type RepositoryPath } from './paths.js';
import type { Target } from './pointers.js';
import type { Repository } from './repository.js';
import { sealTrees } from './seal.js';

/** Paths of one tracked directory that were walked and stored. */
export interface StoredInside {
  target: Target;
  /** Below the directory. */
  paths: readonly string[];
  /** The walk that looked at those paths only; its files have their digests. */
  root: DirectoryBlock;
}

/**
 * Records what the workspace holds at some paths of a tracked directory: the tree gets these entries, all others stay,
 * here or not. Errors: `PATH_UNSUPPORTED` for what a rule leaves out, those of editTargets.
 */
export async function addInside(
  repository: Repository,
  { target, paths, root }: StoredInside,
  batch: CacheBatch,
): Promise<EditedTarget> {
  const { hash, layout } = repository;
  const found = paths.map((path) => ({ path, ...placeOf(root, { path, target }) }));
  const partial = beginPart(repository, target);
  const part = loadParts(layout).get(target.path);
  const edits = ({ target: now, load }: { target: Target; load: TreeLoader }): TreeEdit[] =>
    found.map(({ path, block, at }) => {
      const child = block.children.get(at);
      if (!child) return { path, entry: block.entryAt(at) };
      const before = entryAt(digestOfTarget(repository, now), path, load);
      const whole = before?.kind === 'tree' && part ? complete(child, { before, part, load, path, target }) : child;
      sealTrees(whole, hash, (digest, bytes) => batch.addBytes(bytes, digest.toString('hex')));
      const { size, files, treeDigest } = whole;
      return { path, entry: { kind: 'tree', name: nameOf(path), size, files, digest: treeDigest } };
    });
  const [edited] = await editTargets(repository, [{ path: target.path, edits }], batch);
  // What was added belongs to what is wanted here: when it is removed, that is meant.
  if (partial) {
    changeParts(layout, [target.path], (wanted) => wanted?.withAll(paths));
  }
  return edited as EditedTarget;
}

type TreeSide = Extract<TreeEntry, { kind: 'tree' }>;

function complete(
  child: DirectoryBlock,
  at: {
    before: TreeSide;
    part: Parameters<typeof completeBlock>[1]['part'];
    load: TreeLoader;
    path: string;
    target: Target;
  },
): DirectoryBlock {
  const { before, part, load, path, target } = at;
  const { root, inTheWay } = completeBlock(child, { digest: before.digest, part, load, below: path });
  const [first] = inTheWay;
  if (first === undefined) return root;
  const problem = blocked(`${target.path}/${first}`);
  throw new MlvError('PATH_UNSUPPORTED', `'${problem.path}' cannot be added: ${problem.reason}`, {
    hint: `move it away, or take the directory out of '${target.path}' first: mlv rm ${inShellQuotes(problem.path)}`,
    data: { path: problem.path },
  });
}

function digestOfTarget({ cache }: Repository, { pointer }: Target): Buffer {
  return Buffer.from(pointer.oid.slice(`${cache.hash.algorithm}:`.length), 'hex');
}

/** Where a path is in a walk; undefined where that did not find it. */
export function findPlace(root: DirectoryBlock, path: string): { block: DirectoryBlock; at: number } | undefined {
  let block: DirectoryBlock | undefined = root;
  for (const part of path.split('/').slice(0, -1)) block = block?.childNamed(part);
  const at = block?.find(nameOf(path)) ?? -1;
  return block && at >= 0 ? { block, at } : undefined;
}

/** Where a path is in a walk. Error: `PATH_UNSUPPORTED` where the walk left it out. */
export function placeOf(
  root: DirectoryBlock,
  { path, target }: { path: string; target: Pick<Target, 'path'> },
): { block: DirectoryBlock; at: number } {
  const place = findPlace(root, path);
  if (place) return place;
  const full: RepositoryPath = `${target.path}/${path}`;
  throw new MlvError('PATH_UNSUPPORTED', `'${full}' cannot be added: a rule leaves it out of '${target.path}'`, {
    hint: `look into the .mlvignore files above it: ${parentOf(full)}`,
    data: { path: full },
  });
}
