import { isMlvError, MlvError } from '../core/errors.js';
import type { ObjectCache } from '../objects/cache.js';
import type { Oid } from '../objects/oid.js';
import { ReachableObjects } from '../objects/reachable-objects.js';
import { KIND, looksLikeTree, TREE_MAGIC, TreeReader } from '../objects/tree-format.js';
import type { LiveRoot } from './collection-mark.js';
import type { ProofWanted } from './prove.js';

/** What roots lead to, whether it is kept or not. */
export interface Named {
  hexes: ReadonlySet<string>;
  /** Directories whose trees the cache lacks. */
  unknown: ReadonlySet<Oid>;
}

/** The objects of a cache that nothing leads to, and how they hang together. */
export class UnnamedObjects {
  private readonly trees = new Set<string>();
  private readonly others: string[] = [];
  private readonly inner = new Set<string>();

  /** `held` are the objects of the cache. Reads the beginnings of those that nothing names, and their trees. */
  constructor(
    private readonly cache: ObjectCache,
    private readonly from: { held: ReadonlyMap<string, number>; named: Named },
  ) {
    const { held, named } = from;
    for (const [hex, size] of held) {
      if (named.hexes.has(hex)) continue;
      if (size >= TREE_MAGIC.length && this.looksLikeTree(hex)) this.trees.add(hex);
      else this.others.push(hex);
    }
    for (const hex of this.trees) this.readTree(hex);
  }

  /** All of them: what others are made of behind them. */
  *hexes(): Iterable<string> {
    yield* [...this.trees].filter((hex) => !this.inner.has(hex));
    yield* [...this.trees].filter((hex) => this.inner.has(hex));
    yield* this.others;
  }

  /** Those that no other of them contains: what may once have been a target. */
  tops(): LiveRoot[] {
    const root = (hex: string, directory: boolean): LiveRoot => ({
      oid: this.cache.oid(hex),
      path: `object ${this.cache.oid(hex)}`,
      directory,
    });
    return [
      ...[...this.trees].filter((hex) => !this.inner.has(hex)).map((hex) => root(hex, true)),
      ...this.others.filter((hex) => !this.inner.has(hex)).map((hex) => root(hex, false)),
    ];
  }

  /** Those that some of the tops lead to, each behind what contains it. */
  below(tops: readonly Oid[]): string[] {
    const { held, named } = this.from;
    const found: string[] = [];
    const reached = new ReachableObjects(this.cache, (hex) => {
      if (held.has(hex) && !named.hexes.has(hex)) found.push(hex);
    });
    for (const oid of tops) {
      try {
        reached.add(oid, false);
      } catch (error) {
        // A damaged tree is all that goes of it.
        if (!isDamage(error)) throw error;
      }
    }
    return found;
  }

  /** True for a tree among them. */
  isTree(hex: string): boolean {
    return this.trees.has(hex);
  }

  private looksLikeTree(hex: string): boolean {
    try {
      return looksLikeTree(this.cache.peek(this.cache.oid(hex), TREE_MAGIC.length));
    } catch (error) {
      if (isMlvError(error, 'OBJECT_MISSING')) return false;
      throw error;
    }
  }

  private readTree(hex: string): void {
    try {
      const reader = new TreeReader(this.cache.read(this.cache.oid(hex)));
      while (reader.next()) if (reader.kind !== KIND.link) this.inner.add(reader.digest.toString('hex'));
    } catch (error) {
      if (!isDamage(error)) throw error;
    }
  }
}

function isDamage(error: unknown): boolean {
  return (
    isMlvError(error, 'OBJECT_CORRUPT') || isMlvError(error, 'TREE_INVALID') || isMlvError(error, 'OBJECT_MISSING')
  );
}

/** The error for directories of which neither this machine nor a remote knows what is in them. */
export function treesMissing(lost: readonly ProofWanted[]): MlvError {
  const paths = lost.map(({ path }) => path);
  const more = lost.length > 1 ? ` and ${lost.length - 1} more` : '';
  const message = `what '${paths[0]}'${more} needs cannot be told: its listing is neither in the cache nor proved to be on a remote`;
  return new MlvError('OBJECT_MISSING', `${message}; what nothing names was left alone`, {
    hint: 'fetch it (mlv fetch --all-commits), or collect without --unnamed',
    data: { paths: paths.slice(0, 1000) },
  });
}
