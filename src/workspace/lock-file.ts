import {
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { fileSystemError, MlvError, systemErrorCode } from '../core/errors.js';
import { letGroupRead } from '../objects/group-directory.js';
import { isStaleTemporary, temporaryName } from '../objects/temporary-files.js';

const PATIENCE_MS = 10_000;
const WAIT_MS = 10;
/** A lock that says nothing was cut off by a kill in the instant between its creation and its first byte. */
const EMPTY_STALE_MS = 2000;
const FULL = new Set(['ENOSPC', 'EDQUOT']);

/**
 * Runs `action` while no other process runs one under the same lock file. Waits up to ten seconds; a lock whose holder
 * was killed is taken over. For short work only: nothing else of this process runs meanwhile.
 * Errors: `DISK_FULL`, `FILE_SYSTEM`, what `action` throws.
 */
export function withLock<T>(path: string, action: () => T): T {
  acquire(path, Date.now() + PATIENCE_MS);
  try {
    return action();
  } finally {
    rmSync(path, { force: true });
  }
}

/**
 * Takes a lock for work that takes long, and gives the function that ends it; undefined, at once, where another process
 * that runs holds it. A lock whose holder was killed is taken over. Errors: `DISK_FULL`, `FILE_SYSTEM`.
 */
export function holdLock(path: string): (() => void) | undefined {
  while (!create(path)) if (!removeStale(path)) return undefined;
  return () => rmSync(path, { force: true });
}

/** True while a process that runs holds the lock; takes nothing over. Error: `FILE_SYSTEM`. */
export function isHeld(path: string): boolean {
  const seen = read(path);
  return seen !== undefined && !isStale(seen);
}

function isStale({ holder, ageMs }: { holder: string; ageMs: number }): boolean {
  return holder === '' ? ageMs >= EMPTY_STALE_MS : isStaleTemporary(holder, ageMs);
}

function acquire(path: string, until: number): void {
  while (!create(path)) {
    if (removeStale(path)) continue;
    if (Date.now() > until) {
      throw new MlvError('FILE_SYSTEM', `cannot go on: another mlv holds the lock '${path}'`, {
        hint: `wait for it to end; if none is running, remove '${path}'`,
        data: { path },
      });
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WAIT_MS);
  }
}

function create(path: string): boolean {
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeHolder(path, temporaryName());
    return true;
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST') return false;
    throw fileSystemError('lock', path, error);
  }
}

/**
 * On a full disk the lock is a symbolic link to the holder's name, which takes no block: what frees a disk must be able to
 * begin on a full one. System errors pass; no file is left then.
 */
function writeHolder(path: string, holder: string): void {
  const descriptor = openSync(path, 'wx');
  try {
    writeFileSync(descriptor, holder);
  } catch (error) {
    rmSync(path, { force: true });
    if (!FULL.has(systemErrorCode(error) ?? '') || process.platform === 'win32') throw error;
    symlinkSync(holder, path);
    return;
  } finally {
    closeSync(descriptor);
  }
  letGroupRead(path);
}

/** True when there is no lock any more, or its holder was gone and it was removed. */
function removeStale(path: string): boolean {
  const seen = read(path);
  if (!seen) return true;
  if (!isStale(seen)) return false;
  // Moved away first: of several that saw the dead holder's lock, only one gets it.
  const aside = `${path}.${temporaryName()}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return true;
    throw fileSystemError('take over', path, error);
  }
  if (read(aside)?.holder === seen.holder) rmSync(aside, { force: true });
  else renameSync(aside, path);
  return true;
}

function read(path: string): { holder: string; ageMs: number } | undefined {
  try {
    const stat = lstatSync(path);
    const holder = stat.isSymbolicLink() ? readlinkSync(path) : readFileSync(path, 'utf8');
    return { holder, ageMs: Date.now() - stat.mtimeMs };
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw fileSystemError('read', path, error);
  }
}
