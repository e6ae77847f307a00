import { randomUUID } from 'node:crypto';
import { existsSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileSystemError, MlvError } from '../core/errors.js';
import { gitEnvironment } from './environment.js';
import type { RepositoryLayout } from './git.js';
import { type GitOutcome, gitFailed, runGit } from './process.js';

/**
 * Finds the repository that `cwd` (absolute) lies in, with one Git process, the way Git itself finds it: GIT_DIR,
 * GIT_WORK_TREE, core.worktree, linked worktrees and submodules count. Where `cwd` is outside a working tree that was
 * named explicitly, `prefix` is empty, as for Git.
 *
 * Errors: `NOT_A_GIT_REPOSITORY`; `WORKTREE_MISSING` in a bare repository or inside the Git directory; `GIT_FAILED` with
 * Git's own words where there is a repository that Git refuses (another owner's, a broken one); `GIT_NOT_FOUND`.
 */
export async function discoverRepository(cwd: string, env: NodeJS.ProcessEnv): Promise<RepositoryLayout> {
  const separator = `--${randomUUID()}`;
  const args = ['rev-parse', '--is-bare-repository', '--is-inside-git-dir', '--absolute-git-dir', separator];
  args.push('--git-common-dir', separator, '--show-prefix', separator, '--show-toplevel');
  const outcome = await runGit(args, { cwd, env: gitEnvironment(env), accept: [0, 1, 128, 129] });
  const answer = parseAnswer(outcome.stdout.toString('utf8'), separator);
  if (outcome.code !== 0) throw discoveryError({ cwd, env, outcome, ...(answer === undefined ? {} : { answer }) });
  if (!answer?.worktree) throw gitFailed(args, { code: outcome.code, stderr: outcome.stderr });
  const worktree = real(resolve(cwd, answer.worktree));
  const gitDir = real(resolve(cwd, answer.gitDir));
  const commonDir = real(resolve(cwd, answer.commonDir));
  return { worktree, gitDir, commonDir, prefix: answer.prefix.replace(/\/$/, '') };
}

interface Answer {
  bare: boolean;
  insideGitDir: boolean;
  gitDir: string;
  commonDir: string;
  prefix: string;
  /** Empty where Git found none. */
  worktree: string;
}

// Git echoes an option that it does not know, which is what keeps a path with newlines in one piece.
function parseAnswer(text: string, separator: string): Answer | undefined {
  const [first = '', commonDir, prefix, worktree = ''] = text.split(`${separator}\n`);
  const match = /^(true|false)\n(true|false)\n([\s\S]+)\n$/.exec(first);
  if (!match || commonDir === undefined || prefix === undefined) return undefined;
  return {
    bare: match[1] === 'true',
    insideGitDir: match[2] === 'true',
    gitDir: match[3] as string,
    commonDir: commonDir.slice(0, -1),
    prefix: prefix.slice(0, -1),
    worktree: worktree.slice(0, -1),
  };
}

function discoveryError(found: {
  cwd: string;
  env: NodeJS.ProcessEnv;
  outcome: GitOutcome;
  answer?: Answer;
}): MlvError {
  const { cwd, env, outcome, answer } = found;
  const stderr = outcome.stderr.trim();
  if (answer?.bare) {
    return new MlvError('WORKTREE_MISSING', `'${answer.gitDir}' is a bare repository: it has no working tree`, {
      hint: 'run mlv in a clone or a linked worktree (`git worktree add`), or set GIT_WORK_TREE',
      data: { gitDir: answer.gitDir, stderr },
    });
  }
  if (answer) {
    const where = answer.insideGitDir ? 'inside the Git directory' : 'outside the working tree';
    return new MlvError('WORKTREE_MISSING', `'${cwd}' is ${where} of the repository '${answer.gitDir}'`, {
      hint: 'change to a directory of the working tree',
      data: { gitDir: answer.gitDir, stderr },
    });
  }
  const refused = env.GIT_DIR ? existsSync(resolve(cwd, env.GIT_DIR)) : hasGitEntryAbove(cwd, env);
  if (refused) return gitFailed(['rev-parse'], { code: outcome.code, stderr });
  return env.GIT_DIR ? wrongGitDir(env.GIT_DIR, stderr) : notARepository(cwd, stderr);
}

function notARepository(cwd: string, stderr: string): MlvError {
  return new MlvError('NOT_A_GIT_REPOSITORY', `'${cwd}' is not inside a Git repository`, {
    hint: 'run `git init` first, or change to a directory of your repository',
    data: { path: cwd, stderr },
  });
}

function wrongGitDir(gitDir: string, stderr: string): MlvError {
  return new MlvError('NOT_A_GIT_REPOSITORY', `GIT_DIR names '${gitDir}', which does not exist`, {
    hint: 'unset GIT_DIR, or let it name the Git directory of a repository (`git init` makes one)',
    data: { path: gitDir, stderr },
  });
}

function hasGitEntryAbove(cwd: string, env: NodeJS.ProcessEnv): boolean {
  const ceilings = new Set((env.GIT_CEILING_DIRECTORIES ?? '').split(delimiter).filter(Boolean));
  for (let directory = cwd; ; directory = dirname(directory)) {
    if (ceilings.has(directory) && directory !== cwd) return false;
    if (existsSync(join(directory, '.git'))) return true;
    if (dirname(directory) === directory) return false;
  }
}

function real(path: string): string {
  try {
    return realpathSync.native(path);
  } catch (error) {
    throw fileSystemError('resolve', path, error);
  }
}
