import { constants } from 'node:fs';
import { link, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { systemErrorCode } from '../core/errors.js';
import { temporaryName } from '../core/temporary-name.js';
import { checkInterrupted } from './interrupted.js';
import { TEMPORARY_SEGMENT } from './keys.js';

const STALE_AFTER_MS = 7 * 24 * 3600 * 1000;
const PUBLISH_TRIES = 5;
const NO_HARD_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EACCES']);

/** A path in `<base>/tmp/` that no process on any machine uses at this moment. */
export function temporaryPath(base: string): string {
  return join(base, TEMPORARY_SEGMENT, temporaryName());
}

/**
 * Makes `<base>/tmp`, and the base where only it is missing: with its parent missing too, the path is mistyped or its
 * file system not mounted, and writing would fill the wrong disk. Error: the system's `ENOENT` in that case.
 */
export async function prepareBase(base: string): Promise<void> {
  await makeDirectory(base);
  await makeDirectory(join(base, TEMPORARY_SEGMENT));
}

/** Writes a new file and flushes it to the disk. Leaves what it wrote behind when it fails. */
export async function writeFlushed(
  path: string,
  content: Uint8Array | AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const handle = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o666);
  try {
    const parts = content instanceof Uint8Array ? [content] : content;
    for await (const part of parts) {
      checkInterrupted(signal);
      await writeAll(handle, part);
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function writeAll(handle: Awaited<ReturnType<typeof open>>, part: Uint8Array): Promise<void> {
  let offset = 0;
  while (offset < part.byteLength) {
    // A disk that fills up or a network file system writes a part only, and that is not an error.
    const { bytesWritten } = await handle.write(part, offset, part.byteLength - offset);
    offset += bytesWritten;
  }
}

/**
 * Gives a finished temporary file its name, below `base`, and flushes the name. With `ifAbsent`, a name that is taken
 * stays as it is and the result is `exists`, where the file system has hard links; elsewhere the last writer wins.
 */
export async function publish(
  temporary: string,
  target: string,
  options: { base: string; ifAbsent: boolean },
): Promise<'created' | 'exists'> {
  for (let tries = 1; ; tries++) {
    try {
      const result = await (options.ifAbsent ? linkName(temporary, target) : renameTo(temporary, target));
      await flushDirectory(dirname(target));
      return result;
    } catch (error) {
      if (systemErrorCode(error) !== 'ENOENT' || tries === PUBLISH_TRIES) throw error;
      await makeParents(dirname(target), options.base);
    }
  }
}

async function renameTo(temporary: string, target: string): Promise<'created'> {
  await rename(temporary, target);
  return 'created';
}

async function linkName(temporary: string, target: string): Promise<'created' | 'exists'> {
  try {
    await link(temporary, target);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'EEXIST') return 'exists';
    if (code !== undefined && NO_HARD_LINKS.has(code)) return renameTo(temporary, target);
    throw error;
  }
  await rm(temporary, { force: true });
  return 'created';
}

/** Makes the directories from `base` down to `directory`; never the base itself, which may just have been unmounted. */
async function makeParents(directory: string, base: string): Promise<void> {
  if (directory === base) return;
  await makeParents(dirname(directory), base);
  await makeDirectory(directory);
}

async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST') return;
    throw error;
  }
  await flushDirectory(dirname(path));
}

/** Makes the names in a directory durable, where the platform can do that. */
async function flushDirectory(path: string): Promise<void> {
  try {
    const handle = await open(path, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch {
    // Windows, FUSE and some network file systems flush no directory; they order the rename themselves.
  }
}

/** Removes what writers left in `<base>/tmp` that were killed more than a week ago. Never fails. */
export async function removeStale(base: string, now: number): Promise<void> {
  const directory = join(base, TEMPORARY_SEGMENT);
  try {
    for (const name of await readdir(directory)) {
      const path = join(directory, name);
      const { mtimeMs } = await stat(path);
      if (now - mtimeMs > STALE_AFTER_MS) await rm(path, { force: true });
    }
  } catch {
    // Another process may be cleaning up too; leftovers cost space only.
  }
}
