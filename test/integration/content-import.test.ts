import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ContentImporter } from '../../src/interop/content-import.js';
import { ObjectCache } from '../../src/objects/cache.js';
import { CacheBatch } from '../../src/objects/cache-batch.js';
import { loadHash } from '../../src/objects/hash.js';
import { TREE_MAGIC } from '../../src/objects/tree-format.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

async function importer() {
  const directory = temporaryDirectory('import');
  const cache = new ObjectCache(join(directory, 'cache'), await loadHash('blake3'));
  const batch = new CacheBatch(cache);
  const place = (bytes: Uint8Array): string => {
    const path = join(directory, 'file');
    writeFileSync(path, bytes);
    return path;
  };
  const left = (): string[] => readdirSync(join(cache.directory, 'tmp'));
  return { cache, batch, place, left, importer: new ContentImporter(cache, batch) };
}

async function* inParts(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 700_000) yield bytes.subarray(at, at + 700_000);
}

describe('a content of another tool', () => {
  it.each([10, 1024 * 1024, 1024 * 1024 + 1, 9_000_000])(
    'of %i bytes becomes an object with its bytes',
    async (size) => {
      const { cache, batch, place, left, importer: take } = await importer();
      for (const way of ['file', 'body']) {
        const bytes = randomBytes(size);
        const id = { algorithm: 'sha256', hex: createHash('sha256').update(bytes).digest('hex') } as const;
        const result = await (way === 'file'
          ? take.fromFile(place(bytes), id)
          : take.fromBody(inParts(bytes), id, size));
        expect(result).toEqual({ digest: cache.hash.digest(bytes), size });
        await batch.commit();
        expect(cache.read(cache.oid(cache.hash.digest(bytes))).equals(bytes)).toBe(true);
      }
      expect(left()).toEqual([]);
    },
  );

  it.each([10, 3_000_000])(
    'of %i bytes with another name, or that could be a tree, leaves nothing behind',
    async (size) => {
      const { batch, place, left, importer: take } = await importer();
      const bytes = randomBytes(size);
      const id = { algorithm: 'md5', hex: '0'.repeat(32) } as const;
      expect(await take.fromFile(place(bytes), id)).toBe('other');
      expect(await take.fromBody(inParts(bytes), id)).toBe('other');
      expect(await take.fromBody(inParts(bytes), id, size - 1)).toBe('other');
      const tree = Buffer.concat([TREE_MAGIC, bytes]);
      const named = { algorithm: 'md5', hex: createHash('md5').update(tree).digest('hex') } as const;
      expect(await take.fromFile(place(tree), named)).toBe('tree');
      expect(await take.fromBody(inParts(tree), named)).toBe('tree');
      expect(await take.fromFile('/nowhere', id)).toBe('absent');
      expect(await take.fromFile('/dev/zero', id)).toBe('absent');
      await batch.commit();
      if (size > 1024 * 1024) expect(left()).toEqual([]);
    },
  );
});
