import {
  type BigIntStats,
  chmodSync,
  closeSync,
  fstatSync,
  openSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
} from 'node:fs';
import { fileSystemError, MlvError } from '../core/errors.js';
import type { ObjectCache } from './cache.js';
import { cacheError } from './cache-error.js';
import { FileWriter } from './file-writer.js';
import { flushFiles } from './flush.js';
import { FreshShards, nameShard, pathsIn, type ShardFolder } from './fresh-shards.js';
import { isForGroup, makeCacheDirectory } from './group-directory.js';
import { copyAndHash } from './stream-copy.js';

/** A batch is given to the disk after this many objects or bytes, so that neither memory nor a kill costs more. */
const COMMIT_AFTER_OBJECTS = 100_000;
const COMMIT_AFTER_BYTES = 4 * 1024 ** 3;
/** From this many objects on new shards are made as whole folders: fewer would fill none of them. */
const SHARDS_FROM = 64;

interface Pending {
  temporary: string;
  hex: string;
  shared: SharedFile | undefined;
  /** See stageFresh. */
  hashed: BigIntStats | undefined;
}

/** A file of the user that becomes an object by a hard link: it can be written to until the object has its name. */
export interface SharedFile {
  /** What to call it in messages. */
  path: string;
  /** Its stat when it was hashed. */
  seen: Stats;
}

/**
 * Objects on their way into the cache: written under temporary names, flushed together, then renamed. Nothing has
 * its name before its bytes are on the disk. A batch that is not committed leaves only temporary files. Of many small
 * objects, those of shards that the cache does not have are renamed together, a folder a shard.
 */
export class CacheBatch {
  private pending: Pending[] = [];
  private pendingBytes = 0;
  /** Shards that are there, and whether a group shares them. */
  private readonly folders = new Map<string, boolean>();
  private readonly known = new Set<string>();
  /** Shards that were there when that was asked first: most of many objects that are not there need no look. */
  private formerShards: ReadonlySet<string> | undefined;
  /** Undefined until there are many objects, null where whole folders cannot be made. */
  private shards: FreshShards | null | undefined;

  private readonly writer: FileWriter;

  constructor(private readonly cache: ObjectCache) {
    this.writer = new FileWriter(cache.writing, (path, error) => cacheError('write to the cache', path, error));
  }

  /** True when it is time to commit. */
  get full(): boolean {
    const objects = this.pending.length + (this.shards?.count ?? 0);
    return objects >= COMMIT_AFTER_OBJECTS || this.pendingBytes >= COMMIT_AFTER_BYTES;
  }

  /**
   * True when the cache or this batch holds the object, with that size where one is given. False, too, for one in a shard
   * that somebody else made since the first question, or the last commit: it would only be stored twice.
   */
  holds(hex: string, size?: number): boolean {
    if (this.known.has(hex)) return true;
    this.formerShards ??= new Set(this.cache.shards());
    return this.formerShards.has(hex.slice(0, 2)) && this.cache.hasHex(hex, size);
  }

  /**
   * Stores bytes that are in memory and whose digest is known; what is there already is not written again. The bytes may be
   * used again on return, but are written for sure only when `commit` is done. Errors, also of a former object: `DISK_FULL`,
   * `FILE_SYSTEM`.
   */
  addBytes(bytes: Uint8Array, hex: string): void {
    const shards = this.shardsForMany();
    if (this.known.has(hex)) return;
    if (!shards?.isFresh(hex) && this.cache.hasHex(hex, bytes.byteLength)) return;
    const inShard = shards?.pathFor(hex);
    const temporary = inShard ?? this.cache.temporary.next();
    this.writer.write({ path: temporary, bytes, mode: 0o444 });
    if (inShard === undefined) this.stage(temporary, hex, bytes.byteLength);
    else this.stageInShard(hex, bytes.byteLength);
  }

  /**
   * Copies a whole file into the cache in one pass and gives its digest and size. Errors: `DISK_FULL`, `FILE_SYSTEM`,
   * `FILE_CHANGED_WHILE_READ` when somebody wrote to it meanwhile.
   */
  async addFile(
    path: string,
    options: { onBytes?: (bytes: number) => void; signal?: AbortSignal } = {},
  ): Promise<{ digest: Buffer; size: number }> {
    const temporary = this.cache.temporary.next();
    let source: number | undefined;
    let target: number | undefined;
    try {
      source = openSync(path, 'r');
      target = openSync(temporary, 'wx', 0o444);
      const before = fstatSync(source);
      const result = await copyAndHash(source, target, { hash: this.cache.hash, flushed: true, ...options });
      const after = fstatSync(source);
      if (before.mtimeMs !== after.mtimeMs || before.size !== after.size || result.size !== after.size) {
        throw changedWhileRead(path);
      }
      this.stageOrDrop(temporary, result);
      return result;
    } catch (error) {
      rmSync(temporary, { force: true });
      throw fileSystemError('store', path, error);
    } finally {
      if (source !== undefined) closeSync(source);
      if (target !== undefined) closeSync(target);
    }
  }

