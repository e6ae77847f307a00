import type { GitContext } from './context.js';
import type { WorkingFile } from './git.js';
import { decodePath, forEachPiece } from './paths.js';

/**
 * Files at or below the paths that the index holds or that are untracked and not ignored, sorted; a file that the index
 * holds and the working tree does not is listed, too. The empty path means everything. Error: `GIT_FAILED`.
 */
export async function filesBelow(context: GitContext, paths: readonly string[]): Promise<string[]> {
  if (paths.length === 0) return [];
  const pathspecs = paths.includes('') ? [] : ['--', ...paths];
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard', ...pathspecs];
  const { stdout } = await context.run(args);
  const found = new Set<string>();
  forEachPiece(stdout, (piece) => found.add(decodePath(piece)));
  return [...found].sort();
}

/**
 * The names of the blobs that `git add` would make of regular files, which are read through Git's own filters; in the
 * order of the paths, in one process. Nothing is stored. Error: `GIT_FAILED`, also where a file is not there.
 */
export async function hashFiles(context: GitContext, paths: readonly string[]): Promise<WorkingFile[]> {
  if (paths.length === 0) return [];
  const input = paths.map((path) => `${quoted(path)}\n`).join('');
  const { stdout } = await context.run(['hash-object', '--stdin-paths'], { input });
  const blobs = stdout.toString('latin1').trim().split('\n');
  return paths.map((path, at) => ({ path, blob: blobs[at] as string }));
}

/** In quotes and with escapes, as `hash-object` reads a path that has a quote or control character in it. */
function quoted(path: string): string {
  if (!/["\\\p{Cc}]/u.test(path)) return path;
  const escaped = path.replace(/["\\]/g, '\\$&').replace(/\p{Cc}/gu, (character) => {
    return [...Buffer.from(character, 'utf8')].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
  });
  return `"${escaped}"`;
}
