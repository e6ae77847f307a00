import pLimit from 'p-limit';
import { isMlvError, MlvError } from '../core/errors.js';
import { shellQuote } from '../core/shell-quote.js';
import type { CacheBatch } from '../objects/cache-batch.js';
import { digestOf, type Oid } from '../objects/oid.js';
import { KIND, MAX_TREE_LEVELS, TreeReader } from '../objects/tree-format.js';
import type { Coverage } from '../workspace/wanted-part.js';
import { type ChunkRows, ChunkTable, type ImpossibleChunk, NO_ROWS } from './chunk-table.js';
import { inParallel, settled } from './in-parallel.js';
import type { ObjectRecord, TreeRecord } from './record-reader.js';
import { type FailedObject, type FetchRoot, type FormerVersions, UNKNOWN_SIZE } from './roots.js';
import type { TransferSession } from './session.js';

/** A file that the cache lacks, and where the remote has it. */
export interface WantedFile {
  oid: Oid;
  /** Bytes. */
  size: number;
  path: string;
  /** What was asked for, and led here. */
  root: FetchRoot;
  /** The object whose record says where the chunks are: the file's own, or its tree's. */
  record: Oid;
  /** Its chunks in the planner's table; none when `inline` holds its bytes. */
  chunks: ChunkRows;
  inline?: Buffer;
}

/** A file whose record must be asked for. */
type OwnFile = Omit<WantedFile, 'chunks' | 'inline'>;

export interface FetchPlanOptions {
  /** Takes what cannot be had. */
  failed: FailedObject[];
  /** Only directory listings: those of the level that is asked for, or of everything below it. */
  listings?: 'level' | 'all' | undefined;
  /** What pointers named anywhere: a merge makes trees that no remote knows, of files that it has in the merged ones. */
  anyVersions?: FormerVersions | undefined;
}

/**
 * Finds out what of some roots the cache lacks and where the remote has it: one record a directory level that has
 * something missing, one a large file; nothing is asked for what is complete. Trees are stored on the way.
 */
export class FetchPlanner {
  /** What is to be downloaded, by oid. */
  readonly files = new Map<Oid, WantedFile>();
  /** Where its chunks are. */
  readonly chunks = new ChunkTable();
  /** Trees that came, and their bytes. */
  trees = 0;
  treeBytes = 0;
  private readonly limit;
  private readonly visited = new Set<string>();
  private failure: unknown;
  private readonly own = new Map<Oid, OwnFile>();
  /** Trees of the cache of which files are missing, and of which the remote has no record. */
  private readonly unrecorded: TreeVisit[] = [];

  constructor(
    private readonly session: TransferSession,
    private readonly batch: CacheBatch,
    private readonly options: FetchPlanOptions,
  ) {
    this.limit = pLimit(session.options.jobs);
  }

  /** Plans all roots; gives how many targets lack nothing. Errors: `PATH_NOT_FOUND`, those of Remote. */
  async plan(roots: readonly FetchRoot[]): Promise<number> {
    const lacking = await settled(roots.map((root) => this.root(root)));
    await this.searchFormer();
    await inParallel(this.own.values(), this.session.options.jobs, (file) => this.planOwn(file));
    return lacking.filter((lacks, at) => !lacks && !roots[at]?.isRecord).length;
  }

  private async root(root: FetchRoot): Promise<boolean> {
    const { oid, size, path } = root;
    if (root.directory) {
      const below = root.below.split('/').filter(Boolean);
      return this.tree({ digest: digestOf(oid), path, below, root, level: 0 });
    }
    if (this.options.listings || this.session.cache.has(oid, size === UNKNOWN_SIZE ? undefined : size)) return false;
    this.own.set(oid, { oid, size, path, root, record: oid });
    return true;
  }

  /** True when something at or below the tree was missing. */
  private async tree(at: TreeVisit): Promise<boolean> {
    const part = at.root.part && partBelow(at, '', true) === 'some' ? at.path : '';
    const key = `${at.digest.toString('latin1')}\0${at.below.join('/')}\0${part}`;
    if (this.visited.has(key)) return false;
    this.visited.add(key);
    const oid = this.session.cache.oid(at.digest);
    if (at.level > MAX_TREE_LEVELS) {
      const reason = `directories lie more than ${MAX_TREE_LEVELS} levels deep`;
      this.fail({ oid, path: at.root.path }, invalid(oid, reason));
      return true;
    }
    const cached = this.readCached(oid);
    if (cached) {
      const content = this.inspect(cached, at);
      const needed = content.missing && !this.options.listings && (await this.useRecord(oid, at));
      const below = await this.below(content.trees, at);
      return needed || below.includes(true);
    }
    const record = await this.treeRecord(oid, at.path);
    if (!record) return true;
    this.store(record, at.digest);
    const { trees } = this.inspect(record.tree, at);
    if (!this.options.listings) this.collect(record, at);
    await this.below(trees, at);
    return true;
  }

