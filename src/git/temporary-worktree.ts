import type { GitContext } from './context.js';
import { NO_HOOKS } from './no-hooks.js';
import { runGit } from './process.js';

/**
 * Checks a commit out into a linked working tree of its own: no branch moves, no hook is run. `path` must not be there.
 * Error: `GIT_FAILED`.
 */
export async function addWorktree(context: GitContext, path: string, commit: string): Promise<void> {
  await context.run([...NO_HOOKS, 'worktree', 'add', '--quiet', '--detach', path, commit]);
}

/**
 * Applies a patch that `git diff --binary` made to the working tree at `directory`. Git refuses paths that leave the tree
 * or lead into `.git`, and applies all of it or nothing. Error: `GIT_FAILED`.
 */
export async function applyPatch({ env }: GitContext, directory: string, patch: Uint8Array): Promise<void> {
  const { GIT_DIR: _dir, GIT_WORK_TREE: _tree, GIT_INDEX_FILE: _index, GIT_COMMON_DIR: _common, ...rest } = env;
  await runGit(['apply', '--binary', '--whitespace=nowarn', '-'], { cwd: directory, env: rest, input: patch });
}

/** Takes a linked working tree away, with everything in it. Error: `GIT_FAILED`. */
export async function removeWorktree(context: GitContext, path: string): Promise<void> {
  await context.run(['worktree', 'remove', '--force', '--force', path]);
}
