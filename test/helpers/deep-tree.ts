import type { ObjectCache } from '../../src/objects/cache.js';
import { CacheBatch } from '../../src/objects/cache-batch.js';
import type { Oid } from '../../src/objects/oid.js';
import { encodeTree, type TreeEntry } from '../../src/objects/tree-format.js';

export interface BuiltTree {
  oid: Oid;
  size: number;
  files: number;
}

/**
 * Stores trees that no file system could hold: `levels` directories, each holding nothing but the next, under each of
 * `names`; in the last one an empty directory for each name.
 */
export async function storeDeepTree(cache: ObjectCache, levels: number, names = ['d']): Promise<BuiltTree> {
  const batch = new CacheBatch(cache);
  const store = (entries: TreeEntry[]): Buffer => {
    const bytes = encodeTree(entries);
    const digest = cache.hash.digest(bytes);
    batch.addBytes(bytes, digest.toString('hex'));
    return digest;
  };
  let digest = store([]);
  for (let level = 0; level < levels; level++) {
    digest = store(names.map((name) => ({ kind: 'tree', name, size: 0, files: 0, digest })));
  }
  await batch.commit();
  return { oid: cache.oid(digest), size: 0, files: 0 };
}

/** The text of a pointer that names such a tree. */
export function pointerTo(path: string, { oid, size, files }: BuiltTree): string {
  return `mlv: 1\npath: ${path}\noid: ${oid}\nsize: ${size}\nfiles: ${files}\n`;
}
