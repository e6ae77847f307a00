import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { describe, expect, it } from 'vitest';
import type { ObjectCache } from '../../src/objects/cache.js';
import { CacheBatch } from '../../src/objects/cache-batch.js';
import type { PushRoot } from '../../src/transfer/roots.js';
import { randomBytes } from '../helpers/big-data.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';
import { openCache } from '../helpers/transfer.js';
import { startTransfer } from '../helpers/transfer-child.js';

const MiB = 1024 * 1024;
const PIECES = 64;
const PIECE_BYTES = 16 * MiB;

/** One file of 1 GiB in a cache, without ever holding it in memory. */
async function storeLarge(cache: ObjectCache): Promise<PushRoot> {
  const batch = new CacheBatch(cache);
  const temporary = cache.temporary.next();
  const hasher = cache.hash.create();
  async function* pieces(): AsyncGenerator<Buffer> {
    for (let piece = 0; piece < PIECES; piece++) {
      const bytes = randomBytes(PIECE_BYTES, piece);
      hasher.update(bytes);
      yield bytes;
    }
  }
  await pipeline(pieces, createWriteStream(temporary, { mode: 0o444 }));
  const digest = hasher.digest();
  const size = PIECES * PIECE_BYTES;
  batch.stage(temporary, digest.toString('hex'), size);
  await batch.commit();
  return { oid: cache.oid(digest), size, directory: false, path: 'model.bin', predecessors: [] };
}

describe('a file of 1 GiB', () => {
  it('is pushed and fetched by processes of at most 400 MiB', async () => {
    const remote = join(temporaryDirectory('remote'), 'store');
    const cache = await openCache();
    const roots = [await storeLarge(cache)];
    const pushed = await startTransfer({ verb: 'push', cache: cache.directory, remote, roots, jobs: 8 }).ended;
    expect(pushed).toMatchObject({ code: 0, failed: [] });
    expect((pushed.rss ?? 0) / MiB).toBeGreaterThan(20);
    expect((pushed.rss ?? 0) / MiB).toBeLessThan(400);
    const theirs = await openCache();
    const fetched = await startTransfer({ verb: 'fetch', cache: theirs.directory, remote, roots, jobs: 8 }).ended;
    expect(fetched).toMatchObject({ code: 0, failed: [] });
    expect((fetched.rss ?? 0) / MiB).toBeLessThan(400);
    for (const { oid } of roots) await theirs.verify(oid);
  });
});
