import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemErrorCode } from '../core/errors.js';
import type { GitContext } from './context.js';
import { listRevisionFiles, listWorkspaceFiles } from './files.js';
import type { CommitGraph, ReachableFiles, ReachableOptions, WorktreeStates } from './git.js';
import { LOG, RAW } from './history.js';
import { forEachEntry } from './paths.js';
import { RawLogReader } from './raw-log.js';
import { listWorktrees } from './worktrees.js';

/** Commits that a working tree stands on, and those that a merge, rebase, cherry-pick or bisect under way works with. */
const CURRENT = ['HEAD', 'MERGE_HEAD', 'CHERRY_PICK_HEAD', 'REVERT_HEAD', 'REBASE_HEAD', 'BISECT_HEAD'];
/** Files in a Git directory that name more commits than Git's own names for them lead to. */
const LISTS = ['MERGE_HEAD'];
/** What a reset may be undone to, and what was fetched and is on no branch yet. */
const FORMER = ['ORIG_HEAD'];
const FORMER_LISTS = ['FETCH_HEAD'];
/** Refs that each working tree has of its own. */
const OWN_REFS = ['refs/bisect', 'refs/worktree', 'refs/rewritten'];
const LINK_MODE = '120000';

/**
 * Every version that files with the suffix have in any commit that anything leads to (branches, tags, remote-tracking
 * branches, stashes, notes, every other ref, every reflog, HEAD and what is under way in every working tree, and the
 * commits in `also`, but for the refs in `without`), and in the index of every working tree; and those files of the working trees themselves. Errors:
 * `GIT_FAILED`, also for refs that lead to what is not there.
 */
export async function reachableFiles(
  context: GitContext,
  suffix: string,
  { also = [], without = [] }: ReachableOptions = {},
): Promise<ReachableFiles> {
  const states = await lookAtWorktrees(context, suffix);
  const found: Found = new Map();
  const commits = new Set([...also, ...states.commits, ...states.former]);
  await readHistory(context, { suffix, commits, found, without });
  for (const [blob, each] of states.indexed) if (!found.has(blob)) found.set(blob, each);
  return { versions: await withSizes(context, found), files: states.files, missing: states.missing };
}

/** See Git.worktreeStates. */
export async function worktreeStates(context: GitContext, suffix: string): Promise<WorktreeStates> {
  const { commits, indexed, files, missing } = await lookAtWorktrees(context, suffix);
  return { commits: [...commits], versions: await withSizes(context, indexed), files, missing };
}

/** What files were found, by blob. */
type Found = Map<string, { path: string; commit?: string }>;

interface WorktreeLook {
  commits: Set<string>;
  /** Commits that nothing is under way with, but that may be meant to be come back to. */
  former: Set<string>;
  /** Of every index. */
  indexed: Found;
  files: ReachableFiles['files'];
  missing: string[];
}

