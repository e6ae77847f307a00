import { lstatSync } from 'node:fs';
import { MlvError } from '../core/errors.js';
import { shellQuote } from '../core/shell-quote.js';
import { CacheBatch } from '../objects/cache-batch.js';
import { digestOf } from '../objects/oid.js';
import { entryAt } from '../objects/tree-diff.js';
import type { TreeEntry } from '../objects/tree-format.js';
import { findPlace } from './add-inside.js';
import { hashingSink } from './content-sinks.js';
import type { DirectoryBlock } from './directory-block.js';
import { type EditedTarget, editTargets } from './edit-targets.js';
import { absolutePath, type RepositoryPath } from './paths.js';
import type { Target } from './pointers.js';
import type { RemoveOptions } from './remove.js';
import { removePath, removeSeen, unsavedChanges } from './remove-content.js';
import type { Repository } from './repository.js';
import { walkTarget } from './scan-target.js';
import { unsavedFiles } from './unsaved-files.js';
import { cacheLoader } from './workspace-trees.js';

/** Paths of one tracked directory. */
export interface PathsInside {
  target: Target;
  /** Below the directory. */
  paths: readonly string[];
}

/**
 * Takes paths out of tracked directories: out of the trees, and out of the workspace where they are here, unless `keep`.
 * What is not here is not needed. Errors: `PATH_NOT_FOUND`, `UNSAVED_CHANGES` before anything is removed, those of
 * editTargets.
 */
export async function removeInside(
  repository: Repository,
  inside: readonly PathsInside[],
  options: RemoveOptions = {},
): Promise<EditedTarget[]> {
  for (const each of inside) checkThere(repository, each);
  const looks = options.keep
    ? []
    : inside
        .filter((each) => isHere(repository, each))
        .map((each) => ({ ...each, root: walkInside(repository, each) }));
  for (const look of looks) {
    await look.root.pending.read(hashingSink(repository.hash, abortOf(options)), {
      worktree: repository.layout.worktree,
      racyFrom: 0,
      ...abortOf(options),
    });
  }
  if (!options.force)
    refuseUnsaved(
      repository,
      looks.map((look) => ({ ...look, root: look.root.root })),
    );
  // First, so that what a kill in between took away can be removed, or checked out, again.
  for (const look of looks) removeLooked(repository, { ...look, root: look.root.root }, options);
  const batch = new CacheBatch(repository.cache);
  try {
    return await editTargets(
      repository,
      inside.map(({ target, paths }) => ({
        path: target.path,
        edits: () => paths.map((path) => ({ path, entry: undefined })),
      })),
      batch,
    );
  } finally {
    batch.abandon();
  }
}

function abortOf({ signal }: RemoveOptions): { signal?: AbortSignal } {
  return signal ? { signal } : {};
}

function isHere({ layout }: Repository, { target }: PathsInside): boolean {
  return lstatSync(absolutePath(layout, target.path), { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function walkInside(repository: Repository, { target, paths }: PathsInside): ReturnType<typeof walkTarget> {
  const known = repository.index.load(target.path);
  return walkTarget(repository, target.path, { ...(known && { previous: known.block }), only: paths });
}

/** The entries of a tracked directory's tree at some paths. Error: `PATH_NOT_FOUND` for one that is not there. */
export function entryInside(repository: Repository, target: Target, path: string): TreeEntry {
  const entry = entryAt(digestOf(target.pointer.oid), path, cacheLoader(repository.cache));
  if (entry) return entry;
  throw new MlvError('PATH_NOT_FOUND', `'${target.path}/${path}' is not in the tracked directory '${target.path}'`, {
    hint: `mlv ls ${shellQuote(target.path)} shows what is; what was never added is removed with rm`,
    data: { path: `${target.path}/${path}` },
  });
}

function checkThere(repository: Repository, { target, paths }: PathsInside): void {
  for (const path of paths) entryInside(repository, target, path);
}

function refuseUnsaved(repository: Repository, looks: readonly { target: Target; root: DirectoryBlock }[]): void {
  const { cache } = repository;
  const load = cacheLoader(cache);
  const isSaved = ({ digest, size }: { digest: Buffer; size: number }): boolean =>
    cache.hasHex(digest.toString('hex'), size);
  const unsaved = looks.flatMap(({ target: { path, pointer }, root }) => [
    ...unsavedFiles({ path, block: root, digest: digestOf(pointer.oid) }, { load, isSaved }),
  ]);
  if (unsaved.length > 0) throw unsavedChanges(unsaved);
}

/** Removes what a walk of single paths found, as it found it, and leaves the directories above. */
function removeLooked(
  repository: Repository,
  { target, paths, root }: PathsInside & { root: DirectoryBlock },
  options: RemoveOptions,
): void {
  const kept: RepositoryPath[] = [];
  for (const path of paths) {
    const place = findPlace(root, path);
    const full = `${target.path}/${path}`;
    if (place && options.force) removePath(absolutePath(repository.layout, full));
    else if (place) removeSeen(repository, { path: full, ...place }, kept);
  }
  if (kept.length > 0) throw unsavedChanges(kept);
}
