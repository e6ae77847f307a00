import { randomBytes } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { open, readFile, rename, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { MlvError, systemErrorCode } from '../core/errors.js';

const WAIT_MS = 30;
/** A lock that says nothing was cut off by a kill between its creation and its first byte: that takes no time. */
const EMPTY_STALE_MS = 10_000;
/** A write takes milliseconds. Whether a process of another machine lives cannot be asked. */
const ELSEWHERE_STALE_MS = 60_000;
/** Of another user, who lets nobody read it. */
const SOMEBODY_ELSE = '? 0';
const HOLDER = /^(\S+) (\d+)$/;

/**
 * Takes the lock file of `path` and gives its path, which is to be removed at the end. Waits up to `patience` milliseconds
 * for a holder that lives; one that was killed has no say. Errors: `FILE_SYSTEM` that names the lock; system errors pass.
 */
export async function takeLock(path: string, patience: number): Promise<string> {
  const lock = `${path}.lock`;
  for (let waited = 0; ; waited += WAIT_MS) {
    try {
      await create(lock);
      return lock;
    } catch (error) {
      if (systemErrorCode(error) !== 'EEXIST') throw error;
      if (await removeAbandoned(lock)) continue;
      if (waited >= patience) throw inTheWay(path, lock, error);
      await sleep(WAIT_MS);
    }
  }
}

async function create(lock: string): Promise<void> {
  const handle = await open(lock, 'wx');
  try {
    await handle.writeFile(`${machine()} ${process.pid}`);
  } catch (error) {
    await rm(lock, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
}

/** Containers of one host name each count their processes anew. */
function machine(): string {
  let space = '';
  try {
    space = readlinkSync('/proc/self/ns/pid').replace(/\D/g, '');
  } catch {
    // Not Linux.
  }
  return `${hostname().replace(/\s/g, '')}/${space}`;
}

/** True when there is no lock any more, or its holder was gone and it was removed. */
async function removeAbandoned(lock: string): Promise<boolean> {
  const seen = await read(lock);
  if (!seen) return true;
  if (!isAbandoned(seen)) return false;
  // Moved away first: of several that saw the dead holder's lock, only one gets it.
  const aside = `${lock}.${process.pid}-${randomBytes(4).toString('hex')}`;
  try {
    await rename(lock, aside);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return true;
    throw error;
  }
  if ((await read(aside))?.holder === seen.holder) await rm(aside, { force: true });
  else await rename(aside, lock);
  return true;
}

function isAbandoned({ holder, ageMs }: { holder: string; ageMs: number }): boolean {
  const [, where, process] = HOLDER.exec(holder) ?? [];
  if (where === undefined) return ageMs >= EMPTY_STALE_MS;
  return where === machine() ? !isRunning(Number(process)) : ageMs >= ELSEWHERE_STALE_MS;
}

function isRunning(id: number): boolean {
  try {
    process.kill(id, 0);
    return true;
  } catch (error) {
    return systemErrorCode(error) !== 'ESRCH';
  }
}

async function read(lock: string): Promise<{ holder: string; ageMs: number } | undefined> {
  try {
    const { mtimeMs } = await stat(lock);
    return { holder: await holderOf(lock), ageMs: Date.now() - mtimeMs };
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function holderOf(lock: string): Promise<string> {
  try {
    return await readFile(lock, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'EACCES') return SOMEBODY_ELSE;
    throw error;
  }
}

function inTheWay(path: string, lock: string, cause: unknown): MlvError {
  return new MlvError('FILE_SYSTEM', `cannot write '${path}': '${lock}' is in the way`, {
    cause,
    hint: `if no other mlv is running, an earlier one was interrupted: remove '${lock}'`,
    data: { path: lock },
  });
}
