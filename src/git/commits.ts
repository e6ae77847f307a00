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
