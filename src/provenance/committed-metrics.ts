import type { Git } from '../git/git.js';
import type { RepositoryPath } from '../workspace/paths.js';

/** The files of metrics that belong into a commit: all that Git does not ignore. Errors: those of Git. */
export async function committedMetrics(
  git: Pick<Git, 'ignoredPaths'>,
  paths: readonly RepositoryPath[],
): Promise<RepositoryPath[]> {
  if (paths.length === 0) return [];
  const ignored = await git.ignoredPaths(paths);
  return paths.filter((path) => !ignored.has(path));
}
