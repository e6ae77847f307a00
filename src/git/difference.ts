import { copyFileSync, lstatSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileSystemError } from '../core/errors.js';
import type { GitContext } from './context.js';
import type { WorkingDifference } from './git.js';
import { headTree } from './head-tree.js';
import { decodePath, forEachPiece, nulTerminated } from './paths.js';
import { runGit } from './process.js';

/** Untracked files above this are not taken into a patch: they are data that belongs into mlv, or waste. */
export const UNTRACKED_FILE_LIMIT = 1024 * 1024;
/** All of them together are not more. */
export const UNTRACKED_TOTAL_LIMIT = 16 * 1024 * 1024;
/** Untracked files that are likely to hold credentials: a patch travels further than they must. */
const SECRET_NAME =
  /^(?:\.env(?:\..*)?|\.netrc|\.pypirc|\.npmrc|\.git-credentials|id_(?:rsa|dsa|ecdsa|ed25519)|.*\.(?:pem|key|p12|pfx|jks|keystore|kdbx)|.*(?:credential|secret|password|passwd|token).*)$/i;
/** A longer patch is not kept. */
export const PATCH_LIMIT = 64 * 1024 * 1024;

/**
 * What the working tree has beyond HEAD (beyond nothing before the first commit): changes, staged or not, and untracked
 * files that are not ignored. Undefined for a clean one. The index and the repository are not changed; `scratch` is a
 * path at which a copy of the index may stand meanwhile. Errors: `GIT_FAILED`, `FILE_SYSTEM`.
 */
export async function workingDifference(context: GitContext, scratch: string): Promise<WorkingDifference | undefined> {
  const { changed, untracked } = await workingChanges(context);
  if (changed.length === 0 && untracked.length === 0) return undefined;
  const { taken, leftOut } = chooseUntracked(context, untracked);
  const paths = [...changed, ...untracked].sort();
  return { patch: await patchOf(context, { scratch, untracked: taken }), paths, leftOut };
}

/** Files that differ from HEAD, staged or not, of a rename both names; and files that Git neither has nor ignores. */
export async function workingChanges(context: GitContext): Promise<{ changed: string[]; untracked: string[] }> {
  const args = ['status', '--porcelain=v1', '-z', '--no-renames', '--untracked-files=all', '--ignore-submodules=none'];
  const { stdout } = await context.run(['--no-optional-locks', ...args]);
  const changed: string[] = [];
  const untracked: string[] = [];
  forEachPiece(stdout, (piece) => {
    const into = piece.toString('latin1', 0, 2) === '??' ? untracked : changed;
    into.push(decodePath(piece.subarray(3)));
  });
  return { changed, untracked };
}

function chooseUntracked(context: GitContext, paths: readonly string[]): { taken: string[]; leftOut: string[] } {
  const taken: string[] = [];
  const leftOut: string[] = [];
  let total = 0;
  for (const path of paths) {
    const stat = lstatSync(join(context.layout.worktree, path), { throwIfNoEntry: false });
    const size = stat?.size ?? 0;
    // A repository of its own inside this one shows as a directory, and is none of the commit's files.
    const isSecret = SECRET_NAME.test(path.slice(path.lastIndexOf('/') + 1));
    if (
      !stat ||
      stat.isDirectory() ||
      isSecret ||
      size > UNTRACKED_FILE_LIMIT ||
      total + size > UNTRACKED_TOTAL_LIMIT
    ) {
      leftOut.push(path);
    } else {
      taken.push(path);
      total += size;
    }
  }
  return { taken, leftOut };
}

/** Through a copy of the index in which untracked files are announced, so that Git shows them as new. */
async function patchOf(
  context: GitContext,
  { scratch, untracked }: { scratch: string; untracked: readonly string[] },
): Promise<Buffer | undefined> {
  const { env, layout } = context;
  const index = env.GIT_INDEX_FILE ? resolve(layout.worktree, env.GIT_INDEX_FILE) : join(layout.gitDir, 'index');
  const run = (args: string[], more: { input?: string; onStdout?: (chunk: Buffer) => boolean } = {}) =>
    runGit(args, { cwd: layout.worktree, env: { ...env, GIT_INDEX_FILE: scratch }, ...more });
  try {
    copyIndex(index, scratch);
    if (untracked.length > 0) {
      const args = ['add', '--intent-to-add', '--pathspec-from-file=-', '--pathspec-file-nul'];
      await run(args, { input: nulTerminated(untracked) });
    }
    const pieces: Buffer[] = [];
    let length = 0;
    const onStdout = (chunk: Buffer): boolean => {
      pieces.push(chunk);
      length += chunk.length;
      return length <= PATCH_LIMIT;
    };
    await run([...DIFF, await headTree(context), '--'], { onStdout });
    return length <= PATCH_LIMIT ? Buffer.concat(pieces) : undefined;
  } catch (error) {
    throw fileSystemError('copy the index', index, error);
  } finally {
    rmSync(scratch, { force: true });
    rmSync(`${scratch}.lock`, { force: true });
  }
}

/**
 * Git takes a file that is as old as its index for one that may have changed since, and reads it (racy-git in Git's
 * technical documentation). A copy that were younger than the index would hide such changes; one that is older, to the
 * whole second that some file systems and builds of Git keep, only makes Git read more.
 */
function copyIndex(index: string, copy: string): void {
  const stat = statSync(index, { throwIfNoEntry: false });
  if (!stat) return;
  copyFileSync(index, copy);
  const seconds = Math.floor(stat.mtimeMs / 1000);
  utimesSync(copy, seconds, seconds);
}

const DIFF = [
  'diff',
  '--binary',
  '--no-color',
  '--no-ext-diff',
  '--no-textconv',
  '--no-renames',
  '--full-index',
  '--src-prefix=a/',
  '--dst-prefix=b/',
];
