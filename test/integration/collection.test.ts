import { describe, expect, it } from 'vitest';
import { asideKey } from '../../src/transfer/collection-layout.js';
import { readLog } from '../../src/transfer/collection-log.js';
import { packNames } from '../../src/transfer/collection-mark.js';
import { fsckRemote } from '../../src/transfer/fsck-remote.js';
import { push } from '../../src/transfer/push.js';
import { openRecord } from '../../src/transfer/record-reader.js';
import { packKey, recordKey } from '../../src/transfer/remote-layout.js';
import { randomBytes } from '../helpers/big-data.js';
import { clockedRemote, collect, DAY, dataset, expectFetchable, GRACE, pushAll } from '../helpers/collection.js';
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

describe('a collection', () => {
  it('of a remote that nothing was pushed to does nothing', async () => {
    const { remote } = await clockedRemote();
    await remote.delete(['mlv.json']);
    expect(await collect(remote, [])).toMatchObject({ live: { records: 0 }, setAside: { records: 0 } });
    expect(await keysOf(remote)).toEqual([]);
  });

  it('keeps everything that roots need, whatever its age', async () => {
    const { remote, pass } = await clockedRemote();
    const cache = await openCache();
    const roots = [
      await store(cache, dataset(1)),
      await store(cache, randomBytes(5 * MiB, 7)),
      await store(cache, 'inline'),
      await store(cache, directory({ 'large.bin': randomBytes(5 * MiB, 8), copy: dataset(1) })),
    ];
    await pushAll(cache, remote, roots);
    const before = await keysOf(remote);
    for (let run = 0; run < 4; run++) {
      pass(100 * DAY);
      const report = await collect(remote, roots);
      expect(report).toMatchObject({ setAside: { records: 0 }, marked: { packs: 0 }, swept: { packs: 0, records: 0 } });
    }
    expect(await keysOf(remote)).toEqual(before);
  });

  it('sets aside and marks what nothing needs, deletes it after the grace, and leaves nothing behind', async () => {
    const { remote, pass } = await clockedRemote();
    const cache = await openCache();
    const [kept, dropped] = [await store(cache, dataset(1)), await store(cache, dataset(2))];
    await pushAll(cache, remote, [kept]);
    const keys = await keysOf(remote);
    await pushAll(cache, remote, [dropped]);
    const deadPacks = (await keysOf(remote, 'packs/')).filter((key) => !keys.includes(key));
    expect(deadPacks.length).toBeGreaterThan(0);

    pass(GRACE);
    const first = await collect(remote, [kept]);
    expect(first).toMatchObject({ setAside: { records: 2 }, marked: { packs: deadPacks.length } });
    expect(first.setAside.objects).toMatchObject([
      {
        oid: dropped.oid,
        kind: 'directory',
        size: dropped.size,
        files: 4,
        names: ['below', 'middle.bin', 'small.txt'],
      },
    ]);
    expect(await remote.stat(recordKey(dropped.oid))).toBeUndefined();
    expect(await remote.stat(asideKey(dropped.oid))).toBeDefined();
    await expectClosed(remote, cache.hash);

    pass(GRACE - 1);
    const waiting = await collect(remote, [kept]);
    expect(waiting).toMatchObject({ setAside: { records: 0 }, marked: { packs: 0 }, swept: { records: 0, packs: 0 } });
    expect(waiting.waiting).toMatchObject({ records: 2, packs: deadPacks.length });

    pass(1);
    const last = await collect(remote, [kept]);
    expect(last).toMatchObject({ swept: { records: 2, packs: deadPacks.length }, waiting: { records: 0, packs: 0 } });
    const left = (await keysOf(remote)).filter((key) => !key.startsWith('gc/log/epoch-'));
    expect(left).toEqual(keys);
    await expectFetchable(cache, remote, [kept]);
  });

  it('keeps what was pushed within the grace, though no commit names it yet, and all below it', async () => {
    const { remote, pass } = await clockedRemote();
    const cache = await openCache();
    const old = await store(cache, dataset(1));
    await pushAll(cache, remote, [old]);
    pass(GRACE);
    // The new version shares an old sub-directory, whose record is not written again.
    const shared = dataset(1).entries.below;
    if (shared === undefined) throw new Error('the data set has no sub-directory');
    const young = await store(cache, directory({ below: shared, 'new.txt': 'new' }), { predecessors: [old.oid] });
    await pushAll(cache, remote, [young]);
    pass(GRACE - 1);
    expect(await collect(remote, [])).toMatchObject({ setAside: { records: 1 } });
    await expectClosed(remote, cache.hash);
    await expectFetchable(cache, remote, [young]);
  });

  it('deletes nothing in a dry run, and says what it would do', async () => {
    const { remote, pass } = await clockedRemote();
    const cache = await openCache();
    const dropped = await store(cache, dataset(2));
    await pushAll(cache, remote, [dropped]);
    const before = await keysOf(remote);
    pass(GRACE);
    const report = await collect(remote, [], { dryRun: true });
    expect(report).toMatchObject({ dryRun: true, setAside: { records: 2, objects: [{ oid: dropped.oid }] } });
    expect(report.marked.packs).toBeGreaterThan(0);
    expect(await keysOf(remote)).toEqual(before);
  });

  it('puts back what is needed again, and a pack that is needed again stays', async () => {
    const { remote, pass } = await clockedRemote();
    const cache = await openCache();
    const roots = [await store(cache, dataset(1)), await store(cache, dataset(2))];
    await pushAll(cache, remote, roots);
    const before = await keysOf(remote);
    pass(GRACE);
    await collect(remote, []);
    pass(GRACE * 2);
    expect(await collect(remote, roots)).toMatchObject({ restored: 4, swept: { records: 0, packs: 0 } });
    expect((await keysOf(remote)).filter((key) => !key.startsWith('gc/log/epoch-'))).toEqual(before);
    await expectClosed(remote, cache.hash);
    await expectFetchable(cache, remote, roots);
  });

  it('does not look at the clock of this machine', async () => {
    // The remote's clock stands in 2001, so that everything is decades old for a collection that looked at its own.
    const { remote } = await clockedRemote();
    const cache = await openCache();
    await pushAll(cache, remote, [await store(cache, dataset(1))]);
    expect(await collect(remote, [])).toMatchObject({ setAside: { records: 0 }, marked: { packs: 0 } });
  });

  it('counts roots that were never pushed, and takes them for no damage', async () => {
    const { remote, pass } = await clockedRemote();
    const cache = await openCache();
    const pushed = await store(cache, dataset(1));
    const local = [await store(cache, dataset(2)), await store(cache, 'local')];
    await pushAll(cache, remote, [pushed]);
    pass(GRACE);
    expect(await collect(remote, [pushed, ...local], { cache })).toMatchObject({ roots: 3, absentRoots: 2 });
  });

  it('refuses to go on where a needed record is damaged or gone, and does nothing', async () => {
    for (const damage of ['flip', 'delete', 'below'] as const) {
      const { remote, pass } = await clockedRemote();
      const cache = await openCache();
      const [root, dropped] = [await store(cache, dataset(1)), await store(cache, dataset(2))];
      await pushAll(cache, remote, [root, dropped]);
      const below = cache.oid(treeBelow(cache, root.oid));
      if (damage === 'flip') await flipByte(remote, recordKey(root.oid), 20);
      if (damage === 'delete') await remote.delete([recordKey(below)]);
      if (damage === 'below') await flipByte(remote, recordKey(below), 20);
      pass(GRACE);
      const before = await keysOf(remote);
      await expect(collect(remote, [root])).rejects.toMatchObject({ code: 'RECORD_INVALID' });
      expect(await keysOf(remote)).toEqual(before);
      const forced = await collect(remote, [root], { ignoreUnreadable: true });
      expect(forced.unreadable).toHaveLength(1);
      expect(forced.setAside.records).toBeGreaterThan(0);
    }
  });

  it('keeps a young record that is damaged, names it, and goes on', async () => {
    const { remote, pass } = await clockedRemote();
    const cache = await openCache();
    const dropped = await store(cache, dataset(2));
    await pushAll(cache, remote, [dropped]);
    pass(GRACE);
    const young = await store(cache, dataset(1));
    await pushAll(cache, remote, [young]);
    await flipByte(remote, recordKey(young.oid), 20);
    const report = await collect(remote, []);
    expect(report).toMatchObject({ setAside: { records: 2, objects: [{ oid: dropped.oid }] } });
    expect(report.unreadable).toMatchObject([{ message: expect.stringContaining(young.oid) }]);
    expect(await remote.stat(recordKey(young.oid))).toBeDefined();
  });

  it('keeps what lies below a root whose record was lost, where the cache knows what that is', async () => {
    const { remote, pass } = await clockedRemote();
    const cache = await openCache();
    const root = await store(cache, dataset(1));
    await pushAll(cache, remote, [root]);
    const below = cache.oid(treeBelow(cache, root.oid));
    await remote.delete([recordKey(root.oid)]);
    pass(GRACE);
    await collect(remote, [root], { cache });
    expect(await remote.stat(recordKey(below))).toBeDefined();
  });

  it('never goes on with what a later version wrote', async () => {
    const { remote, pass } = await clockedRemote();
    const cache = await openCache();
    const root = await store(cache, 'inline');
    await pushAll(cache, remote, [root]);
    pass(GRACE);
    await overwrite(remote, 'gc/log/marks-x.json', Buffer.from('{"mlv":2,"packs":[]}'));
    await expect(collect(remote, [])).rejects.toMatchObject({ code: 'FORMAT_TOO_NEW' });
    await expect(push(openSession(cache, remote), [await store(cache, 'other')])).rejects.toMatchObject({
      code: 'FORMAT_TOO_NEW',
    });
  });

  it('takes damaged marks away, which stop a push until then', async () => {
    const { remote } = await clockedRemote();
    const cache = await openCache();
    await overwrite(remote, 'gc/log/marks-x.json', Buffer.from('{"mlv":1,"packs":["no'));
    const root = await store(cache, dataset(1));
    await expect(push(openSession(cache, remote), [root])).rejects.toMatchObject({ code: 'REMOTE_MISMATCH' });
    await collect(remote, []);
    await pushAll(cache, remote, [root]);
  });

  it("leaves alone what is not mlv's, and refuses a remote of another repository", async () => {
    const { remote, pass } = await clockedRemote();
    const foreign = ['packs/blake3/README', 'records/notes.txt', 'gc/mine', 'other/thing', 'records/sha256/00/0'];
    for (const key of foreign) await overwrite(remote, key, Buffer.from('mine'));
    pass(GRACE);
    await collect(remote, []);
    pass(GRACE);
    await collect(remote, []);
    expect(await keysOf(remote)).toEqual(expect.arrayContaining(foreign));
    const other = openSession(await openCache(), remote, { repositoryId: '99999999-2222-4333-8444-555555555555' });
    const { collectRemote } = await import('../../src/transfer/collect-remote.js');
    await expect(collectRemote(other, { roots: [], graceMs: GRACE })).rejects.toMatchObject({
      code: 'REMOTE_MISMATCH',
    });
  });

  it('does not take a remote that is gone for one that lacks what it listed', async () => {
    const { remote, pass } = await clockedRemote();
    const cache = await openCache();
    const root = await store(cache, dataset(1));
    await pushAll(cache, remote, [root]);
    pass(GRACE);
    const { remote: unmounted } = spyOn(remote, ({ method, key }) => {
      if (method === 'get' && key === recordKey(root.oid)) {
        void remote.delete([key]);
      }
    });
    await expect(collect(unmounted, [root])).rejects.toMatchObject({ code: 'RECORD_INVALID' });
  });
});

