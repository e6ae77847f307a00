import { MlvError } from '../core/errors.js';
import { CacheBatch } from '../objects/cache-batch.js';
import type { Oid } from '../objects/oid.js';
import type { RepositoryPath } from '../workspace/paths.js';
import type { Repository } from '../workspace/repository.js';

/** What a workspace has beyond its commit, as an object. */
export interface StoredDifference {
  oid: Oid;
  size: number;
  /** Untracked files that are too large to be in it, or named as secrets are. */
  leftOut: readonly RepositoryPath[];
}

/**
 * Stores what the workspace has beyond HEAD as an object of the cache: a patch that `git apply` takes. Undefined for a
 * clean workspace. Errors: `WORKSPACE_DIRTY` where it is too large, `DISK_FULL`, `FILE_SYSTEM`, `GIT_FAILED`.
 */
export async function storeDifference({ git, cache }: Repository): Promise<StoredDifference | undefined> {
  const difference = await git.workingDifference(cache.temporary.next());
  if (!difference) return undefined;
  const { patch, paths, leftOut } = difference;
  if (patch === undefined) {
    throw new MlvError('WORKSPACE_DIRTY', 'what is not committed is larger than 64 MiB and cannot be kept', {
      hint: 'commit it, or track large files with mlv add',
      data: { paths },
    });
  }
  const digest = cache.hash.digest(patch);
  const batch = new CacheBatch(cache);
  batch.addBytes(patch, digest.toString('hex'));
  await batch.commit();
  return { oid: cache.oid(digest), size: patch.length, leftOut };
}
