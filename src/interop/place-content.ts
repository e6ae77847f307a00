import { mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileSystemError } from '../core/errors.js';
import type { ObjectCache } from '../objects/cache.js';
import { Placer } from '../objects/link-modes.js';
import { digestOf, type Oid } from '../objects/oid.js';
import { checkTreeLevel, decodeTree } from '../objects/tree-format.js';
import { temporaryBeside } from '../workspace/workspace-temporary.js';

/** Content that is put somewhere. */
export interface Content {
  oid: Oid;
  size: number;
  /** True for a directory. */
  directory: boolean;
  executable?: boolean;
}

/**
 * Writes a file or directory of the cache to a path at which nothing is; every byte is checked against its oid. Copies, and
 * never links: what becomes of the result is not ours. Names come from trees, which hold none that leaves its directory.
 * Errors: `OBJECT_MISSING`, `OBJECT_CORRUPT`, `TREE_INVALID`, `FILE_SYSTEM`, `DISK_FULL`.
 */
export async function placeContent(
  cache: ObjectCache,
  content: Content,
  { path, signal }: { path: string; signal: AbortSignal },
): Promise<void> {
  const placer = new Placer(cache, { modes: ['reflink', 'copy'], verifyLinks: true, signal });
  makeDirectory(dirname(path));
  if (content.directory) return placeTree(cache, placer, { digest: digestOf(content.oid), path, level: 0 });
  await placer.place({
    oid: content.oid,
    size: content.size,
    executable: content.executable === true,
    path,
    temporary: temporaryBeside(path),
  });
}

async function placeTree(
  cache: ObjectCache,
  placer: Placer,
  { digest, path, level }: { digest: Buffer; path: string; level: number },
): Promise<void> {
  checkTreeLevel(level);
  makeDirectory(path);
  for (const entry of decodeTree(cache.read(cache.oid(digest)))) {
    const at = join(path, entry.name);
    if (entry.kind === 'tree') await placeTree(cache, placer, { digest: entry.digest, path: at, level: level + 1 });
    else if (entry.kind === 'link') makeLink(entry.target, at);
    else {
      const placed = placer.place({
        oid: cache.oid(entry.digest),
        size: entry.size,
        executable: entry.kind === 'executable',
        path: at,
        temporary: temporaryBeside(at),
      });
      if (placed instanceof Promise) await placed;
    }
  }
}

function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    throw fileSystemError('create', path, error);
  }
}

function makeLink(target: string, path: string): void {
  try {
    symlinkSync(target, path);
  } catch (error) {
    throw fileSystemError('create', path, error);
  }
}
