import { randomBytes } from 'node:crypto';
import { readdirSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { fileSystemError, systemErrorCode } from '../core/errors.js';
import { cacheError } from './cache-error.js';
import { makeCacheDirectory } from './group-directory.js';

const STALE_AFTER_MS = 7 * 24 * 3600 * 1000;
const host = `${hostname()
  .replace(/[^A-Za-z0-9]/g, '')
  .slice(0, 24)}0${processSpace()}`;
const session = `${host}-${process.pid}-${randomBytes(4).toString('hex')}-`;
const NAME = /^([A-Za-z0-9]+)-(\d+)-[0-9a-f]+-\d+$/;
let count = 0;

/** Containers of one host name each count their processes anew, so that a process id alone says nothing about theirs. */
function processSpace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid').replace(/\D/g, '');
  } catch {
    return '';
  }
}

/** A file name that no other process, on this machine or another, uses at this moment: `host-pid-random-number`. */
export function temporaryName(): string {
  return `${session}${count++}`;
}

/** True for a name that temporaryName gave, to this process or another. */
export function isTemporaryName(name: string): boolean {
  return NAME.test(name);
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
    if (!this.made) {
      try {
        makeCacheDirectory(this.directory);
      } catch (error) {
        throw cacheError('create the directory', this.directory, error);
      }
      this.made = true;
    }
    return join(this.directory, temporaryName());
  }

  /** Removes what processes left here that no longer run; gives the number of bytes freed. */
  removeStale(now = Date.now()): number {
    let freed = 0;
    for (const name of namesIn(this.directory)) {
      const path = join(this.directory, name);
      const stat = statSync(path, { throwIfNoEntry: false });
      if (!stat || !isStaleTemporary(name, now - stat.mtimeMs)) continue;
      if (removed(path)) freed += stat.size;
    }
    return freed;
  }
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

/** True when the process that took this name is gone; a name from another host counts as gone after a week. */
export function isStaleTemporary(name: string, ageMs: number): boolean {
  const match = NAME.exec(name);
  // Another host on a shared file system may still be writing: only time tells.
  if (match?.[1] !== host) return ageMs > STALE_AFTER_MS;
  const pid = Number(match[2]);
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return systemErrorCode(error) === 'ESRCH';
  }
}
