import { isMlvError } from '../core/errors.js';
import { digestOf, type Oid } from '../objects/oid.js';
import { KIND, MAX_TREE_LEVELS, TreeReader } from '../objects/tree-format.js';
import { dearRequests, isLookedAt, mayBeDear, OF_DIRECTORY } from './fragmentation.js';
import { inParallel } from './in-parallel.js';
import type { KnownPlaces } from './known-places.js';
import { type LaidRequest, PackLayout } from './pack-layout.js';
import { packDigests, placedChunks } from './placed-chunks.js';
import type { PredecessorPlaces } from './predecessors.js';
import { IN_TREE_BYTES } from './push-walk.js';
import type { TreeRecord } from './record-reader.js';
import type { PlacedChunk } from './record-writer.js';
import type { TransferSession } from './session.js';

/** What says that a directory's record is not written once more, here and now. */
const UNFIT = ['OBJECT_MISSING', 'OBJECT_CORRUPT', 'RECORD_INVALID', 'TREE_INVALID', 'FORMAT_TOO_NEW'] as const;

export interface ScatteredFilesOptions {
  session: TransferSession;
  /** Where the files of directories that changed are, as their predecessors tell. */
  places: KnownPlaces;
  /** Which directories did not change. */
  predecessors: PredecessorPlaces;
  /** Files of up to that many bytes are one chunk. */
  whole: number;
}

/** A directory of a root, behind all that are below it. */
interface Level {
  oid: Oid;
  tree: Buffer;
  /** Where its files are, and the digests of the packs: of a directory that did not change. */
  same?: { record: TreeRecord; packs: readonly Buffer[] } | undefined;
  /** The directories in it, by their place in the list. */
  below: number[];
}

/** The requests whose content is to be written afresh, and where they are. */
interface Dear {
  layout: PackLayout;
  requests: ReadonlySet<LaidRequest>;
}

/** A chunk that is to be written afresh, and the digest of the file that it is needed for. */
interface Moved {
  file: Buffer;
  chunk: PlacedChunk;
}

/** A file of a directory, and where one of its chunks is; everything is overwritten by the next. */
type PlaceTaker = (file: { digest: Buffer; size: number }, chunk: PlacedChunk) => void;

/**
 * Sees to it that a directory whose small files lie all over a remote is gathered again: the new version does not take
 * over the places that make it slow to read. Decided for a root as a whole, because that is what a pull reads. Asks
 * for nothing but the records that are written once more.
 */
export class ScatteredFiles {
  constructor(private readonly options: ScatteredFilesOptions) {}

  /**
   * Sets the places aside that the new version of a directory does not take over, once its predecessor is loaded: none
   * unless it is scattered. What this cache does not hold stays where it is, and everything does where the records of
   * directories that did not change are not on this machine. Errors: those of Remote.
   */
  async setAside(root: { oid: Oid }): Promise<void> {
    const levels = this.isDue(root.oid) ? this.levelsOf(root.oid) : undefined;
    const dear = levels && this.dearIn(levels);
    if (!dear || dear.requests.size === 0) return;
    const moved = levels.map((level) => this.movedOf(level, dear));
    const records = await this.recordsAgain(levels, moved);
    const touched: boolean[] = [];
    for (const [index, level] of levels.entries()) {
      const record = records.get(index);
      touched.push(!level.same || record !== undefined);
      if (record) this.reopen(level, record);
      if (touched[index]) for (const { file, chunk } of moved[index] ?? []) this.options.places.setAside(file, chunk);
      // Only what is written once more is looked into: everything else in it is there.
      if (record)
        for (const at of level.below) if (!touched[at]) this.options.predecessors.add((levels[at] as Level).oid);
    }
  }

  private isDue(oid: Oid): boolean {
    const root = this.open(oid, false);
    if (!root) return false;
    let files = 0;
    for (const reader = new TreeReader(root.tree); reader.next(); ) files += reader.files;
    return isLookedAt({ files, digest: digestOf(oid) });
  }

  private movedOf(level: Level, { layout, requests }: Dear): Moved[] {
    const moved: Moved[] = [];
    this.eachPlace(level, ({ digest }, chunk) => {
      const request = layout.requestAt(chunk.pack, chunk.offset);
      if (request && requests.has(request)) moved.push({ file: Buffer.from(digest), chunk });
    });
    return moved;
  }

  /**
   * The records of the directories that did not change and are written once more, because something in or below them
   * moves: as the remote has them, and only where this cache can write them.
   */
  private async recordsAgain(levels: readonly Level[], moved: readonly Moved[][]): Promise<Map<number, TreeRecord>> {
    const found = new Map<number, TreeRecord>();
    const moves: boolean[] = [];
    for (const [index, { below }] of levels.entries()) {
      moves.push((moved[index] as Moved[]).length > 0 || below.some((at) => moves[at]));
    }
    const again = [...levels.keys()].filter((index) => levels[index]?.same && moves[index]);
    await inParallel(again, this.options.session.options.jobs, async (index) => {
      const record = await this.recordAgain((levels[index] as Level).oid);
      if (record) found.set(index, record);
    });
    return found;
  }

