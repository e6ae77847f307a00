import { spawnSync } from 'node:child_process';
import { cleanEnvironment } from './cli.js';
import { temporaryDirectory } from './temporary-directory.js';

/** Runs Git in `cwd` with the clean environment of the tests; fails with Git's own words. Gives its standard output. */
export function git(cwd: string, ...args: string[]): string {
  const result = spawnSync('git', args, { cwd, env: cleanEnvironment(), encoding: 'utf8', maxBuffer: 256 << 20 });
  if (result.error) throw result.error;
  if (result.status !== 0) throw new Error(`git ${args.join(' ')} ended with ${result.status}: ${result.stderr}`);
  return result.stdout;
}

/** Makes an empty Git repository with an identity and the branch `main` in a temporary directory; gives its path. */
export function makeRepository(options: { name?: string; bare?: boolean } = {}): string {
  const path = temporaryDirectory(options.name ?? 'repository');
  git(path, 'init', '--quiet', '--initial-branch=main', ...(options.bare ? ['--bare'] : []));
  configureRepository(path);
  return path;
}

/** Clones a repository into a temporary directory, with an identity; gives the clone's path. */
export function cloneRepository(source: string, ...options: string[]): string {
  const path = temporaryDirectory('clone');
  git(path, 'clone', '--quiet', ...options, source, path);
  configureRepository(path);
  return path;
}

/** Commits everything that is changed and not ignored; gives the commit's name. */
export function commitAll(cwd: string, message = 'a change'): string {
  git(cwd, 'add', '--all');
  git(cwd, 'commit', '--quiet', '--message', message);
  return git(cwd, 'rev-parse', 'HEAD').trim();
}

function configureRepository(path: string): void {
  git(path, 'config', 'user.name', 'Test Author');
  git(path, 'config', 'user.email', 'author@example.com');
  git(path, 'config', 'commit.gpgsign', 'false');
  // Checked-out bytes must be the committed bytes on every system.
  git(path, 'config', 'core.autocrlf', 'false');
}
