import {
  closeSync,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  type Stats,
  statSync,
  unlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileSystemError, MlvError, systemErrorCode } from '../core/errors.js';
import { cacheError } from './cache-error.js';
import { FreshObjects } from './fresh-objects.js';
import { makeCacheDirectory } from './group-directory.js';
import type { HashFunction } from './hash.js';
import { type Oid, splitOid, toOid } from './oid.js';
import { hashStream } from './stream-copy.js';
import { TemporaryFiles } from './temporary-files.js';
import { WriteThread } from './write-thread.js';

/** An object that the cache holds. */
export interface CachedObject {
  oid: Oid;
  /** Bytes on disk. */
  size: number;
}

/**
 * The local object store: `objects/<algorithm>/ab/cdef...`, whole files, read-only. Names are given only to bytes
 * that were hashed and flushed (see CacheBatch). Calls are synchronous where they are made in tight loops.
 */
export class ObjectCache {
  readonly temporary: TemporaryFiles;
  /** What this process brought here itself. */
  readonly fresh = new FreshObjects();
  /** Writes small files, here and of what is here, beside the main thread. */
  readonly writing: WriteThread;
  private readonly objects: string;

  constructor(
    readonly directory: string,
    readonly hash: HashFunction,
    writing = new WriteThread(),
  ) {
    this.writing = writing;
    this.objects = join(directory, 'objects', hash.algorithm);
    this.temporary = new TemporaryFiles(join(directory, 'tmp'));
  }

  /** The directory below which all objects lie. */
  get objectsDirectory(): string {
    return join(this.directory, 'objects');
  }

  /** The directory of this algorithm's shards: folders named for the first two hex digits of the objects in them. */
  get shardsDirectory(): string {
    return this.objects;
  }

  /** Names of the shards that are there: no object is in another. Error: `FILE_SYSTEM`. */
  shards(): string[] {
    return directoryNames(this.objects);
  }

  /** The oid of a digest in this cache's algorithm. */
  oid(digest: Buffer | string): Oid {
    return toOid(this.hash.algorithm, digest);
  }

  /** Where the object lies, whether it is there or not. Error: `OBJECT_CORRUPT` for an oid of another algorithm. */
  pathOf(oid: Oid): string {
    const { algorithm, hex } = splitOid(oid);
    if (algorithm !== this.hash.algorithm) {
      throw new MlvError('OBJECT_CORRUPT', `'${oid}' is not of this repository's algorithm ${this.hash.algorithm}`);
    }
    return this.pathOfHex(hex);
  }

  /** As pathOf, from the hex digest alone. */
  pathOfHex(hex: string): string {
    return `${this.objects}/${hex.slice(0, 2)}/${hex.slice(2)}`;
  }

  /** What the file system says of the object, or undefined where it is not there. */
  stat(oid: Oid): Stats | undefined {
    return regularFile(this.pathOf(oid));
  }

  /**
   * True when the object is there. With the size it must have, an object that a crash cut short does not count.
   */
  has(oid: Oid, size?: number): boolean {
    return this.hasHex(splitOid(oid).hex, size);
  }

  /** As has, from the hex digest alone: for loops over many. */
  hasHex(hex: string, size?: number): boolean {
    const stat = regularFile(this.pathOfHex(hex));
    return stat !== undefined && (size === undefined || stat.size === size);
  }

  /** True when this process hashed and named the object, and it was not touched since. */
  isFresh(oid: Oid): boolean {
    const { hex } = splitOid(oid);
    if (!this.fresh.knows(hex)) return false;
    const stat = statSync(this.pathOf(oid), { bigint: true, throwIfNoEntry: false });
    return stat !== undefined && this.fresh.holds(hex, stat);
  }

  /** The bytes of a small object (a tree), verified. Errors: `OBJECT_MISSING`, `OBJECT_CORRUPT`, `FILE_SYSTEM`. */
  read(oid: Oid): Buffer {
    const bytes = this.withObject(oid, (descriptor, stat) => {
      const buffer = Buffer.allocUnsafe(stat.size);
      let offset = 0;
      while (offset < buffer.length) {
        const count = readSync(descriptor, buffer, offset, buffer.length - offset, null);
        if (count === 0) break;
        offset += count;
      }
      return buffer.subarray(0, offset);
    });
    if (toOid(this.hash.algorithm, this.hash.digest(bytes)) !== oid) throw corrupt(oid, this.pathOf(oid));
    return bytes;
  }

  /** The first bytes of an object, unverified: to tell what it is. Errors: `OBJECT_MISSING`, `FILE_SYSTEM`. */
  peek(oid: Oid, length: number): Buffer {
    return this.withObject(oid, (descriptor) => {
      const buffer = Buffer.alloc(length);
      return buffer.subarray(0, readSync(descriptor, buffer, 0, length, 0));
    });
  }

