import type { RepositoryLayout } from './git.js';

/** Variables that would change how Git reads paths or words its answers. */
const DROPPED = ['GIT_GLOB_PATHSPECS', 'GIT_NOGLOB_PATHSPECS', 'GIT_ICASE_PATHSPECS', 'GIT_PREFIX', 'LANGUAGE'];

/**
 * The environment that Git processes run in: the user's own, with untranslated messages and literal pathspecs, and
 * without what contradicts them. `paths: 'plain'` leaves literal pathspecs out, for the one command that refuses them.
 */
export function gitEnvironment(env: NodeJS.ProcessEnv, paths: 'literal' | 'plain' = 'literal'): NodeJS.ProcessEnv {
  const result: NodeJS.ProcessEnv = { ...env, LC_ALL: 'C' };
  for (const name of DROPPED) delete result[name];
  if (paths === 'literal') result.GIT_LITERAL_PATHSPECS = '1';
  else delete result.GIT_LITERAL_PATHSPECS;
  return result;
}

/**
 * The variables that tie Git to a repository that was discovered already. They replace the user's own, which may be
 * relative to a directory that Git is not run in, and keep Git from looking for the repository a second time.
 */
export function repositoryVariables(layout: RepositoryLayout, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const common = env.GIT_COMMON_DIR === undefined ? {} : { GIT_COMMON_DIR: layout.commonDir };
  return { GIT_DIR: layout.gitDir, GIT_WORK_TREE: layout.worktree, ...common };
}
