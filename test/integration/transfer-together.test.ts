import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ObjectCache } from '../../src/objects/cache.js';
import { DirectoryRemote } from '../../src/remotes/directory.js';
import { MemoryRemote } from '../../src/remotes/memory.js';
import type { Remote } from '../../src/remotes/remote.js';
import { fetchObjects } from '../../src/transfer/fetch.js';
import { fsckRemote } from '../../src/transfer/fsck-remote.js';
import { push } from '../../src/transfer/push.js';
import { encodeRemoteInfo, newRemoteInfo } from '../../src/transfer/remote-info.js';
import type { PushRoot } from '../../src/transfer/roots.js';
import { randomBytes } from '../helpers/big-data.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';
import {
  bytesAt,
  contents,
  directory,
  expectClosed,
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
import { startTransfer } from '../helpers/transfer-child.js';

const MiB = 1024 * 1024;

/** Data of one of several pushers: most of it is everybody's, some of it its own. */
function dataOf(pusher: number): Spec {
  const small = (from: number): Spec =>
    directory(
      Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`${index}`, randomBytes(2000, from + index)])),
    );
  return directory({
    shared: directory({ small: small(0), 'large.bin': randomBytes(6 * MiB, 1) }),
    own: small(10_000 * (pusher + 1)),
    'model.bin': Buffer.concat([randomBytes(5 * MiB, 2), randomBytes(1 * MiB, 100 + pusher)]),
  });
}

async function expectAllThere(remote: Remote, owners: { cache: ObjectCache; root: PushRoot }[]): Promise<void> {
  const [first] = owners;
  if (!first) return;
  await expectClosed(remote, first.cache.hash);
  const roots = owners.map(({ root }) => root);
  const { findings } = await fsckRemote(openSession(first.cache, remote), roots, { deep: true });
  expect(findings).toEqual([]);
  const theirs = await openCache();
  const report = await fetchObjects(
    openSession(theirs, remote),
    roots.map((root) => toFetch(root)),
  );
  expect(report.failed).toEqual([]);
  for (const { cache, root } of owners) expect(contents(theirs, root)).toEqual(contents(cache, root));
}

const newDirectory = (): string => join(temporaryDirectory('remote'), 'store');

describe('pushers at the same time', () => {
  it('two sessions in one process both succeed, and nothing is lost', async () => {
    const remote = new DirectoryRemote(newDirectory());
    const owners = await Promise.all(
      [0, 1].map(async (pusher) => {
        const cache = await openCache();
        return { cache, root: await store(cache, dataOf(pusher), { path: `data${pusher}` }) };
      }),
    );
    const reports = await Promise.all(owners.map(({ cache, root }) => push(openSession(cache, remote), [root])));
    expect(reports).toMatchObject([
      { pushed: 1, failed: [] },
      { pushed: 1, failed: [] },
    ]);
    await expectAllThere(remote, owners);
  });

  it('of the same data with the same cache and the same notes both succeed', async () => {
    const remote = new DirectoryRemote(newDirectory());
    const cache = await openCache();
    const root = await store(cache, dataOf(0));
    const reports = await Promise.all([0, 1, 2].map(() => push(openSession(cache, remote), [root])));
    expect(reports.flatMap(({ failed }) => failed)).toEqual([]);
    await expectAllThere(remote, [{ cache, root }]);
  });

  it('three processes all succeed, and nothing is lost', async () => {
    const path = newDirectory();
    const owners = await Promise.all(
      [0, 1, 2].map(async (pusher) => {
        const cache = await openCache();
        return { cache, root: await store(cache, dataOf(pusher), { path: `data${pusher}` }) };
      }),
    );
    const children = owners.map(({ cache, root }) =>
      startTransfer({ verb: 'push', cache: cache.directory, remote: path, roots: [root], delay: 5 }),
    );
    const ends = await Promise.all(children.map(({ ended }) => ended));
    expect(ends).toMatchObject([0, 1, 2].map(() => ({ code: 0, failed: [] })));
    await expectAllThere(new DirectoryRemote(path), owners);
  });
});

it('fetches into one cache at the same time all end well', async () => {
  const path = newDirectory();
  const remote = new DirectoryRemote(path);
  const cache = await openCache();
  const root = await store(cache, dataOf(0));
  await push(openSession(cache, remote), [root]);
  const theirs = await openCache();
  const child = startTransfer({ verb: 'fetch', cache: theirs.directory, remote: path, roots: [root], delay: 2 });
  const reports = await Promise.all([0, 1].map(() => fetchObjects(openSession(theirs, remote), [toFetch(root)])));
  expect(reports.flatMap(({ failed }) => failed)).toEqual([]);
  expect(await child.ended).toMatchObject({ code: 0, failed: [] });
  expect(contents(theirs, root)).toEqual(contents(cache, root));
  await verifiedObjects(theirs);
});

