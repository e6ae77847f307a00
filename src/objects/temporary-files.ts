import { lstatSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileSystemError, systemErrorCode } from '../core/errors.js';
import { isStaleTemporary, temporaryName } from '../core/temporary-name.js';
import { cacheError } from './cache-error.js';
import { makeCacheDirectory } from './group-directory.js';

/** Files and their bytes. */
export interface FileCount {
  files: number;
  bytes: number;
}

/**
 * Names for files that are being written, in one directory, unique across processes and machines. What a killed
 * process left behind is told by its name: it says which process on which host made it.
 */
export class TemporaryFiles {
  private made = false;

  constructor(readonly directory: string) {}

  /** A path that nobody else uses; the directory is there, the file is not. Error: `FILE_SYSTEM`. */
  next(): string {
    if (!this.made) makeDirectory(this.directory);
    this.made = true;
    return `${this.directory}/${temporaryName()}`;
  }

  /** As next, but a directory is there: for files that get their names together. Error: `FILE_SYSTEM`. */
  nextDirectory(): string {
    const path = this.next();
    makeDirectory(path);
    return path;
  }

  /** Removes what processes left here that no longer run; gives the number of bytes freed. */
  removeStale(now = Date.now()): number {
    let freed = 0;
    for (const { path, stale } of this.entries(now)) {
      if (!stale) continue;
      const { bytes } = countBelow(path);
      if (removed(path)) freed += bytes;
    }
    return freed;
  }

  /** What is here, those in directories with it, and how much of that processes left that no longer run. */
  count(now = Date.now()): { all: FileCount; stale: FileCount } {
    const all = { files: 0, bytes: 0 };
    const stale = { files: 0, bytes: 0 };
    for (const entry of this.entries(now)) {
      const { files, bytes } = countBelow(entry.path);
      for (const sum of entry.stale ? [all, stale] : [all]) {
        sum.files += files;
        sum.bytes += bytes;
      }
    }
    return { all, stale };
  }

  private *entries(now: number): Iterable<{ path: string; stale: boolean }> {
    for (const name of namesIn(this.directory)) {
      const path = join(this.directory, name);
      const stat = statSync(path, { throwIfNoEntry: false });
      if (stat) yield { path, stale: isStaleTemporary(name, now - stat.mtimeMs) };
    }
  }
}

function makeDirectory(path: string): void {
  try {
    makeCacheDirectory(path);
  } catch (error) {
    throw cacheError('create the directory', path, error);
  }
}

/** A file, or all files of a directory, as far as this user may look: what goes away meanwhile counts for nothing. */
function countBelow(path: string): FileCount {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (!stat?.isDirectory()) return stat?.isFile() ? { files: 1, bytes: stat.size } : { files: 0, bytes: 0 };
  const total = { files: 0, bytes: 0 };
  let names: string[] = [];
  try {
    names = readdirSync(path);
  } catch {
    // Of somebody else, or gone.
  }
  for (const name of names) {
    const { files, bytes } = countBelow(join(path, name));
    total.files += files;
    total.bytes += bytes;
  }
  return total;
}

/** False for what belongs to somebody else, in a cache that a group shares: its maker clears it away. */
function removed(path: string): boolean {
  try {
    rmSync(path, { force: true, recursive: true });
    return true;
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'EACCES' || code === 'EPERM') return false;
    throw fileSystemError('remove', path, error);
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return [];
    throw fileSystemError('list', directory, error);
  }
}
