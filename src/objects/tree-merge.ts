import type { HashFunction } from './hash.js';
import type { ConflictChoice, ConflictKind, TreeConflict, TreeSides } from './tree-conflict.js';
import { Cursor, sameEntry, type TreeLoader } from './tree-diff.js';
import { checkTreeLevel, type TreeEntry, TreeWriter } from './tree-format.js';
import { directoriesAbove, followMoves, isPlainFile, type Move, mergedKind, type PlainFile } from './tree-moves.js';

/** What a merge works with. */
export interface TreeMergeTools {
  hash: HashFunction;
  load: TreeLoader;
  /** Takes every tree that no side has, leaves first. */
  store: (digest: Buffer, bytes: Buffer) => void;
  choose: ConflictChoice;
}

/** The tree that came of a merge. */
export interface MergedTree {
  digest: Buffer;
  /** Bytes of all files below, and how many files and links. */
  size: number;
  files: number;
  /** In the order of their paths. */
  conflicts: TreeConflict[];
}

/**
 * Merges two trees that began as one, name by name: what one side left as it was is taken from the other, the executable
 * bit apart from the content. A file that one side moved without changing it, and the other changed where it was, ends up
 * changed where it was moved to. At a conflict `choose` decides what the result holds there. Only directories that both
 * sides changed are opened. Errors: those of `load`, `TREE_INVALID`.
 */
export function mergeTrees(sides: TreeSides, tools: TreeMergeTools): MergedTree {
  let attempt = new TreeMerge(tools, []);
  let merged = attempt.root(sides);
  let moves = merged.conflicts.some(isDeletion) ? followMoves(sides, merged.conflicts, tools.load) : [];
  while (moves.length > 0) {
    attempt = new TreeMerge(tools, moves);
    merged = attempt.root(sides);
    // A new name that lies below another conflict is never written, and then the old one must stay.
    const { reached } = attempt;
    if (moves.every(({ to }) => reached.has(to))) break;
    moves = moves.filter(({ to }) => reached.has(to));
    if (moves.length > 0) continue;
    attempt = new TreeMerge(tools, []);
    merged = attempt.root(sides);
  }
  for (const { digest, bytes } of attempt.made) tools.store(digest, bytes);
  return merged;
}

function isDeletion({ kind }: TreeConflict): boolean {
  return kind === 'deleted-by-ours' || kind === 'deleted-by-theirs';
}

/** One directory on its three sides. */
interface Level {
  base: Buffer | undefined;
  ours: Buffer | undefined;
  theirs: Buffer | undefined;
  path: string;
  level: number;
}

class TreeMerge {
  /** Trees that no side has, leaves first. */
  readonly made: { digest: Buffer; bytes: Buffer }[] = [];
  /** Overrides that had their effect. */
  readonly reached = new Set<string>();
  private readonly conflicts: TreeConflict[] = [];
  /** Directories above the overrides. */
  private readonly above: ReadonlySet<string>;
  /** What replaces the outcome at some paths: undefined for nothing. */
  private readonly overrides: ReadonlyMap<string, TreeEntry | undefined>;

  constructor(
    private readonly tools: TreeMergeTools,
    moves: readonly Move[],
  ) {
    this.overrides = new Map<string, TreeEntry | undefined>(
      moves.flatMap(({ from, to, entry }) => [[from, undefined] as const, [to, entry] as const]),
    );
    this.above = new Set([...this.overrides.keys()].flatMap((path) => [...directoriesAbove(path)]));
  }

  root({ base, ours, theirs }: TreeSides): MergedTree {
    const { digest, size, files } = this.directory({ base, ours, theirs, path: '', level: 0 });
    return { digest, size, files, conflicts: this.conflicts };
  }

  /** The merged directory, and whether it holds nothing. */
  private directory(at: Level): { digest: Buffer; size: number; files: number; empty: boolean } {
    checkTreeLevel(at.level);
    const { load, hash } = this.tools;
    const cursors = [at.base, at.ours, at.theirs].map((digest) => digest && new Cursor(load(digest)));
    const writer = new TreeWriter();
    let empty = true;
    for (;;) {
      const [base, ours, theirs] = takeNext(cursors);
      const some = base ?? ours ?? theirs;
      if (!some) break;
      const path = at.path === '' ? some.name : `${at.path}/${some.name}`;
      const merged = this.entry({ base, ours, theirs, path, level: at.level + 1 });
      if (!merged) continue;
      write(writer, merged);
      empty = false;
    }
    const bytes = writer.finish();
    const digest = hash.digest(bytes);
    if (![at.ours, at.theirs].some((side) => side?.equals(digest))) this.made.push({ digest, bytes });
    return { digest, size: writer.size, files: writer.files, empty };
  }