  /** An open descriptor for reading, which the caller closes, and the size. Errors: `OBJECT_MISSING`, `FILE_SYSTEM`. */
  open(oid: Oid): { descriptor: number; size: number } {
    const descriptor = this.openUnseen(oid);
    return { descriptor, size: fstatSync(descriptor).size };
  }

  /** As open, where the size shows when it is read. */
  openUnseen(oid: Oid): number {
    const path = this.pathOf(oid);
    try {
      return openSync(path, 'r');
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') throw missing(oid);
      throw fileSystemError('read', path, error);
    }
  }

  /** Reads the whole object and compares it with its name. Errors: `OBJECT_CORRUPT`, `OBJECT_MISSING`. */
  async verify(oid: Oid, onBytes?: (bytes: number) => void): Promise<void> {
    const { descriptor } = this.open(oid);
    try {
      const { digest } = await hashStream(descriptor, { hash: this.hash, ...(onBytes && { onBytes }) });
      if (this.oid(digest) !== oid) throw corrupt(oid, this.pathOf(oid));
    } catch (error) {
      throw fileSystemError('read', this.pathOf(oid), error);
    } finally {
      closeSync(descriptor);
    }
  }

  /** Every object of this cache's algorithm, in the order of their names. */
  *list(): Iterable<CachedObject> {
    for (const prefix of this.shards()) {
      if (!/^[0-9a-f]{2}$/.test(prefix)) continue;
      for (const rest of directoryNames(join(this.objects, prefix))) {
        if (!/^[0-9a-f]{62}$/.test(rest)) continue;
        const stat = regularFile(join(this.objects, prefix, rest));
        if (stat) yield { oid: this.oid(prefix + rest), size: stat.size };
      }
    }
  }

  /** Removes an object; one that is not there is not an error. Error: `FILE_SYSTEM`. */
  remove(oid: Oid): void {
    const path = this.pathOf(oid);
    try {
      unlinkSync(path);
    } catch (error) {
      if (systemErrorCode(error) !== 'ENOENT') throw cacheError('remove', path, error);
    }
  }

  /**
   * Moves a damaged object out of the way, to `corrupt/`, so that it can be fetched again and looked at. Undefined where
   * somebody else did so first.
   */
  quarantine(oid: Oid): string | undefined {
    const folder = join(this.directory, 'corrupt');
    const target = join(folder, `${splitOid(oid).hex}-${Date.now()}`);
    try {
      makeCacheDirectory(folder);
      renameSync(this.pathOf(oid), target);
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return undefined;
      throw fileSystemError('move the damaged object', this.pathOf(oid), error);
    }
    return target;
  }

  /**
   * As quarantine, but an object that somebody stored anew since it was found damaged is put back: undefined, too. Reads
   * what it moved.
   */
  async quarantineDamaged(oid: Oid): Promise<string | undefined> {
    const target = this.quarantine(oid);
    if (target === undefined) return undefined;
    try {
      const descriptor = openSync(target, 'r');
      try {
        const { digest } = await hashStream(descriptor, { hash: this.hash });
        if (this.oid(digest) !== oid) return target;
      } finally {
        closeSync(descriptor);
      }
      renameSync(target, this.pathOf(oid));
      return undefined;
    } catch (error) {
      throw fileSystemError('look at the damaged object', target, error);
    }
  }

  private withObject<T>(oid: Oid, use: (descriptor: number, stat: { size: number }) => T): T {
    const { descriptor, size } = this.open(oid);
    try {
      return use(descriptor, { size });
    } catch (error) {
      throw fileSystemError('read', this.pathOf(oid), error);
    } finally {
      closeSync(descriptor);
    }
  }
}

/** The error for an object that the cache does not hold. */
export function missing(oid: Oid): MlvError {
  return new MlvError('OBJECT_MISSING', `object ${oid} is not in the cache`, {
    hint: 'fetch it from a remote: mlv fetch',
    data: { oid },
  });
}

/** The error for an object whose bytes are not what its name says. */
export function corrupt(oid: Oid, path: string): MlvError {
  return new MlvError('OBJECT_CORRUPT', `object ${oid} is damaged: '${path}' has other content than its name says`, {
    hint: 'set it aside and get it again: mlv fsck --repair',
    data: { oid, path },
  });
}

function regularFile(path: string): Stats | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat?.isFile() ? stat : undefined;
}

function directoryNames(path: string): string[] {
  try {
    return readdirSync(path).sort();
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT' || systemErrorCode(error) === 'ENOTDIR') return [];
    throw fileSystemError('list', path, error);
  }
}
