import { isMlvError, type MlvError } from '../core/errors.js';
import { digestOf, type Oid } from '../objects/oid.js';
import { checkTreeLevel, KIND, MAX_TREE_LEVELS, TreeReader } from '../objects/tree-format.js';
import { type DueRecords, FILE_HEIGHT } from './due-records.js';
import { digestKey, type KnownPlaces } from './known-places.js';
import type { ChunkSender } from './push-chunks.js';
import { ChunksRecordWriter, encodeInlineRecord, type PlacedChunk, TreeRecordWriter } from './record-writer.js';
import type { FailedObject, Root } from './roots.js';
import type { TransferSession } from './session.js';

/** Single files of up to that many bytes are written into their record: one request instead of two. */
const INLINE_BYTES = 16 * 1024;
/** Files of a tree of up to that many bytes are located in its record; larger ones have a record of their own. */
export const IN_TREE_BYTES = 4 * 1024 * 1024;

/** What a push knows of the records on the remote. */
export interface RemoteState {
  /** True when the object's record is there, with everything it needs. */
  has(oid: Oid): boolean;
  /** For a repair. */
  repair?: RepairView;
}

/** What a check of a remote found, for the repair of what is not right. */
export interface RepairView {
  /** Places in packs that are as they must be. */
  places: KnownPlaces;
  /** Places that records tell, whether they are right or not: the best that is known of what the cache lacks. */
  former: KnownPlaces;
  /** True when the object's record, the packs it names and everything below it are as they must be. */
  isIntact(oid: Oid): boolean;
  /** True when the object's record and the packs it names itself are as they must be. */
  isRecordGood(oid: Oid): boolean;
  /** The listing of a tree whose record can be read. */
  treeOf(oid: Oid): Buffer | undefined;
}

export interface PushWalkOptions {
  session: TransferSession;
  /** Files of up to that many bytes are one chunk. */
  whole: number;
  places: KnownPlaces;
  sender: ChunkSender;
  records: DueRecords;
  remote: RemoteState;
  /** Takes what could not be read from the cache. */
  failed: FailedObject[];
}

interface FileAt {
  oid: Oid;
  size: number;
  path: string;
}

interface TreeAt {
  digest: Buffer;
  path: string;
  /** Path of the root it is below. */
  root: string;
  /** Levels below the root. */
  level: number;
}

/** How a tree came out: its height, and whether everything below it is, or will be, on the remote. */
interface Visited {
  height: number;
  complete: boolean;
}

const ON_REMOTE: Visited = { height: 0, complete: true };

/**
 * Walks from roots to everything below them that the remote lacks: sends chunks, and says which records are due when
 * all packs are there. What the cache lacks or holds damaged is noted; a tree above it gets no record.
 */
export class PushWalk {
  private readonly trees = new Map<string, Visited>();
  private readonly files = new Map<string, boolean>();

  constructor(private readonly options: PushWalkOptions) {}

  /** True when all of the root is, or will be, on the remote. Errors: those of the uploads, `INTERRUPTED`. */
  async root(root: Root): Promise<boolean> {
    if (root.directory)
      return (await this.tree({ digest: digestOf(root.oid), path: root.path, root: root.path, level: 0 })).complete;
    if (root.size > INLINE_BYTES) return this.ownRecord(root);
    if (this.options.remote.has(root.oid)) return true;
    return this.guard(root, () => {
      const { sender, session, records } = this.options;
      const record = encodeInlineRecord(sender.bytesOf(root.oid, root.size), session.cache.hash);
      records.add({ oid: root.oid, height: FILE_HEIGHT, encode: () => record });
    });
  }

  private async tree(at: TreeAt): Promise<Visited> {
    const { digest } = at;
    const key = digestKey(digest);
    const oid = this.options.session.cache.oid(digest);
    if (this.options.remote.has(oid)) return ON_REMOTE;
    const seen = this.trees.get(key);
    if (seen) return seen;
    const visited = await this.newTree(oid, at);
    this.trees.set(key, visited);
    return visited;
  }

  private async newTree(oid: Oid, at: TreeAt): Promise<Visited> {
    const { repair } = this.options.remote;
    // A record that can be read tells a place for everything: writing it anew makes it no worse where a file is missing.
    const recorded = at.level <= MAX_TREE_LEVELS ? repair?.treeOf(oid) : undefined;
    const bytes = recorded ?? (await this.cachedTree(oid, at));
    if (!bytes) return { height: 0, complete: false };
    const visited = await this.entries(bytes, at);
    const due = recorded ? !repair?.isRecordGood(oid) : visited.complete;
    if (due) this.options.records.add({ oid, height: visited.height, encode: () => this.encodeTree(oid) });
    return visited;
  }

  private async cachedTree(oid: Oid, { path, root, level }: TreeAt): Promise<Buffer | undefined> {
    const found: Buffer[] = [];
    await this.guard({ oid, path: level > MAX_TREE_LEVELS ? root : path }, () => {
      checkTreeLevel(level);
      found.push(this.options.session.cache.read(oid));
    });
    return found[0];
  }

