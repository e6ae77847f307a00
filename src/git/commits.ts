import type { GitContext } from './context.js';
import { decodePath, forEachPiece } from './paths.js';

/** Paths whose files differ between two commits, of a rename both names; sorted. Error: `GIT_FAILED`. */
export async function changedPaths(context: GitContext, from: string, to: string): Promise<string[]> {
  const { stdout } = await context.run(['diff-tree', '-r', '-z', '--name-only', '--no-renames', from, to]);
  const paths: string[] = [];
  forEachPiece(stdout, (piece) => paths.push(decodePath(piece)));
  return paths.sort();
}

/** The branch that HEAD is on, such as `main`; undefined where it is on none. */
export async function currentBranch(context: GitContext): Promise<string | undefined> {
  const { stdout, code } = await context.run(['symbolic-ref', '--quiet', '--short', 'HEAD'], { accept: [0, 1] });
  return code === 0 ? stdout.toString('utf8').trim() : undefined;
}

/** True for a commit, given whole in hex, that this clone has; a partial clone is not made to fetch it. */
export async function hasCommit(context: GitContext, commit: string): Promise<boolean> {
  if (!/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(commit)) return false;
  const { code } = await context.run(['cat-file', '-e', `${commit}^{commit}`], { accept: [0, 1, 128] });
  return code === 0;
}

/** The commit that two commits have in common last; undefined where this clone knows none. */
export async function mergeBase(context: GitContext, one: string, other: string): Promise<string | undefined> {
  const { stdout, code } = await context.run(['merge-base', one, other], { accept: [0, 1] });
  return code === 0 ? stdout.toString('utf8').trim().split('\n')[0] : undefined;
}

/** The commits that lead to `to` and not to `from`, newest first, at most `limit`. Error: `GIT_FAILED`. */
export async function commitsSince(
  context: GitContext,
  { from, to, limit }: { from: string; to: string; limit: number },
): Promise<string[]> {
  const { stdout } = await context.run(['rev-list', `--max-count=${limit}`, to, `^${from}`, '--']);
  return stdout.toString('utf8').split('\n').filter(Boolean);
}
