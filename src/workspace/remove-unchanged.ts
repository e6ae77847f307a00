import { isMlvError, MlvError } from '../core/errors.js';
import { inShellQuotes } from '../core/shell-quote.js';
import type { RepositoryPath } from './paths.js';
import { isDirectoryTarget, type Target } from './pointers.js';
import { forgetInIndex, lookAtFiles, removeDirectory, removeFile } from './remove-content.js';
import type { Repository } from './repository.js';
import { status, type TargetStatus } from './status.js';

/**
 * Stops where the workspace holds anything of some targets that their pointers do not name. Files that are missing are no
 * such thing. Gives the targets that are in the workspace. Errors: `UNSAVED_CHANGES`, those of status.
 */
export async function requireUnchanged(
  repository: Repository,
  targets: readonly Target[],
  signal?: AbortSignal,
): Promise<Set<RepositoryPath>> {
  if (targets.length === 0) return new Set();
  const paths = targets.map(({ path }) => path);
  const found = await status(repository, paths, signal ? { signal } : {});
  const wanted = new Set(paths);
  const states = found.targets.filter(({ path }) => wanted.has(path));
  const changed = states.filter(isChanged).map(({ path }) => path);
  if (changed.length > 0) throw localChanges(changed);
  return new Set(states.filter(({ state }) => state !== 'deleted').map(({ path }) => path));
}

function isChanged({ state, detailsMissing, changes }: TargetStatus): boolean {
  if (state === 'unchanged' || state === 'deleted') return false;
  return state === 'type' || detailsMissing || changes.some(({ kind }) => kind !== 'deleted');
}

/**
 * Takes targets out of the workspace, each file as it was seen to hold what its pointer says; pointers and ignored files
 * stay. Error: `UNSAVED_CHANGES` for what was written to in between, which stays.
 */
export async function removeUnchanged(
  repository: Repository,
  targets: readonly Target[],
  signal?: AbortSignal,
): Promise<void> {
  const removed: Target[] = [];
  try {
    const files = targets.filter((target) => !isDirectoryTarget(target));
    const look = files.length > 0 ? await lookAtFiles(repository, files, signal) : undefined;
    for (const target of files) {
      if (look) removeFile(repository, target, look.root);
      removed.push(target);
    }
    for (const target of targets.filter(isDirectoryTarget)) {
      await removeDirectory(repository, target, signal);
      removed.push(target);
    }
  } catch (error) {
    if (isMlvError(error, 'UNSAVED_CHANGES')) throw localChanges((error.data.paths ?? []) as RepositoryPath[]);
    throw error;
  } finally {
    forgetInIndex(repository, removed);
  }
}

function localChanges(paths: readonly RepositoryPath[]): MlvError {
  const [first = ''] = paths;
  return new MlvError('UNSAVED_CHANGES', `'${first}' differs from its pointer; it was not dropped`, {
    hint: `record it: mlv add ${inShellQuotes(first)} && mlv push ${inShellQuotes(first)}   (or throw the changes away: mlv checkout --force ${inShellQuotes(first)})`,
    data: { paths },
  });
}
