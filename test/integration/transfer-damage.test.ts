import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { isMlvError } from '../../src/core/errors.js';
import type { ObjectCache } from '../../src/objects/cache.js';
import type { Oid } from '../../src/objects/oid.js';
import { decodeTree } from '../../src/objects/tree-format.js';
import { MemoryRemote } from '../../src/remotes/memory.js';
import type { Remote } from '../../src/remotes/remote.js';
import { failedObjectsError, fetchObjects } from '../../src/transfer/fetch.js';
import { fsckRemote, type RemoteFinding, type RemoteFsckOptions } from '../../src/transfer/fsck-remote.js';
import { PACK_FOOTER_BYTES, parsePackTable } from '../../src/transfer/pack-format.js';
import { push } from '../../src/transfer/push.js';
import { encodeRemoteInfo, newRemoteInfo } from '../../src/transfer/remote-info.js';
import { recordKey } from '../../src/transfer/remote-layout.js';
import type { PushRoot } from '../../src/transfer/roots.js';
import { randomBytes } from '../helpers/big-data.js';
import {
  bytesAt,
  contents,
  copyKeys,
  directory,
  expectClosed,
  flipByte,
  keysOf,
  openCache,
  openSession,
  overwrite,
  REPOSITORY_ID,
  type Spec,
  spyOn,
  store,
  toFetch,
  verifiedObjects,
} from '../helpers/transfer.js';

const KiB = 1024;
const MiB = 1024 * KiB;

const SPEC: Record<string, Spec> = {
  'large.bin': randomBytes(6 * MiB, 1),
  'middle.bin': randomBytes(900 * KiB, 2),
  'small.bin': randomBytes(2 * KiB, 3),
  a: directory({ 'x.bin': randomBytes(3 * KiB, 4), b: directory({ 'y.bin': randomBytes(4 * KiB, 5) }) }),
  'far.bin': randomBytes(12 * MiB, 6),
  'last.bin': randomBytes(5 * KiB, 7),
};

let cache: ObjectCache;
let root: PushRoot;
let remote: MemoryRemote;

beforeEach(async () => {
  cache = await openCache();
  root = await store(cache, directory(SPEC));
  remote = new MemoryRemote();
});

/** The oid of what is at a path of the root. */
function oidAt(path: string): Oid {
  let oid = root.oid;
  for (const name of path.split('/').filter(Boolean)) {
    const entry = decodeTree(cache.read(oid)).find((each) => each.name === name);
    if (!entry || entry.kind === 'link') throw new Error(`nothing at ${path}`);
    oid = cache.oid(entry.digest);
  }
  return oid;
}

function damage(from: ObjectCache, oid: Oid): void {
  const path = from.pathOf(oid);
  chmodSync(path, 0o644);
  const bytes = readFileSync(path);
  const middle = bytes.length >> 1;
  bytes[middle] = (bytes[middle] as number) ^ 1;
  writeFileSync(path, bytes);
}

async function fsck(options: RemoteFsckOptions = {}, from = cache): Promise<RemoteFinding[]> {
  return (await fsckRemote(openSession(from, remote), [root], options)).findings;
}

/** What a fresh clone gets: paths that did not come, after everything that came was verified. */
async function fetchFresh(): Promise<{
  theirs: ObjectCache;
  missing: string[];
  failed: { path: string; reason: string }[];
}> {
  const theirs = await openCache();
  const { failed } = await fetchObjects(openSession(theirs, remote), [toFetch(root)]);
  await verifiedObjects(theirs);
  const found = contents(theirs, root);
  const missing = Object.keys(contents(cache, root)).filter((path) => found[path] !== contents(cache, root)[path]);
  return { theirs, missing, failed: failed.map(({ path, reason }) => ({ path, reason })).sort(byPath) };
}

const byPath = (left: { path: string }, right: { path: string }): number => (left.path < right.path ? -1 : 1);

