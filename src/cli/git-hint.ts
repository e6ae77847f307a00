import { lstatSync } from 'node:fs';
import { absolutePath, forDisplay, type RepositoryPath } from '../workspace/paths.js';
import type { Repository } from '../workspace/repository.js';
import { shellQuote } from './render/quote.js';

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
  const tracked = new Set(await repository.git.trackedFiles(files));
  const known = files.filter((file) => tracked.has(file) || isThere(repository, file));
  if (known.length === 0) return undefined;
  if (known.length > NAMES) return "git add -- ':(top)**.mlv' ':(top)**.gitignore'";
  return `git add -- ${known.map((file) => shellQuote(forDisplay(repository.layout, file))).join(' ')}`;
}

function isThere(repository: Repository, file: RepositoryPath): boolean {
  return lstatSync(absolutePath(repository.layout, file), { throwIfNoEntry: false }) !== undefined;
}
