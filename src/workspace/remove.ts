import { stageIgnoreFiles, unignoreInGit } from './git-ignore-file.js';
import { forgetParts } from './part-store.js';
import { absolutePath, type RepositoryPath } from './paths.js';
import { isDirectoryTarget, loadTargets, pointerPathOf, type Target, wholeTarget } from './pointers.js';
import {
  forgetInIndex,
  isUnsaved,
  lookAtFiles,
  removeDirectory,
  removeFile,
  removePath,
  unsavedChanges,
} from './remove-content.js';
import type { Repository } from './repository.js';
import { status, type TargetStatus } from './status.js';

export interface RemoveOptions {
  /** Stop tracking, but leave the file or directory in the workspace. */
  keep?: boolean;
  /** Remove also what is in no object. */
  force?: boolean;
  /** Record the removal in Git's index. */
  stage?: boolean;
  signal?: AbortSignal;
}

/**
 * Stops tracking targets: the pointer and its ignore line go, and the bytes in the workspace too unless `keep`.
 * Objects stay in the cache, ignored files in the
 * workspace unless `force`. Errors: `PATH_NOT_TRACKED` for anything but a whole target, `UNSAVED_CHANGES` before
 * anything is removed.
 */
export async function remove(
  repository: Repository,
  paths: readonly RepositoryPath[],
  options: RemoveOptions = {},
): Promise<RepositoryPath[]> {
  const { targets, problems } = await loadTargets(repository);
  const chosen = [...new Set(paths.map((path) => wholeTarget(targets, path, problems)))];
  if (!options.keep && !options.force) await refuseUnsaved(repository, chosen, options.signal);
  const removed: Target[] = [];
  try {
    const files = chosen.filter((target) => !isDirectoryTarget(target));
    const look = options.keep || options.force ? undefined : await lookAtFiles(repository, files, options.signal);
    for (const target of [...files, ...chosen.filter(isDirectoryTarget)]) {
      if (options.force && !options.keep) removePath(absolutePath(repository.layout, target.path));
      else if (look && isDirectoryTarget(target)) await removeDirectory(repository, target, options.signal);
      else if (look) removeFile(repository, target, look.root);
      // Last, so that what a kill in between took away can be checked out again.
      removePath(absolutePath(repository.layout, pointerPathOf(target.path)));
      removed.push(target);
    }
  } finally {
    forget(repository, removed);
    forgetParts(
      repository.layout,
      removed.map(({ path }) => path),
    );
  }
  if (options.stage ?? repository.settings.stage) {
    await repository.git.unstage(chosen.map(({ path }) => pointerPathOf(path)));
    await stageIgnoreFiles(
      repository,
      chosen.map(({ path }) => path),
    );
  }
  return chosen.map(({ path }) => path);
}

async function refuseUnsaved(repository: Repository, targets: readonly Target[], signal?: AbortSignal): Promise<void> {
  const paths = targets.map(({ path }) => path);
  const { targets: states } = await status(repository, paths, signal ? { signal } : {});
  const unsaved = states.filter(holdsUnsaved);
  if (unsaved.length > 0) throw unsavedChanges(unsaved.map(({ path }) => path));
}

/** What the workspace has and the pointer has not, or what the pointer has and the cache has not. */
function holdsUnsaved(status: TargetStatus): boolean {
  if (status.state === 'deleted') return false;
  if (status.state === 'type' || status.detailsMissing || status.missing.objects > 0) return true;
  return status.changes.some(isUnsaved);
}

/** One edit of each ignore file and of the index for all targets that are gone. */
function forget(repository: Repository, removed: readonly Target[]): void {
  unignoreInGit(
    repository,
    removed.map(({ path }) => path),
  );
  forgetInIndex(repository, removed);
}
