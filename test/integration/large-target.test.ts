import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ObjectCache } from '../../src/objects/cache.js';
import { CacheBatch } from '../../src/objects/cache-batch.js';
import { loadHash } from '../../src/objects/hash.js';
import { LargeTarget } from '../../src/transfer/large-target.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

it('keeps more objects under way than files may be open, writable for their owner until they are done', async () => {
  const cache = new ObjectCache(temporaryDirectory('cache'), await loadHash('blake3'));
  const contents = Array.from({ length: 150 }, (_, index) => Buffer.from(`object ${index} `.repeat(100)));
  const targets = contents.map((bytes) => new LargeTarget(cache, cache.oid(cache.hash.digest(bytes)), bytes.length));
  for (const [index, target] of targets.entries()) target.write((contents[index] as Buffer).subarray(0, 500), 0);
  // Root may open anything, so that the permission itself is what to look at.
  const temporaries = readdirSync(cache.temporary.directory).map((name) => join(cache.temporary.directory, name));
  expect(temporaries.map((path) => statSync(path).mode & 0o777)).toEqual(targets.map(() => 0o600));
  const batch = new CacheBatch(cache);
  for (const [index, target] of targets.entries()) {
    target.write((contents[index] as Buffer).subarray(500), 500);
    expect(target.complete).toBe(true);
    await target.finish(batch);
  }
  await batch.commit();
  for (const target of targets) {
    expect(cache.read(target.oid).length).toBe(target.size);
    expect((cache.stat(target.oid)?.mode ?? 0) & 0o777).toBe(0o444);
  }
});
