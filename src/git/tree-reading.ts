import type { GitContext } from './context.js';
import { decodePath, forEachEntry, forEachPiece } from './paths.js';
import type { TreeChange, TreeFile } from './plumbing.js';

/** The files of a tree, below some paths. Error: `GIT_FAILED`. */
export async function listTree(context: GitContext, treeish: string, paths: readonly string[]): Promise<TreeFile[]> {
  const { stdout } = await context.run(['ls-tree', '-r', '-z', '--full-tree', treeish, '--', ...paths]);
  const files: TreeFile[] = [];
  forEachEntry(stdout, (path, [mode = '', , blob = '']) => files.push({ path: decodePath(path), blob, mode }));
  return files;
}

/** The directories in a directory of a commit or tree, with the names of their trees; none where it is not there. */
export async function listFolders(
  context: GitContext,
  treeish: string,
  path: string,
): Promise<{ path: string; tree: string }[]> {
  const { stdout } = await context.run(['ls-tree', '-d', '-z', '--full-tree', treeish, '--', `${path}/`]);
  const folders: { path: string; tree: string }[] = [];
  forEachEntry(stdout, (bytes, [mode, , tree = '']) => {
    if (mode === '040000') folders.push({ path: decodePath(bytes), tree });
  });
  return folders;
}

/** What differs between two trees, below some paths. Error: `GIT_FAILED`. */
export async function diffTrees(
  context: GitContext,
  { from, to, paths }: { from: string; to: string; paths: readonly string[] },
): Promise<TreeChange[]> {
  const args = ['diff-tree', '-r', '-z', '--no-renames', '--no-abbrev', from, to, '--', ...paths];
  const { stdout } = await context.run(args);
  const changes: TreeChange[] = [];
  let entry: string[] | undefined;
  forEachPiece(stdout, (piece) => {
    if (!entry) {
      entry = piece.toString('latin1').slice(1).split(' ');
      return;
    }
    const [oldMode = '', newMode = '', oldBlob = '', newBlob = '', status] = entry;
    const deleted = status === 'D';
    const kind = deleted ? 'deleted' : status === 'A' ? 'added' : 'changed';
    changes.push({
      path: decodePath(piece),
      kind,
      blob: deleted ? oldBlob : newBlob,
      mode: deleted ? oldMode : newMode,
    });
    entry = undefined;
  });
  return changes;
}
