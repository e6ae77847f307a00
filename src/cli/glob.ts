import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { MlvError } from '../core/errors.js';
import { absolutePath, parentOf, type RepositoryPath, toRepositoryPath } from '../workspace/paths.js';
import { POINTER_SUFFIX } from '../workspace/pointer-format.js';
import type { Repository } from '../workspace/repository.js';

const MAGIC = /[*?[\]{}!()]/;

/**
 * The paths that operands name: each literally where that is there, otherwise as a pattern relative to the current
 * directory. Patterns do not match names with a leading dot, pointers, or what lies in a directory that matches too.
 * Errors: `PATH_NOT_FOUND` for a pattern that matches nothing, `PATH_OUTSIDE_REPOSITORY`.
 */
export async function expandPaths(repository: Repository, args: readonly string[]): Promise<RepositoryPath[]> {
  const paths: RepositoryPath[] = [];
  for (const argument of args) {
    const path = toRepositoryPath(repository.layout, argument);
    const literal =
      !MAGIC.test(argument) || lstatSync(absolutePath(repository.layout, path), { throwIfNoEntry: false });
    if (literal) paths.push(path);
    else paths.push(...(await matches(repository, argument)));
  }
  return [...new Set(paths)];
}

async function matches(repository: Repository, pattern: string): Promise<RepositoryPath[]> {
  const { default: glob } = await import('fast-glob');
  const { layout } = repository;
  const names = await glob(pattern, {
    cwd: join(layout.worktree, layout.prefix),
    onlyFiles: false,
    followSymbolicLinks: false,
    ignore: ['**/.git/**', `**/*${POINTER_SUFFIX}`],
    suppressErrors: true,
  });
  const paths = names.map((each) => toRepositoryPath(layout, each)).sort();
  const found = new Set(paths);
  const outermost = paths.filter((path) => !liesInOneOf(path, found));
  if (outermost.length > 0) return outermost;
  throw new MlvError('PATH_NOT_FOUND', `'${pattern}' matches nothing here`, {
    hint: 'a * does not match names that begin with a dot, nor pointers',
    data: { pattern },
  });
}

function liesInOneOf(path: RepositoryPath, directories: ReadonlySet<RepositoryPath>): boolean {
  for (let above = parentOf(path); above !== ''; above = parentOf(above)) if (directories.has(above)) return true;
  return false;
}
