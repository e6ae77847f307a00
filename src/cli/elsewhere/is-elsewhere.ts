import { existsSync, statSync } from 'node:fs';
import { dirname, join, resolve, sep } from 'node:path';
import { looksLikeGitUrl } from '../../git/elsewhere-address.js';

/**
 * True for an operand that means a repository elsewhere where paths and revisions are expected, too: a Git URL,
 * `user@host:path`, or the top of a repository on this machine that is neither around the current directory nor inside the
 * repository that is (a submodule).
 */
export function isElsewhere(word: string | undefined, cwd: string): word is string {
  if (word === undefined || word === '') return false;
  if (looksLikeGitUrl(word)) return true;
  const path = resolve(cwd, word);
  if (cwd === path || cwd.startsWith(`${path}${sep}`) || !isRepository(path)) return false;
  const top = topAround(cwd);
  return top === undefined || !path.startsWith(`${top}${sep}`);
}

function isRepository(path: string): boolean {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return false;
  return existsSync(join(path, '.git')) || ['HEAD', 'objects', 'refs'].every((name) => existsSync(join(path, name)));
}

function topAround(cwd: string): string | undefined {
  for (let at = cwd; ; at = dirname(at)) {
    if (existsSync(join(at, '.git'))) return at;
    if (dirname(at) === at) return undefined;
  }
}
