import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GitContext } from './context.js';
import { gitFailed, gitNotFound } from './process.js';

/** What `git init` and `git clone` write, so that Git need not be asked: nothing else of a clone's own file can overrule it. */
const SAYS_TRUE = /^\[core\][^[]*?\n[ \t]*filemode[ \t]*=[ \t]*true[ \t]*\r?$/im;
/** More than one place, or files that this one names, or one that overrules it. */
const MAY_SAY_MORE = /filemode[\s\S]*filemode|include|worktreeconfig/i;
/** Settings of a single run: `git -c`, and what scripts give. */
const OF_ENVIRONMENT = ['GIT_CONFIG_PARAMETERS', 'GIT_CONFIG_COUNT'];

/**
 * Gives `core.fileMode` of Git's configuration when it is asked the first time: false where the executable bit on the disk
 * says nothing (FAT, exFAT, SMB, drives of Windows). Synchronous, because walks are; costs a Git process only where the
 * clone's own file leaves a doubt. Errors of the answer: `GIT_FAILED`, `GIT_NOT_FOUND`.
 */
export function fileModeOf(context: GitContext): () => boolean {
  let known: boolean | undefined;
  return () => {
    known ??= isTrusted(context);
    return known;
  };
}

function isTrusted(context: GitContext): boolean {
  if (process.platform === 'win32') return false;
  return saysTrue(context) || askGit(context);
}

function saysTrue({ layout, env }: GitContext): boolean {
  if (OF_ENVIRONMENT.some((name) => env[name] !== undefined)) return false;
  try {
    const text = readFileSync(join(layout.commonDir, 'config'), 'utf8');
    return SAYS_TRUE.test(text) && !MAY_SAY_MORE.test(text);
  } catch {
    // Git says what is wrong with it, or does without.
    return false;
  }
}

function askGit({ layout, env }: GitContext): boolean {
  const args = ['config', '--type=bool', '--get', 'core.fileMode'];
  const { status, stdout, stderr, error } = spawnSync('git', args, {
    ...{ cwd: layout.worktree, env, encoding: 'utf8', windowsHide: true },
  });
  if (error) throw gitNotFound(error);
  // 1 is "not set", whose default is true.
  if (status !== 0 && status !== 1) throw gitFailed(args, { code: status, stderr, directory: layout.worktree });
  return stdout.trim() !== 'false';
}
