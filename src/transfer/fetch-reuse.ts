import { isMlvError } from '../core/errors.js';
import type { Oid } from '../objects/oid.js';
import { KIND, MAX_TREE_LEVELS, TreeReader } from '../objects/tree-format.js';
import type { ChunkTable } from './chunk-table.js';
import type { WantedFile } from './fetch-plan.js';
import { inParallel } from './in-parallel.js';
import { digestKey } from './known-places.js';
import type { FormerVersions } from './roots.js';
import type { TransferSession } from './session.js';

/** Smaller files come whole: the look at their former versions would cost more than it saves. */
const LARGE_BYTES = 4 * 1024 * 1024;

/** Where a chunk is in a cached object. */
interface LocalChunk {
  offset: number;
  length: number;
}

/** A tree on the way down from a root. */
interface TreeAt {
  oid: Oid;
  path: string;
  level: number;
}

/** Bytes of a file that stand in its former version, too: chunks that follow each other in both. */
export interface LocalRun {
  /** Offset in the former version. */
  from: number;
  /** Offset in the file. */
  at: number;
  length: number;
}

/** What a former version has of a file. */
export interface LocalPart {
  former: Oid;
  runs: LocalRun[];
  /** Rows of the chunks in the runs. */
  taken: ReadonlySet<number>;
}

/**
 * Finds chunks of large files that are wanted in the former versions of the same files, as far as the cache has them:
 * what stands there need not come from the remote.
 */
export class LocalChunks {
  private readonly former = new Map<Oid, Oid>();

  constructor(
    private readonly session: TransferSession,
    private readonly versions: FormerVersions | undefined,
    private readonly table: ChunkTable,
  ) {}

  /** Finds the newest cached version of every large file. Errors: those of `versions`. */
  async find(files: Iterable<WantedFile>): Promise<void> {
    const large = [...files].filter((file) => file.size > LARGE_BYTES && file.chunks.count > 1);
    if (!this.versions || large.length === 0) return;
    const versions = await this.versions([...new Set(large.map(({ root }) => root.path))]);
    const listings = new Map<string, Map<string, Oid>>();
    for (const { oid, root, path } of large) {
      const before = versions.get(root.path)?.find((each) => each !== root.oid && this.isCached(each));
      if (!before) continue;
      let listing = listings.get(root.path);
      if (!listing) {
        listing = new Map(root.directory ? [] : [[root.path, before]]);
        if (root.directory) this.addLargeFiles({ oid: before, path: root.path, level: 0 }, listing);
        listings.set(root.path, listing);
      }
      const former = listing.get(path);
      if (former && this.isCached(former)) this.former.set(oid, former);
    }
    await inParallel(new Set(this.former.values()), this.session.options.jobs, (oid) => this.prepare(oid));
  }

  /**
   * Tells what of the file a former version has, as the record of that one says: its bytes may be others by now, so that
   * the file is to be compared with its oid.
   */
  part(file: WantedFile): LocalPart | undefined {
    const former = this.former.get(file.oid);
    const chunks = former && this.chunksOf(former);
    if (!former || !chunks) return undefined;
    const taken = new Set<number>();
    const runs: LocalRun[] = [];
    const { first, count } = file.chunks;
    for (let row = first; row < first + count; row++) {
      const [at, length] = [this.table.at(row), this.table.length(row)];
      const known = chunks.get(digestKey(this.table.digest(row)));
      if (known?.length !== length) continue;
      taken.add(row);
      const last = runs.at(-1);
      if (last && last.at + last.length === at && last.from + last.length === known.offset) last.length += length;
      else runs.push({ from: known.offset, at, length });
    }
    return { former, runs, taken };
  }

  /** Sees to it that the record of a former version is on this machine. */
  private async prepare(oid: Oid): Promise<void> {
    try {
      await this.session.records.read(oid);
    } catch (error) {
      // A record of the past that cannot be read saves nothing; a remote that does not answer says so soon enough.
      if (!isMlvError(error) || isMlvError(error, 'INTERRUPTED')) throw error;
    }
  }

  private chunksOf(oid: Oid): Map<string, LocalChunk> | undefined {
    const record = this.session.records.copyOf(oid);
    if (record?.kind !== 'chunks') return undefined;
    const chunks = new Map<string, LocalChunk>();
    let offset = 0;
    for (const cursor = record.chunks(); cursor.next(); offset += cursor.length) {
      chunks.set(digestKey(cursor.digest), { offset, length: cursor.length });
    }
    return chunks;
  }

  /** Adds the large files of a cached tree by path, as far as the cache has the trees, each of which is looked at once. */
  private addLargeFiles(at: TreeAt, into: Map<string, Oid>, visited = new Set<Oid>()): void {
    if (visited.has(at.oid) || at.level > MAX_TREE_LEVELS) return;
    visited.add(at.oid);
    try {
      const reader = new TreeReader(this.session.cache.read(at.oid));
      while (reader.next()) {
        if (reader.kind === KIND.link || reader.size <= LARGE_BYTES) continue;
        const below = {
          oid: this.session.cache.oid(reader.digest),
          path: `${at.path}/${reader.name}`,
          level: at.level + 1,
        };
        if (reader.kind === KIND.tree) this.addLargeFiles(below, into, visited);
        else into.set(below.path, below.oid);
      }
    } catch (error) {
      if (!isMlvError(error)) throw error;
    }
  }

  private isCached(oid: Oid): boolean {
    return oid.startsWith(`${this.session.cache.hash.algorithm}:`) && this.session.cache.has(oid);
  }
}
