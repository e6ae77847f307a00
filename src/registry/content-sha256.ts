import { closeSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Phase, type Reporter, silentReporter } from '../core/reporter.js';
import { corrupt, type ObjectCache } from '../objects/cache.js';
import { type HashFunction, loadHash } from '../objects/hash.js';
import { digestOf, type Oid } from '../objects/oid.js';
import { hashStream } from '../objects/stream-copy.js';
import { checkTreeLevel, decodeTree, type TreeEntry } from '../objects/tree-format.js';
import { listingLine, listingOrder } from './listing.js';
import { Sha256Memory } from './sha256-memory.js';

/** Objects up to this size are read at once. */
const SMALL_BYTES = 1024 * 1024;
/** The event loop gets a turn after this many milliseconds. */
const TURN_MS = 50;

export interface ContentSha256Options {
  reporter?: Reporter;
  signal?: AbortSignal;
  /** Older directories whose files' digests may be known: those of the version before. */
  related?: readonly Oid[];
}

/**
 * Computes the SHA-256 of objects of the cache as a manifest has it. Each object is read once in its life, and compared
 * with its oid on the way, so that a damaged one is found and never vouched for. Errors: `OBJECT_MISSING`,
 * `OBJECT_CORRUPT`, `TREE_INVALID`, `INTERRUPTED`.
 */
export class ContentSha256 {
  private readonly memory: Sha256Memory;
  private readonly phase: Phase;
  private known: Map<string, Buffer> | undefined;
  private lastTurn = performance.now();

  constructor(
    private readonly cache: ObjectCache,
    private readonly options: ContentSha256Options = {},
  ) {
    this.memory = new Sha256Memory(cache);
    this.phase = (options.reporter ?? silentReporter).phase('Computing SHA-256', { unit: 'files' });
  }

  end(): void {
    this.phase.end();
  }

  /** `sha256:<hex>` of a file's bytes. */
  async file(oid: Oid, size: number): Promise<string> {
    const remembered = this.isSha256 ? digestOf(oid) : this.memory.recall(oid)?.own;
    if (remembered) return named(remembered);
    this.phase.expect({ items: 1, bytes: size });
    const own = await this.read(oid, size);
    this.memory.keep(oid, { own, files: new Map() });
    return named(own);
  }

  /** `sha256:<hex>` of a directory's listing, as docs/formats/manifest.md defines it. */
  async directory(oid: Oid, totals: { files: number; size: number }): Promise<string> {
    const remembered = this.memory.recall(oid);
    if (remembered) return named(remembered.own);
    this.phase.expect({ items: totals.files, bytes: totals.size });
    const sha256 = (await loadHash('sha256')).create();
    const files = new Map<string, Buffer>();
    await this.list(oid, { prefix: '', level: 0, files, line: (text) => sha256.update(Buffer.from(text, 'utf8')) });
    const own = sha256.digest();
    this.memory.keep(oid, { own, files });
    return named(own);
  }

  private async list(oid: Oid, walk: Listing): Promise<void> {
    checkTreeLevel(walk.level);
    for (const entry of listingOrder(decodeTree(this.cache.read(oid)))) {
      const path = `${walk.prefix}${entry.name}`;
      if (entry.kind === 'tree') {
        const below = { ...walk, prefix: `${path}/`, level: walk.level + 1 };
        await this.list(this.cache.oid(entry.digest), below);
      } else walk.line(listingLine(path, await this.entry(entry, walk.files)));
    }
  }

  private async entry(entry: Exclude<TreeEntry, { kind: 'tree' }>, files: Map<string, Buffer>): Promise<Buffer> {
    if (entry.kind === 'link') return (await loadHash('sha256')).digest(Buffer.from(entry.target, 'utf8'));
    if (this.isSha256) return entry.digest;
    const hex = entry.digest.toString('hex');
    let digest = files.get(hex) ?? this.related().get(hex);
    if (digest) this.phase.advance({ items: 1, bytes: entry.size });
    else digest = await this.read(this.cache.oid(entry.digest), entry.size);
    files.set(hex, digest);
    return digest;
  }

  private related(): Map<string, Buffer> {
    if (this.known) return this.known;
    this.known = new Map();
    for (const oid of this.options.related ?? []) {
      for (const [hex, digest] of this.memory.recall(oid)?.files ?? []) this.known.set(hex, digest);
    }
    return this.known;
  }

  private async read(oid: Oid, size: number): Promise<Buffer> {
    const digest = size <= SMALL_BYTES ? await this.readSmall(oid) : await this.readLarge(oid);
    this.phase.advance({ items: 1 });
    return digest;
  }

  private async readSmall(oid: Oid): Promise<Buffer> {
    const bytes = this.cache.read(oid);
    this.phase.advance({ bytes: bytes.length });
    if (performance.now() - this.lastTurn > TURN_MS) {
      this.options.signal?.throwIfAborted();
      await nextTurn();
      this.lastTurn = performance.now();
    }
    return (await loadHash('sha256')).digest(bytes);
  }

  private async readLarge(oid: Oid): Promise<Buffer> {
    const { descriptor } = this.cache.open(oid);
    try {
      const { digest } = await hashStream(descriptor, {
        hash: paired(this.cache.hash, await loadHash('sha256')),
        onBytes: (bytes) => this.phase.advance({ bytes }),
        ...(this.options.signal && { signal: this.options.signal }),
      });
      const [own, sha256] = [digest.subarray(0, 32), digest.subarray(32)];
      if (this.cache.oid(own) !== oid) throw corrupt(oid, this.cache.pathOf(oid));
      return sha256;
    } finally {
      closeSync(descriptor);
    }
  }

  private get isSha256(): boolean {
    return this.cache.hash.algorithm === 'sha256';
  }
}

interface Listing {
  prefix: string;
  level: number;
  files: Map<string, Buffer>;
  line: (text: string) => void;
}

/** Both digests of one pass over the bytes, one behind the other. */
function paired(first: HashFunction, second: HashFunction): HashFunction {
  return {
    ...first,
    digest: (bytes) => Buffer.concat([first.digest(bytes), second.digest(bytes)]),
    create: () => {
      const [one, other] = [first.create(), second.create()];
      return {
        update: (bytes) => {
          one.update(bytes);
          other.update(bytes);
        },
        digest: () => Buffer.concat([one.digest(), other.digest()]),
      };
    },
  };
}

function named(digest: Buffer): string {
  return `sha256:${digest.toString('hex')}`;
}
