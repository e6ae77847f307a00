import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DirectoryRemote } from '../../src/remotes/directory.js';
import { MemoryRemote } from '../../src/remotes/memory.js';
import type { Remote } from '../../src/remotes/remote.js';
import { type CopyReport, copyRemote } from '../../src/transfer/copy-remote.js';
import { fsckRemote } from '../../src/transfer/fsck-remote.js';
import { packKey, parsePackKey, recordKey } from '../../src/transfer/remote-layout.js';
import type { PushRoot } from '../../src/transfer/roots.js';
import { randomBytes } from '../helpers/big-data.js';
import { clockedRemote, collect, dataset, expectFetchable, GRACE, pushAll } from '../helpers/collection.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';
import {
  bytesAt,
  directory,
  expectClosed,
  flipByte,
  keysOf,
  openCache,
  openSession,
  overwrite,
  spyOn,
  store,
} from '../helpers/transfer.js';

const MiB = 1024 * 1024;

type Cache = Awaited<ReturnType<typeof openCache>>;

async function copy(cache: Cache, from: Remote, to: Remote, options = {}): Promise<CopyReport> {
  return copyRemote(openSession(cache, from, { name: 'a' }), openSession(cache, to, { name: 'b' }), options);
}

async function source(): Promise<{ cache: Cache; from: MemoryRemote; roots: PushRoot[] }> {
  const from = new MemoryRemote();
  const cache = await openCache();
  const roots = [
    await store(cache, dataset(1)),
    await store(cache, directory({ nested: directory({ again: dataset(1), other: dataset(2) }) })),
    await store(cache, randomBytes(5 * MiB, 4)),
    await store(cache, 'inline'),
    await store(cache, directory({ 'large.bin': randomBytes(5 * MiB, 5) })),
  ];
  for (const root of roots) await pushAll(cache, from, [root]);
  return { cache, from, roots };
}

