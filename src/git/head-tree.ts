import type { GitContext } from './context.js';

/** HEAD where it leads to a commit, otherwise the name of the empty tree. Error: `GIT_FAILED`. */
export async function headTree(context: GitContext): Promise<string> {
  const { code } = await context.run(['rev-parse', '--verify', '--quiet', 'HEAD'], { accept: [0, 1] });
  if (code === 0) return 'HEAD';
  return (await context.run(['hash-object', '-t', 'tree', '--stdin'])).stdout.toString('latin1').trim();
}
