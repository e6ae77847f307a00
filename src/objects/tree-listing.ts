import type { TreeLoader } from './tree-diff.js';
import { checkTreeLevel, currentEntry, type TreeEntry, TreeReader } from './tree-format.js';

/** One line of a listing: an entry, or neighbours in one directory that are told together. */
export type ListedEntry =
  | { path: string; entry: TreeEntry; open?: boolean }
  | { path: string; last: string; entries: number; files: number; size: number; digest: Buffer };

/** What a listing needs to tell many entries as one. */
export interface ListingTools {
  load: TreeLoader;
  /** Digest of many entries. */
  digest: (bytes: Buffer) => Buffer;
  /** Most lines. */
  limit: number;
}

/**
 * Lists a tree so that two lists can be compared line by line: every entry, where they are at most `limit`; otherwise as
 * many levels of directories as fit, and of a level that does not fit alone, groups of neighbours whose borders depend on
 * the names there and on nothing else. So a change is always a change of some line, and of few. A directory whose
 * listing `load` cannot give is told as one line. Errors: those of `load` for the root, `TREE_INVALID`.
 */
export function listTree(root: Buffer, tools: ListingTools): ListedEntry[] {
  const bytes = tools.load(root);
  const entries = countEntries(bytes);
  if (entries > tools.limit) return grouped(bytes, entries, tools);
  let listed = levelOf(bytes, '');
  for (let level = 1; ; level += 1) {
    checkTreeLevel(level);
    const deeper = opened(listed, tools);
    if (!deeper) return listed;
    listed = deeper;
  }
}

function countEntries(bytes: Buffer): number {
  const reader = new TreeReader(bytes);
  let count = 0;
  while (reader.next()) count += 1;
  return count;
}

function levelOf(bytes: Buffer, path: string): ListedEntry[] {
  const reader = new TreeReader(bytes);
  const entries: ListedEntry[] = [];
  while (reader.next()) {
    const entry = currentEntry(reader);
    entries.push({ path: path === '' ? entry.name : `${path}/${entry.name}`, entry });
  }
  return entries;
}

/** The list with one more level of directories opened; undefined where there is none, or it would be too long. */
function opened(listed: readonly ListedEntry[], tools: ListingTools): ListedEntry[] | undefined {
  const deeper: ListedEntry[] = [];
  let more = false;
  for (const each of listed) {
    if (!('entry' in each) || each.entry.kind !== 'tree' || each.open) {
      deeper.push(each);
      continue;
    }
    const below = tryLevel(each.entry.digest, each.path, tools);
    if (below === 'too long') return undefined;
    // An empty directory, and one that cannot be looked into, stays a line.
    if (!below || below.length === 0) deeper.push({ ...each, open: true });
    else deeper.push(...below);
    more = true;
    if (deeper.length > tools.limit) return undefined;
  }
  return more ? deeper : undefined;
}

function tryLevel(digest: Buffer, path: string, { load, limit }: ListingTools): ListedEntry[] | 'too long' | undefined {
  try {
    const bytes = load(digest);
    return countEntries(bytes) > limit ? 'too long' : levelOf(bytes, path);
  } catch {
    return undefined;
  }
}

/** A border behind every name whose hash ends with so many zeros that some half of the limit in groups is to be expected. */
function grouped(bytes: Buffer, entries: number, { digest, limit }: ListingTools): ListedEntry[] {
  const mask = 2 ** Math.ceil(Math.log2(entries / limit) + 1) - 1;
  const reader = new TreeReader(bytes);
  const groups: ListedEntry[] = [];
  let group: TreeEntry[] = [];
  while (reader.next()) {
    const entry = currentEntry(reader);
    group.push(entry);
    if ((hashOf(entry.name) & mask) !== 0) continue;
    groups.push(groupOf(group, digest));
    group = [];
  }
  if (group.length > 0) groups.push(groupOf(group, digest));
  return groups;
}

function groupOf(group: readonly TreeEntry[], digest: ListingTools['digest']): ListedEntry {
  const lines = group.map((entry) => `${entry.kind} ${entry.name}\0${identity(entry)}`);
  return {
    path: (group[0] as TreeEntry).name,
    last: (group[group.length - 1] as TreeEntry).name,
    entries: group.length,
    files: group.reduce((sum, entry) => sum + (entry.kind === 'tree' ? entry.files : 1), 0),
    size: group.reduce((sum, entry) => sum + (entry.kind === 'link' ? 0 : entry.size), 0),
    digest: digest(Buffer.from(lines.join('\0'))),
  };
}

function identity(entry: TreeEntry): string {
  return entry.kind === 'link' ? entry.target : entry.digest.toString('latin1');
}

/** FNV-1a: spreads names evenly, and nothing depends on its being hard to turn round. */
function hashOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < name.length; at += 1) hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193);
  return (hash ^ (hash >>> 15)) >>> 0;
}