describe('a push from a cache that is not whole', () => {
  it.each(['small.bin', 'middle.bin', 'large.bin', 'a/b/y.bin', 'a/b', 'a', ''])(
    'sends the rest when "%s" is missing, records no root, and completes it later',
    async (path) => {
      const other = await store(cache, directory({ other: randomBytes(KiB, 9) }), { path: 'other' });
      const stored = readFileSync(cache.pathOf(oidAt(path)));
      const object = cache.pathOf(oidAt(path));
      rmSync(object);
      const report = await push(openSession(cache, remote), [root, other]);
      const at = ['data', ...(path === '' ? [] : [path])].join('/');
      expect(report).toMatchObject({ pushed: 1, failed: [{ path: at, reason: 'missing' }] });
      expect(failedObjectsError(report.failed, 'origin')).toMatchObject({ code: 'OBJECT_MISSING', exitCode: 4 });
      expect(await remote.stat(recordKey(root.oid))).toBeUndefined();
      expect(await remote.stat(recordKey(other.oid))).toBeDefined();
      await expectClosed(remote, cache.hash);
      writeFileSync(object, stored);
      const spy = spyOn(remote);
      expect(await push(openSession(cache, spy.remote), [root, other])).toMatchObject({
        pushed: 1,
        upToDate: 1,
        failed: [],
      });
      expect(await fsck({ deep: true })).toEqual([]);
    },
  );

  it.each(['small.bin', 'middle.bin', 'large.bin', 'a/b/y.bin', 'a'])(
    'never records "%s" when it is damaged, and names it',
    async (path) => {
      damage(cache, oidAt(path));
      const report = await push(openSession(cache, remote), [root]);
      expect(report).toMatchObject({
        pushed: 0,
        failed: [{ path: `data/${path}`, oid: oidAt(path), reason: 'corrupt' }],
      });
      expect(failedObjectsError(report.failed, 'origin')).toMatchObject({ code: 'OBJECT_CORRUPT', exitCode: 5 });
      expect(await remote.stat(recordKey(root.oid))).toBeUndefined();
      await expectClosed(remote, cache.hash);
    },
  );

  it.each<[string, (object: string, content: Buffer) => void]>([
    ['longer by a byte', (object, content) => writeFileSync(object, Buffer.concat([content, Buffer.of(0)]))],
    ['shorter by a byte', (object, content) => writeFileSync(object, content.subarray(0, -1))],
    ['empty', (object) => writeFileSync(object, '')],
    ['a directory', (object) => mkdirSync(object)],
  ])('never records a small file that is %s, and sends the others', async (_how, write) => {
    const object = cache.pathOf(oidAt('small.bin'));
    const content = readFileSync(object);
    rmSync(object);
    write(object, content);
    const report = await push(openSession(cache, remote), [root]);
    expect(report).toMatchObject({ pushed: 0, failed: [{ path: 'data/small.bin', reason: 'corrupt' }] });
    expect(report.packs).toBeGreaterThan(0);
    await expectClosed(remote, cache.hash);
  });

  it.each([20, 20 * KiB, 600 * KiB, 5 * MiB])(
    'never records a single file of %i bytes that is damaged',
    async (size) => {
      const single = await store(cache, randomBytes(size, size), { path: 'single' });
      damage(cache, single.oid);
      const report = await push(openSession(cache, remote), [single]);
      expect(report).toMatchObject({ pushed: 0, failed: [{ path: 'single', reason: 'corrupt' }] });
      expect(await keysOf(remote, 'records/')).toEqual([]);
    },
  );
});

