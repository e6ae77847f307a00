import { isMlvError } from '../core/errors.js';
import type { ObjectCache } from './cache.js';
import { digestOf, type Oid, splitOid } from './oid.js';
import { checkTreeLevel, KIND, looksLikeTree, TREE_MAGIC, TreeReader } from './tree-format.js';

/**
 * What roots lead to, as the cache knows it: each root and, of a directory, all that its trees name. Grows with each root;
 * what was seen is not looked at again, so that a million versions of one directory cost what differs between them.
 */
export class ReachableObjects {
  /** Hex digests, of objects that the cache holds and of those that it lacks. */
  readonly hexes = new Set<string>();
  /** Directories below which nothing is known, because the cache does not hold their trees. */
  readonly unknown = new Set<Oid>();

  constructor(
    private readonly cache: ObjectCache,
    /** Told of each object when it is met for the first time, and whether it is a tree: those come before what they name. */
    private readonly onNew: (hex: string, isTree: boolean) => void = () => {},
  ) {}

  /**
   * Adds what an object leads to; one of another algorithm is passed over. `directory` says what its pointer says: where
   * it is false, the object's own first bytes decide. Errors: `OBJECT_CORRUPT` and `TREE_INVALID` for a tree that is
   * damaged, because what it needs cannot be told; `FILE_SYSTEM`.
   */
  add(oid: Oid, directory: boolean): void {
    const { algorithm, hex } = splitOid(oid);
    if (algorithm !== this.cache.hash.algorithm) return;
    if (directory || this.isTree(oid, hex)) this.tree(digestOf(oid), 0);
    else this.note(hex);
  }

  private isTree(oid: Oid, hex: string): boolean {
    if (!this.cache.hasHex(hex)) return false;
    return looksLikeTree(this.cache.peek(oid, TREE_MAGIC.length));
  }

  private note(hex: string, isTree = false): boolean {
    if (this.hexes.has(hex)) return false;
    this.hexes.add(hex);
    this.onNew(hex, isTree);
    return true;
  }

  private tree(digest: Buffer, level: number): void {
    if (!this.note(digest.toString('hex'), true)) return;
    checkTreeLevel(level);
    const oid = this.cache.oid(digest);
    const bytes = this.read(oid);
    if (!bytes) {
      this.unknown.add(oid);
      return;
    }
    const reader = new TreeReader(bytes);
    while (reader.next()) {
      if (reader.kind === KIND.link) continue;
      if (reader.kind === KIND.tree) this.tree(Buffer.from(reader.digest), level + 1);
      else this.note(reader.digest.toString('hex'));
    }
  }

  private read(oid: Oid): Buffer | undefined {
    try {
      return this.cache.read(oid);
    } catch (error) {
      if (isMlvError(error, 'OBJECT_MISSING')) return undefined;
      throw error;
    }
  }
}
