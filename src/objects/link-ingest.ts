import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  fstatSync,
  linkSync,
  openSync,
  rmSync,
  type Stats,
  statSync,
} from 'node:fs';
import { fileSystemError, systemErrorCode } from '../core/errors.js';
import type { LinkMode } from '../core/link-mode.js';
import type { ObjectCache } from './cache.js';
import { type CacheBatch, changedWhileRead } from './cache-batch.js';
import { hashStream, type StreamResult } from './stream-copy.js';

const UNSUPPORTED = new Set(['ENOTSUP', 'EOPNOTSUPP', 'EXDEV', 'ENOSYS', 'EINVAL', 'EPERM', 'EMLINK', 'ENOTTY']);

export interface IngestOptions {
  onBytes?: (bytes: number) => void;
  signal?: AbortSignal;
}

/**
 * Takes large files into the cache by the first mode that the file system allows: a reflink shares the blocks, a hard
 * link shares the file (which becomes read-only), a copy is always possible.
 */
export class Ingester {
  private readonly unsupported = new Set<LinkMode>();

  constructor(
    private readonly cache: ObjectCache,
    private readonly batch: CacheBatch,
    private readonly modes: readonly LinkMode[],
  ) {}

  /**
   * Stores the file and gives its digest and size. Errors: as CacheBatch.addFile.
   */
  async ingest(path: string, options: IngestOptions & { executable: boolean }): Promise<StreamResult> {
    for (const mode of this.modes) {
      if (mode === 'copy') break;
      if (this.unsupported.has(mode)) continue;
      if (mode !== 'reflink' && options.executable) continue;
      const result = mode === 'reflink' ? await this.byReflink(path, options) : await this.byHardLink(path, options);
      if (result) return result;
      // Who owns a file is that file's own matter; what the file system cannot do, it can for none.
      if (mode === 'reflink') this.unsupported.add(mode);
    }
    return this.batch.addFile(path, options);
  }

  /** Clones first and hashes the clone, which nobody else can write to. */
  private async byReflink(path: string, options: IngestOptions): Promise<StreamResult | undefined> {
    const temporary = this.cache.temporary.next();
    if (!attempt(() => copyFileSync(path, temporary, constants.COPYFILE_FICLONE_FORCE), path)) {
      rmSync(temporary, { force: true });
      return undefined;
    }
    chmodSync(temporary, 0o444);
    return this.stageHashed(temporary, path, options);
  }

  /** Links first, so that the file cannot be replaced behind the hash; what writes to it meanwhile is noticed. */
  private async byHardLink(path: string, options: IngestOptions): Promise<StreamResult | undefined> {
    const temporary = this.cache.temporary.next();
    if (!attempt(() => linkSync(path, temporary), path)) return undefined;
    // The mode that it has, only to learn whether it may be changed: a file of somebody else cannot become read-only.
    if (!attempt(() => chmodSync(temporary, statSync(temporary).mode & 0o7777), path)) {
      rmSync(temporary, { force: true });
      return undefined;
    }
    return this.stageHashed(temporary, path, { ...options, shared: true });
  }

  private async stageHashed(
    temporary: string,
    path: string,
    options: IngestOptions & { shared?: boolean },
  ): Promise<StreamResult> {
    let descriptor: number | undefined;
    try {
      descriptor = openSync(temporary, 'r');
      const before = fstatSync(descriptor);
      const result = await hashStream(descriptor, { hash: this.cache.hash, ...options });
      if (!sameContent(before, fstatSync(descriptor)) || result.size !== before.size) throw changedWhileRead(path);
      const hex = result.digest.toString('hex');
      if (this.batch.holds(hex, result.size)) rmSync(temporary, { force: true });
      else if (options.shared) this.batch.stageShared(temporary, hex, { path, seen: before });
      else this.batch.stage(temporary, hex, result.size);
      return result;
    } catch (error) {
      rmSync(temporary, { force: true });
      throw fileSystemError('store', path, error);
    } finally {
      if (descriptor !== undefined) closeSync(descriptor);
    }
  }
}

function sameContent(before: Stats, after: Stats): boolean {
  return before.mtimeMs === after.mtimeMs && before.size === after.size;
}

function attempt(action: () => void, path: string): boolean {
  try {
    action();
    return true;
  } catch (error) {
    const code = systemErrorCode(error);
    if (code !== undefined && UNSUPPORTED.has(code)) return false;
    throw fileSystemError('store', path, error);
  }
}

/** True when both paths are names of one file: a workspace file that is a hard link of its object. */
export function sameFile(left: string, right: string): boolean {
  const a = statSync(left, { throwIfNoEntry: false });
  const b = statSync(right, { throwIfNoEntry: false });
  return a !== undefined && b !== undefined && a.ino === b.ino && a.dev === b.dev;
}
