import { lstatSync, readdirSync, rmdirSync, rmSync, statSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { systemErrorCode } from '../core/errors.js';
import { cacheError } from '../objects/cache-error.js';
import { TemporaryFiles } from '../objects/temporary-files.js';

/** What a cache remembers beside its objects: worth taking along, and small. */
export const CACHE_NOTES = ['runs', 'sha256', 'corrupt'];

/**
 * Removes a cache from where it was: each object only where the new place has it, with its size. Errors: `FILE_SYSTEM`, the
 * file system's own.
 */
export function removeFormerCache(from: string, to: string): void {
  const objects = join(from, 'objects');
  for (const algorithm of namesIn(objects)) {
    for (const prefix of namesIn(join(objects, algorithm))) {
      const folder = join(objects, algorithm, prefix);
      for (const name of namesIn(folder)) {
        const there = statSync(join(to, 'objects', algorithm, prefix, name), { throwIfNoEntry: false });
        const here = lstatSync(join(folder, name), { throwIfNoEntry: false });
        if (there && here?.isFile() && there.size === here.size) unlinkSync(join(folder, name));
      }
      removeEmpty(folder);
    }
    removeEmpty(join(objects, algorithm));
  }
  removeEmpty(objects);
  for (const name of [...CACHE_NOTES, 'complete']) rmSync(join(from, name), { recursive: true, force: true });
  new TemporaryFiles(join(from, 'tmp')).removeStale();
}

function removeEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // What is in it stays.
  }
}

/** The names in a folder of a cache; none where it is not there. Error: `FILE_SYSTEM`. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT' || systemErrorCode(error) === 'ENOTDIR') return [];
    throw cacheError('list', folder, error);
  }
}
