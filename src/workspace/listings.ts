import { isMlvError } from '../core/errors.js';
import { checkTreeLevel, KIND, TreeReader } from '../objects/tree-format.js';
import { selectedEntry } from './list.js';
import type { Selection } from './pointers.js';
import type { Repository } from './repository.js';

/**
 * True when the cache lacks a listing that is needed to show what a selection names: that of the directory, or with
 * `recursive` any below it. Errors: `PATH_NOT_FOUND`, `OBJECT_CORRUPT`, `TREE_INVALID`.
 */
export function lacksListing(repository: Repository, selection: Selection, recursive: boolean): boolean {
  try {
    const entry = selectedEntry(repository, selection);
    if (entry.kind !== 'tree') return false;
    new ListingCheck(repository, recursive).look(entry.digest, 0);
    return false;
  } catch (error) {
    if (isMlvError(error, 'OBJECT_MISSING')) return true;
    throw error;
  }
}

class ListingCheck {
  private readonly seen = new Set<string>();

  constructor(
    private readonly repository: Repository,
    private readonly recursive: boolean,
  ) {}

  /** Error: `OBJECT_MISSING` at the first listing that is not there. */
  look(digest: Buffer, level: number): void {
    const key = digest.toString('latin1');
    if (this.seen.has(key)) return;
    this.seen.add(key);
    checkTreeLevel(level);
    const { cache } = this.repository;
    const reader = new TreeReader(cache.read(cache.oid(digest)));
    while (this.recursive && reader.next()) {
      if (reader.kind === KIND.tree) this.look(Buffer.from(reader.digest), level + 1);
    }
  }
}