async function lookAtWorktrees(context: GitContext, suffix: string): Promise<WorktreeLook> {
  const worktrees = await listWorktrees(context);
  const look: WorktreeLook = { commits: new Set(), former: new Set(), indexed: new Map(), files: [], missing: [] };
  for (const worktree of worktrees) {
    for (const commit of await currentCommits(worktree.context)) look.commits.add(commit);
    for (const commit of await formerCommits(worktree.context)) look.former.add(commit);
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
  options: { suffix: string; commits: ReadonlySet<string>; found: Found; without: readonly string[] },
): Promise<void> {
  const { suffix, commits, found, without } = options;
  const refs = without.length === 0 ? [] : await otherRefs(context, new Set(without));
  const every = without.length === 0 ? ['--all'] : [];
  const all = [...every, '--reflog', '--full-history', '--stdin', '--', `*${suffix}`];
  await readLog(context, found, { suffix, arguments: all, commits: [...commits, ...refs] });
}

/** The commits of all refs but some. */
async function otherRefs(context: GitContext, without: ReadonlySet<string>): Promise<string[]> {
  const format = '--format=%(objecttype) %(objectname) %(*objecttype) %(*objectname) %(refname)';
  const { stdout } = await context.run(['for-each-ref', format]);
  const commits: string[] = [];
  for (const line of stdout.toString('utf8').split('\n')) {
    const [type, object = '', peeledType, peeled = '', ...ref] = line.split(' ');
    if (without.has(ref.join(' '))) continue;
    if (type === 'commit') commits.push(object);
    else if (peeledType === 'commit') commits.push(peeled);
  }
  return commits;
}

/** Adds what commits did to files with the suffix. */
async function readLog(
  context: GitContext,
  found: Found,
  options: { suffix: string; arguments: readonly string[]; commits: readonly string[] },
): Promise<void> {
  const reader = new RawLogReader(({ path, blob, mode, commit }) => {
    if (mode !== LINK_MODE && path.endsWith(options.suffix) && !found.has(blob)) found.set(blob, { path, commit });
  });
  // Replaced commits count as what they really are.
  await context.run(['--no-replace-objects', ...LOG, ...RAW, '--format=tformat:commit %H', ...options.arguments], {
    paths: 'plain',
    input: options.commits.map((commit) => `${commit}\n`).join(''),
    onStdout: (chunk) => {
      reader.push(chunk);
      return true;
    },
  });
}

/**
 * Every version that files with the suffix have in the trees of some commits; `whole` are those of them that have a
 * parent which is none of them, or no parent. Error: `GIT_FAILED`.
 */
export async function filesOfCommits(
  context: GitContext,
  suffix: string,
  { commits, whole }: { commits: readonly string[]; whole: readonly string[] },
): Promise<ReachableFiles['versions']> {
  const found: Found = new Map();
  if (commits.length > 0) {
    const all = ['--no-walk=unsorted', '--full-history', '--stdin', '--', `*${suffix}`];
    await readLog(context, found, { suffix, arguments: all, commits });
  }
  for (const commit of whole) {
    for (const { path, blob, mode } of await listRevisionFiles(context, commit, suffix))
      if (mode !== LINK_MODE && !found.has(blob)) found.set(blob, { path, commit });
  }
  return withSizes(context, found);
}

/** Some commits and all that lead to them, with parents and committer's dates; and what the stash is made of. */
export async function commitGraph(context: GitContext, starts: readonly string[]): Promise<CommitGraph> {
  const input = starts.map((commit) => `${commit}\n`).join('');
  const format = ['--no-replace-objects', ...LOG, '--format=%H %ct %P', '--stdin'];
  const commits: CommitGraph['commits'] = new Map();
  if (starts.length > 0) {
    const { stdout } = await context.run(format, { input });
    for (const line of stdout.toString('latin1').split('\n')) {
      const [commit = '', time = '', ...parents] = line.split(' ');
      if (commit !== '') commits.set(commit, { time: Number(time), parents: parents.filter(Boolean) });
    }
  }
  // Each entry is a merge of the commit it was made on, of the index, and of the untracked files.
  const stash = await context.run([...LOG, '--walk-reflogs', '--format=%H %P', 'refs/stash', '--'], {
    accept: [0, 128],
  });
  const lines = stash.code === 0 ? stash.stdout.toString('latin1').split('\n') : [];
  const stashed = lines.flatMap((line) => line.split(' ').filter((name, at) => name !== '' && at !== 1));
  return { commits, stashed: [...new Set(stashed)] };
}

/** A commit that brought the blob or took it away, for messages; undefined where nothing leads to one. */
export async function commitWith(context: GitContext, blob: string): Promise<string | undefined> {
  const { stdout } = await context.run([...LOG, '--all', '--reflog', '-1', '--format=%H', `--find-object=${blob}`]);
  return stdout.toString('latin1').trim() || undefined;
}

async function currentCommits(context: GitContext): Promise<string[]> {
  const own = await context.run(['for-each-ref', '--format=%(objectname)', ...OWN_REFS]);
  const listed = LISTS.flatMap((name) => namesIn(join(context.layout.gitDir, name)));
  return commitsAmong(context, [...CURRENT, ...own.stdout.toString('latin1').split('\n').filter(Boolean), ...listed]);
}

async function formerCommits(context: GitContext): Promise<string[]> {
  const listed = FORMER_LISTS.flatMap((name) => namesIn(join(context.layout.gitDir, name)));
  return commitsAmong(context, [...FORMER, ...listed]);
}

async function commitsAmong(context: GitContext, names: readonly string[]): Promise<string[]> {
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
async function readIndex(context: GitContext, suffix: string, found: Found): Promise<void> {
  const { stdout } = await context.run(['ls-files', '-z', '--cached', '--stage']);
  const take = (path: Buffer, [mode = '', blob = '']: string[]): void => {
    if (mode.startsWith('100') && !found.has(blob)) found.set(blob, { path: path.toString('utf8') });
  };
  forEachEntry(stdout, take, suffix);
}

async function withSizes(context: GitContext, found: Found): Promise<ReachableFiles['versions']> {
  const sizes = new Map((await look(context, [...found.keys()])).map(({ name, size }) => [name, size]));
  return [...found].map(([blob, each]) => ({ ...each, blob, size: sizes.get(blob) }));
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
