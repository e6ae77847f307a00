import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cleanEnvironment, MLV_BIN } from './cli.js';
import { temporaryDirectory } from './temporary-directory.js';

let path: string | undefined;

/** A PATH on which `mlv` is the program under test, for Git and so for its hooks and drivers. */
function pathWithMlv(): string {
  if (path === undefined) {
    const directory = temporaryDirectory('bin');
    writeFileSync(join(directory, 'mlv'), `#!/bin/sh\nexec '${process.execPath}' '${MLV_BIN}' "$@"\n`, { mode: 0o755 });
    path = `${directory}:${process.env.PATH}`;
  }
  return path;
}

/** Runs Git, which finds mlv: gives its exit code and what it, hooks and drivers said. No editor is opened. */
export function tryGit(
  cwd: string,
  args: readonly string[],
  env: Record<string, string> = {},
): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync('git', args, {
    cwd,
    env: { ...cleanEnvironment(env), PATH: pathWithMlv(), GIT_EDITOR: 'true' },
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

/** As tryGit, but fails unless Git ends well; gives what was printed, on both outputs. */
export function gitWithMlv(cwd: string, ...args: string[]): string {
  const { status, stdout, stderr } = tryGit(cwd, args);
  if (status !== 0) throw new Error(`git ${args.join(' ')} ended with ${status}\n${stderr}${stdout}`);
  return `${stdout}${stderr}`;
}
