import { isMlvError } from '../core/errors.js';
import { Completeness } from './completeness.js';
import { loadParts } from './part-store.js';
import { isDirectoryTarget, type Target } from './pointers.js';
import { forgetInIndex, lookAtFiles, removeDirectory, removeFile } from './remove-content.js';
import type { Repository } from './repository.js';

/** What became of the content of targets whose pointers are gone. */
export interface GoneReport {
  removed: Target[];
  /** Left in the workspace: changed since, or not in the cache. */
  kept: Target[];
}

/**
 * Removes from the workspace what belongs to pointers that another commit does not have, as Git does with its own
 * files. What differs from the pointer that it had, or could not be brought back from the cache, stays. Errors:
 * `FILE_SYSTEM`.
 */
export async function removeGone(
  repository: Repository,
  targets: readonly Target[],
  options: { signal?: AbortSignal } = {},
): Promise<GoneReport> {
  const report: GoneReport = { removed: [], kept: [] };
  const completeness = new Completeness(repository.cache, `${repository.cache.directory}/complete`);
  const parts = loadParts(repository.layout);
  for (const target of targets) {
    const { path, pointer } = target;
    const missing = completeness.missing(pointer.oid, isDirectoryTarget(target), pointer.size, parts.get(path));
    const done = missing.objects === 0 && (await removeOne(repository, target, options.signal));
    (done ? report.removed : report.kept).push(target);
  }
  forgetInIndex(repository, report.removed);
  return report;
}

async function removeOne(repository: Repository, target: Target, signal?: AbortSignal): Promise<boolean> {
  try {
    if (isDirectoryTarget(target)) await removeDirectory(repository, target, signal);
    else removeFile(repository, target, (await lookAtFiles(repository, [target], signal)).root);
    return true;
  } catch (error) {
    if (isMlvError(error, 'UNSAVED_CHANGES')) return false;
    throw error;
  }
}
