import { isUtf8 } from 'node:buffer';
import type { BytePath, RewriteCommit } from '../git/rewriting.js';
import type { RepositoryPath } from '../workspace/paths.js';

/** A file of Git as a commit has it. */
export interface StateFile {
  /** Object name, hex. */
  blob: string;
  mode: string;
}

/** The files of one commit that a migration looks at. */
export type State = ReadonlyMap<RepositoryPath, StateFile>;

/** Says of a file whether the migration looks at it. Files that are no UTF-8 paths, and links, never are. */
export type IsRelevant = (path: RepositoryPath, file: StateFile) => boolean;

/** A commit with what its files are. */
export interface CommitState {
  commit: RewriteCommit;
  state: State;
  /** Of the first parent; undefined for a commit without one. The same object where nothing that matters changed. */
  before: State | undefined;
}

/** A path of Git as text; undefined where its bytes are no UTF-8. */
export function textPath(path: BytePath): RepositoryPath | undefined {
  if (/^[\x00-\x7f]*$/.test(path)) return path;
  const bytes = Buffer.from(path, 'latin1');
  return isUtf8(bytes) ? bytes.toString('utf8') : undefined;
}

/** A path as the bytes that Git has. */
export function bytePath(path: RepositoryPath): BytePath {
  return /^[\x00-\x7f]*$/.test(path) ? path : Buffer.from(path, 'utf8').toString('latin1');
}

/** True for what a file of Git is on which a migration could work: neither a link nor a submodule. */
export function isPlainFile(mode: string | undefined): boolean {
  return mode === '100644' || mode === '100755';
}

/**
 * The state that a list of all files of a commit makes: those that are relevant, by path. Links, submodules and names that
 * are not UTF-8 are not among them. Pure.
 */
export function stateOf(
  files: Iterable<{ path: BytePath; mode: string; blob: string }>,
  isRelevant: IsRelevant,
): Map<RepositoryPath, StateFile> {
  const state = new Map<RepositoryPath, StateFile>();
  for (const { path, mode, blob } of files) {
    const text = isPlainFile(mode) ? textPath(path) : undefined;
    if (text !== undefined && isRelevant(text, { blob, mode })) state.set(text, { blob, mode });
  }
  return state;
}

/**
 * Every commit with its state, parents before children. A state is kept only as long as a child has yet to begin with it,
 * and shared where nothing that matters changed.
 */
export function* commitStates(commits: readonly RewriteCommit[], isRelevant: IsRelevant): Generator<CommitState> {
  const children = new Map<string, number>();
  for (const { parents } of commits) {
    const [first] = parents;
    if (first !== undefined) children.set(first, (children.get(first) ?? 0) + 1);
  }
  const states = new Map<string, State>();
  const nothing: State = new Map();
  for (const commit of commits) {
    const [first] = commit.parents;
    const before = first === undefined ? undefined : states.get(first);
    const state = changed(before ?? nothing, commit, isRelevant);
    if ((children.get(commit.commit) ?? 0) > 0) states.set(commit.commit, state);
    yield { commit, state, before };
    if (first === undefined) continue;
    const left = (children.get(first) ?? 0) - 1;
    children.set(first, left);
    if (left === 0) states.delete(first);
  }
}

function changed(before: State, { changes }: RewriteCommit, isRelevant: IsRelevant): State {
  let state: Map<RepositoryPath, StateFile> | undefined;
  for (const { path, mode, blob } of changes) {
    const text = textPath(path);
    if (text === undefined) continue;
    const relevant = mode !== undefined && isPlainFile(mode) && isRelevant(text, { blob, mode });
    if (!relevant && !before.has(text)) continue;
    state ??= new Map(before);
    if (relevant) state.set(text, { blob, mode });
    else state.delete(text);
  }
  return state ?? before;
}
