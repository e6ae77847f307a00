import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  fchmodSync,
  fstatSync,
  linkSync,
  lstatSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  symlinkSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { fileSystemError, systemErrorCode } from '../core/errors.js';
import type { LinkMode } from '../core/link-mode.js';
import { corrupt, missing, type ObjectCache } from './cache.js';
import type { EarlyCopies } from './early-copy.js';
import { FileWriter } from './file-writer.js';
import { SET_GROUP } from './group-directory.js';
import { type NewFileStat, writeNewFile } from './new-file.js';
import { digestOf, type Oid, splitOid } from './oid.js';
import { copyAndHash, copyOnly } from './stream-copy.js';

/** Files up to this many bytes are read, checked and written in one go. */
export const SMALL_FILE_BYTES = 1024 * 1024;

/** Fails where the bytes would have to be copied, or something is there. */
const REFLINK_ONLY = constants.COPYFILE_FICLONE_FORCE | constants.COPYFILE_EXCL;

/** System errors that say "not on this file system" rather than "something is wrong". */
const UNSUPPORTED = new Set(['ENOTSUP', 'EOPNOTSUPP', 'EXDEV', 'ENOSYS', 'EINVAL', 'EPERM', 'EMLINK', 'ENOTTY']);

/** One file to be written where nothing is. */
export interface NewPlacement {
  oid: Oid;
  /** Bytes that the object must have. */
  size: number;
  executable: boolean;
  /** Absolute path; its parent directory exists and was checked by the caller. */
  path: string;
}

/**
 * Told of a new file when it is there, by its stat: `written` where it is one of its own, and not a link to its object.
 * Undefined where the name is there already.
 */
export type PlacedNew = (stat: NewFileStat | undefined, how: { written: boolean }) => void;

/** One file to be brought into the workspace. */
export interface Placement extends NewPlacement {
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
  /**
   * Hash what is linked rather than copied, too. Copies are always checked, because their bytes pass by anyway. Neither is
   * done to what this process hashed itself and nobody touched since.
   */
  verifyLinks: boolean;
  onBytes?: (bytes: number) => void;
  signal?: AbortSignal;
  /** Copies that were written when the objects arrived. */
  copies?: EarlyCopies | undefined;
}

/**
 * Puts objects into the workspace: under a temporary name first, checked against the oid, then renamed over what is
 * there. Never decides whether something may be overwritten; that is its caller's job, in `mayReplace`.
 */
export class Placer {
  private readonly buffer = Buffer.allocUnsafeSlow(SMALL_FILE_BYTES);
  private readonly unsupported = new Set<LinkMode>();
  private readonly fileMode: number;
  private readonly writer: FileWriter;

