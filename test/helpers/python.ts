import { spawnSync } from 'node:child_process';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from './temporary-directory.js';

/** A Python for tests: the one of MLV_TEST_PYTHON, which then must be able to do what is asked of it, or that of the PATH. */
export const PYTHON = process.env.MLV_TEST_PYTHON ?? 'python3';

/** Why the modules cannot be imported there, in one line; undefined where they can. An error with MLV_TEST_PYTHON set. */
export function pythonLacks(...modules: string[]): string | undefined {
  const { status, error } = spawnSync(PYTHON, ['-c', `import ${['sys', ...modules].join(', ')}`], { stdio: 'ignore' });
  if (status === 0) return undefined;
  const reason = error ? `${PYTHON} is not there` : `${PYTHON} cannot import ${modules.join(', ')}`;
  if (process.env.MLV_TEST_PYTHON !== undefined) throw new Error(reason);
  return reason;
}

/** The PATH with a directory before it in which `python` is the one that the tests use. */
export function pathWithPython(): string {
  const found = spawnSync(PYTHON, ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' }).stdout.trim();
  const directory = temporaryDirectory('python');
  // A link would lose the packages of a virtual environment.
  writeFileSync(join(directory, 'python'), `#!/bin/sh\nexec '${found}' "$@"\n`, { mode: 0o755 });
  symlinkSync(join(directory, 'python'), join(directory, 'python3'));
  return `${directory}:${process.env.PATH}`;
}
