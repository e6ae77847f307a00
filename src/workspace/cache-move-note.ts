import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMlvError, systemErrorCode } from '../core/errors.js';
import { temporaryName } from '../core/temporary-name.js';
import type { RepositoryLayout } from '../git/git.js';
import { cacheError } from '../objects/cache-error.js';
import { letGroupRead, makeCacheDirectory } from '../objects/group-directory.js';

/** The move that was begun and not finished, as a note in the repository's own Git directory says. */
export interface BegunMove {
  from: string;
  to: string;
}

/** Reads, writes or takes back the note on a move. Errors: `DISK_FULL`, `FILE_SYSTEM`. */
export const moveNote = {
  read({ commonDir }: RepositoryLayout): BegunMove | undefined {
    try {
      const value = JSON.parse(readFileSync(join(commonDir, 'mlv', 'cache-move'), 'utf8')) as Partial<BegunMove>;
      return typeof value.from === 'string' && typeof value.to === 'string' ? (value as BegunMove) : undefined;
    } catch (error) {
      if (error instanceof SyntaxError || isMlvError(error) || systemErrorCode(error) === 'ENOENT') return undefined;
      throw cacheError('read', join(commonDir, 'mlv', 'cache-move'), error);
    }
  },
  write({ commonDir }: RepositoryLayout, move: BegunMove): void {
    makeCacheDirectory(join(commonDir, 'mlv'));
    writeNote(join(commonDir, 'mlv', 'cache-move'), JSON.stringify(move));
  },
  remove({ commonDir }: RepositoryLayout): void {
    rmSync(join(commonDir, 'mlv', 'cache-move'), { force: true });
  },
};

/**
 * Writes a line of text, flushed, for whoever shares the cache, in place of what is there. Errors: `DISK_FULL`,
 * `FILE_SYSTEM`; the former note is left as it was.
 */
export function writeNote(path: string, text: string): void {
  const temporary = `${path}.${temporaryName()}`;
  try {
    const descriptor = openSync(temporary, 'wx');
    try {
      writeFileSync(descriptor, `${text}\n`);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    letGroupRead(temporary);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw cacheError('write', path, error);
  }
}