  constructor(
    private readonly cache: ObjectCache,
    private readonly options: PlacerOptions,
  ) {
    this.writer = new FileWriter(cache.writing, (path, error) => fileSystemError('write', path, error));
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

  /**
   * Places one file of at most SMALL_FILE_BYTES under its own name in a directory that nobody else knows yet, now or soon,
   * and then tells `done` its stat; undefined where the name is there already, because the file system takes two names for
   * one. Leaves nothing behind when it fails. Errors as place, also of a former file.
   */
  placeNew(item: NewPlacement, done: PlacedNew): void {
    try {
      const stat = this.linkFirst(item);
      if (stat) done(stat, { written: false });
      else this.copyNew(item, done);
    } catch (error) {
      if (systemErrorCode(error) !== 'EEXIST') throw fileSystemError('write', item.path, error);
      done(undefined, { written: false });
    }
  }

  private copyNew(item: NewPlacement, done: PlacedNew): void {
    this.writer.write({
      path: item.path,
      bytes: this.readSmall(item),
      mode: this.modeOf(item),
      done: (stat) => {
        if (stat) this.options.onBytes?.(item.size);
        done(stat, { written: true });
      },
    });
  }

  /** Waits until all that placeNew was asked for is there. Errors: as placeNew. */
  settle(): Promise<void> {
    return this.writer.settle();
  }

  private linkFirst(item: NewPlacement): Stats | undefined {
    for (const mode of this.options.modes) {
      if (mode === 'copy') break;
      if (this.unsupported.has(mode) || !canLink(mode, item)) continue;
      const stat = this.linkNew(mode, item);
      if (stat) return stat;
    }
    return undefined;
  }

  private linkNew(mode: LinkMode, item: NewPlacement): Stats | undefined {
    if (this.options.verifyLinks) this.cache.read(item.oid);
    if (!this.tryLink(mode, { ...item, temporary: item.path })) return undefined;
    if (mode === 'reflink') chmodSync(item.path, this.modeOf(item));
    this.options.onBytes?.(item.size);
    return lstatSync(item.path);
  }

  private tryLink(mode: LinkMode, item: Placement): boolean {
    const source = this.cache.pathOf(item.oid);
    if (!this.cache.has(item.oid)) throw missing(item.oid);
    if (!this.cache.has(item.oid, item.size)) throw corrupt(item.oid, source);
    try {
      if (mode === 'reflink') copyFileSync(source, item.temporary, REFLINK_ONLY);
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
    // A hard link has just changed the object's ctime: such an object is read like any other.
    if (!this.options.verifyLinks || this.cache.isFresh(item.oid)) return finish();
    return this.cache
      .verify(item.oid)
      .then(finish)
      .catch((error: unknown) => {
        throw this.failed(item, error);
      });
  }

  private copySmall(item: Placement): boolean {
    const bytes = this.readSmall(item);
    writeNewFile(item.temporary, bytes, this.modeOf(item), () => undefined);
    const placed = moveIntoPlace(item);
    this.options.onBytes?.(item.size);
    return placed;
  }

  /** The checked bytes of a small object, in the buffer that is used again for the next one. */
  private readSmall({ oid, size }: NewPlacement): Buffer {
    const { descriptor, size: found } = this.cache.open(oid);
    let count = 0;
    try {
      for (let read = -1; found === size && read !== 0 && count < size; count += read) {
        read = readSync(descriptor, this.buffer, count, size - count, null);
      }
    } finally {
      closeSync(descriptor);
    }
    const bytes = this.buffer.subarray(0, count);
    if (found !== size || this.cache.oid(this.cache.hash.digest(bytes)) !== oid) {
      throw corrupt(oid, this.cache.pathOf(oid));
    }
    return bytes;
  }

  private async copyLarge(item: Placement): Promise<boolean> {
    try {
      const early = this.placeEarly(item);
      if (early !== undefined) return early;
      const fresh = this.cache.fresh.knows(splitOid(item.oid).hex) && (await this.copyFresh(item));
      if (!fresh) await this.withFiles(item, (source, target) => this.copyChecked(item, source, target));
      return moveIntoPlace(item);
    } catch (error) {
      throw this.failed(item, error);
    }
  }

  /** As place, with a copy that is there already; undefined where there is none. */
  private placeEarly(item: Placement): boolean | undefined {
    const temporary = this.cache.has(item.oid, item.size) ? this.options.copies?.take(item.oid) : undefined;
    if (temporary === undefined) return undefined;
    try {
      if (!hasGroupOf(dirname(item.path), temporary)) {
        rmSync(temporary, { force: true });
        return undefined;
      }
      chmodSync(temporary, this.modeOf(item));
      const placed = moveIntoPlace({ ...item, temporary });
      this.options.onBytes?.(item.size);
      return placed;
    } catch (error) {
      rmSync(temporary, { force: true });
      // A directory of the workspace may be on another file system than its pointer.
      if (systemErrorCode(error) === 'EXDEV') return undefined;
      throw error;
    }
  }

  /** Opens the object and the temporary file. */
  private async withFiles<T>(item: Placement, use: (source: number, target: number) => Promise<T>): Promise<T> {
    let target: number | undefined;
    const { descriptor } = this.cache.open(item.oid);
    try {
      if (fstatSync(descriptor).size !== item.size) throw corrupt(item.oid, this.cache.pathOf(item.oid));
      target = openSync(item.temporary, 'wx', this.modeOf(item));
      fchmodSync(target, this.modeOf(item));
      return await use(descriptor, target);
    } finally {
      closeSync(descriptor);
      if (target !== undefined) closeSync(target);
    }
  }

  /** Copies an object that this process itself hashed a moment ago; false, and nothing is there, where it was touched since. */
  private async copyFresh(item: Placement): Promise<boolean> {
    const { onBytes, signal } = this.options;
    const { hex } = splitOid(item.oid);
    let counted = 0;
    const count = (bytes: number): void => {
      counted += bytes;
      onBytes?.(bytes);
    };
    const whole = await this.withFiles(item, async (source, target) => {
      const isFresh = (): boolean => this.cache.fresh.holds(hex, fstatSync(source, { bigint: true }));
      if (!isFresh()) return false;
      const size = await copyOnly(source, target, { onBytes: count, ...(signal && { signal }) });
      return size === item.size && isFresh();
    });
    if (whole) return true;
    rmSync(item.temporary, { force: true });
    // It is copied again: the progress of this one is taken back.
    if (counted > 0) onBytes?.(-counted);
    return false;
  }

  private async copyChecked(item: Placement, source: number, target: number): Promise<void> {
    const { onBytes, signal } = this.options;
    const { digest } = await copyAndHash(source, target, {
      hash: this.cache.hash,
      ...(onBytes && { onBytes }),
      ...(signal && { signal }),
    });
    if (!digest.equals(digestOf(item.oid))) throw corrupt(item.oid, this.cache.pathOf(item.oid));
  }

  private modeOf(item: NewPlacement): number {
    return item.executable ? this.fileMode | ((this.fileMode & 0o444) >> 2) : this.fileMode;
  }

  private failed(item: Placement, error: unknown): Error {
    rmSync(item.temporary, { force: true });
    if ((error as Error)?.name === 'AbortError') return error as Error;
    return fileSystemError('write', item.path, error);
  }
}

/** A directory for a group (`chmod g+s`) gives its group to what is made in it, not to a file that comes from elsewhere. */
function hasGroupOf(directory: string, file: string): boolean {
  const { mode, gid } = statSync(directory);
  return (mode & SET_GROUP) === 0 || lstatSync(file).gid === gid;
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
function canLink(mode: LinkMode, item: NewPlacement): boolean {
  if (mode === 'reflink') return item.size > 0;
  return !item.executable && item.size > 0;
}