describe('a fetch from a remote that is not whole', () => {
  beforeEach(async () => {
    await push(openSession(cache, remote), [root]);
  });

  it('brings what does not need a missing pack, and lists the rest', async () => {
    const packs = await keysOf(remote, 'packs/');
    expect(packs.length).toBe(2);
    for (const pack of packs) {
      const bytes = await bytesAt(remote, pack);
      await remote.delete([pack]);
      const { missing, failed } = await fetchFresh();
      expect(missing.length).toBeGreaterThan(0);
      expect(missing.length).toBeLessThan(7);
      expect(failed).toEqual(missing.map((path) => ({ path: `data/${path}`, reason: 'missing' })).sort(byPath));
      await overwrite(remote, pack, bytes);
    }
  });

  it.each(['a', 'a/b', 'large.bin'])(
    'brings what does not need the missing record of "%s", and lists the rest',
    async (path) => {
      await remote.delete([recordKey(oidAt(path))]);
      const { missing, failed } = await fetchFresh();
      expect(failed).toEqual([{ path: `data/${path}`, reason: 'missing' }]);
      expect(missing.every((each) => each === path || each.startsWith(`${path}/`))).toBe(true);
    },
  );

  it.each(['a', 'a/b', 'large.bin'])(
    'brings what does not need the damaged record of "%s", and lists the rest',
    async (path) => {
      await flipByte(remote, recordKey(oidAt(path)), 20);
      const { failed } = await fetchFresh();
      expect(failed).toEqual([{ path: `data/${path}`, reason: 'corrupt' }]);
    },
  );

  it('says so when nothing at all is there', async () => {
    await remote.delete(await keysOf(remote));
    const { failed } = await fetchFresh();
    expect(failed).toEqual([{ path: 'data', reason: 'missing' }]);
  });

  it('fails only the objects with a damaged chunk, and names none of them', async () => {
    const pack = (await keysOf(remote, 'packs/'))[0] as string;
    const bytes = await bytesAt(remote, pack);
    const table = parsePackTable(bytes, { name: pack, size: bytes.length });
    for (let index = 0; index < table.count; index += Math.ceil(table.count / 12)) {
      const { offset, length } = table.entry(index);
      await flipByte(remote, pack, offset + (length >> 1));
      const { missing, failed } = await fetchFresh();
      expect(missing).toHaveLength(1);
      expect(failed).toEqual([{ path: `data/${missing[0]}`, reason: 'corrupt' }]);
      await overwrite(remote, pack, bytes);
    }
  });

  it('finishes when what was wrong is mended, without what it has', async () => {
    const sizes = new Map<string, number>();
    for await (const { key, size } of remote.list('packs/')) sizes.set(key, size);
    const pack = [...sizes.keys()].sort((left, right) => (sizes.get(left) ?? 0) - (sizes.get(right) ?? 0))[0] as string;
    const bytes = await bytesAt(remote, pack);
    await remote.delete([pack]);
    const { theirs } = await fetchFresh();
    await overwrite(remote, pack, bytes);
    const spy = spyOn(remote);
    expect(await fetchObjects(openSession(theirs, spy.remote), [toFetch(root)])).toMatchObject({ failed: [] });
    expect(spy.bytes('get')).toBeLessThan(0.6 * root.size);
    expect(contents(theirs, root)).toEqual(contents(cache, root));
  });
});

describe('fsck', () => {
  beforeEach(async () => {
    await push(openSession(cache, remote), [root]);
  });

  it('finds nothing on a remote that is whole', async () => {
    expect(await fsck()).toEqual([]);
    expect(await fsck({ deep: true })).toEqual([]);
  });

  it('names every pack and record that is missing, looking at no content', async () => {
    for (const key of await keysOf(remote, 'packs/')) {
      const bytes = await bytesAt(remote, key);
      await remote.delete([key]);
      expect(await fsck()).toMatchObject([
        { kind: 'pack-missing', key, paths: expect.arrayContaining(['data/large.bin']) },
      ]);
      await overwrite(remote, key, bytes);
    }
    for (const key of await keysOf(remote, 'records/')) {
      const bytes = await bytesAt(remote, key);
      await remote.delete([key]);
      expect(await fsck()).toMatchObject([{ kind: 'record-missing', key }]);
      await overwrite(remote, key, bytes);
    }
  });

  it('names a pack that was cut short or lists other chunks, looking at no content', async () => {
    for (const key of await keysOf(remote, 'packs/')) {
      const bytes = await bytesAt(remote, key);
      const table = parsePackTable(bytes, { name: key, size: bytes.length });
      const last = table.entry(table.count - 1);
      for (const wrong of [
        bytes.subarray(0, -1),
        bytes.subarray(0, bytes.length >> 1),
        bytes.subarray(1),
        Buffer.alloc(0),
      ]) {
        await overwrite(remote, key, wrong);
        expect(await fsck(), `${wrong.length} bytes`).toMatchObject([{ kind: 'pack-damaged', key }]);
      }
      await overwrite(remote, key, bytes);
      for (const place of [last.offset + last.length, bytes.length - PACK_FOOTER_BYTES, bytes.length - 1]) {
        await flipByte(remote, key, place);
        expect(await fsck(), `byte ${place}`).toMatchObject([{ kind: 'pack-damaged', key }]);
        await overwrite(remote, key, bytes);
      }
    }
  });

  it('names, with every byte read, a pack with any byte flipped', async () => {
    for (const key of await keysOf(remote, 'packs/')) {
      const bytes = await bytesAt(remote, key);
      const table = parsePackTable(bytes, { name: key, size: bytes.length });
      const middle = table.entry(table.count >> 1);
      const tableAt = table.entry(table.count - 1).offset + table.entry(table.count - 1).length;
      const places = [
        0,
        7,
        8,
        middle.offset,
        middle.offset + middle.length - 1,
        tableAt - 1,
        tableAt,
        tableAt + 32,
        tableAt + 33,
        -16,
        -12,
        -8,
        -1,
      ];
      for (const place of places) {
        await flipByte(remote, key, place);
        expect(await fsck({ deep: true }), `byte ${place}`).toMatchObject([{ kind: 'pack-damaged', key }]);
        await overwrite(remote, key, bytes);
      }
    }
  });

  it('names a record with any byte flipped', async () => {
    for (const key of await keysOf(remote, 'records/')) {
      const bytes = await bytesAt(remote, key);
      const step = Math.max(1, Math.floor(bytes.length / 16));
      for (let place = 0; place < bytes.length; place += step) {
        await flipByte(remote, key, place);
        expect(await fsck(), `byte ${place}`).toMatchObject([{ kind: 'record-damaged', key }]);
        await overwrite(remote, key, bytes);
      }
    }
  });

  it('names mlv.json with any byte changed that matters, or refuses the remote for it', async () => {
    root = await store(cache, randomBytes(100, 50));
    await push(openSession(cache, remote), [root]);
    const bytes = await bytesAt(remote, 'mlv.json');
    for (let place = 0; place < bytes.length; place++) {
      for (const mask of [0x01, 0x04, 0xff]) {
        const wrong = Buffer.from(bytes);
        wrong[place] = (wrong[place] as number) ^ mask;
        if (saysTheSame(wrong, bytes)) continue;
        await overwrite(remote, 'mlv.json', wrong);
        const found = await fsck().catch((error: unknown) => error);
        if (Array.isArray(found))
          expect(found, String(wrong)).toMatchObject([{ kind: 'info-damaged', key: 'mlv.json' }]);
        else
          expect(isMlvError(found, 'REMOTE_MISMATCH') || isMlvError(found, 'FORMAT_TOO_NEW'), String(found)).toBe(true);
      }
    }
    await remote.delete(['mlv.json']);
    expect(await fsck()).toMatchObject([{ kind: 'info-missing', key: 'mlv.json' }]);
  });
});

