import { execFile } from 'node:child_process';
import { open } from 'node:fs/promises';
import { fileSystemError } from '../core/errors.js';

/** Above this many files one flush of the whole file system is cheaper than a flush of each. */
const WHOLE_FILE_SYSTEM_FROM = 64;
const PARALLEL_FLUSHES = 4;

/**
 * Makes the bytes of finished, closed files durable. Few files are flushed one by one; many through one
 * `syncfs` of the file system that holds `directory` (`sync -f`, coreutils on Linux), because a flush a file costs
 * minutes on 100,000 small ones. Where that is not to be had, each file is flushed. Errors: `DISK_FULL`, `FILE_SYSTEM`.
 */
export async function flushFiles(paths: readonly string[], directory: string): Promise<void> {
  if (paths.length === 0) return;
  if (paths.length >= WHOLE_FILE_SYSTEM_FROM && (await flushFileSystem(directory))) return;
  const queue = paths[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (const path of queue) await flushFile(path);
  };
  await Promise.all(Array.from({ length: PARALLEL_FLUSHES }, worker));
}

async function flushFile(path: string): Promise<void> {
  try {
    const handle = await open(path, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw fileSystemError('flush', path, error);
  }
}

/** False where the platform has no flush of one file system: the caller flushes file by file. */
function flushFileSystem(directory: string): Promise<boolean> {
  if (process.platform !== 'linux') return Promise.resolve(false);
  return new Promise((resolve) => {
    execFile('sync', ['-f', '--', directory], (error) => resolve(error === null));
  });
}
