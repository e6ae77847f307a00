import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MlvError } from '../../src/core/errors.js';
import type { ObjectCache } from '../../src/objects/cache.js';
import { CacheBatch } from '../../src/objects/cache-batch.js';
import { DirectoryRemote } from '../../src/remotes/directory.js';
import { MemoryRemote } from '../../src/remotes/memory.js';
import type { Remote } from '../../src/remotes/remote.js';
import { fetchObjects } from '../../src/transfer/fetch.js';
import { fsckRemote } from '../../src/transfer/fsck-remote.js';
import { push } from '../../src/transfer/push.js';
import type { PushRoot } from '../../src/transfer/roots.js';
import { randomBytes } from '../helpers/big-data.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';
import {
  bytesAt,
  contents,
  directory,
  expectClosed,
  keysOf,
  makeSmallRemote,
  openCache,
  openSession,
  overwrite,
  SMALL_PACK_BYTES,
  type Spec,
  spyOn,
  store,
  toFetch,
  verifiedObjects,
} from '../helpers/transfer.js';
import { startTransfer } from '../helpers/transfer-child.js';

const MiB = 1024 * 1024;
/** Packs under way at once, at most. */
const WORKERS = 4;

const files = (count: number, size: number, from = 0): Spec =>
  directory(
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`f${index}`, randomBytes(size, from + index)])),
  );

async function storeData(cache: ObjectCache): Promise<PushRoot> {
  return store(
    cache,
    directory({ 'large.bin': randomBytes(5 * MiB, 1), small: files(300, 3000), sub: files(50, 20_000, 900) }),
  );
}

async function openDirectory(): Promise<{ path: string; remote: DirectoryRemote }> {
  const path = join(temporaryDirectory('remote'), 'store');
  const remote = new DirectoryRemote(path);
  await makeSmallRemote(remote);
  return { path, remote };
}

async function packBytes(remote: Remote): Promise<number> {
  let sum = 0;
  for await (const { size } of remote.list('packs/')) sum += size;
  return sum;
}

async function expectWhole(cache: ObjectCache, remote: Remote, root: PushRoot): Promise<void> {
  await expectClosed(remote, cache.hash);
  const { findings } = await fsckRemote(openSession(cache, remote), [root], { deep: true });
  expect(findings.filter(({ kind }) => !kind.startsWith('info'))).toEqual([]);
  const theirs = await openCache();
  expect(await fetchObjects(openSession(theirs, remote), [toFetch(root)])).toMatchObject({ failed: [] });
  expect(contents(theirs, root)).toEqual(contents(cache, root));
}

const denied = (): MlvError => new MlvError('REMOTE_DENIED', 'the disk is gone');

describe('a push that was killed', () => {
  it.each([1, 9, 17])('after pack %i sends less than two packs a worker again', async (count) => {
    const cache = await openCache();
    const root = await storeData(cache);
    const { path, remote } = await openDirectory();
    const child = startTransfer(
      { verb: 'push', cache: cache.directory, remote: path, roots: [root], delay: 15 },
      (each, puts) => {
        if (puts.length >= count) each.kill('SIGKILL');
      },
    );
    expect((await child.ended).code).toBeNull();
    await expectClosed(remote, cache.hash);
    const before = await packBytes(remote);
    expect(before).toBeGreaterThan(0);
    const spy = spyOn(remote);
    expect(await push(openSession(cache, spy.remote), [root])).toMatchObject({ pushed: 1, failed: [] });
    // Each chunk once, in as many packs as it takes: what one undisturbed push sends.
    const whole = await undisturbed(cache, root);
    expect(before + spy.bytes('put', 'packs/')).toBeLessThan(whole + 2 * WORKERS * SMALL_PACK_BYTES);
    await expectWhole(cache, remote, root);
  });

  it('while it wrote records sends no pack again', async () => {
    const cache = await openCache();
    const root = await storeData(cache);
    const { path, remote } = await openDirectory();
    const child = startTransfer(
      { verb: 'push', cache: cache.directory, remote: path, roots: [root], delay: 15 },
      (each, puts) => {
        if (puts.some((key) => key.startsWith('records/'))) each.kill('SIGKILL');
      },
    );
    expect((await child.ended).code).toBeNull();
    await expectClosed(remote, cache.hash);
    const spy = spyOn(remote);
    await push(openSession(cache, spy.remote), [root]);
    expect(spy.log.filter(({ method, key }) => method === 'put' && key.startsWith('packs/'))).toEqual([]);
    await expectWhole(cache, remote, root);
  });
});

async function undisturbed(cache: ObjectCache, root: PushRoot): Promise<number> {
  const remote = new MemoryRemote();
  await makeSmallRemote(remote);
  await push(openSession(cache, remote, { stateDirectory: temporaryDirectory('state') }), [root]);
  return packBytes(remote);
}