/** True when a change leaves the meaning alone, as one of white space does. */
function saysTheSame(changed: Buffer, bytes: Buffer): boolean {
  try {
    return JSON.stringify(JSON.parse(changed.toString())) === JSON.stringify(JSON.parse(bytes.toString()));
  } catch {
    return false;
  }
}

describe('repair', () => {
  beforeEach(async () => {
    await push(openSession(cache, remote), [root]);
  });

  async function expectMended(): Promise<void> {
    expect(await fsck({ deep: true })).toEqual([]);
    const { theirs, failed } = await fetchFresh();
    expect(failed).toEqual([]);
    expect(contents(theirs, root)).toEqual(contents(cache, root));
    await expectClosed(remote, cache.hash);
  }

  it('mends every single thing that may be missing, and writes nothing that is right', async () => {
    const keys = (await keysOf(remote)).filter((key) => !key.startsWith('gc/'));
    for (const key of keys) {
      const one = new MemoryRemote();
      await copyKeys(remote, one);
      const before = remote;
      remote = one;
      await remote.delete([key]);
      const intact = await snapshot(remote);
      const report = await fsckRemote(openSession(cache, remote), [root], { repair: true });
      expect(report.repaired, key).toMatchObject({ failed: [] });
      const after = await snapshot(remote);
      if (key.startsWith('records/') || key === 'mlv.json')
        for (const [each, bytes] of intact) if (each !== key) expect(after.get(each), `${key}: ${each}`).toBe(bytes);
      await expectMended();
      remote = before;
    }
  });

  it('mends every single pack and record that is damaged', async () => {
    for (const key of [...(await keysOf(remote, 'packs/')), ...(await keysOf(remote, 'records/')), 'mlv.json']) {
      await flipByte(remote, key, key === 'mlv.json' ? 0 : 30);
      expect(
        (await fsckRemote(openSession(cache, remote), [root], { deep: true, repair: true })).repaired,
        key,
      ).toMatchObject({ failed: [] });
      await expectMended();
    }
  });

  it('mends a remote of which nothing is left', async () => {
    await remote.delete(await keysOf(remote));
    expect((await fsckRemote(openSession(cache, remote), [root], { repair: true })).repaired).toMatchObject({
      pushed: 1,
      failed: [],
    });
    await expectMended();
  });

  it('reports what the cache lacks, mends the rest, and keeps what is right', async () => {
    // A cache that has never had the two files, nor the sub-directory.
    const part = await openCache();
    await fetchObjects(openSession(part, remote), [toFetch(root)]);
    for (const path of ['middle.bin', 'far.bin', 'a/b', 'a/b/y.bin']) rmSync(part.pathOf(oidAt(path)));
    const packs = await keysOf(remote, 'packs/');
    await remote.delete([packs[0] as string]);
    const { missing: before } = await fetchFresh();
    const report = await fsckRemote(openSession(part, remote), [root], { repair: true });
    const unmended = report.repaired?.failed.map(({ path }) => path.slice('data/'.length)).sort() ?? [];
    const { missing: after, failed } = await fetchFresh();
    expect(after.length).toBeLessThan(before.length);
    expect(failed.map(({ path }) => path)).toEqual(unmended.map((path) => `data/${path}`));
    expect(after).toEqual(unmended);
    expect(unmended.every((path) => ['middle.bin', 'far.bin', 'a/b/y.bin'].includes(path))).toBe(true);
    // Whoever has all of it mends the rest.
    await fsckRemote(openSession(cache, remote), [root], { repair: true });
    await expectMended();
  });

  it('of a damaged record of a directory needs all of it, and says what is missing', async () => {
    const part = await openCache();
    await fetchObjects(openSession(part, remote), [toFetch(root)]);
    rmSync(part.pathOf(oidAt('a/x.bin')));
    await flipByte(remote, recordKey(oidAt('a')), 30);
    const report = await fsckRemote(openSession(part, remote), [root], { repair: true });
    expect(report.repaired).toMatchObject({ pushed: 0, failed: [{ path: 'data/a/x.bin', reason: 'missing' }] });
    expect(await fsck()).toMatchObject([{ kind: 'record-damaged', key: recordKey(oidAt('a')) }]);
  });

  it('touches no remote of another repository', async () => {
    const info = newRemoteInfo('99999999-2222-4333-8444-555555555555', 'blake3');
    await overwrite(remote, 'mlv.json', encodeRemoteInfo(info));
    const before = await snapshot(remote);
    await expect(fsckRemote(openSession(cache, remote), [root], { repair: true })).rejects.toMatchObject({
      code: 'REMOTE_MISMATCH',
    });
    expect(await snapshot(remote)).toEqual(before);
    expect(REPOSITORY_ID).not.toBe(info.repository);
  });
});

