import type { EntryChange } from '../objects/tree-diff.js';
import type { TreeEntry } from '../objects/tree-format.js';

/** How one path differs. `renamed` has the same content under another name; `mode` differs in the executable bit only. */
export type ChangeKind = 'added' | 'modified' | 'deleted' | 'renamed' | 'mode' | 'type';

/** One path that differs, for status and diff. */
export interface PathChange {
  kind: ChangeKind;
  path: string;
  /** Where the content was before, for `renamed`. */
  from?: string;
  /** What it was and is: `file`, `executable`, `link`, `tree` (an empty directory). */
  before?: TreeEntry['kind'];
  after?: TreeEntry['kind'];
  /** Bytes before and after; a link counts 0. */
  bytesBefore: number;
  bytesAfter: number;
}

/** Sums over changes. Bytes of `modified` count on both sides, those of `renamed` on neither. */
export interface ChangeTotals {
  added: number;
  modified: number;
  deleted: number;
  renamed: number;
  bytesAdded: number;
  bytesDeleted: number;
}

/**
 * Names every difference and pairs what was deleted with what was added with the same content, each once, as renamed.
 * `prefix` is put before every path.
 */
export function reportChanges(changes: Iterable<EntryChange>, prefix: string): PathChange[] {
  const report: PathChange[] = [];
  const deleted = new Map<string, EntryChange[]>();
  const added: EntryChange[] = [];
  for (const change of changes) {
    if (change.before && change.after) report.push(describe(change, prefix));
    else if (change.after) added.push(change);
    else push(deleted, contentKey(change.before as TreeEntry), change);
  }
  for (const change of added) {
    const source = deleted.get(contentKey(change.after as TreeEntry))?.shift();
    report.push(source ? renamed(source, change, prefix) : describe(change, prefix));
  }
  for (const rest of deleted.values()) for (const change of rest) report.push(describe(change, prefix));
  return report.sort((left, right) => (left.path < right.path ? -1 : left.path > right.path ? 1 : 0));
}

function contentKey(entry: TreeEntry): string {
  // Empty files and links are too alike to be told apart by their content.
  if (entry.kind === 'link' || entry.size === 0)
    return `${entry.kind}\0${entry.name}\0${entry.kind === 'link' ? entry.target : ''}`;
  return entry.digest.toString('latin1');
}

function push(map: Map<string, EntryChange[]>, key: string, change: EntryChange): void {
  const list = map.get(key);
  if (list) list.push(change);
  else map.set(key, [change]);
}

function describe(change: EntryChange, prefix: string): PathChange {
  const { before, after } = change;
  const result: PathChange = {
    kind: kindOf(before, after),
    path: prefix + change.path,
    bytesBefore: bytesOf(before),
    bytesAfter: bytesOf(after),
  };
  if (before) result.before = before.kind;
  if (after) result.after = after.kind;
  return result;
}

function renamed(source: EntryChange, change: EntryChange, prefix: string): PathChange {
  return { ...describe({ ...change, before: source.before }, prefix), kind: 'renamed', from: prefix + source.path };
}

function kindOf(before: TreeEntry | undefined, after: TreeEntry | undefined): ChangeKind {
  if (!before) return 'added';
  if (!after) return 'deleted';
  const bothFiles = isFile(before) && isFile(after);
  if (bothFiles) return before.digest.equals(after.digest) ? 'mode' : 'modified';
  return before.kind === after.kind ? 'modified' : 'type';
}

function isFile(entry: TreeEntry): entry is Extract<TreeEntry, { kind: 'file' | 'executable' }> {
  return entry.kind === 'file' || entry.kind === 'executable';
}

function bytesOf(entry: TreeEntry | undefined): number {
  return entry && entry.kind !== 'link' ? entry.size : 0;
}

/** The sums of a report. */
export function totalChanges(changes: readonly PathChange[]): ChangeTotals {
  const totals: ChangeTotals = { added: 0, modified: 0, deleted: 0, renamed: 0, bytesAdded: 0, bytesDeleted: 0 };
  for (const change of changes) {
    if (change.kind === 'renamed') totals.renamed++;
    else if (change.kind === 'added') totals.added++;
    else if (change.kind === 'deleted') totals.deleted++;
    else totals.modified++;
    if (change.kind === 'renamed' || change.kind === 'mode') continue;
    totals.bytesAdded += change.bytesAfter;
    totals.bytesDeleted += change.bytesBefore;
  }
  return totals;
}
