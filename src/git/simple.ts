import type { SimpleGitOptions } from 'simple-git';
import type { MlvError } from '../core/errors.js';
import type { GitContext } from './context.js';
import { gitFailed, gitNotFound } from './process.js';

/** Runs Git commands that answer with text. */
export interface TextGit {
  /**
   * The output of `git <args>`. Every argument is the program's own: nothing from outside stands where Git could take
   * it for an option. Errors: `GIT_FAILED` for every exit code but zero (its `data.exitCode`), `GIT_NOT_FOUND`.
   */
  text(...args: string[]): Promise<string>;
}

// simple-git refuses variables and settings that can name a program. Ours are the user's own, exactly as Git on the
// same command line would see them, and no argument is taken from a repository.
const PERMITTED = {
  allowUnsafeAlias: true,
  allowUnsafeAskPass: true,
  allowUnsafeCommandBinaries: true,
  allowUnsafeConfigEnvCount: true,
  allowUnsafeConfigPaths: true,
  allowUnsafeCredentialHelper: true,
  allowUnsafeDiffExternal: true,
  allowUnsafeDiffTextConv: true,
  allowUnsafeEditor: true,
  allowUnsafeExec: true,
  allowUnsafeFilter: true,
  allowUnsafeFsMonitor: true,
  allowUnsafeGitProxy: true,
  allowUnsafeGpgProgram: true,
  allowUnsafeHooksPath: true,
  allowUnsafeInclude: true,
  allowUnsafeMergeDriver: true,
  allowUnsafePack: true,
  allowUnsafePager: true,
  allowUnsafeProtocolOverride: true,
  allowUnsafeSshCommand: true,
  allowUnsafeSubmodule: true,
  allowUnsafeTemplateDir: true,
  allowUnsafeUrlRewrite: true,
} satisfies SimpleGitOptions['unsafe'];

/** simple-git over the repository's context, imported at the first use. */
export async function openTextGit(context: GitContext): Promise<TextGit> {
  const { GitError, simpleGit } = await import('simple-git');
  class ExitError extends GitError {
    constructor(
      readonly exitCode: number,
      readonly stderr: string,
    ) {
      super(undefined, stderr);
    }
  }
  const git = simpleGit({
    baseDir: context.layout.worktree,
    // The default also ends 50 ms after `exit`, whether or not all output has come.
    completion: { onClose: true, onExit: false },
    // The default takes a failure without stderr for a success.
    errors: (error, { exitCode, stdErr }) =>
      exitCode === 0 ? error : new ExitError(exitCode, Buffer.concat(stdErr).toString('utf8')),
    allowEnvironment: Object.keys(context.env),
    unsafe: PERMITTED,
  });
  git.env(context.env as Record<string, string>);
  // simple-git waits another 50 ms for late output wherever none was seen; an empty piece at the end is seen.
  git.outputHandler((_command, stdout) => {
    stdout.on('end', () => stdout.emit('data', Buffer.alloc(0)));
  });
  return {
    async text(...args) {
      try {
        return await git.raw(args);
      } catch (error) {
        throw textError(args, error, error instanceof ExitError ? error : undefined);
      }
    },
  };
}

function textError(args: string[], error: unknown, exit: { exitCode: number; stderr: string } | undefined): MlvError {
  // Node gives a process that never started the negative system error as its exit code.
  if (exit && exit.exitCode < 0) return gitNotFound(error);
  if (exit) return gitFailed(args, { code: exit.exitCode, stderr: exit.stderr });
  return gitFailed(args, { code: null, stderr: error instanceof Error ? error.message : String(error), cause: error });
}