async function snapshot(from: Remote): Promise<Map<string, string>> {
  const all = new Map<string, string>();
  for (const key of await keysOf(from)) all.set(key, (await bytesAt(from, key)).toString('latin1'));
  return all;
}

describe('notes on this machine that a repair elsewhere made out of date', () => {
  /** Two machines that know the remote; then a pack is lost, and the other machine repairs it with other packs. */
  async function repairedElsewhere(): Promise<ObjectCache> {
    await push(openSession(cache, remote), [root]);
    const mine = await openCache();
    await fetchObjects(openSession(mine, remote), [toFetch(root)]);
    const packs = await keysOf(remote, 'packs/');
    await remote.delete(packs);
    // It sends other packs than before, since it pushes something else first.
    const other = await store(cache, directory({ other: randomBytes(1 * MiB, 77) }), { path: 'other' });
    await fsckRemote(openSession(cache, remote), [other, root], { repair: true });
    expect(await fsck()).toEqual([]);
    expect((await keysOf(remote, 'packs/')).some((key) => packs.includes(key))).toBe(false);
    return mine;
  }

  it('do not stop a fetch', async () => {
    const mine = await repairedElsewhere();
    for (const path of ['small.bin', 'large.bin', 'a/b/y.bin']) rmSync(mine.pathOf(oidAt(path)));
    expect(await fetchObjects(openSession(mine, remote), [toFetch(root)])).toMatchObject({ objects: 3, failed: [] });
    expect(contents(mine, root)).toEqual(contents(cache, root));
  });

  it('are not what a push of the next version relies on', async () => {
    const mine = await repairedElsewhere();
    const next = await store(mine, directory({ ...SPEC, 'small.bin': randomBytes(2 * KiB, 33) }), {
      predecessors: [root.oid],
    });
    const spy = spyOn(remote);
    expect(await push(openSession(mine, spy.remote), [next])).toMatchObject({ pushed: 1, failed: [] });
    expect(spy.bytes('put')).toBeLessThan(5 * KiB);
    await expectClosed(remote, mine.hash);
  });
});
