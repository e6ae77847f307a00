import { checkTreeLevel, currentEntry, KIND, type TreeEntry, TreeReader } from './tree-format.js';

/** Gives the bytes of a tree by its digest. Error: `OBJECT_MISSING` where it is not to be had. */
export type TreeLoader = (digest: Buffer) => Buffer;

/** One side of a comparison; undefined where nothing is there. */
export interface DiffSide {
  digest: Buffer;
  load: TreeLoader;
}

/** A file or link that differs. `before` is undefined for what was added, `after` for what was deleted. */
export interface EntryChange {
  /** Path below the compared directory. */
  path: string;
  before: TreeEntry | undefined;
  after: TreeEntry | undefined;
}

/**
 * Every file and link that differs between two trees, in the order of their paths. What has the same digest on both
 * sides is not opened, so that the cost follows the difference and not the size. Empty directories count as entries.
 */
export function* diffTrees(
  before: DiffSide | undefined,
  after: DiffSide | undefined,
  at = { path: '', level: 0 },
): Generator<EntryChange> {
  if (before && after && before.digest.equals(after.digest)) return;
  checkTreeLevel(at.level);
  const left = before && new Cursor(before.load(before.digest));
  const right = after && new Cursor(after.load(after.digest));
  while (left?.reader || right?.reader) {
    const order = compareCursors(left, right);
    const old = order <= 0 ? left?.take() : undefined;
    const now = order >= 0 ? right?.take() : undefined;
    yield* diffEntries(
      { before: old, after: now, path: join(at.path, (old ?? (now as TreeEntry)).name), level: at.level + 1 },
      before?.load,
      after?.load,
    );
  }
}

/** A change, and how many levels below the compared directory its content lies. */
interface EntryAt extends EntryChange {
  level: number;
}

function* diffEntries(change: EntryAt, loadBefore?: TreeLoader, loadAfter?: TreeLoader): Generator<EntryChange> {
  const { before, after } = change;
  if (before && after && sameEntry(before, after)) return;
  const oldTree = before?.kind === 'tree' ? before : undefined;
  const newTree = after?.kind === 'tree' ? after : undefined;
  const oldPlain = before && !oldTree ? before : undefined;
  const newPlain = after && !newTree ? after : undefined;
  if (oldPlain || newPlain) yield { path: change.path, before: oldPlain, after: newPlain };
  if (oldTree || newTree) {
    // An empty directory has nothing below it that could be reported in its place.
    if (oldTree?.files === 0 && !newTree) yield { path: change.path, before: oldTree, after: undefined };
    else if (newTree?.files === 0 && !oldTree) yield { path: change.path, before: undefined, after: newTree };
    else {
      yield* diffTrees(
        oldTree && { digest: oldTree.digest, load: loadBefore as TreeLoader },
        newTree && { digest: newTree.digest, load: loadAfter as TreeLoader },
        change,
      );
    }
  }
}

/** True when both entries are of one kind and have the same content. */
export function sameEntry(left: TreeEntry, right: TreeEntry): boolean {
  if (left.kind !== right.kind) return false;
  if (left.kind === 'link') return left.target === (right as typeof left).target;
  return left.digest.equals((right as Exclude<TreeEntry, { kind: 'link' }>).digest);
}

/** Stands before each entry of a tree in order; at the end it has no reader any more. */
export class Cursor {
  reader: TreeReader | undefined;

  constructor(bytes: Buffer) {
    this.reader = new TreeReader(bytes);
    this.advance();
  }

  /** The entry it stands before, as a value; moves on. Must not be called at the end. */
  take(): TreeEntry {
    const entry = currentEntry(this.reader as TreeReader);
    this.advance();
    return entry;
  }

  private advance(): void {
    if (!this.reader?.next()) this.reader = undefined;
  }
}

function compareCursors(left: Cursor | undefined, right: Cursor | undefined): number {
  if (!left?.reader) return 1;
  if (!right?.reader) return -1;
  return Buffer.compare(left.reader.nameBytes, right.reader.nameBytes);
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}/${name}`;
}

/** Entries of the tree at a path below `digest`, or undefined where the tree has no such path. */
export function entryAt(digest: Buffer, below: string, load: TreeLoader): TreeEntry | undefined {
  let current: TreeEntry = { kind: 'tree', name: '', size: 0, files: 0, digest };
  for (const part of below.split('/')) {
    if (part === '') continue;
    if (current.kind !== 'tree') return undefined;
    const next = findEntry(load(current.digest), part);
    if (!next) return undefined;
    current = next;
  }
  return current;
}

function findEntry(bytes: Buffer, name: string): TreeEntry | undefined {
  const wanted = Buffer.from(name, 'utf8');
  const reader = new TreeReader(bytes);
  while (reader.next()) if (reader.nameBytes.equals(wanted)) return currentEntry(reader);
  return undefined;
}

/** A file or link below a tree, with its path. */
export interface WalkedEntry {
  path: string;
  entry: TreeEntry;
}

/** Every entry below a tree, depth first, in the order of their names; directories come before what they hold. */
export function* walkTree(
  digest: Buffer,
  load: TreeLoader,
  { path, level } = { path: '', level: 0 },
): Generator<WalkedEntry> {
  checkTreeLevel(level);
  const reader = new TreeReader(load(digest));
  while (reader.next()) {
    const entry = currentEntry(reader);
    const at = join(path, entry.name);
    yield { path: at, entry };
    if (reader.kind === KIND.tree) {
      yield* walkTree((entry as { digest: Buffer }).digest, load, { path: at, level: level + 1 });
    }
  }
}