  /** Takes over a finished file at a temporary path of this cache, whose content the caller has hashed. */
  stage(temporary: string, hex: string, size: number): void {
    this.push({ temporary, hex, shared: undefined, hashed: undefined }, size);
  }

  /**
   * As stage, for an object that is to count as fresh: `hashed` is the stat that the file had before it was hashed, with
   * an mtime that any write to it since is sure to change.
   */
  stageFresh(temporary: string, hex: string, hashed: BigIntStats): void {
    this.push({ temporary, hex, shared: undefined, hashed }, Number(hashed.size));
  }

  /** The same for a hard link of a user's file, which becomes read-only when it gets its name and not before. */
  stageShared(temporary: string, hex: string, shared: SharedFile): void {
    this.push({ temporary, hex, shared, hashed: undefined }, shared.seen.size);
  }

  /**
   * Flushes and names everything added before the call; what is added while it waits is for the next one.
   * Errors: `DISK_FULL`, `FILE_SYSTEM`, `FILE_CHANGED_WHILE_READ` for a shared file that was written to since.
   */
  async commit(): Promise<void> {
    const items = this.pending;
    const folders = this.shards?.take() ?? [];
    this.pending = [];
    this.pendingBytes = 0;
    this.formerShards = undefined;
    let named = 0;
    let namedFolders = 0;
    try {
      await this.writer.settle();
      await flushFiles([...items.map((item) => item.temporary), ...pathsIn(folders)], this.cache.temporary.directory);
      for (; namedFolders < folders.length; namedFolders++) this.nameFolder(folders[namedFolders] as ShardFolder);
      for (; named < items.length; named++) this.name(items[named] as Pending);
    } finally {
      // What got no name stays pending, so that it is tried again or dropped.
      if (named < items.length) this.pending = [...items.slice(named), ...this.pending];
      this.shards?.giveBack(folders.slice(namedFolders));
    }
  }

  /** Drops what was not committed. */
  abandon(): void {
    this.writer.drop();
    for (const item of this.pending) rmSync(item.temporary, { force: true });
    this.pending = [];
    this.pendingBytes = 0;
    this.shards?.drop();
    this.shards = undefined;
    this.formerShards = undefined;
    this.known.clear();
  }

  private shardsForMany(): FreshShards | null | undefined {
    if (this.shards !== undefined || this.pending.length < SHARDS_FROM) return this.shards;
    try {
      this.shards = FreshShards.begin(this.cache) ?? null;
    } catch {
      // What is wrong with the cache is said where objects are named.
      this.shards = null;
    }
    return this.shards;
  }

  private stageInShard(hex: string, size: number): void {
    this.shards?.written(hex);
    this.known.add(hex);
    this.pendingBytes += size;
  }

  private push(item: Pending, size: number): void {
    this.pending.push(item);
    this.known.add(item.hex);
    this.pendingBytes += size;
  }

  private stageOrDrop(temporary: string, result: { digest: Buffer; size: number }): void {
    const hex = result.digest.toString('hex');
    if (this.holds(hex, result.size)) rmSync(temporary, { force: true });
    else this.stage(temporary, hex, result.size);
  }

  private nameFolder(folder: ShardFolder): void {
    try {
      nameShard(this.cache, folder);
    } catch (error) {
      throw cacheError('write to the cache', `${this.cache.shardsDirectory}/${folder.prefix}`, error);
    }
  }

  private name(item: Pending): void {
    const path = this.cache.pathOfHex(item.hex);
    try {
      const prefix = item.hex.slice(0, 2);
      let shared = this.folders.get(prefix);
      if (shared === undefined) {
        const folder = `${this.cache.shardsDirectory}/${prefix}`;
        makeCacheDirectory(folder);
        shared = isForGroup(folder);
        this.folders.set(prefix, shared);
      }
      // A umask that keeps files from the group would make an object that only its maker can read.
      if (shared && !item.shared && (process.umask() & 0o040) !== 0) chmodSync(item.temporary, 0o440);
      if (item.shared) makeReadOnly(item.temporary, item.shared);
      renameSync(item.temporary, path);
      if (item.hashed) this.cache.fresh.note(item.hex, item.hashed, statSync(path, { bigint: true }));
    } catch (error) {
      throw cacheError('write to the cache', path, error);
    }
  }
}

/** Read-only first: who opens the file from here on cannot write, and what was written before shows in the stat. */
function makeReadOnly(temporary: string, { path, seen }: SharedFile): void {
  const { mode } = statSync(temporary);
  chmodSync(temporary, 0o444);
  const now = statSync(temporary);
  if (now.mtimeMs === seen.mtimeMs && now.size === seen.size) return;
  chmodSync(temporary, mode & 0o7777);
  throw changedWhileRead(path);
}

/** The error for a file that was written to while it was read. */
export function changedWhileRead(path: string): MlvError {
  return new MlvError('FILE_CHANGED_WHILE_READ', `'${path}' changed while it was being read`, {
    hint: 'wait until the program that writes it is done, then run the same command again',
    data: { path },
  });
}
