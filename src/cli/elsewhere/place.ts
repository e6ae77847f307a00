import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { childOf, type RepositoryPath, toRepositoryPath } from '../../workspace/paths.js';
import type { OpenRepository } from '../context.js';

/**
 * Where an import goes, by the name that it has at its source: under that name in the current directory, or where `-o` says,
 * as with cp. Whether that is a directory is looked at now, before anything travels: another command may be about to make it.
 */
export function importPlace(
  { layout }: OpenRepository,
  { output, cwd }: { output: string | undefined; cwd: string },
): (name: string) => RepositoryPath {
  if (output === undefined) return (name) => toRepositoryPath(layout, name);
  const path = toRepositoryPath(layout, output);
  const into = output.endsWith('/') || statSync(resolve(cwd, output), { throwIfNoEntry: false })?.isDirectory();
  return (name) => (into ? childOf(path, name) : path);
}
