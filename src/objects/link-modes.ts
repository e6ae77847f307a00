import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  fchmodSync,
  fstatSync,
  linkSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { fileSystemError, systemErrorCode } from '../core/errors.js';
import { corrupt, missing, type ObjectCache } from './cache.js';
import { digestOf, type Oid } from './oid.js';
import { copyAndHash } from './stream-copy.js';

/** How a cached object becomes a file of the workspace. */
export const LINK_MODES = ['reflink', 'copy', 'hardlink', 'symlink'] as const;
export type LinkMode = (typeof LINK_MODES)[number];

/** Files up to this many bytes are read, checked and written in one go. */
export const SMALL_FILE_BYTES = 1024 * 1024;

/** System errors that say "not on this file system" rather than "something is wrong". */
const UNSUPPORTED = new Set(['ENOTSUP', 'EOPNOTSUPP', 'EXDEV', 'ENOSYS', 'EINVAL', 'EPERM', 'EMLINK', 'ENOTTY']);

/** One file to be brought into the workspace. */
export interface Placement {
  oid: Oid;
  /** Bytes that the object must have. */
  size: number;
  executable: boolean;
  /** Absolute path; its parent directory exists and was checked by the caller. */
  path: string;
  /** A path beside it that nobody else uses. */
  temporary: string;
  /**
   * Asked in the same turn as the rename, right before it: false keeps what is there. The copy of a large file takes
   * long enough for somebody to write to what it would replace.
   */
  mayReplace?: () => boolean;
}

export interface PlacerOptions {
  /** Tried in this order; `copy` is tried last in any case. */
  modes: readonly LinkMode[];
  /** Hash what is linked rather than copied, too. Copies are always checked, because their bytes pass by anyway. */
  verifyLinks: boolean;
  onBytes?: (bytes: number) => void;
  signal?: AbortSignal;
}

/**
 * Puts objects into the workspace: under a temporary name first, checked against the oid, then renamed over what is
 * there. Never decides whether something may be overwritten; that is its caller's job, in `mayReplace`.
 */
export class Placer {
  private readonly buffer = Buffer.allocUnsafeSlow(SMALL_FILE_BYTES);
  private readonly unsupported = new Set<LinkMode>();
  private readonly fileMode: number;

  constructor(
    private readonly cache: ObjectCache,
    private readonly options: PlacerOptions,
  ) {
    this.fileMode = 0o666 & ~process.umask();
  }

  /**
   * Places one file; done on return for small files, otherwise when the promise is. False when `mayReplace` forbade it
   * in the end: then nothing was touched. Errors: `OBJECT_MISSING`, `OBJECT_CORRUPT`, `DISK_FULL`, `FILE_SYSTEM`.
   */
  place(item: Placement): boolean | Promise<boolean> {
    try {
      for (const mode of this.options.modes) {
        if (mode === 'copy') break;
        if (this.unsupported.has(mode) || !canLink(mode, item)) continue;
        if (this.tryLink(mode, item)) return this.finishLink(mode, item);
      }
      if (item.size <= SMALL_FILE_BYTES) return this.copySmall(item);
      return this.copyLarge(item);
    } catch (error) {
      throw this.failed(item, error);
    }
  }

  private tryLink(mode: LinkMode, item: Placement): boolean {
    const source = this.cache.pathOf(item.oid);
    if (!this.cache.has(item.oid)) throw missing(item.oid);
    if (!this.cache.has(item.oid, item.size)) throw corrupt(item.oid, source);
    try {
      if (mode === 'reflink') copyFileSync(source, item.temporary, constants.COPYFILE_FICLONE_FORCE);
      else if (mode === 'hardlink') linkSync(source, item.temporary);
      else symlinkSync(source, item.temporary);
      return true;
    } catch (error) {
      const code = systemErrorCode(error);
      if (code === undefined || !UNSUPPORTED.has(code)) throw error;
      // A full link count is this object's own matter, not the file system's.
      if (code !== 'EMLINK') this.unsupported.add(mode);
      rmSync(item.temporary, { force: true });
      return false;
    }
  }

  private finishLink(mode: LinkMode, item: Placement): boolean | Promise<boolean> {
    const finish = (): boolean => {
      if (mode === 'reflink') chmodSync(item.temporary, this.modeOf(item));
      const placed = moveIntoPlace(item);
      // Renaming one hard link over another of the same file does nothing and leaves both names.
      if (mode === 'hardlink') rmSync(item.temporary, { force: true });
      this.options.onBytes?.(item.size);
      return placed;
    };
    if (!this.options.verifyLinks) return finish();
    return this.cache
      .verify(item.oid)
      .then(finish)
      .catch((error: unknown) => {
        throw this.failed(item, error);
      });
  }

  private copySmall(item: Placement): boolean {
    const { descriptor } = this.cache.open(item.oid);
    let count = 0;
    try {
      for (let read = -1; read !== 0 && count < this.buffer.length; count += read) {
        read = readSync(descriptor, this.buffer, count, this.buffer.length - count, null);
      }
    } finally {
      closeSync(descriptor);
    }
    const bytes = this.buffer.subarray(0, count);
    if (count !== item.size || this.cache.oid(this.cache.hash.digest(bytes)) !== item.oid) {
      throw corrupt(item.oid, this.cache.pathOf(item.oid));
    }
    const target = openSync(item.temporary, 'wx', this.modeOf(item));
    try {
      let offset = 0;
      while (offset < count) offset += writeSync(target, bytes, offset, count - offset);
    } finally {
      closeSync(target);
    }
    const placed = moveIntoPlace(item);
    this.options.onBytes?.(count);
    return placed;
  }

  private async copyLarge(item: Placement): Promise<boolean> {
    const { onBytes, signal } = this.options;
    let target: number | undefined;
    const { descriptor } = this.cache.open(item.oid);
    try {
      if (fstatSync(descriptor).size !== item.size) throw corrupt(item.oid, this.cache.pathOf(item.oid));
      target = openSync(item.temporary, 'wx', this.modeOf(item));
      fchmodSync(target, this.modeOf(item));
      const { digest } = await copyAndHash(descriptor, target, {
        hash: this.cache.hash,
        ...(onBytes && { onBytes }),
        ...(signal && { signal }),
      });
      if (!digest.equals(digestOf(item.oid))) throw corrupt(item.oid, this.cache.pathOf(item.oid));
      return moveIntoPlace(item);
    } catch (error) {
      throw this.failed(item, error);
    } finally {
      closeSync(descriptor);
      if (target !== undefined) closeSync(target);
    }
  }

  private modeOf(item: Placement): number {
    return item.executable ? this.fileMode | ((this.fileMode & 0o444) >> 2) : this.fileMode;
  }

  private failed(item: Placement, error: unknown): Error {
    rmSync(item.temporary, { force: true });
    if ((error as Error)?.name === 'AbortError') return error as Error;
    return fileSystemError('write', item.path, error);
  }
}

/** The question and the rename are one synchronous step, so that no other work of this process lies between them. */
function moveIntoPlace(item: Placement): boolean {
  if (item.mayReplace?.() === false) {
    rmSync(item.temporary, { force: true });
    return false;
  }
  renameSync(item.temporary, item.path);
  return true;
}

/** An executable cannot share the read-only, non-executable inode of its object; an empty file has nothing to share. */
function canLink(mode: LinkMode, item: Placement): boolean {
  if (mode === 'reflink') return item.size > 0;
  return !item.executable && item.size > 0;
}
