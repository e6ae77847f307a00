import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GitContext } from './context.js';
import type { DiskSettings } from './git.js';
import { gitFailed, gitNotFound } from './process.js';

/** What `git init` and `git clone` write, so that Git need not be asked: nothing else of a clone's own file can overrule it. */
const SAYS_TRUE = /^\[core\][^[]*?\n[ \t]*filemode[ \t]*=[ \t]*true[ \t]*\r?$/im;
/** More than one place, or files that this one names, or one that overrules it. */
const MAY_SAY_MORE = /filemode[\s\S]*filemode|include|worktreeconfig/i;
/** Settings of a single run: `git -c`, and what scripts give. */
const OF_ENVIRONMENT = ['GIT_CONFIG_PARAMETERS', 'GIT_CONFIG_COUNT'];

/**
 * `core.fileMode` and `core.symlinks` of Git's configuration, each asked for when it is needed the first time. Synchronous,
 * because walks are; costs a Git process only where the clone's own file leaves a doubt. Errors of the answers:
 * `GIT_FAILED`, `GIT_NOT_FOUND`.
 */
export function diskSettings(context: GitContext): DiskSettings {
  let mode: boolean | undefined;
  let links: boolean | undefined;
  const trustsFileMode = (): boolean => {
    mode ??= process.platform !== 'win32' && (saysTrue(context) || askGit(context, 'core.fileMode'));
    return mode;
  };
  const makesLinks = (): boolean => {
    links ??= trustsFileMode() || askGit(context, 'core.symlinks');
    return links;
  };
  return { trustsFileMode, makesLinks };
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

/** Both are true where nothing is said. */
function askGit({ layout, env }: GitContext, key: 'core.fileMode' | 'core.symlinks'): boolean {
  const args = ['config', '--type=bool', '--get', key];
  const { status, stdout, stderr, error } = spawnSync('git', args, {
    ...{ cwd: layout.worktree, env, encoding: 'utf8', windowsHide: true },
  });
  if (error) throw gitNotFound(error);
  // 1 is "not set".
  if (status !== 0 && status !== 1) throw gitFailed(args, { code: status, stderr, directory: layout.worktree });
  return stdout.trim() !== 'false';
}
