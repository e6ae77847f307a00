import { closeSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Phase, type Reporter, silentReporter } from '../core/reporter.js';
import { corrupt, type ObjectCache } from '../objects/cache.js';
import { type HashFunction, loadHash } from '../objects/hash.js';
import { DIGEST_BYTES, digestOf, type Oid } from '../objects/oid.js';
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
  private readonly sha256 = loadHash('sha256');
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
    const sha256 = await this.sha256;
    const own = size <= SMALL_BYTES ? this.readSmall(oid, sha256) : await this.readLarge(oid, sha256);
    this.memory.keep(oid, { own, files: new Map() });
    return named(own);
  }

  /** `sha256:<hex>` of a directory's listing, as docs/formats/manifest.md defines it. */
  async directory(oid: Oid, totals: { files: number; size: number }): Promise<string> {
    const remembered = this.memory.recall(oid);
    if (remembered) return named(remembered.own);
    this.phase.expect({ items: totals.files, bytes: totals.size });
    const sha256 = await this.sha256;
    const hasher = sha256.create();
    const files = new Map<string, Buffer>();
    const line = (text: string): void => hasher.update(Buffer.from(text, 'utf8'));
    await this.list(oid, { prefix: '', level: 0, files, line, sha256 });
    const own = hasher.digest();
    this.memory.keep(oid, { own, files });
    return named(own);
  }

  /** Waits for nothing where a file is small or known: there may be a million of them. */
  private async list(oid: Oid, walk: Listing): Promise<void> {
    checkTreeLevel(walk.level);
    for (const entry of listingOrder(decodeTree(this.cache.read(oid)))) {
      const path = `${walk.prefix}${entry.name}`;
      if (entry.kind === 'tree') {
        const below = { ...walk, prefix: `${path}/`, level: walk.level + 1 };
        await this.list(this.cache.oid(entry.digest), below);
        continue;
      }
      const digest = this.entry(entry, walk);
      walk.line(listingLine(path, Buffer.isBuffer(digest) ? digest : await digest));
      if (performance.now() - this.lastTurn > TURN_MS) await this.turn();
    }
  }

  private entry(
    entry: Exclude<TreeEntry, { kind: 'tree' }>,
    { files, sha256 }: Pick<Listing, 'files' | 'sha256'>,
  ): Buffer | Promise<Buffer> {
    if (entry.kind === 'link') return sha256.digest(Buffer.from(entry.target, 'utf8'));
    if (this.isSha256) return entry.digest;
    const hex = entry.digest.toString('hex');
    const known = files.get(hex) ?? this.related().get(hex);
    if (known) {
      this.phase.advance({ items: 1, bytes: entry.size });
      files.set(hex, known);
      return known;
    }
    const keep = (digest: Buffer): Buffer => {
      files.set(hex, digest);
      return digest;
    };
    const oid = this.cache.oid(entry.digest);
    return entry.size <= SMALL_BYTES ? keep(this.readSmall(oid, sha256)) : this.readLarge(oid, sha256).then(keep);
  }

  private related(): Map<string, Buffer> {
    if (this.known) return this.known;
    this.known = new Map();
    for (const oid of this.options.related ?? []) {
      for (const [hex, digest] of this.memory.recall(oid)?.files ?? []) this.known.set(hex, digest);
    }
    return this.known;
  }

  private readSmall(oid: Oid, sha256: HashFunction): Buffer {
    const bytes = this.cache.read(oid);
    this.phase.advance({ items: 1, bytes: bytes.length });
    return sha256.digest(bytes);
  }

  private async readLarge(oid: Oid, sha256: HashFunction): Promise<Buffer> {
    const { descriptor } = this.cache.open(oid);
    try {
      const { digest } = await hashStream(descriptor, {
        hash: paired(this.cache.hash, sha256),
        onBytes: (bytes) => this.phase.advance({ bytes }),
        ...(this.options.signal && { signal: this.options.signal }),
      });
      const [own, other] = [digest.subarray(0, DIGEST_BYTES), digest.subarray(DIGEST_BYTES)];
      if (this.cache.oid(own) !== oid) throw corrupt(oid, this.cache.pathOf(oid));
      this.phase.advance({ items: 1 });
      return other;
    } finally {
      closeSync(descriptor);
    }
  }

  private async turn(): Promise<void> {
    this.options.signal?.throwIfAborted();
    await nextTurn();
    this.lastTurn = performance.now();
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
  sha256: HashFunction;
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