  /** All directories of a root, leaves first; undefined when it is not known where all of their files are. */
  private levelsOf(root: Oid): Level[] | undefined {
    const levels: Level[] = [];
    const seen = new Map<Oid, number>();
    const visit = (oid: Oid, depth: number, inSame: boolean): number | undefined => {
      const known = seen.get(oid);
      if (known !== undefined) return known;
      // What is in a directory that did not change did not change either.
      const isSame = inSame || this.options.predecessors.has(oid);
      const level = depth <= MAX_TREE_LEVELS ? this.open(oid, isSame) : undefined;
      if (!level) return undefined;
      for (const reader = new TreeReader(level.tree); reader.next(); ) {
        if (reader.kind !== KIND.tree) continue;
        const index = visit(this.options.session.cache.oid(reader.digest), depth + 1, isSame);
        if (index === undefined) return undefined;
        level.below.push(index);
      }
      seen.set(oid, levels.length);
      return levels.push(level) - 1;
    };
    return visit(root, 0, false) === undefined ? undefined : levels;
  }

  private open(oid: Oid, isSame: boolean): Level | undefined {
    const { session } = this.options;
    if (isSame) {
      const record = session.records.copyOf(oid);
      if (record?.kind !== 'tree') return undefined;
      return { oid, tree: record.tree, same: { record, packs: packDigests(record.packs) }, below: [] };
    }
    try {
      const tree = session.cache.read(oid);
      for (const reader = new TreeReader(tree); reader.next(); );
      return { oid, tree, below: [] };
    } catch (error) {
      // The walk that sends the objects meets the same tree and reports it.
      if (isMlvError(error)) return undefined;
      throw error;
    }
  }

  /** The requests whose content is to be written afresh. */
  private dearIn(levels: readonly Level[]): Dear | undefined {
    const layout = new PackLayout();
    for (const level of levels) {
      this.eachPlace(level, (_file, { pack, offset, length, deflated }) =>
        layout.add(pack, { offset, length: deflated ?? length }),
      );
    }
    if (dearRequests(layout.plan(), OF_DIRECTORY).length === 0) return undefined;
    // Large files have a rule of their own; what lies between two chunks of one is read in any case.
    for (const level of levels) this.addLarge(level, layout);
    const requests = layout.plan();
    for (const level of levels) {
      this.eachPlace(level, ({ digest, size }, { pack, offset }) => {
        const request = layout.requestAt(pack, offset);
        if (!request || request.fixed || !mayBeDear(request)) return;
        request.fixed = !this.options.session.cache.hasHex(digest.toString('hex'), size);
      });
    }
    const movable = requests.filter(({ fixed }) => !fixed);
    return { layout, requests: new Set(dearRequests(movable, OF_DIRECTORY)) };
  }

  private eachPlace(level: Level, take: PlaceTaker): void {
    if (level.same) {
      const cursor = level.same.record.entries();
      while (cursor.next()) {
        if (cursor.location !== 'chunks' || cursor.entry.size === 0) continue;
        for (const chunk of placedChunks(cursor.chunks, level.same.packs)) take(cursor.entry, chunk);
      }
      return;
    }
    const { places, whole } = this.options;
    for (const reader = new TreeReader(level.tree); reader.next(); ) {
      const { kind, digest, size } = reader;
      if (kind === KIND.tree || kind === KIND.link || size === 0 || size > IN_TREE_BYTES) continue;
      const place = size <= whole ? places.chunk(digest) : undefined;
      if (place) {
        const { pack, offset, deflated } = place;
        take(reader, { digest, length: size, pack, offset, deflated });
      } else if (size > whole) for (const chunk of places.file(digest) ?? []) take(reader, chunk);
    }
  }

  /** Adds the files with records of their own, as far as this machine knows them. */
  private addLarge({ tree, same }: Level, layout: PackLayout): void {
    const { session, predecessors } = this.options;
    for (const reader = new TreeReader(tree); reader.next(); ) {
      if (reader.kind === KIND.tree || reader.kind === KIND.link || reader.size <= IN_TREE_BYTES) continue;
      const oid = session.cache.oid(reader.digest);
      const record = same || predecessors.has(oid) ? session.records.copyOf(oid) : undefined;
      if (record?.kind !== 'chunks') continue;
      const packs = packDigests(record.packs);
      for (const cursor = record.chunks(); cursor.next(); ) {
        const { packIndex, offset, stored } = cursor;
        layout.add(packs[packIndex] as Buffer, { offset, length: stored, fixed: true });
      }
    }
  }

  private async recordAgain(oid: Oid): Promise<TreeRecord | undefined> {
    const { session } = this.options;
    try {
      session.cache.read(oid);
      const record = await session.records.readConfirmed(oid);
      return record?.kind === 'tree' && this.isLikeOurs(record) ? record : undefined;
    } catch (error) {
      if (UNFIT.some((code) => isMlvError(error, code))) return undefined;
      throw error;
    }
  }

  /** Makes the walk look into a directory that did not change, where it finds all files in their places. */
  private reopen({ oid }: Level, record: TreeRecord): void {
    const { session, places, predecessors } = this.options;
    places.addRecord(record);
    predecessors.remove(oid);
    for (const cursor = record.entries(); cursor.next(); ) {
      if (cursor.location === 'own') predecessors.add(session.cache.oid(cursor.entry.digest));
    }
  }

  /** True for a record that locates every file as this version does, in packs that can be named again. */
  private isLikeOurs(record: TreeRecord): boolean {
    const { places, whole } = this.options;
    for (const pack of packDigests(record.packs)) if (places.isUnusable(pack)) return false;
    for (const cursor = record.entries(); cursor.next(); ) {
      const { location, entry, chunks } = cursor;
      if (location === 'none') continue;
      if ((location === 'own') !== entry.size > IN_TREE_BYTES) return false;
      if (
        location === 'chunks' &&
        entry.size > 0 &&
        chunks.next() &&
        (chunks.length === entry.size) !== entry.size <= whole
      )
        return false;
    }
    return true;
  }
}
