import type { NewChange, NewCommit, NewFile, RewriteCommit } from '../git/rewriting.js';
import type { RepositoryPath } from '../workspace/paths.js';
import { bytePath, commitStates, type IsRelevant, isPlainFile, type State, textPath } from './rewrite-state.js';

/** What takes the place of all files of a state: every file that the new commit has of those that matter. */
export type Overlay = ReadonlyMap<RepositoryPath, NewFile>;

/** Gives the overlay of a state; `commit` (hex) is the first one that has it. */
export type Convert = (state: State, commit: string) => Overlay;

/** What a new commit on top of another one changes, so that its files are those of the overlay. */
export function changesOnTop(state: State, overlay: Overlay): NewChange[] {
  return changesBetween(new Map<RepositoryPath, NewFile>(state), overlay);
}

/** The commits of a history, each with the overlay of its state in the place of that; in the same order. */
export function rewrittenCommits(
  commits: readonly RewriteCommit[],
  { isRelevant, convert }: { isRelevant: IsRelevant; convert: Convert },
): NewCommit[] {
  const overlays = new WeakMap<State, Overlay>();
  const overlayOf = (state: State, commit: string): Overlay => {
    const known = overlays.get(state) ?? convert(state, commit);
    overlays.set(state, known);
    return known;
  };
  const positions = new Map<string, number>();
  const result: NewCommit[] = [];
  for (const { commit, state, before } of commitStates(commits, isRelevant)) {
    const overlay = overlayOf(state, commit.commit);
    const changes = new Map<string, NewFile | undefined>();
    for (const { path, mode, blob } of commit.changes) {
      const text = textPath(path);
      const matters = text !== undefined && isPlainFile(mode) && state.has(text);
      // What matters is in the overlay, or is gone.
      changes.set(path, mode === undefined || matters ? undefined : { mode, blob });
    }
    const from: Overlay = before ? overlayOf(before, commit.commit) : new Map();
    for (const { path, file } of from === overlay ? [] : changesBetween(from, overlay)) {
      // A file that no longer matters is there all the same.
      if (file || !changes.has(path)) changes.set(path, file);
    }
    for (const { path } of commit.changes) {
      const file = overlay.get(textPath(path) ?? '');
      if (file) changes.set(path, file);
    }
    positions.set(commit.commit, result.length);
    result.push({
      like: commit.commit,
      parents: commit.parents.flatMap((parent) => positions.get(parent) ?? []),
      changes: [...changes].map(([path, file]) => ({ path, file })),
    });
  }
  return result;
}

function changesBetween(from: Overlay, to: Overlay): NewChange[] {
  const changes: NewChange[] = [];
  for (const path of from.keys()) if (!to.has(path)) changes.push({ path: bytePath(path), file: undefined });
  for (const [path, file] of to) {
    if (!isSame(from.get(path), file)) changes.push({ path: bytePath(path), file });
  }
  return changes;
}

function isSame(left: NewFile | undefined, right: NewFile): boolean {
  if (left === right) return true;
  if (!left || left.mode !== right.mode) return false;
  if ('blob' in left) return 'blob' in right && left.blob === right.blob;
  return 'text' in right && left.text === right.text;
}
