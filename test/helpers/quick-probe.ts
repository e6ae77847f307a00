import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { collect, mlv, type RunOptions, type RunResult, runMlv, startMlv } from './cli.js';
import { temporaryDirectory } from './temporary-directory.js';

let path: string | undefined;

/** The PATH with programs before it that answer a probe of the environment at once, with nothing. */
function quickPath(): string {
  if (path === undefined) {
    const directory = temporaryDirectory('programs');
    for (const name of ['python3', 'python', 'node', 'R', 'nvidia-smi', 'rocm-smi']) {
      writeFileSync(join(directory, name), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
    }
    path = `${directory}:${process.env.PATH}`;
  }
  return path;
}

function quick(options: RunOptions): RunOptions {
  return { ...options, env: { PATH: quickPath(), ...options.env } };
}

/** `mlv` for tests of runs that are not about the environment: no time goes into asking Python for its packages. */
export const quickly = {
  mlv: (args: readonly string[], options: RunOptions): Promise<string> => mlv(args, quick(options)),
  run: (args: readonly string[], options: RunOptions): Promise<RunResult> => runMlv(args, quick(options)),
  start: (args: readonly string[], options: RunOptions) => startMlv(args, quick(options)),
  collect,
};
