import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isMlvError } from '../core/errors.js';
import type { GitContext } from './context.js';
import { nulTerminated } from './paths.js';

const FROM_STDIN = ['--pathspec-from-file=-', '--pathspec-file-nul'];

/**
 * Stages files, with `force` also ignored ones; waits up to about five seconds for another Git process that holds
 * the index. Error: `GIT_FAILED` (a path that is nowhere, and nothing is staged then; an ignored path without `force`,
 * and the other paths are staged).
 */
export async function stage(context: GitContext, paths: readonly string[], force: boolean): Promise<void> {
  if (paths.length === 0) return;
  const args = ['-c', 'advice.addIgnoredFile=false', 'add', ...(force ? ['--force'] : []), ...FROM_STDIN];
  await changeIndex(context, args, nulTerminated(paths));
}

/** Takes paths, and what lies below them, out of the index; a path that is not in it is not an error. */
export async function unstage(context: GitContext, paths: readonly string[]): Promise<void> {
  if (paths.length === 0) return;
  const args = ['rm', '--cached', '-r', '--force', '--quiet', '--ignore-unmatch', ...FROM_STDIN];
  await changeIndex(context, args, nulTerminated(paths));
}

const LOCKED_ATTEMPTS = 100;
const UNEXPLAINED_ATTEMPTS = 8;
const WAIT_MS = 50;

// A lost race for the index is not told apart from other failures by its exit code. Where the lock is seen, or the index
// is another one than before the attempt, that is the reason, and waiting helps. Otherwise whoever held the lock may
// have let it go without a change: a few more attempts, at random distances so that rivals do not meet again, tell at
// the price of some milliseconds.
async function changeIndex(context: GitContext, args: string[], input: string): Promise<void> {
  const index = indexPath(context);
  let unexplained = 0;
  for (let attempt = 1; ; attempt += 1) {
    const before = identity(index);
    try {
      await context.run(args, { input });
      return;
    } catch (error) {
      if (!isMlvError(error, 'GIT_FAILED') || attempt === LOCKED_ATTEMPTS) throw error;
      // In this order: a lock that is not there any more became the index, or was for nothing.
      const locked = existsSync(`${index}.lock`);
      unexplained = locked || identity(index) !== before ? 0 : unexplained + 1;
      if (unexplained === UNEXPLAINED_ATTEMPTS) throw error;
      await sleep(locked ? WAIT_MS * (0.5 + Math.random()) : 2 + 10 * Math.random());
    }
  }
}

function indexPath({ env, layout }: GitContext): string {
  return env.GIT_INDEX_FILE ? resolve(layout.worktree, env.GIT_INDEX_FILE) : join(layout.gitDir, 'index');
}

/** What is another one whenever Git has put a new index in the place of the old. */
function identity(path: string): string {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat ? `${stat.ino} ${stat.ctimeNs} ${stat.size}` : '';
}
