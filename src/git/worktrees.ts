import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { isMlvError } from '../core/errors.js';
import { type GitContext, gitContext } from './context.js';
import { discoverRepository } from './discover.js';
import { forEachPiece } from './paths.js';

/** One of the working trees that share a repository, the caller's own included. */
export interface Worktree {
  /** Top of the working tree. */
  path: string;
  /** True where the directory is there. */
  present: boolean;
  /** True for one that Git keeps though its directory is gone: it may be on a disk that is not mounted. */
  locked: boolean;
  /** Runs Git with the index and HEAD of that working tree. */
  context: GitContext;
}

/** Variables that tie Git to the caller's working tree. */
const TIES = ['GIT_DIR', 'GIT_WORK_TREE', 'GIT_COMMON_DIR', 'GIT_INDEX_FILE', 'GIT_CEILING_DIRECTORIES', 'GIT_PREFIX'];

/**
 * All working trees of a repository: the caller's first, then the others that Git knows, those included whose directory
 * is gone and that Git has not forgotten yet. Error: `GIT_FAILED`.
 */
export async function listWorktrees(context: GitContext): Promise<Worktree[]> {
  const env = { ...context.env };
  for (const name of TIES) delete env[name];
  const own: Worktree = { path: context.layout.worktree, present: true, locked: false, context };
  const found = new Map([[context.layout.gitDir, own]]);
  for (const entry of await listedByGit(context)) {
    const worktree = await open(entry, { context, env });
    if (worktree && !found.has(worktree.context.layout.gitDir)) found.set(worktree.context.layout.gitDir, worktree);
  }
  return [...found.values()];
}

interface Listed {
  path: string;
  locked: boolean;
  main: boolean;
}

async function listedByGit(context: GitContext): Promise<Listed[]> {
  const list = ['worktree', 'list', '--porcelain'];
  const { code, stdout } = await context.run([...list, '-z'], { accept: [0, 129] });
  // Before Git 2.36 there is no -z, and no path with a newline can be told.
  const pieces = code === 0 ? stdout : (await context.run(list)).stdout.map((byte) => (byte === 10 ? 0 : byte));
  const entries: (Listed & { bare: boolean })[] = [];
  forEachPiece(Buffer.from(pieces), (piece) => {
    const line = piece.toString('utf8');
    const last = entries.at(-1);
    if (line.startsWith('worktree ')) {
      entries.push({ path: line.slice('worktree '.length), locked: false, bare: false, main: entries.length === 0 });
    } else if (last && (line === 'locked' || line.startsWith('locked '))) last.locked = true;
    else if (last && line === 'bare') last.bare = true;
  });
  return entries.filter(({ bare }) => !bare);
}

async function open(
  { path, locked, main }: Listed,
  { context, env }: { context: GitContext; env: NodeJS.ProcessEnv },
): Promise<Worktree | undefined> {
  const { commonDir, gitDir, worktree } = context.layout;
  // Where the main working tree is the caller's, Git may list it under a path that it only guesses.
  if (main && gitDir === commonDir) return undefined;
  try {
    if (existsSync(path)) {
      const layout = await discoverRepository(path, env);
      if (layout.commonDir === commonDir)
        return { path: layout.worktree, present: true, locked, context: gitContext(layout, env) };
    }
  } catch (error) {
    if (!isMlvError(error, 'NOT_A_GIT_REPOSITORY') && !isMlvError(error, 'WORKTREE_MISSING')) throw error;
  }
  const gone = main ? commonDir : administrationOf(path, commonDir);
  if (gone === undefined) return undefined;
  // Git needs a directory to run in; index and HEAD are all that is asked for there.
  const layout = { worktree, gitDir: gone, commonDir, prefix: '' };
  return { path, present: false, locked, context: gitContext(layout, env) };
}

/** Where Git keeps index and HEAD of a linked working tree whose directory is gone. */
function administrationOf(path: string, commonDir: string): string | undefined {
  const all = join(commonDir, 'worktrees');
  if (!existsSync(all)) return undefined;
  return readdirSync(all)
    .map((name) => join(all, name))
    .find((directory) => {
      const file = join(directory, 'gitdir');
      return existsSync(file) && dirname(resolve(directory, readFileSync(file, 'utf8').trim())) === path;
    });
}