describe('what a collection set aside', () => {
  it('is found by a fetch until it is deleted', async () => {
    const { remote, pass } = await clockedRemote();
    const cache = await openCache();
    const root = await store(cache, directory({ a: dataset(1), 'large.bin': randomBytes(5 * MiB, 3) }));
    await pushAll(cache, remote, [root]);
    pass(GRACE);
    await collect(remote, []);
    expect(await keysOf(remote, 'records/')).toEqual([]);
    await expectFetchable(cache, remote, [root]);
  });

  it('is missing for a push, which sends it again and relies on no marked pack', async () => {
    const { remote, pass } = await clockedRemote();
    const cache = await openCache();
    const root = await store(cache, dataset(1));
    await pushAll(cache, remote, [root]);
    const marked = await keysOf(remote, 'packs/');
    pass(GRACE);
    await collect(remote, []);
    const again = await store(cache, directory({ again: dataset(1) }), { predecessors: [root.oid] });
    expect(await pushAll(cache, remote, [root, again])).toMatchObject({ pushed: 2 });
    const packs = await keysOf(remote, 'packs/');
    expect(packs.length).toBe(2 * marked.length);
    await remote.delete(marked);
    await expectClosed(remote, cache.hash);
    await expectFetchable(cache, remote, [root, again]);
  });

  it('is not used by a repair either', async () => {
    const { remote, pass } = await clockedRemote();
    const cache = await openCache();
    const root = await store(cache, dataset(1));
    await pushAll(cache, remote, [root]);
    const marked = await keysOf(remote, 'packs/');
    pass(GRACE);
    await collect(remote, []);
    const report = await fsckRemote(openSession(cache, remote), [root], { repair: true });
    expect(report.repaired).toMatchObject({ pushed: 1, failed: [] });
    await remote.delete(marked);
    await expectClosed(remote, cache.hash);
  });

  it('is not used by a repair where it is in use again but still marked', async () => {
    const { remote, pass } = await clockedRemote({ small: false });
    const cache = await openCache();
    const first = await store(cache, dataset(1));
    const copy = directory({ 'copy.bin': dataset(1).entries['middle.bin'] as Buffer });
    const second = await store(cache, copy, { predecessors: [first.oid] });
    const third = await store(cache, dataset(3));
    await pushAll(cache, remote, [first]);
    const [shared = ''] = await keysOf(remote, 'packs/');
    await pushAll(cache, remote, [second]);
    expect(await keysOf(remote, 'packs/')).toEqual([shared]);
    await pushAll(cache, remote, [third]);
    pass(GRACE);
    await collect(remote, []);
    pass(DAY);
    await collect(remote, [first, second]);
    const mark = (await readLog(remote)).marks.flatMap(({ packs }) => packs);
    expect(mark.map((name) => packKey('blake3', name))).toContain(shared);
    await flipByte(remote, recordKey(first.oid), 20);
    await fsckRemote(openSession(cache, remote), [first, second], { repair: true });
    await expectClosed(remote, cache.hash);
    const record = openRecord(await bytesAt(remote, recordKey(first.oid)), first.oid, cache.hash);
    expect(packNames(record).length).toBeGreaterThan(0);
    expect(packNames(record).map((name) => packKey('blake3', name))).not.toContain(shared);
  });

  it('stays when its record is pushed again before the sweep', async () => {
    const { remote, pass } = await clockedRemote();
    const cache = await openCache();
    const root = await store(cache, dataset(1));
    await pushAll(cache, remote, [root]);
    pass(GRACE);
    await collect(remote, []);
    pass(GRACE);
    await pushAll(cache, remote, [root]);
    // Nobody's commits name it, but it is young; the older copy is of no use any more.
    expect(await collect(remote, [])).toMatchObject({ swept: { records: 0 }, restored: 0 });
    expect(await keysOf(remote, 'gc/aside/')).toEqual([]);
    await expectClosed(remote, cache.hash);
    await expectFetchable(cache, remote, [root]);
  });
});

function treeBelow(cache: Awaited<ReturnType<typeof openCache>>, oid: Parameters<typeof cache.read>[0]): Buffer {
  // `below` is the first entry by name: kind, length and letters of the name, size, files, digest.
  const bytes = cache.read(oid);
  const at = bytes.indexOf('below') + 'below'.length;
  let offset = at;
  for (let numbers = 0; numbers < 2; offset++) if ((bytes[offset] as number) < 0x80) numbers++;
  return Buffer.from(bytes.subarray(offset, offset + 32));
}