describe('a copy of a remote', () => {
  it('has everything, exactly, and a second one finds nothing to do', async () => {
    const { cache, from, roots } = await source();
    const to = new DirectoryRemote(join(temporaryDirectory('copy'), 'store'));
    const keys = await keysOf(from);
    const packs = keys.filter((key) => parsePackKey(key)).length;
    const first = await copy(cache, from, to);
    expect(first).toMatchObject({ packs, records: keys.length - 1 - packs, present: 0, failed: [] });
    expect(await keysOf(to)).toEqual(keys);
    for (const key of keys) expect((await bytesAt(to, key)).equals(await bytesAt(from, key))).toBe(true);
    expect(await fsckRemote(openSession(cache, to), roots, { deep: true })).toMatchObject({ findings: [] });
    expect(await copy(cache, from, to)).toMatchObject({ packs: 0, records: 0, bytes: 0, present: keys.length - 1 });
  });

  it('tells in a dry run what it would copy, and writes nothing', async () => {
    const { cache, from } = await source();
    const to = new MemoryRemote();
    const planned = await copy(cache, from, to, { dryRun: true });
    expect(await keysOf(to)).toEqual([]);
    expect(planned).toEqual(await copy(cache, from, to));
    expect(await copy(cache, from, to, { dryRun: true })).toMatchObject({ packs: 0, records: 0 });
  });

  it('that is interrupted at any moment names nothing that is not there, and the next one goes on', async () => {
    const { cache, from, roots } = await source();
    let at = 0;
    for (let done = false; !done; at++) {
      const to = new MemoryRemote();
      let puts = 0;
      const interrupted = spyOn(to, ({ method, key }) => {
        if (method === 'put' && !key.startsWith('gc/') && puts++ === at) throw new Error('interrupted');
      });
      const before = await copy(cache, from, interrupted.remote).catch(() => undefined);
      done = before !== undefined;
      await expectClosed(to, cache.hash);
      const left = (await keysOf(from)).length - (await keysOf(to)).length;
      const after = await copy(cache, from, to);
      expect(after.packs + after.records).toBeLessThanOrEqual(left);
      expect(after.failed).toEqual([]);
      expect(await keysOf(to)).toEqual(await keysOf(from));
      if (at % 5 === 0) await expectFetchable(cache, to, roots.slice(0, 2));
    }
    expect(at).toBeGreaterThan(10);
  });

  it('leaves out a damaged or missing pack and what needs it, and copies everything else', async () => {
    for (const damage of ['flip', 'delete'] as const) {
      const { cache, from, roots } = await source();
      const to = new MemoryRemote();
      const other = roots[0] as PushRoot;
      const needed = await namedPack(cache, from, other);
      if (damage === 'flip') await flipByte(from, needed, 50);
      else await from.delete([needed]);
      const report = await copy(cache, from, to);
      const failed = report.failed.map(({ key }) => key);
      expect(failed).toContain(needed);
      expect(failed).toContain(recordKey(other.oid));
      expect(failed).toContain(recordKey((roots[1] as PushRoot).oid));
      await expectClosed(to, cache.hash);
      await expectFetchable(cache, to, roots.slice(2));
      expect(await to.stat(recordKey(other.oid))).toBeUndefined();
    }
  });

  it('leaves out a damaged record and what needs it', async () => {
    const { cache, from, roots } = await source();
    const [first, second] = roots as [PushRoot, PushRoot];
    await flipByte(from, recordKey(first.oid), 30);
    const to = new MemoryRemote();
    const report = await copy(cache, from, to);
    const failed = report.failed.map(({ key }) => key);
    expect(failed).toContain(recordKey(first.oid));
    expect(failed).toContain(recordKey(second.oid));
    await expectClosed(to, cache.hash);
    await expectFetchable(cache, to, roots.slice(2));
  });

  it('replaces a pack that was cut short there', async () => {
    const { cache, from, roots } = await source();
    const to = new MemoryRemote();
    await copy(cache, from, to);
    const [key = ''] = await keysOf(to, 'packs/');
    await overwrite(to, key, (await bytesAt(to, key)).subarray(0, 100));
    expect(await copy(cache, from, to)).toMatchObject({ packs: 1, records: 0 });
    await expectFetchable(cache, to, roots);
  });

  it('keeps what is there already, and uses it', async () => {
    const { cache, from, roots } = await source();
    const to = new MemoryRemote();
    const [first] = roots as [PushRoot];
    await pushAll(cache, to, [first, await store(cache, 'only there')]);
    const before = await keysOf(to);
    await copy(cache, from, to);
    expect(await keysOf(to)).toEqual(expect.arrayContaining(before));
    await expectClosed(to, cache.hash);
    await expectFetchable(cache, to, roots);
  });

  it('takes what is pushed to the source meanwhile, or leaves it for the next one', async () => {
    const { cache, from, roots } = await source();
    const late = await store(cache, dataset(9));
    const to = new MemoryRemote();
    let pushed = false;
    const busy = spyOn(from, async ({ method, key }) => {
      if (pushed || method !== 'get' || !key.startsWith('packs/')) return;
      pushed = true;
      await pushAll(cache, from, [late]);
    });
    await copy(cache, busy.remote, to);
    await expectClosed(to, cache.hash);
    await copy(cache, from, to);
    await expectFetchable(cache, to, [...roots, late]);
  });

  it('is refused for another repository, for one that is no remote, and while a collection is at work', async () => {
    const { cache, from } = await source();
    const other = new MemoryRemote();
    const id = '99999999-2222-4333-8444-555555555555';
    const stranger = openSession(cache, other, { repositoryId: id });
    await stranger.ensureInfo();
    const mismatch = { code: 'REMOTE_MISMATCH' };
    await expect(copy(cache, from, other)).rejects.toMatchObject(mismatch);
    await expect(copy(cache, from, other, { dryRun: true })).rejects.toMatchObject(mismatch);
    await expect(copy(cache, other, new MemoryRemote())).rejects.toMatchObject(mismatch);
    await expect(copy(cache, new MemoryRemote(), from)).rejects.toMatchObject({ code: 'REMOTE_NOT_FOUND' });
    expect(await keysOf(other)).toEqual(['mlv.json']);

    const { remote: to, pass } = await clockedRemote({ small: false });
    await pushAll(cache, to, [await store(cache, 'dead')]);
    pass(GRACE);
    const collecting = spyOn(to, async ({ method, key }) => {
      if (method === 'put' && key.startsWith('gc/aside/'))
        await expect(copy(cache, from, to)).rejects.toMatchObject({ code: 'REMOTE_BUSY' });
    });
    expect(await collect(collecting.remote, [])).toMatchObject({ setAside: { records: 1 } });
  });

  it('makes needed again what a collection of the destination had marked', async () => {
    const cache = await openCache();
    const from = new MemoryRemote();
    const root = await store(cache, dataset(1));
    const { remote: to, pass } = await clockedRemote({ small: false });
    for (const remote of [from, to]) await pushAll(cache, remote, [root]);
    pass(GRACE);
    await collect(to, []);
    pass(GRACE);
    expect(await copy(cache, from, to)).toMatchObject({ packs: 0, records: 2, failed: [] });
    expect(await collect(to, [])).toMatchObject({ swept: { packs: 0, records: 0 } });
    await expectClosed(to, cache.hash);
    await expectFetchable(cache, to, [root]);
  });
});

/** The key of the pack that holds what a root's record names. */
async function namedPack(cache: Cache, remote: Remote, root: PushRoot): Promise<string> {
  const record = await openSession(cache, remote).records.read(root.oid, { fresh: true });
  if (!record || record.kind === 'inline') throw new Error('the root names no pack');
  return packKey(cache.hash.algorithm, record.packs.digest(0));
}
