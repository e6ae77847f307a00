import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileSystemError } from '../core/errors.js';
import { sweepTemporaries, temporaryBeside } from './workspace-temporary.js';

/**
 * Replaces a small file as a whole: a reader, or a crash, finds the old content or the new one. `path` is absolute.
 * What killed processes left beside it goes. Errors: `DISK_FULL`, `FILE_SYSTEM`; the old file is left as it was.
 */
export function writeWholeFile(path: string, content: string | Uint8Array): void {
  const temporary = temporaryBeside(path);
  sweepTemporaries(dirname(path));
  try {
    const descriptor = openSync(temporary, 'wx', 0o666);
    try {
      writeFileSync(descriptor, content);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw fileSystemError('write', path, error);
  }
}
