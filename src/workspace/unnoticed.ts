import { rmSync } from 'node:fs';
import type { Reporter } from '../core/reporter.js';
import type { RepositoryPath } from './paths.js';
import type { Repository } from './repository.js';
import { StatIndex } from './stat-index.js';
import { status } from './status.js';

/**
 * Files whose content is not what their pointer says, though the stat index takes them for unchanged: a disk that lost
 * bytes, or a tool that puts times back. Reads every file of the targets at or below `paths` (all when empty). With
 * `repair` the index forgets those targets, so that `mlv status` shows the files and `mlv checkout --force` replaces them.
 * Errors: those of status.
 */
export async function unnoticedChanges(
  repository: Repository,
  paths: readonly RepositoryPath[],
  { repair, ...options }: { repair: boolean; reporter: Reporter; signal: AbortSignal },
): Promise<RepositoryPath[]> {
  const known = await status(repository, paths, options);
  const noticed = new Set(known.targets.flatMap(({ changes }) => changes.map(({ path }) => path)));
  const real = await withEmptyIndex(repository, (fresh) => status(fresh, paths, options));
  const unnoticed: RepositoryPath[] = [];
  for (const { path: target, directory, changes } of real.targets) {
    const found = changes.filter(({ path }) => !noticed.has(path));
    if (found.length > 0 && repair) repository.index.forget(directory ? target : '');
    unnoticed.push(...found.map(({ path }) => path));
  }
  return unnoticed;
}

async function withEmptyIndex<T>(repository: Repository, use: (fresh: Repository) => Promise<T>): Promise<T> {
  const directory = repository.cache.temporary.next();
  try {
    return await use({ ...repository, index: new StatIndex(directory, repository.hash) });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
