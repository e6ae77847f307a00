import type { TreeEntry } from './tree-format.js';

/** Why two sides of a merge do not go together at a path. */
export type ConflictKind = 'both-modified' | 'both-added' | 'deleted-by-ours' | 'deleted-by-theirs' | 'type';

/** A path at which both sides changed what they began with, each in its own way. */
export interface TreeConflict {
  /** Below the merged directory; empty for all of it. */
  path: string;
  kind: ConflictKind;
  /** What is there on each side; undefined where nothing is. */
  base: TreeEntry | undefined;
  ours: TreeEntry | undefined;
  theirs: TreeEntry | undefined;
}

/** What is taken at a path in conflict: undefined for nothing. */
export type ConflictChoice = (conflict: TreeConflict) => TreeEntry | undefined;

/** Digests of the trees to be merged; `base` is undefined where the sides have no common beginning. */
export interface TreeSides {
  base: Buffer | undefined;
  ours: Buffer;
  theirs: Buffer;
}
