import type { TreeConflict, TreeSides } from './tree-conflict.js';
import { diffTrees, type TreeLoader } from './tree-diff.js';
import type { TreeEntry } from './tree-format.js';

/** A file with its content, in a tree. */
export type PlainFile = Extract<TreeEntry, { kind: 'file' | 'executable' }>;

/** True for a file, executable or not. */
export function isPlainFile(entry: TreeEntry): entry is PlainFile {
  return entry.kind === 'file' || entry.kind === 'executable';
}

/** A file that one side moved and the other changed, and what is to be at its new name. */
export interface Move {
  from: string;
  to: string;
  entry: TreeEntry;
}

/** The executable bit on two sides of a merge, taken from the side that changed it. */
export function mergedKind(
  base: PlainFile['kind'] | undefined,
  ours: PlainFile['kind'],
  theirs: PlainFile['kind'],
): PlainFile['kind'] {
  if (ours === theirs) return ours;
  if (base === undefined) return 'executable';
  return base === ours ? theirs : ours;
}

/**
 * Where one side deleted what the other changed, the deletion may be half of a move: the same bytes came up under one other
 * name on that side, where the other side has nothing. Then the change follows, and nothing is left at the old name.
 */
export function followMoves(sides: TreeSides, conflicts: readonly TreeConflict[], load: TreeLoader): Move[] {
  const found: Move[] = [];
  for (const side of ['ours', 'theirs'] as const) {
    const kind = side === 'ours' ? 'deleted-by-ours' : 'deleted-by-theirs';
    const deleted = conflicts.filter((each) => each.kind === kind);
    const moves = deleted.length === 0 ? undefined : movesOf(sides, side, { deleted, load });
    for (const { path, base, ours, theirs } of deleted) {
      const to = moves?.get(path);
      const changed = side === 'ours' ? theirs : ours;
      if (!to || !base || !changed || ![base, to.entry, changed].every(isPlainFile)) continue;
      const kinds = [base.kind, to.entry.kind, changed.kind] as PlainFile['kind'][];
      const kind = mergedKind(kinds[0], kinds[1] as PlainFile['kind'], kinds[2] as PlainFile['kind']);
      found.push({ from: path, to: to.path, entry: { ...(changed as PlainFile), name: to.entry.name, kind } });
    }
  }
  return found;
}

/** Where each deleted file went on its side: one new name with the same bytes, and free on the other side. */
function movesOf(
  sides: TreeSides,
  side: 'ours' | 'theirs',
  { deleted, load }: { deleted: readonly TreeConflict[]; load: TreeLoader },
): Map<string, { path: string; entry: TreeEntry }> {
  const added = (digest: Buffer): Map<string, TreeEntry> => {
    const changes = diffTrees(sides.base && { digest: sides.base, load }, { digest, load });
    return new Map([...changes].flatMap(({ path, before, after }) => (after && !before ? [[path, after]] : [])));
  };
  const sources = groupBy(deleted, ({ base }) => contentOf(base));
  const isFree = freePaths([...added(sides[side === 'ours' ? 'theirs' : 'ours']).keys()]);
  const arrived = [...added(sides[side])].map(([path, entry]) => ({ path, entry }));
  const candidates = groupBy(
    arrived.filter(({ path, entry }) => sources.has(contentOf(entry)) && isFree(path)),
    ({ entry }) => contentOf(entry),
  );
  const moves = new Map<string, { path: string; entry: TreeEntry }>();
  for (const [content, [from, ...others]] of sources) {
    const [to, ...more] = candidates.get(content) ?? [];
    if (from && to && content !== '' && others.length + more.length === 0) moves.set(from.path, to);
  }
  return moves;
}

function contentOf(entry: TreeEntry | undefined): string {
  return entry && isPlainFile(entry) ? entry.digest.toString('latin1') : '';
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}

/** Answers whether nothing of `taken` is at a path, below it, or a file above it. */
function freePaths(taken: readonly string[]): (path: string) => boolean {
  const files = new Set(taken);
  const directories = new Set(taken.flatMap((path) => [...directoriesAbove(path)]));
  return (path) =>
    !files.has(path) && !directories.has(path) && ![...directoriesAbove(path)].some((above) => files.has(above));
}

/** Every directory that a path lies in, the nearest first, without the top. */
export function* directoriesAbove(path: string): Generator<string> {
  for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) yield path.slice(0, end);
}
