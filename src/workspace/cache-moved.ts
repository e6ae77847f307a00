import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileSystemError, MlvError, systemErrorCode } from '../core/errors.js';
import { inShellQuotes } from '../core/shell-quote.js';

/** The file that a cache leaves behind where it was, with the path of the directory that it is in now. */
export const MOVED_FILE = 'moved-to';

/** Where the cache that was in a directory was moved to; undefined for one that was not. Error: `FILE_SYSTEM`. */
export function movedTo(directory: string): string | undefined {
  const path = join(directory, MOVED_FILE);
  try {
    return readFileSync(path, 'utf8').trim() || undefined;
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw fileSystemError('read', path, error);
  }
}

/** The error for a configuration that names a cache which is not there any more. */
export function cacheMoved(directory: string, to: string): MlvError {
  return new MlvError('CACHE_MOVED', `the cache in '${directory}' was moved to '${to}'`, {
    hint: `use it there: mlv cache dir ${inShellQuotes(to)}`,
    data: { directory, to },
  });
}