  private async below(trees: readonly TreeVisit[], { below }: TreeVisit): Promise<boolean[]> {
    if (this.options.listings === 'level' && below.length === 0) return [];
    return settled(trees.map((child) => this.tree(child)));
  }

  private readCached(oid: Oid): Buffer | undefined {
    try {
      return this.session.cache.read(oid);
    } catch (error) {
      // A damaged tree in the cache is fetched again like a missing one; the new one takes its place.
      if (isMlvError(error, 'OBJECT_CORRUPT')) this.session.cache.quarantine(oid);
      else if (!isMlvError(error, 'OBJECT_MISSING')) throw error;
      return undefined;
    }
  }

  /** Sub-trees to be visited, and whether a file of this level is missing. */
  private inspect(bytes: Buffer, at: TreeVisit): { trees: TreeVisit[]; missing: boolean } {
    const reader = new TreeReader(bytes);
    const [next, ...rest] = at.below;
    const trees: TreeVisit[] = [];
    let missing = false;
    let found = next === undefined;
    while (reader.next()) {
      if (reader.kind === KIND.link && next === undefined) continue;
      if (next !== undefined && reader.name !== next) continue;
      if (partBelow(at, reader.name, reader.kind === KIND.tree) === 'none') continue;
      // What is no directory has nothing below it.
      found = reader.kind === KIND.tree || rest.length === 0;
      if (!found) break;
      if (reader.kind === KIND.tree)
        trees.push({
          ...at,
          digest: Buffer.from(reader.digest),
          path: `${at.path}/${reader.name}`,
          below: rest,
          level: at.level + 1,
        });
      else if (reader.kind !== KIND.link) missing ||= !this.batch.holds(reader.digest.toString('hex'), reader.size);
    }
    if (!found) throw notInDirectory(at);
    return { trees, missing };
  }

  /** Files are missing of a tree that the cache has: its record says where they are. */
  private async useRecord(oid: Oid, at: TreeVisit): Promise<boolean> {
    const record = await this.treeRecord(oid, at.path, () => this.unrecorded.push(at));
    if (record) this.collect(record, at);
    return true;
  }

  /** What is missing of trees that the remote does not know is looked for in what the same pointers named before. */
  private async searchFormer(): Promise<void> {
    if (this.unrecorded.length === 0) return;
    const wanted = new Set(this.unrecorded.flatMap((at) => this.lackingOf(at)));
    const roots = new Map(this.unrecorded.map(({ root }) => [root.path, root]));
    const former = await this.options.anyVersions?.([...roots.keys()]);
    const seen = new Set<string>();
    for (const [path, root] of roots) {
      for (const oid of former?.get(path) ?? []) {
        if (wanted.size === 0) return;
        await this.search({ digest: digestOf(oid), path, below: [], root, level: 0, wanted }, seen);
      }
    }
    for (const at of this.unrecorded) {
      const oid = this.session.cache.oid(at.digest);
      if (this.lackingOf(at).some((hex) => wanted.has(hex))) this.fail({ oid, path: at.path }, this.notThere(oid));
    }
  }

  /** Files of a tree of the cache that the cache lacks. */
  private lackingOf(at: TreeVisit): string[] {
    const [only] = at.below;
    const bytes = this.readCached(this.session.cache.oid(at.digest));
    const reader = bytes && new TreeReader(bytes);
    const lacking: string[] = [];
    while (reader?.next()) {
      if (reader.kind === KIND.tree || reader.kind === KIND.link || (only !== undefined && reader.name !== only))
        continue;
      const hex = reader.digest.toString('hex');
      if (!this.batch.holds(hex, reader.size)) lacking.push(hex);
    }
    return lacking;
  }

  private async search(at: TreeVisit & { wanted: Set<string> }, seen: Set<string>): Promise<void> {
    const key = at.digest.toString('latin1');
    if (seen.has(key) || at.level > MAX_TREE_LEVELS || at.wanted.size === 0) return;
    seen.add(key);
    const oid = this.session.cache.oid(at.digest);
    const bytes = this.readCached(oid) ?? (await this.treeRecord(oid, at.path, () => {}))?.tree;
    const reader = bytes && new TreeReader(bytes);
    const trees: (typeof at)[] = [];
    let useful = false;
    while (reader?.next()) {
      if (reader.kind === KIND.tree) {
        const digest = Buffer.from(reader.digest);
        trees.push({ ...at, digest, path: `${at.path}/${reader.name}`, level: at.level + 1 });
      } else if (reader.kind !== KIND.link) useful ||= at.wanted.has(reader.digest.toString('hex'));
    }
    const record = useful ? await this.treeRecord(oid, at.path, () => {}) : undefined;
    if (record) this.collect(record, at);
    for (const tree of trees) await this.search(tree, seen);
  }

