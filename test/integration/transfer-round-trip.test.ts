import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Algorithm } from '../../src/objects/oid.js';
import { DirectoryRemote } from '../../src/remotes/directory.js';
import { MemoryRemote } from '../../src/remotes/memory.js';
import type { Remote } from '../../src/remotes/remote.js';
import { fetchObjects } from '../../src/transfer/fetch.js';
import { fsckRemote } from '../../src/transfer/fsck-remote.js';
import { push } from '../../src/transfer/push.js';
import { randomBytes } from '../helpers/big-data.js';
import { describeTree } from '../helpers/describe-tree.js';
import { makeHostileTree } from '../helpers/hostile-tree.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';
import {
  contents,
  directory,
  openCache,
  openSession,
  type Spec,
  store,
  toFetch,
  verifiedObjects,
} from '../helpers/transfer.js';
import { testWorkspace } from '../helpers/workspace.js';

const KiB = 1024;
const MiB = 1024 * KiB;

const REMOTES: Record<string, () => Remote> = {
  memory: () => new MemoryRemote(),
  directory: () => new DirectoryRemote(join(temporaryDirectory('remote'), 'store')),
};

/** Every size at which the way a file is stored changes, and one byte to either side. */
const SIZES = [0, 1, 16 * KiB, 512 * KiB, 4 * MiB]
  .flatMap((size) => [size - 1, size, size + 1])
  .filter((size) => size >= 0);

function everyKind(): Spec {
  const bySize = Object.fromEntries(SIZES.map((size) => [`${size}.bin`, randomBytes(size, size + 1)]));
  return directory({
    sizes: directory(bySize),
    'model.bin': randomBytes(20 * MiB, 20),
    zeros: Buffer.alloc(6 * MiB),
    'run.sh': { executable: Buffer.from('#!/bin/sh\n') },
    link: { link: 'sizes/1.bin' },
    up: directory({ link: { link: '../run.sh' } }),
    empty: directory(),
    nested: directory({ empty: directory({ directories: directory() }) }),
    again: directory({ here: randomBytes(512 * KiB, 512 * KiB + 1), there: directory(bySize) }),
  });
}

async function roundTrip(remote: Remote, specs: Spec[], algorithm: Algorithm): Promise<void> {
  const ours = await openCache(algorithm);
  const roots = await Promise.all(specs.map((spec, index) => store(ours, spec, { path: `data${index}` })));
  const unique = new Set(roots.map(({ oid }) => oid)).size;
  expect(await push(openSession(ours, remote), roots)).toMatchObject({ pushed: unique, upToDate: 0, failed: [] });
  const theirs = await openCache(algorithm);
  const report = await fetchObjects(
    openSession(theirs, remote),
    roots.map((root) => toFetch(root)),
  );
  expect(report).toMatchObject({ upToDate: 0, failed: [] });
  for (const root of roots) expect(contents(theirs, root)).toEqual(contents(ours, root));
  expect(await verifiedObjects(theirs)).toEqual(await verifiedObjects(ours));
  expect(await fsckRemote(openSession(theirs, remote), roots, { deep: true })).toMatchObject({ findings: [] });
}

describe.each(Object.keys(REMOTES))('on the %s remote', (name) => {
  const open = REMOTES[name] as () => Remote;

  it.each(['blake3', 'sha256'] as const)('a directory with every kind of entry comes back (%s)', async (algorithm) => {
    await roundTrip(open(), [everyKind()], algorithm);
  });

  it('files of every size come back as roots of their own', async () => {
    await roundTrip(
      open(),
      SIZES.map((size) => randomBytes(size, size + 1)),
      'blake3',
    );
  });

  it('3,000 small files come back, in few packs', async () => {
    const files = (from: number): Spec =>
      directory(
        Object.fromEntries(
          Array.from({ length: 100 }, (_, index) => [`${index}.bin`, randomBytes(1500, from + index)]),
        ),
      );
    const remote = open();
    await roundTrip(
      remote,
      [directory(Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`part-${index}`, files(index * 100)])))],
      'blake3',
    );
    const packs = [];
    for await (const entry of remote.list('packs/')) packs.push(entry);
    expect(packs).toHaveLength(1);
  });
});

it('content that is in many places travels and lies on the remote once', async () => {
  const remote = new MemoryRemote();
  const content = randomBytes(300 * KiB, 1);
  const large = randomBytes(6 * MiB, 2);
  const ours = await openCache();
  const copies = (count: number, bytes: Buffer): Spec =>
    directory(Object.fromEntries(Array.from({ length: count }, (_, index) => [`${index}`, bytes])));
  const root = await store(ours, directory({ a: copies(20, content), b: copies(7, content), c: copies(3, large) }));
  const { bytes } = await push(openSession(ours, remote), [root]);
  expect(bytes).toBeLessThan(1.02 * (content.length + large.length));
  const theirs = await openCache();
  const report = await fetchObjects(openSession(theirs, remote), [toFetch(root)]);
  expect(report.bytes).toBeLessThan(1.02 * (content.length + large.length));
  expect(contents(theirs, root)).toEqual(contents(ours, root));
});

it('names that are hostile come back as they were', async () => {
  const ours = await testWorkspace();
  makeHostileTree(ours.at('data'));
  const before = describeTree(ours.at('data'));
  await ours.add('data');
  const { oid, size } = ours.pointer('data');
  const root = { oid, size, directory: true, path: 'data', predecessors: [] };
  const remote = new MemoryRemote();
  await push(openSession(ours.repository.cache, remote), [root]);
  const theirs = await testWorkspace();
  theirs.write('data.mlv', ours.pointerText('data'));
  await fetchObjects(openSession(theirs.repository.cache, remote), [toFetch(root)]);
  expect(await theirs.checkout()).toMatchObject({ refused: [], failed: [] });
  expect(describeTree(theirs.at('data'))).toEqual(before);
});
