import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { temporaryDirectory } from './temporary-directory.js';

/**
 * An environment for Git that nothing on the machine influences: no configuration, a fixed identity, and none of the
 * `GIT_` variables that a hook would hand down.
 */
export function gitTestEnvironment(overrides: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_'));
  return {
    ...Object.fromEntries(inherited),
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_AUTHOR_NAME: 'Ada',
    GIT_AUTHOR_EMAIL: 'ada@example.com',
    GIT_COMMITTER_NAME: 'Ada',
    GIT_COMMITTER_EMAIL: 'ada@example.com',
    ...overrides,
  };
}

/** A real repository in a directory of its own. */
export interface TestRepository {
  /** Top of the working tree, real path. */
  readonly dir: string;
  /** The environment that its Git runs in. */
  readonly env: NodeJS.ProcessEnv;
  /** Runs Git at the top; its output without the last newline. Throws, with stderr, when Git fails. */
  git(...args: string[]): string;
  /** Writes a file, with the directories on the way. */
  write(path: string, content: string | Buffer): void;
  /** Writes the files given, stages everything, commits, and gives the new commit's name. */
  commit(message: string, files?: Record<string, string>): string;
}

/** How a test repository differs from the plain one. */
export interface TestRepositoryOptions {
  /** Where; a new temporary directory by default. */
  dir?: string;
  /** Further arguments of `git init`; false where the repository is there already (a clone, a worktree). */
  init?: readonly string[] | false;
  env?: NodeJS.ProcessEnv;
}

/** Makes a repository with `main` as its branch, or wraps one that is there. */
export function testRepository(options: TestRepositoryOptions = {}): TestRepository {
  const { dir = temporaryDirectory(), init = [], env = gitTestEnvironment() } = options;
  const run = (...args: string[]): string => {
    const output = execFileSync('git', args, { cwd: dir, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    return output.replace(/\n$/, '');
  };
  if (init) run('init', '--quiet', '--initial-branch=main', ...init);
  const write = (path: string, content: string | Buffer): void => {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), content);
  };
  const commit = (message: string, files: Record<string, string> = {}): string => {
    for (const [path, content] of Object.entries(files)) write(path, content);
    run('add', '--all');
    run('commit', '--quiet', '--allow-empty', '-m', message);
    return run('rev-parse', 'HEAD');
  };
  return { dir, env, git: run, write, commit };
}

/** Variables that make Git write down its starts, and the number of Git processes started directly with them so far. */
export function processCounter(): { tracing: NodeJS.ProcessEnv; count(): number } {
  const log = join(temporaryDirectory(), 'trace.json');
  const starts = (): string[] =>
    existsSync(log)
      ? readFileSync(log, 'utf8')
          .split('\n')
          .filter((line) => line.includes('"event":"start"'))
      : [];
  // A Git that another Git started has a `parent/child` session id.
  const direct = (line: string): boolean => !(JSON.parse(line) as { sid: string }).sid.includes('/');
  return { tracing: { GIT_TRACE2_EVENT: log }, count: () => starts().filter(direct).length };
}
