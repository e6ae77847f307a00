import { rmSync } from 'node:fs';
import type { RepositoryPath } from '../workspace/paths.js';
import { StatIndex } from '../workspace/stat-index.js';
import { status } from '../workspace/status.js';
import type { OpenRepository } from './context.js';
import type { Session } from './session.js';

/**
 * Files whose content is not what their pointer says, though the stat index takes them for unchanged: a disk that lost
 * bytes, or a tool that puts times back. Reads every file of the targets. With `repair` the index forgets those targets,
 * so that `mlv status` shows the files and `mlv checkout --force` replaces them.
 */
export async function unnoticedChanges(
  session: Session,
  repository: OpenRepository,
  { paths, repair }: { paths: readonly RepositoryPath[]; repair: boolean },
): Promise<RepositoryPath[]> {
  const options = { reporter: session.reporter, signal: session.signal };
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

async function withEmptyIndex<T>(repository: OpenRepository, use: (fresh: OpenRepository) => Promise<T>): Promise<T> {
  const directory = repository.cache.temporary.next();
  try {
    return await use({ ...repository, index: new StatIndex(directory, repository.hash) });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
