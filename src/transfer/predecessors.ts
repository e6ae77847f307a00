import pLimit from 'p-limit';
import { isMlvError } from '../core/errors.js';
import { type Oid, splitOid } from '../objects/oid.js';
import { KIND, MAX_TREE_LEVELS, TreeReader } from '../objects/tree-format.js';
import { scatteredChunks } from './fragmentation.js';
import type { KnownPlaces } from './known-places.js';
import { packDigests, placedChunks } from './placed-chunks.js';
import type { ObjectRecord, TreeRecord } from './record-reader.js';
import type { PushRoot, Root } from './roots.js';
import type { TransferSession } from './session.js';

/** Predecessors that are asked for before a root counts as new. */
const MOST_TRIED = 10;

/** Files above this size may have records of their own, whatever wrote them. */
const LARGE_BYTES = 512 * 1024;

/** What a new root holds, as far as the cache knows: its sub-trees, and its large files by path. */
interface NewContent {
  trees: Set<Oid>;
  large: Map<string, Oid>;
}

/** A tree on the way down from a root. */
interface TreeAt {
  oid: Oid;
  path: string;
  level: number;
}

/** Files above `size` bytes that were found, and the trees that were looked at. */
interface LargeFiles {
  size: number;
  found: Set<Oid>;
  visited: Set<Oid>;
}

/**
 * What predecessors on the remote already hold of new roots: whole sub-trees, large files with records of their own,
 * and the places of small files in everything that changed.
 */
export class PredecessorPlaces {
  private readonly known = new Set<Oid>();
  private readonly limit;

  constructor(
    private readonly session: TransferSession,
    private readonly places: KnownPlaces,
  ) {
    this.limit = pLimit(session.options.jobs);
  }

  /** True when a predecessor says that this object's record is on the remote, with all that it needs. */
  has(oid: Oid): boolean {
    return this.known.has(oid);
  }

  /**
   * Takes over what the newest predecessor that the remote has holds, as far as it differs from `root`: a request for
   * each that is tried, and one for each directory that changed. False when there is none. Errors: those of Remote.
   */
  async load(root: PushRoot): Promise<boolean> {
    for (const oid of root.predecessors.slice(0, MOST_TRIED)) {
      const record = await this.read(oid);
      if (!record) continue;
      if (record.kind === 'tree') await this.visit(record, { oid, path: '' }, this.contentOf(root));
      else this.addFile(record);
      return true;
    }
    return false;
  }

  /** Counts an object as on the remote. */
  add(oid: Oid): void {
    this.known.add(oid);
  }

  /** Counts an object as not on the remote: its record is written once more. */
  remove(oid: Oid): void {
    this.known.delete(oid);
  }

  /** Files above `size` bytes in the cached trees of the roots that no predecessor holds, each once. */
  unknownLargeFiles(roots: readonly Root[], size: number): Set<Oid> {
    const found = new Set<Oid>();
    const visited = new Set<Oid>();
    for (const root of roots) if (root.directory) this.collectLarge(root.oid, { size, found, visited });
    return found;
  }

  private collectLarge(oid: Oid, into: LargeFiles, level = 0): void {
    if (this.known.has(oid) || into.visited.has(oid) || level > MAX_TREE_LEVELS) return;
    into.visited.add(oid);
    this.eachEntry(oid, (entry) => {
      if (entry.kind !== KIND.tree && entry.size <= into.size) return;
      const below = this.session.cache.oid(entry.digest);
      if (entry.kind === KIND.tree) this.collectLarge(below, into, level + 1);
      else if (!this.known.has(below)) into.found.add(below);
    });
  }

  private contentOf(root: Root): NewContent {
    const content: NewContent = { trees: new Set(), large: new Map() };
    if (root.directory) this.collectContent({ oid: root.oid, path: '', level: 0 }, content);
    return content;
  }

  /** Each tree is looked at once: a listing may name one so often that no machine could visit every path. */
  private collectContent({ oid, path, level }: TreeAt, into: NewContent): void {
    if (into.trees.has(oid) || level > MAX_TREE_LEVELS) return;
    into.trees.add(oid);
    this.eachEntry(oid, (entry) => {
      if (entry.kind !== KIND.tree && entry.size <= LARGE_BYTES) return;
      const below = this.session.cache.oid(entry.digest);
      const at = { oid: below, path: `${path}/${entry.name}`, level: level + 1 };
      if (entry.kind === KIND.tree) this.collectContent(at, into);
      else into.large.set(at.path, below);
    });
  }

  /** Sub-trees and files of a tree, as far as the cache has it. */
  private eachEntry(oid: Oid, use: (entry: TreeReader) => void): void {
    try {
      const reader = new TreeReader(this.session.cache.read(oid));
      while (reader.next()) if (reader.kind !== KIND.link) use(reader);
    } catch (error) {
      // The walk that sends the objects meets the same tree and reports it.
      if (!isMlvError(error)) throw error;
    }
  }

  private async visit(record: TreeRecord, at: { oid: Oid; path: string }, now: NewContent): Promise<void> {
    this.known.add(at.oid);
    this.places.addRecord(record);
    const cursor = record.entries();
    const below: { oid: Oid; path: string }[] = [];
    const changed: Oid[] = [];
    while (cursor.next()) {
      if (cursor.entry.kind !== KIND.tree && cursor.location !== 'own') continue;
      const oid = this.session.cache.oid(cursor.entry.digest);
      const path = `${at.path}/${cursor.entry.name}`;
      if (cursor.location === 'own') {
        this.known.add(oid);
        const same = now.large.get(path) ?? oid;
        if (same !== oid) changed.push(oid);
      } else if (now.trees.has(oid)) this.known.add(oid);
      else below.push({ oid, path });
    }
    await Promise.all([
      ...changed.map((oid) => this.addLarge(oid)),
      ...below.map((child) => this.visitBelow(child, now)),
    ]);
  }

  private async visitBelow(at: { oid: Oid; path: string }, now: NewContent): Promise<void> {
    const record = await this.read(at.oid);
    if (record?.kind === 'tree') await this.visit(record, at, now);
  }

  private async addLarge(oid: Oid): Promise<void> {
    const record = await this.read(oid);
    if (record) this.addFile(record);
  }

  /** Takes over where a file's chunks are, but for those that make it slow to read: the new version has them afresh. */
  private addFile(record: ObjectRecord): void {
    if (record.kind !== 'chunks') {
      this.places.addRecord(record);
      return;
    }
    const chunks = placedChunks(record.chunks(), packDigests(record.packs));
    const scattered = scatteredChunks(chunks);
    for (const [index, { digest, pack, offset, deflated }] of chunks.entries()) {
      if (!scattered.has(index)) this.places.addChunk(digest, { pack, offset, deflated });
    }
  }

  /** A damaged or vanished record of the past only means that more is sent. */
  private async read(oid: Oid): Promise<ObjectRecord | undefined> {
    // A pointer of the past may be of another algorithm: no remote of this one has it.
    if (splitOid(oid).algorithm !== this.session.cache.hash.algorithm) return undefined;
    try {
      return await this.limit(() => this.session.records.readConfirmed(oid));
    } catch (error) {
      if (
        isMlvError(error, 'RECORD_INVALID') ||
        isMlvError(error, 'TREE_INVALID') ||
        isMlvError(error, 'FORMAT_TOO_NEW')
      )
        return undefined;
      throw error;
    }
  }
}
