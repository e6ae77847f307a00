import { isMlvError } from '../core/errors.js';
import type { GitContext } from './context.js';
import type { GitFile } from './git.js';
import { decodePath, endsWith, fitsArguments, forEachEntry, forEachPiece, nulTerminated } from './paths.js';
import { isPlausible, unknownRevision } from './revisions.js';

/** Which of the paths, or files below them, the index holds; sorted, each once. The empty path means all. */
export async function trackedFiles(context: GitContext, paths: readonly string[]): Promise<string[]> {
  if (paths.length === 0) return [];
  const wanted = paths.map((path) => path.replace(/\/+$/, ''));
  const pathspecs = wanted.includes('') || !fitsArguments(wanted) ? [] : ['--', ...wanted];
  const { stdout } = await context.run(['ls-files', '-z', '--cached', ...pathspecs]);
  const covered = coverage(wanted);
  const found = new Set<string>();
  forEachPiece(stdout, (piece) => {
    const path = piece.toString('utf8');
    if (covered(path)) found.add(decodePath(piece));
  });
  return [...found].sort();
}

/** Which of the paths Git would ignore; what the index holds is never ignored. */
export async function ignoredPaths(context: GitContext, paths: readonly string[]): Promise<Set<string>> {
  if (paths.length === 0) return new Set();
  // check-ignore refuses literal pathspecs, and reads a leading colon as magic: no path begins with one behind './'.
  const input = nulTerminated(paths.map((path) => `./${path}`));
  const args = ['check-ignore', '-z', '--stdin'];
  const { stdout } = await context.run(args, { input, accept: [0, 1], paths: 'plain' });
  const ignored = new Set<string>();
  forEachPiece(stdout, (piece) => ignored.add(decodePath(piece).slice(2)));
  return ignored;
}

/** The files with that suffix in the index, or untracked and not ignored; sorted. */
export async function listWorkspaceFiles(context: GitContext, suffix: string): Promise<string[]> {
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const { stdout } = await context.run(args);
  const ending = Buffer.from(suffix);
  const found = new Set<string>();
  forEachPiece(stdout, (path) => {
    if (endsWith(path, ending)) found.add(decodePath(path));
  });
  return [...found].sort();
}

/**
 * The index's files with that suffix. A path in conflict is given once: our side's version, or where that is deleted,
 * theirs.
 */
export async function listIndexFiles(context: GitContext, suffix: string): Promise<GitFile[]> {
  const { stdout } = await context.run(['ls-files', '-z', '--cached', '--stage']);
  const best = new Map<string, { file: GitFile; rank: number }>();
  const take = (bytes: Buffer, [mode = '', blob = '', stage = '0']: string[]): void => {
    const path = decodePath(bytes);
    const rank = ['0', '2', '3', '1'].indexOf(stage);
    const known = best.get(path);
    if (isFile(mode) && (!known || rank < known.rank)) best.set(path, { file: { path, blob, mode }, rank });
  };
  forEachEntry(stdout, take, suffix);
  return [...best.values()].map(({ file }) => file);
}

/** The files with that suffix in a commit. Error: `REVISION_UNKNOWN`. */
export async function listRevisionFiles(context: GitContext, revision: string, suffix: string): Promise<GitFile[]> {
  if (!isPlausible(revision)) throw unknownRevision(revision);
  const files: GitFile[] = [];
  const stdout = await readTree(context, revision);
  const take = (bytes: Buffer, [mode = '', , blob = '']: string[]): void => {
    const path = decodePath(bytes);
    if (isFile(mode)) files.push({ path, blob, mode });
  };
  forEachEntry(stdout, take, suffix);
  return files;
}

async function readTree(context: GitContext, revision: string): Promise<Buffer> {
  try {
    return (await context.run(['ls-tree', '-r', '-z', '--full-tree', `${revision}^{commit}`])).stdout;
  } catch (error) {
    const check = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`];
    if (!isMlvError(error, 'GIT_FAILED')) throw error;
    const { code } = await context.run(check, { accept: [0, 1, 128] });
    throw code === 0 ? error : unknownRevision(revision, error);
  }
}

function isFile(mode: string): boolean {
  return mode === '100644' || mode === '100755' || mode === '120000';
}

/** Answers whether a path is one of `wanted` or lies below one. */
function coverage(wanted: readonly string[]): (path: string) => boolean {
  const set = new Set(wanted);
  if (set.has('')) return () => true;
  return (path) => {
    for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1)) {
      if (set.has(path.slice(0, end))) return true;
    }
    return false;
  };
}
