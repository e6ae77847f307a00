import { type FileHandle, mkdir, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileSystemError, systemErrorCode } from '../core/errors.js';
import type { LevelFile } from './document.js';
import { withLockAsync } from './lock-file.js';
import { readLevelText } from './read-file.js';

/** The new text of a file; undefined leaves it as it is. */
export interface FileChange {
  text: string;
  /** True when nobody but the owner may read the file. */
  secret: boolean;
}

type Change = (text: string | undefined) => FileChange | undefined;

/** A write takes milliseconds. Whether a process of another machine lives cannot be asked. */
const ELSEWHERE_STALE_MS = 60_000;

/**
 * Replaces a level's file by what `change` makes of its text (undefined where there is no file): readers see the old or
 * the new text, and of two writers at once (they wait for each other, `patience` milliseconds, by default fifteen seconds) the
 * second builds on the first. A link on a level that is not committed is followed. Answers whether something was written.
 * Errors: `FILE_SYSTEM`, `DISK_FULL`, what `change` throws; nothing is written then.
 */
export async function updateFile(file: LevelFile, change: Change, patience?: number): Promise<boolean> {
  const target = { ...file, path: await targetOf(file) };
  try {
    await mkdir(dirname(target.path), { recursive: true });
    const work = { patience, elsewhereMs: ELSEWHERE_STALE_MS };
    return await withLockAsync(`${target.path}.lock`, work, () => underLock(target, change));
  } catch (error) {
    throw fileSystemError('write', target.path, error);
  }
}

async function targetOf({ level, path }: LevelFile): Promise<string> {
  if (level === 'project') return path;
  try {
    return await realpath(path);
  } catch {
    return path;
  }
}

async function underLock(file: LevelFile, change: Change): Promise<boolean> {
  const changed = change(await readLevelText(file));
  if (changed) await replace(file.path, changed);
  return changed !== undefined;
}

async function replace(path: string, { text, secret }: FileChange): Promise<void> {
  const temporary = `${path}.new`;
  // Only the holder of the lock gets here, so what is there was left by a crash.
  await rm(temporary, { force: true });
  try {
    // A secret is never, not for a moment, in a file that others may open.
    const handle = await open(temporary, 'wx', secret ? 0o600 : 0o666);
    try {
      await handle.writeFile(text);
      if (!secret) await keepMode(path, handle);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await flushDirectory(dirname(path));
}

async function keepMode(path: string, created: FileHandle): Promise<void> {
  const mode = await stat(path).then(
    (stats) => stats.mode & 0o777,
    () => undefined,
  );
  if (mode !== undefined) await created.chmod(mode);
}

async function flushDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } catch (error) {
    // Some file systems do not flush directories; the rename is in order there by itself.
    if (!['EINVAL', 'EISDIR', 'EPERM', 'ENOTSUP'].includes(systemErrorCode(error) ?? '')) throw error;
  } finally {
    await handle.close();
  }
}
