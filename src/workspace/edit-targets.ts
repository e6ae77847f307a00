import { MlvError } from '../core/errors.js';
import type { CacheBatch } from '../objects/cache-batch.js';
import { digestOf } from '../objects/oid.js';
import type { TreeLoader } from '../objects/tree-diff.js';
import { editTree, type TreeEdit } from '../objects/tree-edit.js';
import { DirectoryBlock } from './directory-block.js';
import type { RepositoryPath } from './paths.js';
import { nameOf } from './paths.js';
import type { Pointer } from './pointer-format.js';
import { writePointers } from './pointer-write.js';
import { isDirectoryTarget, notTracked, parseTarget, pointerPathOf, readPointerText, type Target } from './pointers.js';
import type { Repository } from './repository.js';
import { cacheLoader } from './workspace-trees.js';

/** Others that write to the same pointer at the same moment are let through that often. */
const ATTEMPTS = 100;

/** What is to change in the tree of a tracked directory: asked again where somebody else changed it meanwhile. */
export interface TargetEdit {
  /** The tracked directory. */
  path: RepositoryPath;
  edits: (tree: { target: Target; load: TreeLoader }) => TreeEdit[];
}

/** A tracked directory whose tree was edited. */
export interface EditedTarget {
  path: RepositoryPath;
  before: Target;
  pointer: Pointer;
}

/**
 * Changes single paths in the trees of tracked directories and writes their pointers, all or none; nothing is needed but
 * the trees on the way. What the new trees name must be in `batch` or the cache, or have been in the trees before. Errors:
 * `PATH_NOT_TRACKED`, those of editTree and of the edits, `DISK_FULL`, `FILE_SYSTEM`.
 */
export async function editTargets(
  repository: Repository,
  wanted: readonly TargetEdit[],
  batch: CacheBatch,
): Promise<EditedTarget[]> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const edited = wanted.map((each) => editOne(repository, each, batch));
    await batch.commit();
    const writes = edited.map(({ path, before, pointer }) => ({ path, pointer, expected: before.text }));
    if (!(await writePointers(repository.layout, writes))) continue;
    for (const each of edited) rememberBase(repository, each);
    return edited;
  }
  const { path } = wanted[0] as TargetEdit;
  throw new MlvError('FILE_SYSTEM', `'${pointerPathOf(path)}' is changed by others all the time`, {
    hint: 'run the command again when they are done',
    data: { path },
  });
}

function editOne(repository: Repository, { path, edits }: TargetEdit, batch: CacheBatch): EditedTarget {
  const { cache, hash } = repository;
  const target = readTarget(repository, path);
  const load = cacheLoader(cache);
  const store = (bytes: Buffer): Buffer => {
    const digest = hash.digest(bytes);
    batch.addBytes(bytes, digest.toString('hex'));
    return digest;
  };
  const tree = editTree(digestOf(target.pointer.oid), edits({ target, load }), { load, store });
  const pointer: Pointer = {
    path: nameOf(path),
    oid: cache.oid(tree.digest),
    size: tree.size,
    files: tree.files,
  };
  if (pointer.oid === target.pointer.oid && target.pointer.run) pointer.run = target.pointer.run;
  return { path, before: target, pointer };
}

/** The tracked directory as its pointer names it at this moment. */
function readTarget({ layout }: Repository, path: RepositoryPath): Target {
  const file = pointerPathOf(path);
  const text = readPointerText(layout, file);
  const target = text === undefined ? undefined : parseTarget(file, text);
  if (!target || !isDirectoryTarget(target)) throw notTracked(path);
  return target;
}

/** The workspace came from the new tree now, as far as it came from the old one. */
function rememberBase({ index }: Repository, { path, before, pointer }: EditedTarget): void {
  const known = index.load(path);
  if (known?.base && !known.base.equals(digestOf(before.pointer.oid))) return;
  index.save(path, { base: digestOf(pointer.oid), block: known?.block ?? new DirectoryBlock([]) });
}
