import { lstatSync } from 'node:fs';
import { shellQuote } from '../core/shell-quote.js';
import { absolutePath, forDisplay, nameOf, type RepositoryPath } from '../workspace/paths.js';
import { isPointerPath } from '../workspace/pointers.js';
import type { Repository } from '../workspace/repository.js';

/** More names than this make a command that nobody reads; the pattern says the same. */
const NAMES = 8;

/**
 * The `git add` command that records files, for the current directory; undefined where Git has nothing to record, all
 * of them being neither there nor in its index.
 */
export async function gitAddCommand(
  repository: Repository,
  files: readonly RepositoryPath[],
): Promise<string | undefined> {
  const unknown = new Set(files.filter((file) => !isThere(repository, file)));
  for (const file of await repository.git.trackedFiles([...unknown])) unknown.delete(file);
  const known = files.filter((file) => !unknown.has(file));
  if (known.length === 0) return undefined;
  const others = known.filter((file) => !isOwnFile(file));
  const many = known.length > NAMES ? ["':(top)**.mlv'", "':(top)**.gitignore'"] : [];
  const named = many.length > 0 ? others : known;
  return `git add -- ${[...many, ...named.map((file) => shellQuote(forDisplay(repository.layout, file)))].join(' ')}`;
}

/** True for the files that mlv writes for Git: pointers, and lists of what Git is to leave alone. */
export function isOwnFile(file: RepositoryPath): boolean {
  return isPointerPath(file) || nameOf(file) === '.gitignore';
}

function isThere(repository: Repository, file: RepositoryPath): boolean {
  return lstatSync(absolutePath(repository.layout, file), { throwIfNoEntry: false }) !== undefined;
}