describe('the journal of a push that failed', () => {
  /** A push that ends after some packs, and the packs that it journaled. */
  async function failedPush(): Promise<{ cache: ObjectCache; root: PushRoot; remote: MemoryRemote; journal: string }> {
    const cache = await openCache();
    const root = await storeData(cache);
    const remote = new MemoryRemote();
    await makeSmallRemote(remote);
    let left = 12;
    const { remote: failing } = spyOn(remote, ({ method }) => {
      if (method === 'put' && left-- <= 0) throw denied();
    });
    await expect(push(openSession(cache, failing), [root])).rejects.toMatchObject({ code: 'REMOTE_DENIED' });
    const journal = join(cache.directory, 'remotes', 'origin', 'journal');
    expect(readdirSync(journal)).toHaveLength(12);
    return { cache, root, remote, journal };
  }

  it('is gone when the push is done', async () => {
    const { cache, root, remote, journal } = await failedPush();
    await push(openSession(cache, remote), [root]);
    expect(readdirSync(journal)).toEqual([]);
    await expectWhole(cache, remote, root);
  });

  it('is not believed about packs that are not there any more', async () => {
    const { cache, root, remote } = await failedPush();
    const packs = await keysOf(remote, 'packs/');
    await remote.delete(packs.filter((_, index) => index % 2 === 0));
    await push(openSession(cache, remote), [root]);
    await expectWhole(cache, remote, root);
  });

  it('is not believed about packs that have another size', async () => {
    const { cache, root, remote } = await failedPush();
    for (const key of await keysOf(remote, 'packs/'))
      await overwrite(remote, key, (await bytesAt(remote, key)).subarray(1));
    await push(openSession(cache, remote), [root]);
    await expectWhole(cache, remote, root);
  });

  it('is not believed where it is damaged itself', async () => {
    const { cache, root, remote, journal } = await failedPush();
    for (const [index, name] of readdirSync(journal).entries()) {
      const path = join(journal, name);
      if (index % 4 === 0) truncateSync(path, 5);
      else if (index % 4 === 1) writeFileSync(path, randomBytes(500, index));
      else if (index % 4 === 2) writeFileSync(path, readFileSync(path).subarray(0, -1));
    }
    writeFileSync(join(journal, 'notes.txt'), 'not a pack');
    await push(openSession(cache, remote), [root]);
    await expectWhole(cache, remote, root);
  });
});

describe('a fetch that was killed', () => {
  it('has named nothing that is wrong, and the next one finishes', async () => {
    const cache = await openCache();
    const root = await storeData(cache);
    const { path, remote } = await openDirectory();
    await push(openSession(cache, remote), [root]);
    const theirs = await openCache();
    const child = startTransfer({
      verb: 'fetch',
      cache: theirs.directory,
      remote: path,
      roots: [root],
      jobs: 2,
      hangAfterGets: 8,
    });
    await untilGrown(theirs);
    child.process.kill('SIGKILL');
    expect((await child.ended).code).toBeNull();
    await verifiedObjects(theirs);
    expect(await fetchObjects(openSession(theirs, remote), [toFetch(root)])).toMatchObject({ failed: [] });
    expect(contents(theirs, root)).toEqual(contents(cache, root));
    expect(temporaries(theirs)).toEqual([]);
  });
});

/** Waits until a cache has files under temporary names; they stay, because the process hangs before it could name them. */
async function untilGrown(cache: ObjectCache): Promise<void> {
  while (temporaries(cache).length < 20) await new Promise((resolve) => setTimeout(resolve, 5));
}

function temporaries(cache: ObjectCache): string[] {
  const { directory: path } = cache.temporary;
  return existsSync(path) ? readdirSync(path) : [];
}

describe('an interrupted transfer', () => {
  /** Interrupts at a call, and counts those that come after it. */
  const slow = (remote: Remote, interrupt: () => void, after: number): { remote: Remote; late(): number } => {
    let count = 0;
    const spy = spyOn(remote, async () => {
      if (++count === after) interrupt();
      await new Promise((resolve) => setTimeout(resolve, 2));
    });
    return { remote: spy.remote, late: () => count - after };
  };

  it.each([1, 5, 15, 24])(
    'push: stops at once at call %i, leaves only what is whole, and the next one finishes',
    async (after) => {
      const cache = await openCache();
      const root = await storeData(cache);
      const { remote } = await openDirectory();
      const controller = new AbortController();
      const interrupted = slow(remote, () => controller.abort(), after);
      const session = openSession(cache, interrupted.remote, { signal: controller.signal });
      await expect(push(session, [root])).rejects.toMatchObject({ code: 'INTERRUPTED' });
      expect(interrupted.late()).toBeLessThanOrEqual(WORKERS);
      expect(temporaries(cache)).toEqual([]);
      await expectClosed(remote, cache.hash);
      await push(openSession(cache, remote), [root]);
      await expectWhole(cache, remote, root);
    },
  );

  it.each([1, 3, 6])(
    'fetch: stops at once at call %i, names nothing wrong, and the next one finishes',
    async (after) => {
      const cache = await openCache();
      const root = await storeData(cache);
      const { remote } = await openDirectory();
      await push(openSession(cache, remote), [root]);
      const theirs = await openCache();
      const controller = new AbortController();
      const session = openSession(theirs, slow(remote, () => controller.abort(), after).remote, {
        signal: controller.signal,
      });
      await expect(fetchObjects(session, [toFetch(root)])).rejects.toMatchObject({ code: 'INTERRUPTED' });
      await verifiedObjects(theirs);
      expect(temporaries(theirs)).toEqual([]);
      await fetchObjects(openSession(theirs, remote), [toFetch(root)]);
      expect(contents(theirs, root)).toEqual(contents(cache, root));
    },
  );

  it('push: stops in the middle of a large file of which nothing has to be sent', async () => {
    const cache = await openCache();
    const zeros = Buffer.alloc(256 * MiB);
    const batch = new CacheBatch(cache);
    const digest = cache.hash.digest(zeros);
    batch.addBytes(zeros, digest.toString('hex'));
    await batch.commit();
    const root = { oid: cache.oid(digest), size: zeros.length, directory: false, path: 'zeros', predecessors: [] };
    const controller = new AbortController();
    const session = openSession(cache, new MemoryRemote(), { signal: controller.signal });
    setTimeout(() => controller.abort(), 10);
    await expect(push(session, [root], { dryRun: true })).rejects.toMatchObject({ code: 'INTERRUPTED' });
  });
});
