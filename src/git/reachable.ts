import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemErrorCode } from '../core/errors.js';
import type { GitContext } from './context.js';
import { listWorkspaceFiles } from './files.js';
import type { ReachableFiles, WorktreeStates } from './git.js';
import { LOG, RAW } from './history.js';
import { endsWith, forEachPiece } from './paths.js';
import { RawLogReader } from './raw-log.js';
import { listWorktrees } from './worktrees.js';

/** Commits that a merge, rebase, cherry-pick, bisect or reset under way may come back to. */
const CURRENT = ['HEAD', 'ORIG_HEAD', 'MERGE_HEAD', 'CHERRY_PICK_HEAD', 'REVERT_HEAD', 'REBASE_HEAD', 'BISECT_HEAD'];
/** Files in a Git directory that name more commits than Git's own names for them lead to. */
const LISTS = ['MERGE_HEAD', 'FETCH_HEAD'];
/** Refs that each working tree has of its own. */
const OWN_REFS = ['refs/bisect', 'refs/worktree', 'refs/rewritten'];
const LINK_MODE = '120000';
const TAB = 9;

/**
 * Every version that files with the suffix have in any commit that anything leads to (branches, tags, remote-tracking
 * branches, stashes, notes, every other ref, every reflog, HEAD and what is under way in every working tree, and the
 * commits in `also`), and in the index of every working tree; and those files of the working trees themselves. Errors:
 * `GIT_FAILED`, also for refs that lead to what is not there.
 */
export async function reachableFiles(
  context: GitContext,
  suffix: string,
  { also = [] }: { also?: readonly string[] } = {},
): Promise<ReachableFiles> {
  const states = await lookAtWorktrees(context, suffix);
  const paths = new Map<string, string>();
  await readHistory(context, { suffix, commits: new Set([...also, ...states.commits]), paths });
  for (const [blob, path] of states.indexed) if (!paths.has(blob)) paths.set(blob, path);
  return { versions: await withSizes(context, paths), files: states.files, missing: states.missing };
}

/** See Git.worktreeStates. */
export async function worktreeStates(context: GitContext, suffix: string): Promise<WorktreeStates> {
  const { commits, indexed, files, missing } = await lookAtWorktrees(context, suffix);
  return { commits: [...commits], versions: await withSizes(context, indexed), files, missing };
}

interface WorktreeLook {
  commits: Set<string>;
  /** Paths by blob, of every index. */
  indexed: Map<string, string>;
  files: ReachableFiles['files'];
  missing: string[];
}

async function lookAtWorktrees(context: GitContext, suffix: string): Promise<WorktreeLook> {
  const worktrees = await listWorktrees(context);
  const look: WorktreeLook = { commits: new Set(), indexed: new Map(), files: [], missing: [] };
  for (const worktree of worktrees) {
    for (const commit of await currentCommits(worktree.context)) look.commits.add(commit);
    await readIndex(worktree.context, suffix, look.indexed);
    if (worktree.present) {
      const paths = await listWorkspaceFiles(worktree.context, suffix);
      for (const path of paths) look.files.push({ top: worktree.path, path });
    } else if (worktree.locked) look.missing.push(worktree.path);
  }
  return look;
}

async function readHistory(
  context: GitContext,
  options: { suffix: string; commits: ReadonlySet<string>; paths: Map<string, string> },
): Promise<void> {
  const { suffix, commits, paths } = options;
  const reader = new RawLogReader(({ path, blob, mode }) => {
    if (mode !== LINK_MODE && path.endsWith(suffix) && !paths.has(blob)) paths.set(blob, path);
  });
  const all = ['--all', '--reflog', '--full-history', '--stdin', '--', `*${suffix}`];
  // Replaced commits count as what they really are.
  await context.run(['--no-replace-objects', ...LOG, ...RAW, ...all], {
    paths: 'plain',
    input: [...commits].map((commit) => `${commit}\n`).join(''),
    onStdout: (chunk) => {
      reader.push(chunk);
      return true;
    },
  });
}

/** A commit that brought the blob or took it away, for messages; undefined where nothing leads to one. */
export async function commitWith(context: GitContext, blob: string): Promise<string | undefined> {
  const { stdout } = await context.run([...LOG, '--all', '--reflog', '-1', '--format=%H', `--find-object=${blob}`]);
  return stdout.toString('latin1').trim() || undefined;
}

/** The commits that a working tree stands on or may come back to. */
async function currentCommits(context: GitContext): Promise<string[]> {
  const own = await context.run(['for-each-ref', '--format=%(objectname)', ...OWN_REFS]);
  const listed = LISTS.flatMap((name) => namesIn(join(context.layout.gitDir, name)));
  const names = [...CURRENT, ...own.stdout.toString('latin1').split('\n').filter(Boolean), ...listed];
  const found: string[] = [];
  for (const { name, type } of await look(
    context,
    names.map((name) => `${name}^{commit}`),
  ))
    if (type === 'commit') found.push(name);
  return found;
}

function namesIn(file: string): string[] {
  try {
    return [...readFileSync(file, 'latin1').matchAll(/^[0-9a-f]{40,64}/gm)].map(([name]) => name);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return [];
    throw error;
  }
}

/** Adds what the index holds, all sides of a conflict. */
async function readIndex(context: GitContext, suffix: string, paths: Map<string, string>): Promise<void> {
  const { stdout } = await context.run(['ls-files', '-z', '--cached', '--stage']);
  const ending = Buffer.from(suffix);
  forEachPiece(stdout, (piece) => {
    const tab = piece.indexOf(TAB);
    const path = piece.subarray(tab + 1);
    const [mode = '', blob = ''] = piece.toString('latin1', 0, tab).split(' ');
    if (endsWith(path, ending) && mode.startsWith('100') && !paths.has(blob)) paths.set(blob, path.toString('utf8'));
  });
}

async function withSizes(context: GitContext, paths: ReadonlyMap<string, string>): Promise<ReachableFiles['versions']> {
  const sizes = new Map((await look(context, [...paths.keys()])).map(({ name, size }) => [name, size]));
  return [...paths].map(([blob, path]) => ({ path, blob, size: sizes.get(blob) }));
}

/** What Git knows under some names, without their contents; names that lead nowhere are left out. */
async function look(
  context: GitContext,
  names: readonly string[],
): Promise<{ name: string; type: string; size: number }[]> {
  if (names.length === 0) return [];
  const input = names.map((name) => `${name}\n`).join('');
  const { stdout } = await context.run(['cat-file', '--batch-check'], { input });
  return stdout
    .toString('latin1')
    .split('\n')
    .map((line) => /^([0-9a-f]+) (\w+) (\d+)$/.exec(line))
    .filter((match) => match !== null)
    .map(([, name = '', type = '', size = '']) => ({ name, type, size: Number(size) }));
}
