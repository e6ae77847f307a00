import { closeSync, openSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { holdLock, isHeld } from '../config/lock-file.js';
import { fileSystemError, MlvError, systemErrorCode } from '../core/errors.js';
import { isStaleTemporary, temporaryName } from '../core/temporary-name.js';
import { cacheError } from '../objects/cache-error.js';
import { makeCacheDirectory } from '../objects/group-directory.js';

const LOCK = 'collecting.lock';
const USERS = 'users';
const WAIT_MS = 20;
/** Most commands are over by then. */
const PATIENCE_MS = 10_000;

/**
 * One process' word that it works with a cache: what it sees there may be named by it a moment later, so nothing may be
 * taken away meanwhile. A file `users/<name>` in the cache, whose name says which process made it, so that the file of
 * one that was killed counts for nothing. A collection holds `collecting.lock` for the moment in which it removes
 * something: who comes meanwhile waits for its end, and a collection that finds others at work takes its lock back. Each
 * side writes its own file before it looks for the other's, so one of them always sees the other.
 */
export class CacheUse {
  private file: string | undefined;

  /** `directory` is the cache's. */
  constructor(readonly directory: string) {}

  /**
   * From here on nothing is taken out of the cache. Waits while a collection removes something, and calls `onWait` then.
   * In a cache that this process may not write to, or that is not there yet, nothing is noted.
   */
  async begin(onWait?: () => void): Promise<void> {
    let waited = false;
    while (this.file === undefined) {
      const file = note(join(this.directory, USERS));
      if (file === undefined) return;
      if (!isHeld(join(this.directory, LOCK))) {
        this.file = file;
        return;
      }
      // A note that stayed would have the collection wait for us, and us for it.
      rmSync(file, { force: true });
      if (!waited) onWait?.();
      waited = true;
      await setTimeout(WAIT_MS);
    }
  }

  /** Takes the word back. Harmless where none was given. */
  end(): void {
    if (this.file === undefined) return;
    try {
      rmSync(this.file, { force: true });
    } catch {
      // What is left says by its name that its process is gone.
    }
    this.file = undefined;
  }
}

/**
 * Does what takes objects out of a cache while no other process works with it; `use`, this process' own word, ends. Waits
 * ten seconds for others. Errors: `CACHE_BUSY` where they go on, `FILE_SYSTEM` for a cache that cannot be written to, what
 * `action` throws.
 */
export async function whileAlone<T>(
  directory: string,
  use: CacheUse | undefined,
  action: () => T | Promise<T>,
): Promise<T> {
  use?.end();
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    const release = lock(directory);
    let others: string[] = [];
    if (release) {
      try {
        others = users(join(directory, USERS));
        if (others.length === 0) return await action();
      } finally {
        release();
      }
    }
    if (Date.now() > until) throw busy(directory, others);
    await setTimeout(WAIT_MS);
  }
}

function lock(directory: string): (() => void) | undefined {
  try {
    return holdLock(join(directory, LOCK));
  } catch (error) {
    throw cacheError('lock', join(directory, LOCK), error);
  }
}

/** Makes a note of this process; undefined where that is not possible. */
function note(directory: string): string | undefined {
  const file = join(directory, temporaryName());
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      closeSync(openSync(file, 'wx'));
      return file;
    } catch (error) {
      if (systemErrorCode(error) !== 'ENOENT' || !make(directory)) return undefined;
    }
  }
  return undefined;
}

/** Not the parents of the cache: a disk that is not mounted must not get one. */
function make(directory: string): boolean {
  try {
    if (!statSync(join(directory, '..', '..'), { throwIfNoEntry: false })?.isDirectory()) return false;
    makeCacheDirectory(directory);
    return true;
  } catch {
    return false;
  }
}

/** The processes that work with the cache; what killed ones left is cleared away. */
function users(directory: string): string[] {
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return [];
    throw fileSystemError('list', directory, error);
  }
  return names.filter((name) => {
    const path = join(directory, name);
    const stat = statSync(path, { throwIfNoEntry: false });
    if (!stat) return false;
    if (!isStaleTemporary(name, Date.now() - stat.mtimeMs)) return true;
    rmSync(path, { force: true });
    return false;
  });
}

function busy(directory: string, others: readonly string[]): MlvError {
  const who = others.map((name) => join(directory, USERS, name));
  const what = others.length > 0 ? `${others.length} other mlv` : 'another collection';
  return new MlvError('CACHE_BUSY', `${what} is at work with the cache '${directory}': nothing was taken away`, {
    hint: 'run the same command again when it is done',
    data: { directory, users: who },
  });
}
