import type { GitContext } from './context.js';
import { NO_HOOKS } from './no-hooks.js';

/**
 * Checks a commit out into a linked working tree of its own: no branch moves, no hook is run. `path` must not be there.
 * Error: `GIT_FAILED`.
 */
export async function addWorktree(context: GitContext, path: string, commit: string): Promise<void> {
  await context.run([...NO_HOOKS, 'worktree', 'add', '--quiet', '--detach', path, commit]);
}

/** Takes a linked working tree away, with everything in it. Error: `GIT_FAILED`. */
export async function removeWorktree(context: GitContext, path: string): Promise<void> {
  await context.run(['worktree', 'remove', '--force', '--force', path]);
}
