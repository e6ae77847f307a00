import { gitEnvironment, repositoryVariables } from './environment.js';
import type { RepositoryLayout } from './git.js';
import { type GitOutcome, type GitProcessOptions, runGit } from './process.js';

/** What a single call of Git may set; see GitProcessOptions. */
export interface GitRunOptions extends Omit<GitProcessOptions, 'cwd' | 'env'> {
  /** `plain` for the one command that refuses literal pathspecs. */
  paths?: 'literal' | 'plain';
  /** Variables added to the environment. */
  env?: NodeJS.ProcessEnv;
}

/** One repository, and the way to run Git in it. */
export interface GitContext {
  readonly layout: RepositoryLayout;
  /** The environment of every Git process in this repository. */
  readonly env: NodeJS.ProcessEnv;
  /** Runs Git at the top of the working tree. Errors as runGit. */
  run(args: readonly string[], options?: GitRunOptions): Promise<GitOutcome>;
}

/** The context of a repository that was discovered. `env` is the user's environment. */
export function gitContext(layout: RepositoryLayout, env: NodeJS.ProcessEnv): GitContext {
  const variables = { ...env, ...repositoryVariables(layout, env) };
  const environments = { literal: gitEnvironment(variables), plain: gitEnvironment(variables, 'plain') };
  return {
    layout,
    env: environments.literal,
    run: (args, { paths = 'literal', env: added, ...options } = {}) =>
      runGit(args, { ...options, cwd: layout.worktree, env: { ...environments[paths], ...added } }),
  };
}
