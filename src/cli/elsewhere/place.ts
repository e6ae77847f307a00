import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { childOf, type RepositoryPath, toRepositoryPath } from '../../workspace/paths.js';
import type { OpenRepository } from '../context.js';

/** Where an import goes: under its own name in the current directory, or where `-o` says, as with cp. */
export function importPlace(
  { layout }: OpenRepository,
  { name, output, cwd }: { name: string; output: string | undefined; cwd: string },
): RepositoryPath {
  if (output === undefined) return toRepositoryPath(layout, name);
  const path = toRepositoryPath(layout, output);
  const into = output.endsWith('/') || statSync(resolve(cwd, output), { throwIfNoEntry: false })?.isDirectory();
  return into ? childOf(path, name) : path;
}
