import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemErrorCode } from '../core/errors.js';
import { checkInterrupted } from './interrupted.js';
import { comesAfter, TEMPORARY_SEGMENT } from './keys.js';
import type { ListOptions, RemoteEntry } from './remote.js';

/** A link that leads back to a directory above it would otherwise never end; keys of mlv are four levels deep. */
const MAX_DEPTH = 32;
const STATS_AT_ONCE = 64;

interface Walk extends ListOptions {
  base: string;
  prefix: string;
}

/**
 * Every file below `base` whose key starts with `prefix`, in ascending order of the keys, without reading directories
 * that cannot hold one. Symbolic links are followed; what vanishes meanwhile is left out. Errors: the system's.
 */
export async function* walkDirectory(base: string, prefix: string, options: ListOptions): AsyncGenerator<RemoteEntry> {
  const start = prefix.slice(0, prefix.lastIndexOf('/') + 1);
  // What no key begins with would be taken by the file system for another directory.
  if (
    start
      .split('/')
      .slice(0, -1)
      .some((segment) => ['', '.', '..'].includes(segment))
  )
    return;
  yield* below(start, { ...options, base, prefix }, 0);
}

/** `directory` is a key that ends with a slash, or empty for the base. */
async function* below(directory: string, walk: Walk, depth: number): AsyncGenerator<RemoteEntry> {
  if (depth > MAX_DEPTH) return;
  const keys = await childrenOf(directory, walk);
  for (let index = 0; index < keys.length; index += STATS_AT_ONCE) {
    checkInterrupted(walk.signal);
    const batch = keys.slice(index, index + STATS_AT_ONCE);
    const entries = await Promise.all(batch.map((key) => lookUp(key, walk.base)));
    for (const [position, key] of batch.entries()) {
      const entry = entries[position];
      if (key.endsWith('/')) yield* below(key, walk, depth + 1);
      else if (entry) yield entry;
    }
  }
}

/** Keys of a directory's files and, with a slash at their end, of its directories: sorted, and only those of interest. */
async function childrenOf(directory: string, walk: Walk): Promise<string[]> {
  const path = join(walk.base, directory);
  const entries = await ignoreMissing(readdir(path, { withFileTypes: true }), []);
  const keys = await Promise.all(entries.map((entry) => keyOf(entry, directory, path)));
  return keys.filter((key) => isOfInterest(key, walk)).sort((a, b) => (comesAfter(a, b) ? 1 : -1));
}

function keyOf(entry: Dirent, directory: string, path: string): string | Promise<string> {
  const key = directory + entry.name;
  if (entry.isDirectory()) return `${key}/`;
  if (entry.isFile()) return key;
  return ignoreMissing(stat(join(path, entry.name)), undefined).then((found) =>
    found?.isDirectory() ? `${key}/` : key,
  );
}

function isOfInterest(key: string, { prefix, startAfter }: Walk): boolean {
  if (key === `${TEMPORARY_SEGMENT}/`) return false;
  const isDirectory = key.endsWith('/');
  if (!key.startsWith(prefix) && !(isDirectory && prefix.startsWith(key))) return false;
  return startAfter === undefined || comesAfter(key, startAfter) || (isDirectory && startAfter.startsWith(key));
}

async function lookUp(key: string, base: string): Promise<RemoteEntry | undefined> {
  if (key.endsWith('/')) return undefined;
  const found = await ignoreMissing(stat(join(base, key)), undefined);
  return found?.isFile() ? { key, size: found.size, modified: found.mtimeMs } : undefined;
}

async function ignoreMissing<T, U>(promise: Promise<T>, otherwise: U): Promise<T | U> {
  try {
    return await promise;
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return otherwise;
    throw error;
  }
}
