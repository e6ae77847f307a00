import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ObjectCache } from '../../src/objects/cache.js';
import { CacheBatch } from '../../src/objects/cache-batch.js';
import { loadHash } from '../../src/objects/hash.js';
import { LargeTarget } from '../../src/transfer/large-target.js';
import { type FreeBuffers, RunWriter } from '../../src/transfer/run-writer.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

it('keeps more objects under way than files may be open, writable for their owner until they are done', async () => {
  const cache = new ObjectCache(temporaryDirectory('cache'), await loadHash('blake3'));
  const contents = Array.from({ length: 150 }, (_, index) => Buffer.from(`object ${index} `.repeat(100)));
  const targets = contents.map((bytes) => new LargeTarget(cache, cache.oid(cache.hash.digest(bytes)), bytes.length));
  for (const [index, target] of targets.entries()) await target.write((contents[index] as Buffer).subarray(0, 500), 0);
  // Root may open anything, so that the permission itself is what to look at.
  const temporaries = readdirSync(cache.temporary.directory).map((name) => join(cache.temporary.directory, name));
  expect(temporaries.map((path) => statSync(path).mode & 0o777)).toEqual(targets.map(() => 0o600));
  const batch = new CacheBatch(cache);
  for (const [index, target] of targets.entries()) {
    await target.write((contents[index] as Buffer).subarray(500), 500);
    expect(target.complete).toBe(true);
    await target.finish(batch);
  }
  await batch.commit();
  for (const target of targets) {
    expect(cache.read(target.oid).length).toBe(target.size);
    expect((cache.stat(target.oid)?.mode ?? 0) & 0o777).toBe(0o444);
  }
});

it('gathers chunks of several requests, in any order and of any size, into the object that they are of', async () => {
  const cache = new ObjectCache(temporaryDirectory('cache'), await loadHash('blake3'));
  const buffers: FreeBuffers = [];
  const content = Buffer.alloc(3_000_000);
  for (let at = 0; at < content.length; at += 4) content.writeUInt32LE((at * 2654435761) >>> 0, at);
  const target = new LargeTarget(cache, cache.oid(cache.hash.digest(content)), content.length);
  const writers = [new RunWriter(buffers), new RunWriter(buffers), new RunWriter(buffers)];
  const third = content.length / 3;
  const chunk = Buffer.alloc(70_000);
  for (let done = 0; done < third; done += chunk.length) {
    for (const [index, writer] of writers.entries()) {
      const length = Math.min(chunk.length, third - done);
      const at = index * third + done;
      content.copy(chunk, 0, at, at + length);
      writer.add(target, chunk.subarray(0, length), at);
      await writer.room();
    }
  }
  expect(target.complete).toBe(false);
  for (const writer of writers) writer.send();
  expect(target.complete).toBe(true);
  const batch = new CacheBatch(cache);
  await target.finish(batch);
  await batch.commit();
  expect(cache.read(target.oid).equals(content)).toBe(true);
  expect(buffers.length).toBeLessThanOrEqual(12);
});

it('takes no more of an object that was dropped, and leaves no file of it', async () => {
  const cache = new ObjectCache(temporaryDirectory('cache'), await loadHash('blake3'));
  const target = new LargeTarget(cache, cache.oid(cache.hash.digest(Buffer.alloc(8))), 8);
  const begun = target.write(Buffer.alloc(4), 0);
  target.abandon();
  await target.write(Buffer.alloc(4), 4);
  await begun;
  expect(target.complete).toBe(false);
  expect(readdirSync(cache.temporary.directory)).toEqual([]);
});
