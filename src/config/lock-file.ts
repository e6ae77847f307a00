import {
  closeSync,
  fchmodSync,
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
import { setTimeout as sleep } from 'node:timers/promises';
import { fileSystemError, MlvError, systemErrorCode } from '../core/errors.js';
import { isStaleTemporary, temporaryName } from '../core/temporary-name.js';

/** Longer than a lock that says nothing is waited for, so that the command after one that was killed there goes on. */
const PATIENCE_MS = 15_000;
const WAIT_MS = 10;
/** A lock that says nothing was cut off by a kill between its creation and its first byte: that takes no time. */
const EMPTY_STALE_MS = 10_000;
const FULL = new Set(['ENOSPC', 'EDQUOT']);
const GROUP_READ = 0o040;

interface Seen {
  /** The name of the process that holds the lock; undefined where this user may not read it. */
  holder: string | undefined;
  ageMs: number;
}

/** What is known of the work that is done under a lock. */
export interface LockedWork {
  /** How long to wait for another process, in milliseconds; fifteen seconds by default. */
  patience?: number | undefined;
  /** From this age on, in milliseconds, a lock of a machine that cannot be asked counts as left behind; a week by default. */
  elsewhereMs?: number | undefined;
}

/**
 * Runs `action` while no other process runs one under the same lock file. Waits for others up to fifteen seconds; a lock
 * whose holder was killed is taken over. For short work only: nothing else of this process runs meanwhile.
 * Errors: `DISK_FULL`, `FILE_SYSTEM`, what `action` throws.
 */
export function withLock<T>(path: string, action: () => T): T {
  acquire(path);
  try {
    return action();
  } finally {
    release(path);
  }
}

/**
 * As withLock, for work that awaits something: others of this process wait, too, and go on with what they do meanwhile.
 * Errors: `FILE_SYSTEM` where the lock is not free in time, what `action` throws; system errors of the lock itself pass.
 */
export async function withLockAsync<T>(path: string, work: LockedWork, action: () => Promise<T>): Promise<T> {
  const { patience = PATIENCE_MS, elsewhereMs } = work;
  const until = Date.now() + patience;
  while (!tryCreate(path)) {
    if (removeStale(path, elsewhereMs)) continue;
    if (Date.now() >= until) throw isHeldError(path);
    await sleep(WAIT_MS);
  }
  try {
    return await action();
  } finally {
    release(path);
  }
}

/**
 * Takes a lock for work that takes long, and gives the function that ends it; undefined, at once, where another process
 * that runs holds it. A lock whose holder was killed is taken over. Errors: `DISK_FULL`, `FILE_SYSTEM`.
 */
export function holdLock(path: string): (() => void) | undefined {
  while (!create(path)) if (!takenAway(path)) return undefined;
  return () => release(path);
}

/** True while a process that runs holds the lock; takes nothing over. Error: `FILE_SYSTEM`. */
export function isHeld(path: string): boolean {
  try {
    const seen = read(path);
    return seen !== undefined && !isStale(seen);
  } catch (error) {
    throw fileSystemError('read', path, error);
  }
}

function isStale({ holder, ageMs }: Seen, elsewhereMs?: number): boolean {
  return holder === '' ? ageMs >= EMPTY_STALE_MS : isStaleTemporary(holder ?? '', ageMs, elsewhereMs);
}

function acquire(path: string): void {
  const until = Date.now() + PATIENCE_MS;
  while (!create(path)) {
    if (takenAway(path)) continue;
    if (Date.now() >= until) throw isHeldError(path);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WAIT_MS);
  }
}

function isHeldError(path: string): MlvError {
  return new MlvError('FILE_SYSTEM', `cannot go on: another mlv holds the lock '${path}'`, {
    hint: `wait for it to end; if none is running, remove '${path}'`,
    data: { path },
  });
}

function create(path: string): boolean {
  try {
    mkdirSync(dirname(path), { recursive: true });
    return tryCreate(path);
  } catch (error) {
    throw fileSystemError('lock', path, error);
  }
}

/** False where the lock is there. System errors pass. */
function tryCreate(path: string): boolean {
  try {
    writeHolder(path, temporaryName());
    return true;
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/**
 * On a full disk the lock is a symbolic link to the holder's name, which takes no block: what frees a disk must be able to
 * begin on a full one. System errors pass; no file is left then.
 */
function writeHolder(path: string, holder: string): void {
  const descriptor = openSync(path, 'wx');
  try {
    letGroupRead(descriptor);
    writeFileSync(descriptor, holder);
  } catch (error) {
    rmSync(path, { force: true });
    if (!FULL.has(systemErrorCode(error) ?? '') || process.platform === 'win32') throw error;
    symlinkSync(holder, path);
  } finally {
    closeSync(descriptor);
  }
}

/** Whoever shares the directory must be able to read who holds the lock; that is no secret. */
function letGroupRead(descriptor: number): void {
  if ((process.umask() & GROUP_READ) === 0) return;
  try {
    fchmodSync(descriptor, 0o600 | GROUP_READ);
  } catch {
    // A file system without modes.
  }
}

function release(path: string): void {
  rmSync(path, { force: true });
}

function takenAway(path: string): boolean {
  try {
    return removeStale(path);
  } catch (error) {
    throw fileSystemError('take over', path, error);
  }
}

/** True when there is no lock any more, or its holder was gone and it was removed. System errors pass. */
function removeStale(path: string, elsewhereMs?: number): boolean {
  const seen = read(path);
  if (!seen) return true;
  if (!isStale(seen, elsewhereMs)) return false;
  // Moved away first: of several that saw the dead holder's lock, only one gets it.
  const aside = `${path}.${temporaryName()}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return true;
    throw error;
  }
  if (read(aside)?.holder === seen.holder) rmSync(aside, { force: true });
  else renameSync(aside, path);
  return true;
}

function read(path: string): Seen | undefined {
  try {
    const stat = lstatSync(path);
    return { holder: holderOf(path, stat.isSymbolicLink()), ageMs: Date.now() - stat.mtimeMs };
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function holderOf(path: string, isLink: boolean): string | undefined {
  try {
    return isLink ? readlinkSync(path) : readFileSync(path, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'EACCES') return undefined;
    throw error;
  }
}
