import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { fileSystemError, systemErrorCode } from '../core/errors.js';

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
        makeDirectory(this.directory);
      } catch (error) {
        throw fileSystemError('create the directory', this.directory, error);
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
      rmSync(path, { force: true, recursive: true });
      freed += stat.size;
    }
    return freed;
  }
}

/** Node's recursive form hides why a directory cannot be made (on a read-only disk it says ENOENT). */
function makeDirectory(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT') mkdirSync(path, { recursive: true });
    else if (code !== 'EEXIST') throw error;
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
