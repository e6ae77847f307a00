import { chmodSync, closeSync, lstatSync, openSync, readlinkSync, readSync, rmdirSync, type Stats } from 'node:fs';
import { fileSystemError, systemErrorCode } from '../core/errors.js';
import type { HashFunction } from '../objects/hash.js';
import type { TreeEntry } from '../objects/tree-format.js';
import { readTarget } from './link-file.js';
import { removeStaleTemporaries } from './workspace-temporary.js';

/** True when the file may be one of several names of an inode, so that its mode and bytes are not its own. */
export function sharesInode(stat: Stats): boolean {
  return stat.isSymbolicLink() || stat.nlink > 1;
}

/** True when a path stands as it did when `before` was taken: the same file, not written to since, or still none. */
export function isAsSeen(path: string, before: Stats | undefined): boolean {
  const now = lstatSync(path, { throwIfNoEntry: false });
  if (!now || !before) return now === before;
  return (['ino', 'size', 'mtimeMs', 'ctimeMs'] as const).every((field) => now[field] === before[field]);
}

/**
 * True when what is at `path` now is the entry: a file of that content and executable bit, or a link of that target.
 * Reads the file. Error: `FILE_SYSTEM`.
 */
export function holdsEntry(hash: HashFunction, path: string, stat: Stats, entry: TreeEntry): boolean {
  if (entry.kind === 'link' && !stat.isSymbolicLink()) return false;
  const isExecutable = stat.isFile() && (stat.mode & 0o100) !== 0;
  if (entry.kind !== 'link' && isExecutable !== (entry.kind === 'executable')) return false;
  return holdsContent(hash, path, stat, entry);
}

/**
 * As holdsEntry where the disk keeps neither executable bits nor links: a file with a link's target as its content is the
 * link. Error: `FILE_SYSTEM`.
 */
export function holdsContent(hash: HashFunction, path: string, stat: Stats, entry: TreeEntry): boolean {
  if (entry.kind === 'tree') return false;
  try {
    if (entry.kind === 'link') return targetOf(path, stat) === entry.target;
    if (!stat.isFile() || stat.size !== entry.size) return false;
    return digestOfFile(hash, path).equals(entry.digest);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return false;
    throw fileSystemError('read', path, error);
  }
}

function targetOf(path: string, stat: Stats): string | undefined {
  if (stat.isSymbolicLink()) return readlinkSync(path);
  return stat.isFile() ? readTarget(path, stat) : undefined;
}

function digestOfFile(hash: HashFunction, path: string): Buffer {
  const descriptor = openSync(path, 'r');
  try {
    const hasher = hash.create();
    const buffer = Buffer.allocUnsafe(1024 * 1024);
    for (let count = -1; count !== 0; ) {
      count = readSync(descriptor, buffer, 0, buffer.length, null);
      hasher.update(buffer.subarray(0, count));
    }
    return hasher.digest();
  } finally {
    closeSync(descriptor);
  }
}

/** Sets or clears the executable bits of the file at `path`, as its read bits allow. System errors pass. */
export function setExecutable(path: string, executable: boolean): void {
  const mode = lstatSync(path).mode & 0o777;
  chmodSync(path, executable ? mode | ((mode & 0o444) >> 2) : mode & ~0o111);
}

/** Removes a directory where nothing but leftovers of killed processes is in it. Error: `FILE_SYSTEM`. */
export function removeIfEmpty(path: string): void {
  try {
    removeStaleTemporaries(path);
    rmdirSync(path);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST' && code !== 'ENOENT') throw fileSystemError('remove', path, error);
  }
}