  private async entries(bytes: Buffer, { path, root, level }: TreeAt): Promise<Visited> {
    const reader = new TreeReader(bytes);
    let height = 0;
    let complete = true;
    while (reader.next()) {
      if (reader.kind === KIND.link || (reader.kind !== KIND.tree && reader.size === 0)) continue;
      if (reader.kind === KIND.tree) {
        const digest = Buffer.from(reader.digest);
        const below = await this.tree({ digest, path: `${path}/${reader.name}`, root, level: level + 1 });
        height = Math.max(height, below.height + 1);
        complete &&= below.complete;
      } else if (!this.isPlaced(reader.digest, reader.size)) {
        const oid = this.options.session.cache.oid(reader.digest);
        const file = { oid, size: reader.size, path: `${path}/${reader.name}` };
        const sent = this.file(file);
        if (!(typeof sent === 'boolean' ? sent : await sent)) complete = false;
      }
      const turn = this.options.sender.turns.due();
      if (turn) await turn;
    }
    return { height, complete };
  }

  private isPlaced(digest: Buffer, size: number): boolean {
    const { places, whole } = this.options;
    if (size <= whole) return places.chunk(digest) !== undefined;
    if (size <= IN_TREE_BYTES) return places.file(digest) !== undefined;
    return this.files.get(digestKey(digest)) === true;
  }

  /** A promise only where something has to be waited for: there may be a million files. */
  private file(file: FileAt): boolean | Promise<boolean> {
    if (file.size > IN_TREE_BYTES) return this.ownRecord(file);
    if (file.size > this.options.whole) return this.chunked(file);
    try {
      const waiting = this.options.sender.whole(file);
      return waiting?.then(...this.outcomes(file)) ?? true;
    } catch (error) {
      return this.isThereAnyway(file, error);
    }
  }

  private chunked(file: FileAt): Promise<boolean> {
    const { sender, places } = this.options;
    const sent = sender.file(file).then((chunks) => places.addFile(digestOf(file.oid), chunks));
    return sent.then(...this.outcomes(file));
  }

  private outcomes(file: FileAt): [() => boolean, (error: unknown) => boolean] {
    return [() => true, (error) => this.isThereAnyway(file, error)];
  }

  /** True for a file that cannot be read and was only to be written once more: it stays where it is. Notes any other. */
  private isThereAnyway(file: FileAt, error: unknown): boolean {
    if (reasonOf(error) && this.options.places.restore(digestOf(file.oid))) return true;
    this.noteFailure(file, error);
    return false;
  }

  /** A file with a record of its own, which the remote may have already. */
  private async ownRecord(file: FileAt): Promise<boolean> {
    const key = digestKey(digestOf(file.oid));
    const known = this.files.get(key);
    if (known !== undefined) return known;
    const done = this.options.remote.has(file.oid) || (await this.guard(file, () => this.newOwnRecord(file)));
    this.files.set(key, done);
    return done;
  }

  private async newOwnRecord(file: FileAt): Promise<void> {
    const { sender, records, session } = this.options;
    const chunks = await sender.file(file);
    const encode = (): Buffer => {
      const writer = new ChunksRecordWriter();
      for (const chunk of chunks) writer.add(chunk);
      return writer.finish(session.cache.hash);
    };
    records.add({ oid: file.oid, height: FILE_HEIGHT, encode });
  }

  private encodeTree(oid: Oid): Buffer {
    const { remote, session, places, whole } = this.options;
    const writer = new TreeRecordWriter(remote.repair?.treeOf(oid) ?? session.cache.read(oid));
    while (writer.next()) {
      const { digest, size } = writer.entry;
      const former = remote.repair?.former;
      const place = size <= whole ? (places.chunk(digest) ?? former?.chunk(digest)) : undefined;
      if (place) writer.packed(place);
      else if (this.isOwn(digest, size)) writer.own();
      else writer.chunked((places.file(digest) ?? former?.file(digest)) as readonly PlacedChunk[]);
    }
    return writer.finish(session.cache.hash);
  }

  private isOwn(digest: Buffer, size: number): boolean {
    if (size <= IN_TREE_BYTES) return false;
    // Another version may have located a large file in the tree's record, and this cache may lack it.
    return this.files.get(digestKey(digest)) !== false || !this.options.remote.repair?.former.file(digest);
  }

  /** Runs one object's work; what the cache lacks or holds damaged is noted and does not stop the others. */
  private async guard(
    object: { oid: Oid; path: string },
    work: () => undefined | void | Promise<void>,
  ): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      this.noteFailure(object, error);
      return false;
    }
  }

  /** Notes what the cache lacks or holds damaged. Throws any other error. */
  private noteFailure({ oid, path }: { oid: Oid; path: string }, error: unknown): void {
    const reason = reasonOf(error);
    if (!reason) throw error;
    this.options.failed.push({ path, oid, reason, message: (error as MlvError).message });
  }
}

/** What is wrong with an object of the cache, when that is what an error tells. */
function reasonOf(error: unknown): 'missing' | 'corrupt' | undefined {
  if (isMlvError(error, 'OBJECT_MISSING')) return 'missing';
  return isMlvError(error, 'OBJECT_CORRUPT') || isMlvError(error, 'TREE_INVALID') ? 'corrupt' : undefined;
}