  private collect(record: TreeRecord, at: TreeVisit): void {
    const [only] = at.below;
    const packs = this.chunks.numbersOf(record.packs);
    const cursor = record.entries();
    while (cursor.next()) {
      const { entry } = cursor;
      if (cursor.location === 'none') continue;
      if (only !== undefined && entry.name !== only) continue;
      if (partBelow(at, entry.name, false) === 'none') continue;
      const hex = entry.digest.toString('hex');
      if (this.batch.holds(hex, entry.size) || (at.wanted && !at.wanted.delete(hex))) continue;
      const oid = this.session.cache.oid(entry.digest);
      const tree = this.session.cache.oid(at.digest);
      const file = { oid, size: entry.size, path: `${at.path}/${entry.name}`, root: at.root, record: tree };
      if (cursor.location === 'own') this.own.set(oid, { ...file, record: oid });
      else if (!this.files.has(oid)) this.add(file, this.chunks.add(cursor.chunks, packs));
    }
  }

  private add(file: OwnFile, chunks: ChunkRows | ImpossibleChunk): void {
    if ('offset' in chunks) {
      this.fail(file, invalid(file.record, `a chunk of ${chunks.length} bytes at ${chunks.offset} is impossible`));
    } else if (file.size === 0) this.files.set(file.oid, { ...file, chunks: NO_ROWS, inline: Buffer.alloc(0) });
    else this.files.set(file.oid, { ...file, chunks });
  }

  private async planOwn(file: OwnFile): Promise<void> {
    const record = await this.readRecord(file.oid, file.path);
    if (!record) return;
    if (record.kind === 'chunks') {
      const size = knownSize(file, record.size);
      if (record.size === size) {
        this.add({ ...file, size }, this.chunks.add(record.chunks(), this.chunks.numbersOf(record.packs)));
      } else this.fail(file, invalid(file.oid, `it has ${record.size} bytes instead of ${file.size}`));
      return;
    }
    // A file may have the bytes of a tree, and then both have the one record of these bytes.
    const content = record.kind === 'tree' ? record.tree : record.content;
    this.files.set(file.oid, {
      ...file,
      size: knownSize(file, content.length),
      chunks: NO_ROWS,
      inline: Buffer.from(content),
    });
  }

  private async treeRecord(oid: Oid, path: string, onMissing?: () => void): Promise<TreeRecord | undefined> {
    const record = await this.limit(() => this.readRecord(oid, path, onMissing));
    if (record === undefined || record.kind === 'tree') return record;
    this.fail({ oid, path }, invalid(oid, 'it is not that of a directory'));
    return undefined;
  }

  /** The record of an object; `onMissing` is called in place of a failure where the remote has none. */
  private async readRecord(oid: Oid, path: string, onMissing?: () => void): Promise<ObjectRecord | undefined> {
    if (this.failure !== undefined) throw this.failure;
    try {
      const record = await this.session.records.read(oid, { aside: true });
      if (record) return record;
      if (onMissing) onMissing();
      else this.fail({ oid, path }, this.notThere(oid));
    } catch (error) {
      if (!isMlvError(error, 'RECORD_INVALID') && !isMlvError(error, 'TREE_INVALID')) {
        this.failure = error;
        throw error;
      }
      this.fail({ oid, path }, error);
    }
    return undefined;
  }

  private notThere(oid: Oid): MlvError {
    return new MlvError('REMOTE_NOT_FOUND', `object ${oid} is not on remote '${this.session.options.name}'`);
  }

  private store(record: TreeRecord, digest: Buffer): void {
    this.batch.addBytes(record.tree, digest.toString('hex'));
    this.trees++;
    this.treeBytes += record.tree.length;
  }

  private fail({ oid, path }: { oid: Oid; path: string }, error: MlvError): void {
    const reason = error.code === 'REMOTE_NOT_FOUND' ? 'missing' : 'corrupt';
    this.options.failed.push({ path, oid, reason, message: error.message });
  }
}

interface TreeVisit {
  digest: Buffer;
  path: string;
  /** Components that are left of a partial fetch's path. */
  below: readonly string[];
  root: FetchRoot;
  /** Levels below the root. */
  level: number;
  /** Digests, hex: of the files, only these are taken, and are then no longer among them. */
  wanted?: Set<string>;
}

/** How much is asked for of an entry of a tree; of the tree itself where the name is empty. */
function partBelow({ path, root }: TreeVisit, name: string, directory: boolean): Coverage {
  if (!root.part) return 'all';
  const at = name === '' ? path : `${path}/${name}`;
  return root.part.covers(at.slice(root.path.length + 1), directory);
}

function notInDirectory({ path, below, root }: TreeVisit): MlvError {
  const missing = `${path}/${below.join('/')}`;
  return new MlvError('PATH_NOT_FOUND', `'${missing}' is not in the tracked directory '${root.path}'`, {
    hint: `mlv ls ${shellQuote(root.path)} shows what is`,
    data: { path: missing },
  });
}

function invalid(record: Oid, reason: string): MlvError {
  return new MlvError('RECORD_INVALID', `the record of ${record} is damaged: ${reason}`);
}

function knownSize({ size }: OwnFile, told: number): number {
  return size === UNKNOWN_SIZE ? told : size;
}
