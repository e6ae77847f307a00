import { lstatSync, rmSync } from 'node:fs';
import { fileSystemError, MlvError } from '../core/errors.js';
import { inShellQuotes } from '../core/shell-quote.js';
import { digestOf } from '../objects/oid.js';
import { diffTrees } from '../objects/tree-diff.js';
import { completeTarget } from './absent-entries.js';
import { type PathChange, reportChanges } from './change-report.js';
import { hashingSink } from './content-sinks.js';
import type { DirectoryBlock } from './directory-block.js';
import { FileTable } from './file-table.js';
import { loadParts } from './part-store.js';
import { absolutePath, type RepositoryPath } from './paths.js';
import { isDirectoryTarget, type Target } from './pointers.js';
import type { Repository } from './repository.js';
import { walkTarget } from './scan-target.js';
import { sealTrees } from './seal.js';
import type { Walk } from './walk.js';
import { holdsContent, removeIfEmpty } from './workspace-files.js';
import { blockLoader, cacheLoader } from './workspace-trees.js';

/** The error for targets whose content would be lost. */
export function unsavedChanges(paths: readonly RepositoryPath[]): MlvError {
  return new MlvError('UNSAVED_CHANGES', `'${paths[0]}' holds content that is in no object; it would be lost`, {
    hint: `save it: mlv add ${inShellQuotes(paths[0] ?? '')}   (or give --keep to leave the files, --force to lose them)`,
    data: { paths },
  });
}

/** True for a change that is in no object of the pointer. */
export function isUnsaved({ kind }: PathChange): boolean {
  return kind !== 'deleted' && kind !== 'renamed' && kind !== 'mode';
}

/**
 * Looked at again, because files of other targets were hashed since the first check; what goes then is each file as this
 * look saw it, and nothing else. Error: `UNSAVED_CHANGES`.
 */
export async function lookAtFiles(
  repository: Repository,
  targets: readonly Target[],
  signal?: AbortSignal,
): Promise<Walk> {
  const paths = targets.map(({ path }) => path);
  const look = new FileTable(repository.index.loadFiles()).look(repository, paths);
  await readAgain(repository, look, signal);
  const changed = targets.filter((target) => isChangedFile(target, look.root)).map(({ path }) => path);
  if (changed.length > 0) throw unsavedChanges(changed);
  return look;
}

function isChangedFile({ path, pointer }: Target, now: DirectoryBlock): boolean {
  const at = now.find(path);
  return at >= 0 && !now.digestAt(at).equals(digestOf(pointer.oid));
}

/** Removes a file target that is as the look saw it. Error: `UNSAVED_CHANGES`. */
export function removeFile(repository: Repository, { path }: Target, look: DirectoryBlock): void {
  const at = look.find(path);
  if (at < 0 && lstatSync(absolutePath(repository.layout, path), { throwIfNoEntry: false }))
    throw unsavedChanges([path]);
  if (at >= 0 && !removeAsSeen(repository, path, { block: look, index: at })) throw unsavedChanges([path]);
}

/**
 * Removes a directory target that holds what its pointer says. What is not tracked (ignored files, a repository inside)
 * is left, and the directories that hold it. Error: `UNSAVED_CHANGES`.
 */
export async function removeDirectory(repository: Repository, target: Target, signal?: AbortSignal): Promise<void> {
  const { layout, index } = repository;
  const absolute = absolutePath(layout, target.path);
  const stat = lstatSync(absolute, { throwIfNoEntry: false });
  if (!stat) return;
  if (!stat.isDirectory()) throw unsavedChanges([target.path]);
  const known = index.load(target.path);
  const walk = walkTarget(repository, target.path, known ? { previous: known.block } : {});
  await readAgain(repository, walk, signal);
  if (isChanged(repository, target, walk.root)) throw unsavedChanges([target.path]);
  const kept: RepositoryPath[] = [];
  removeListed(repository, { path: target.path, block: walk.root }, kept);
  if (kept.length > 0) throw unsavedChanges(kept);
}

async function readAgain({ hash, layout }: Repository, { pending }: Walk, signal?: AbortSignal): Promise<void> {
  const abort = signal ? { signal } : {};
  // What was read is trusted no further than to the removal: the index is about to forget the target.
  await pending.read(hashingSink(hash, abort), { worktree: layout.worktree, racyFrom: 0, ...abort });
}

/** True when the workspace holds what the target's objects do not. */
function isChanged(repository: Repository, target: Target, now: DirectoryBlock): boolean {
  const { cache, hash, layout } = repository;
  const wanted = digestOf(target.pointer.oid);
  sealTrees(now, hash, () => {});
  if (now.treeDigest.equals(wanted)) return false;
  const { root } = completeTarget(repository, target, { block: now, parts: loadParts(layout) });
  sealTrees(root, hash, () => {});
  const load = cacheLoader(cache);
  const after = { digest: root.treeDigest, load: blockLoader(root, load) };
  return reportChanges(diffTrees({ digest: wanted, load }, after), '').some(isUnsaved);
}

/** Removes a file, or a directory and what a walk found in it; takes what is not as the walk saw it, and stays. */
export function removeSeen(
  repository: Repository,
  { path, block, at }: { path: RepositoryPath; block: DirectoryBlock; at: number },
  kept: RepositoryPath[],
): void {
  const child = block.children.get(at);
  if (child) removeListed(repository, { path, block: child }, kept);
  else if (!removeAsSeen(repository, path, { block, index: at })) kept.push(path);
}

function removeListed(
  repository: Repository,
  { path, block }: { path: RepositoryPath; block: DirectoryBlock },
  kept: RepositoryPath[],
): void {
  for (const [index, name] of block.names.entries()) {
    const child = block.children.get(index);
    if (child) removeListed(repository, { path: `${path}/${name}`, block: child }, kept);
    else if (!removeAsSeen(repository, `${path}/${name}`, { block, index })) kept.push(`${path}/${name}`);
  }
  removeIfEmpty(absolutePath(repository.layout, path));
}

/** False, and nothing happens, when the file is not the one that was looked at. */
function removeAsSeen(
  { hash, layout }: Repository,
  path: RepositoryPath,
  { block, index }: { block: DirectoryBlock; index: number },
): boolean {
  const absolute = absolutePath(layout, path);
  const stat = lstatSync(absolute, { throwIfNoEntry: false });
  if (!stat) return true;
  const isSeen = block.sameVersion(block.names[index] as string, stat);
  // Removing one hard link moves the change time of the others: then their content tells.
  if (!isSeen && !holdsContent(hash, absolute, stat, block.entryAt(index))) return false;
  removePath(absolute);
  return true;
}

/** Takes targets out of the stat index, in one edit. Error: `FILE_SYSTEM`. */
export function forgetInIndex({ index }: Repository, removed: readonly Target[]): void {
  for (const target of removed) if (isDirectoryTarget(target)) index.forget(target.path);
  const files = removed.filter((target) => !isDirectoryTarget(target)).map(({ path }) => path);
  if (files.length === 0) return;
  const table = new FileTable(index.loadFiles());
  table.remove(new Set(files));
  index.saveFiles(table.block);
}

/** Removes a file or directory, if it is there. Error: `FILE_SYSTEM`. */
export function removePath(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch (error) {
    throw fileSystemError('remove', path, error);
  }
}
