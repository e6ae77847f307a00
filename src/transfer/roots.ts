import type { Oid } from '../objects/oid.js';
import type { WantedPart } from '../workspace/wanted-part.js';

/** The size of a root of which only the oid is known: its record tells. */
export const UNKNOWN_SIZE = -1;

/** What a transfer is asked for: the object that one pointer names. */
export interface Root {
  oid: Oid;
  /** True for a tree. */
  directory: boolean;
  /** Bytes of the file, or of all files below; for a fetch, a file's may be UNKNOWN_SIZE. */
  size: number;
  /** For messages: the path of the tracked file or directory. */
  path: string;
  /** True for the record of the run that made a target: it travels with it, and is not counted as a target. */
  isRecord?: true;
}

/** A root to be pushed, with the objects that its pointer named before, newest first. */
export interface PushRoot extends Root {
  predecessors: readonly Oid[];
}

/** What to bring into the cache. */
export interface FetchRoot extends Root {
  /** Only what is at or below this path of a directory; all when empty. */
  below: string;
  /** Of a whole directory, only what is in this part; everything when absent. */
  part?: WantedPart;
}

/** An object that a transfer could not handle, and why. */
export interface FailedObject {
  /** Path of the file or directory it belongs to. */
  path: string;
  oid: Oid;
  reason: 'missing' | 'corrupt' | 'remote';
  message: string;
}

/** What the pointers at these paths named before, newest first. */
export type FormerVersions = (paths: readonly string[]) => Promise<ReadonlyMap<string, readonly Oid[]>>;
