import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { RepositoryLayout } from '../git/git.js';
import type { ObjectCache } from '../objects/cache.js';
import { isForGroup } from '../objects/group-directory.js';
import { ALGORITHMS } from '../objects/oid.js';
import type { FileCount } from '../objects/temporary-files.js';
import { isOwnCache, otherTenants } from './cache-tenants.js';

/** What a cache consists of. */
export interface CacheInfo {
  directory: string;
  /** True for the one in the repository's own Git directory. */
  own: boolean;
  /** True where a group may write to it. */
  group: boolean;
  algorithms: { algorithm: string; objects: number; bytes: number }[];
  /** Files on their way into the cache. */
  temporary: FileCount;
  /** Of these, what killed processes left. */
  stale: FileCount;
  /** Damaged objects that were set aside. */
  corrupt: FileCount;
  /** Other repositories that use it. */
  repositories: { worktree: string; commonDir: string }[];
}

/** Looks at every object of a cache, of all algorithms, without reading any. Errors: `FILE_SYSTEM`, those of otherTenants. */
export function cacheInfo(cache: ObjectCache, layout: RepositoryLayout): CacheInfo {
  const { directory } = cache;
  const algorithms: CacheInfo['algorithms'] = [];
  for (const algorithm of ALGORITHMS) {
    const { files, bytes } = countObjects(join(cache.objectsDirectory, algorithm));
    if (files > 0) algorithms.push({ algorithm, objects: files, bytes });
  }
  const temporary = cache.temporary.count();
  return {
    directory,
    own: isOwnCache(directory, layout),
    group: isForGroup(directory),
    algorithms,
    temporary: temporary.all,
    stale: temporary.stale,
    corrupt: count(join(directory, 'corrupt')),
    repositories: otherTenants(directory, layout).map(({ worktree, commonDir }) => ({ worktree, commonDir })),
  };
}

function countObjects(folder: string): FileCount {
  const total = { files: 0, bytes: 0 };
  for (const prefix of namesIn(folder)) {
    if (!/^[0-9a-f]{2}$/.test(prefix)) continue;
    const { files, bytes } = count(join(folder, prefix), (name) => /^[0-9a-f]{62}$/.test(name));
    total.files += files;
    total.bytes += bytes;
  }
  return total;
}

function count(folder: string, wanted: (name: string) => boolean = () => true): FileCount {
  const total = { files: 0, bytes: 0 };
  for (const name of namesIn(folder)) {
    const stat = statSync(join(folder, name), { throwIfNoEntry: false });
    if (!stat?.isFile() || !wanted(name)) continue;
    total.files++;
    total.bytes += stat.size;
  }
  return total;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