describe('mlv.json', () => {
  const OTHER = '99999999-2222-4333-8444-555555555555';

  async function someRoot(): Promise<{ cache: ObjectCache; root: PushRoot }> {
    const cache = await openCache();
    return { cache, root: await store(cache, directory({ a: randomBytes(3000, 1) })) };
  }

  it('is made once by first pushes that race, each of them with the one that is there', async () => {
    for (const ifAbsentHonoured of [true, false]) {
      const memory = new MemoryRemote();
      const remote: Remote = { ...spyOn(memory).remote };
      if (!ifAbsentHonoured) remote.put = (key, body) => memory.put(key, body);
      const owners = await Promise.all([0, 1, 2].map(someRoot));
      const reports = await Promise.all(owners.map(({ cache, root }) => push(openSession(cache, remote), [root])));
      expect(reports.flatMap(({ failed }) => failed)).toEqual([]);
      await expectAllThere(memory, owners);
    }
  });

  it('lets the loser of a race between two repositories go away without having written anything', async () => {
    const memory = new MemoryRemote();
    let lost = 0;
    const { remote } = spyOn(memory, async ({ method, key }) => {
      // Both have seen that nothing is there; the other one writes first.
      if (method === 'put' && key === 'mlv.json' && lost++ === 0)
        await overwrite(memory, 'mlv.json', encodeRemoteInfo(newRemoteInfo(OTHER, 'blake3')));
    });
    const { cache, root } = await someRoot();
    await expect(push(openSession(cache, remote), [root])).rejects.toMatchObject({ code: 'REMOTE_MISMATCH' });
    expect(await keysOf(memory)).toEqual(['mlv.json']);
  });

  it.each<[string, Buffer, string, RegExp]>([
    [
      'another repository',
      encodeRemoteInfo(newRemoteInfo(OTHER, 'blake3')),
      'REMOTE_MISMATCH',
      /belongs to another repository/,
    ],
    [
      'another hash',
      encodeRemoteInfo(newRemoteInfo(REPOSITORY_ID, 'sha256')),
      'REMOTE_MISMATCH',
      /by sha256, this repository by blake3/,
    ],
    [
      'a page of a web site',
      Buffer.from('<!doctype html><title>Sign in</title>'),
      'REMOTE_MISMATCH',
      /HTML .*login page/,
    ],
    ['an empty file', Buffer.alloc(0), 'REMOTE_MISMATCH', /it is empty/],
    ['a large file', Buffer.alloc(64 * MiB, '{'), 'REMOTE_MISMATCH', /not that of an mlv remote/],
    ['a later version', Buffer.from('{"mlv": 2}'), 'FORMAT_TOO_NEW', /format 2/],
  ])('of %s makes push refuse, before anything is written', async (_, bytes, code, message) => {
    const { cache, root } = await someRoot();
    for (const dryRun of [true, false]) {
      const memory = new MemoryRemote();
      await overwrite(memory, 'mlv.json', bytes);
      const refused = push(openSession(cache, memory), [root], { dryRun });
      await expect(refused).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
      expect(await keysOf(memory)).toEqual(['mlv.json']);
      expect((await bytesAt(memory, 'mlv.json')).equals(bytes)).toBe(true);
    }
  });

  it.each<[string, Buffer, string]>([
    ['a page of a web site', Buffer.from('<!doctype html><title>Sign in</title>'), 'REMOTE_MISMATCH'],
    ['another hash', encodeRemoteInfo(newRemoteInfo(REPOSITORY_ID, 'sha256')), 'REMOTE_MISMATCH'],
  ])('of %s is the reason that a fetch gives when it finds nothing', async (_, bytes, code) => {
    const { root } = await someRoot();
    const memory = new MemoryRemote();
    await overwrite(memory, 'mlv.json', bytes);
    await expect(fetchObjects(openSession(await openCache(), memory), [toFetch(root)])).rejects.toMatchObject({ code });
  });

  it('is not written, nor anything else, by a dry run', async () => {
    const { cache, root } = await someRoot();
    const memory = new MemoryRemote();
    const planned = await push(openSession(cache, memory), [root], { dryRun: true });
    expect(planned).toMatchObject({ pushed: 1, objects: 1, packs: 0, bytes: 3000 });
    expect(await keysOf(memory)).toEqual([]);
  });
});
