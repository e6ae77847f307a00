import { closeSync, constants, fstatSync, openSync, readSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { fileSystemError, systemErrorCode } from '../core/errors.js';
import type { ObjectCache } from '../objects/cache.js';
import type { CacheBatch } from '../objects/cache-batch.js';
import { copyAndHash } from '../objects/stream-copy.js';
import { looksLikeTree } from '../objects/tree-format.js';
import { startsLikeTree } from '../workspace/refuse-trees.js';
import { foreignHasher, hasForeignId, pairedHash } from './foreign-hash.js';
import { type ForeignId, foreignKey } from './foreign-id.js';

/** Contents up to this many bytes are taken in one go. */
const SMALL_BYTES = 1024 * 1024;

/** An object of ours that has the bytes of a content of another tool. */
export interface ImportedContent {
  digest: Buffer;
  size: number;
}

/** Why a file did not give the content: it is not there, it has other bytes, or no object may have these bytes. */
export type ImportFailure = 'absent' | 'other' | 'tree';

export interface ImportOptions {
  /** Bytes as they are read. */
  onBytes?: (bytes: number) => void;
  signal?: AbortSignal;
}

/**
 * Takes contents of another tool into the cache: each is read once, compared with the name that it had there and named
 * by ours on the way. What is not what its name says never becomes an object.
 */
export class ContentImporter {
  private readonly buffer = Buffer.allocUnsafeSlow(SMALL_BYTES + 1);

  constructor(
    private readonly cache: ObjectCache,
    private readonly batch: CacheBatch,
    private readonly options: ImportOptions = {},
  ) {}

  /**
   * The content from a regular file, which may be a link to one; done on return for small files. Errors: `DISK_FULL`,
   * `FILE_SYSTEM`, `HASH_UNAVAILABLE`.
   */
  fromFile(path: string, id: ForeignId): ImportedContent | ImportFailure | Promise<ImportedContent | ImportFailure> {
    const descriptor = openRegular(path);
    if (descriptor === undefined) return 'absent';
    let keep = false;
    try {
      let count = 0;
      for (let read = -1; read !== 0 && count < this.buffer.length; count += read) {
        read = readSync(descriptor, this.buffer, count, this.buffer.length - count, null);
      }
      if (count <= SMALL_BYTES) return this.fromBytes(this.buffer.subarray(0, count), id);
      keep = true;
    } catch (error) {
      throw fileSystemError('read', path, error);
    } finally {
      if (!keep) closeSync(descriptor);
    }
    closeSync(descriptor);
    return this.fromLargeFile(path, id);
  }

  /** The content from bytes in memory. */
  fromBytes(bytes: Buffer, id: ForeignId): ImportedContent | ImportFailure {
    if (!hasForeignId(bytes, id)) return 'other';
    if (looksLikeTree(bytes)) return 'tree';
    const digest = this.cache.hash.digest(bytes);
    this.batch.addBytes(bytes, digest.toString('hex'));
    this.options.onBytes?.(bytes.length);
    return { digest, size: bytes.length };
  }

  /** The content from a body of a remote or server; one above `limit` bytes is not read to its end and is `other`. */
  async fromBody(
    body: AsyncIterable<Uint8Array>,
    id: ForeignId,
    limit = Number.MAX_SAFE_INTEGER,
  ): Promise<ImportedContent | ImportFailure> {
    const parts: Uint8Array[] = [];
    let size = 0;
    const iterator = body[Symbol.asyncIterator]();
    try {
      for (let next = await iterator.next(); !next.done; next = await iterator.next()) {
        this.options.signal?.throwIfAborted();
        parts.push(next.value);
        size += next.value.byteLength;
        if (size > limit) return 'other';
        if (size > SMALL_BYTES) return await this.fromLargeBody(parts, iterator, { id, limit });
      }
      return this.fromBytes(Buffer.concat(parts), id);
    } finally {
      await iterator.return?.();
    }
  }

  private async fromLargeFile(path: string, id: ForeignId): Promise<ImportedContent | ImportFailure> {
    const temporary = this.cache.temporary.next();
    const source = openRegular(path);
    if (source === undefined) return 'absent';
    let target: number | undefined;
    let staged = false;
    try {
      target = openSync(temporary, 'wx', 0o444);
      const theirs = foreignHasher(id.algorithm);
      const hash = pairedHash(this.cache.hash, theirs);
      const result = await copyAndHash(source, target, { hash, flushed: true, ...this.options });
      if (!theirs.matches(id.hex)) return 'other';
      if (startsLikeTree(temporary)) return 'tree';
      staged = this.stage(temporary, result);
      return result;
    } catch (error) {
      throw fileSystemError('store', path, error);
    } finally {
      closeSync(source);
      if (target !== undefined) closeSync(target);
      if (!staged) rmSync(temporary, { force: true });
    }
  }

  private async fromLargeBody(
    parts: readonly Uint8Array[],
    rest: AsyncIterator<Uint8Array>,
    { id, limit }: { id: ForeignId; limit: number },
  ): Promise<ImportedContent | ImportFailure> {
    const temporary = this.cache.temporary.next();
    const target = await open(temporary, 'wx', 0o444);
    let staged = false;
    try {
      const theirs = foreignHasher(id.algorithm);
      const hasher = pairedHash(this.cache.hash, theirs).create();
      let size = 0;
      const take = async (bytes: Uint8Array): Promise<void> => {
        hasher.update(bytes);
        await target.writeFile(bytes);
        size += bytes.byteLength;
        this.options.onBytes?.(bytes.byteLength);
      };
      for (const part of parts) await take(part);
      for (let next = await rest.next(); !next.done; next = await rest.next()) {
        this.options.signal?.throwIfAborted();
        await take(next.value);
        if (size > limit) return 'other';
      }
      const result = { digest: hasher.digest(), size };
      if (!theirs.matches(id.hex)) return 'other';
      if (startsLikeTree(temporary)) return 'tree';
      staged = this.stage(temporary, result);
      return result;
    } catch (error) {
      throw fileSystemError('store', `the content ${foreignKey(id)}`, error);
    } finally {
      await target.close();
      if (!staged) rmSync(temporary, { force: true });
    }
  }

  private stage(temporary: string, { digest, size }: ImportedContent): boolean {
    const hex = digest.toString('hex');
    if (this.batch.holds(hex, size)) return false;
    this.batch.stage(temporary, hex, size);
    return true;
  }
}

/** A descriptor of a regular file, behind links too; undefined for anything else, on which opening could wait for ever. */
function openRegular(path: string): number | undefined {
  try {
    const descriptor = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    if (fstatSync(descriptor).isFile()) return descriptor;
    closeSync(descriptor);
    return undefined;
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR' || code === 'ELOOP' || code === 'ENXIO')
      return undefined;
    throw fileSystemError('read', path, error);
  }
}