  private entry(at: Three & { path: string; level: number }): TreeEntry | undefined {
    if (this.overrides.has(at.path)) {
      this.reached.add(at.path);
      return this.overrides.get(at.path);
    }
    const outcome = this.overridesBelow(at) ? 'descend' : decide(at);
    if (outcome === 'descend') return this.descend(at);
    if (typeof outcome === 'object' && 'take' in outcome) return outcome.take;
    const { base, ours, theirs, path } = at;
    const conflict: TreeConflict = { path, kind: outcome.kind, base, ours, theirs };
    this.conflicts.push(conflict);
    return this.tools.choose(conflict);
  }

  private overridesBelow({ base, ours, theirs, path }: Three & { path: string }): boolean {
    return this.above.has(path) && [base, ours, theirs].every((side) => !side || side.kind === 'tree');
  }

  private descend({ base, ours, theirs, path, level }: Three & { path: string; level: number }): TreeEntry | undefined {
    const digests = { base: treeDigest(base), ours: treeDigest(ours), theirs: treeDigest(theirs) };
    const { empty, ...merged } = this.directory({ ...digests, path, level });
    // A directory that one side took away is there only for what the other put into it.
    const gone = (base && !(ours && theirs)) || !(ours || theirs);
    const name = (base ?? ours ?? (theirs as TreeEntry)).name;
    return empty && gone ? undefined : { kind: 'tree', name, ...merged };
  }
}

interface Three {
  base: TreeEntry | undefined;
  ours: TreeEntry | undefined;
  theirs: TreeEntry | undefined;
}

function decide({ base, ours, theirs }: Three): 'descend' | { take: TreeEntry | undefined } | { kind: ConflictKind } {
  if (same(ours, theirs)) return { take: ours };
  if (same(base, ours)) return { take: theirs };
  if (same(base, theirs)) return { take: ours };
  if (ours?.kind === 'tree' && theirs?.kind === 'tree') return 'descend';
  if (!ours || !theirs) {
    const left = ours ?? theirs;
    if (base?.kind === 'tree' && left?.kind === 'tree') return 'descend';
    return { kind: ours ? 'deleted-by-theirs' : 'deleted-by-ours' };
  }
  if (isPlainFile(ours) && isPlainFile(theirs)) return decideFile(base, ours, theirs);
  const oneType = ours.kind === theirs.kind;
  return { kind: !oneType ? 'type' : base ? 'both-modified' : 'both-added' };
}

/** Content and executable bit are two things: each follows the side that changed it. */
function decideFile(
  base: TreeEntry | undefined,
  ours: PlainFile,
  theirs: PlainFile,
): { take: TreeEntry } | { kind: ConflictKind } {
  const before = base && isPlainFile(base) ? base : undefined;
  const changed = (side: PlainFile): boolean => !before?.digest.equals(side.digest);
  if (!ours.digest.equals(theirs.digest) && changed(ours) && changed(theirs)) {
    return { kind: base ? 'both-modified' : 'both-added' };
  }
  const content = changed(ours) ? ours : theirs;
  return { take: { ...content, kind: mergedKind(before?.kind, ours.kind, theirs.kind) } };
}

function same(left: TreeEntry | undefined, right: TreeEntry | undefined): boolean {
  return left && right ? sameEntry(left, right) : left === right;
}

function treeDigest(entry: TreeEntry | undefined): Buffer | undefined {
  return entry?.kind === 'tree' ? entry.digest : undefined;
}

/** The entries of the smallest name among those that the cursors stand before. */
function takeNext(cursors: readonly (Cursor | undefined)[]): (TreeEntry | undefined)[] {
  let least: Buffer | undefined;
  for (const cursor of cursors) {
    const name = cursor?.reader?.nameBytes;
    if (name && (!least || Buffer.compare(name, least) < 0)) least = name;
  }
  const name = least && Buffer.from(least);
  return cursors.map((cursor) => (name && cursor?.reader?.nameBytes.equals(name) ? cursor.take() : undefined));
}

function write(writer: TreeWriter, entry: TreeEntry): void {
  if (entry.kind === 'link') writer.addLink(entry.name, entry.target);
  else if (entry.kind === 'tree') writer.addTree(entry.name, entry, entry.digest);
  else writer.addFile(entry.name, entry.kind === 'executable', entry.size, entry.digest);
}
