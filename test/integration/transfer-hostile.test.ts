import { readdirSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import type { ObjectCache } from '../../src/objects/cache.js';
import { digestOf, type Oid } from '../../src/objects/oid.js';
import { TreeWriter } from '../../src/objects/tree-format.js';
import { MemoryRemote } from '../../src/remotes/memory.js';
import type { Remote, RemoteContent } from '../../src/remotes/remote.js';
import { type FetchReport, fetchObjects } from '../../src/transfer/fetch.js';
import { fsckRemote } from '../../src/transfer/fsck-remote.js';
import { PackBuilder } from '../../src/transfer/pack-builder.js';
import { push } from '../../src/transfer/push.js';
import { LOCATION, RECORD_KIND, RECORD_MAGIC } from '../../src/transfer/record-format.js';
import {
  ChunksRecordWriter,
  encodeInlineRecord,
  type PlacedChunk,
  TreeRecordWriter,
} from '../../src/transfer/record-writer.js';
import { packKey, recordKey } from '../../src/transfer/remote-layout.js';
import type { PushRoot } from '../../src/transfer/roots.js';
import { randomBytes } from '../helpers/big-data.js';
import { storeDeepTree } from '../helpers/deep-tree.js';
import {
  bytesAt,
  directory,
  keysOf,
  openCache,
  openSession,
  overwrite,
  spyOn,
  store,
  toFetch,
  verifiedObjects,
} from '../helpers/transfer.js';

const KiB = 1024;
const MiB = 1024 * KiB;
const GiB = 1024 * MiB;

let cache: ObjectCache;
let remote: MemoryRemote;
/** A root that is all right: whatever else is asked for beside it, it must come. */
let good: PushRoot;

beforeEach(async () => {
  cache = await openCache();
  remote = new MemoryRemote();
  good = await store(cache, directory({ 'fine.bin': randomBytes(30 * KiB, 99) }), { path: 'good' });
  await push(openSession(cache, remote), [good]);
});

/** Puts chunks into a pack on the remote; gives where they are. */
async function packed(...contents: Buffer[]): Promise<PlacedChunk[]> {
  const builder = new PackBuilder();
  const offsets = contents.map((bytes) => builder.add(cache.hash.digest(bytes), bytes));
  const { digest, bytes } = builder.finish(cache.hash);
  const pack = Buffer.from(digest);
  await overwrite(remote, packKey('blake3', pack), Buffer.from(bytes));
  return contents.map((each, index) => ({
    digest: cache.hash.digest(each),
    length: each.length,
    pack,
    offset: offsets[index] as number,
  }));
}

function chunksRecord(chunks: readonly PlacedChunk[]): Buffer {
  const writer = new ChunksRecordWriter();
  for (const chunk of chunks) writer.add(chunk);
  return writer.finish(cache.hash);
}

const rootOf = (oid: Oid, size: number, isDirectory = false): PushRoot => ({
  oid,
  size,
  directory: isDirectory,
  path: 'forged',
  predecessors: [],
});

/** Puts a record where an object's record lies, and gives the root of that object. */
async function forge(content: Buffer, record: Buffer, size = content.length): Promise<PushRoot> {
  const oid = cache.oid(cache.hash.digest(content));
  await overwrite(remote, recordKey(oid), record);
  return rootOf(oid, size);
}

/** Fetches a forged root beside the good one: nothing that is wrong may get a name, and memory must not grow. */
async function fetchForged(root: PushRoot, from: Remote = remote): Promise<FetchReport['failed']> {
  const theirs = await openCache();
  const before = process.memoryUsage.rss();
  const { failed } = await fetchObjects(openSession(theirs, from), [toFetch(root), toFetch(good)]);
  expect(process.memoryUsage.rss() - before).toBeLessThan(300 * MiB);
  const named = await verifiedObjects(theirs);
  expect(named).not.toContain(root.oid);
  expect(named).toContain(good.oid);
  expect(readdirSync(theirs.directory).sort()).toEqual(['objects', 'remotes', 'tmp']);
  expect(readdirSync(theirs.temporary.directory)).toEqual([]);
  return failed;
}

const refusal = (path: string, reason: string, message: RegExp): object => ({
  path,
  reason,
  message: expect.stringMatching(message),
});

describe('a forged record of a file is refused by name', () => {
  it('with one chunk that is another object', async () => {
    const [other] = await packed(randomBytes(20 * KiB, 1));
    const root = await forge(randomBytes(20 * KiB, 2), chunksRecord([other as PlacedChunk]));
    expect(await fetchForged(root)).toMatchObject([refusal('forged', 'corrupt', /another object/)]);
  });

  it('with chunks that do not rebuild it', async () => {
    const [one, two] = [randomBytes(20 * KiB, 1), randomBytes(20 * KiB, 2)];
    const [first, second] = await packed(one, two);
    const wrongOrder = chunksRecord([second, first] as PlacedChunk[]);
    const root = await forge(Buffer.concat([one, two]), wrongOrder);
    expect(await fetchForged(root)).toMatchObject([refusal('forged', 'corrupt', /damaged/)]);
  });

  it('with another size than the pointer says', async () => {
    const [chunk] = await packed(randomBytes(20 * KiB, 1));
    const root = await forge(randomBytes(20 * KiB, 1), chunksRecord([chunk as PlacedChunk]), 20 * KiB + 1);
    expect(await fetchForged(root)).toMatchObject([refusal('forged', 'corrupt', /20480 bytes instead of 20481/)]);
  });

  it('with no chunks at all, for a file that is not empty', async () => {
    const root = await forge(randomBytes(10, 1), chunksRecord([]), 0);
    expect(await fetchForged(root)).toMatchObject([refusal('forged', 'corrupt', /another object/)]);
  });

  it('with a chunk of a size that no memory holds', async () => {
    const [chunk] = await packed(randomBytes(20 * KiB, 1));
    for (const length of [17 * MiB, 3 * GiB, 2 ** 50]) {
      const root = await forge(randomBytes(10, 1), chunksRecord([{ ...(chunk as PlacedChunk), length }]), length);
      expect(await fetchForged(root)).toMatchObject([refusal('forged', 'corrupt', /impossible/)]);
    }
  });

  it('with chunks beyond the end of their pack, or in a pack that is not there', async () => {
    const [one, two] = (await packed(randomBytes(20 * KiB, 1), randomBytes(20 * KiB, 2))) as [PlacedChunk, PlacedChunk];
    const content = randomBytes(40 * KiB, 3);
    const beyond = await forge(content, chunksRecord([one, { ...two, offset: two.offset + 30 * KiB }]));
    expect(await fetchForged(beyond)).toMatchObject([refusal('forged', 'remote', /./)]);
    const far = await forge(content, chunksRecord([one, { ...two, offset: 2 ** 45 }]));
    expect(await fetchForged(far)).toMatchObject([refusal('forged', 'corrupt', /impossible/)]);
    const nowhere = await forge(content, chunksRecord([one, { ...two, pack: Buffer.alloc(32, 7) }]));
    expect(await fetchForged(nowhere)).toMatchObject([refusal('forged', 'missing', /./)]);
  });

  it('with chunks that overlap; and it does no harm to what shares the pack', async () => {
    const [one, two] = [randomBytes(20 * KiB, 1), randomBytes(20 * KiB, 2)];
    const [first, second] = (await packed(one, two)) as [PlacedChunk, PlacedChunk];
    const shared = await forge(Buffer.concat([one, two]), chunksRecord([first, second]));
    const overlapping = await forge(
      randomBytes(50 * KiB, 3),
      chunksRecord([
        { ...first, length: 30 * KiB },
        { ...second, offset: second.offset - 5 },
      ]),
    );
    const theirs = await openCache();
    const { failed } = await fetchObjects(openSession(theirs, remote), [
      toFetch(overlapping),
      toFetch({ ...shared, path: 'shared' }),
    ]);
    expect(failed).toMatchObject([refusal('forged', 'corrupt', /damaged/)]);
    expect(await verifiedObjects(theirs)).toEqual([shared.oid]);
  });

  it('of another object under its key', async () => {
    const inline = await forge(randomBytes(100, 1), encodeInlineRecord(randomBytes(100, 2), cache.hash));
    expect(await fetchForged(inline)).toMatchObject([refusal('forged', 'corrupt', /another object/)]);
    const tree = await forge(randomBytes(100, 3), await bytesAt(remote, recordKey(good.oid)));
    expect(await fetchForged(tree)).toMatchObject([refusal('forged', 'corrupt', /./)]);
    expect(await fetchForged({ ...tree, directory: true })).toMatchObject([refusal('forged', 'corrupt', /./)]);
  });

  it('that says it is gigabytes long: it is not read', async () => {
    const root = rootOf(cache.oid(cache.hash.digest(randomBytes(10, 1))), 10);
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) yield Buffer.alloc(MiB);
    }
    const lying: Remote = {
      ...spyOn(remote).remote,
      get: async (key, options): Promise<RemoteContent> =>
        key === recordKey(root.oid) ? { size: 10 * GiB, body: endless() } : remote.get(key, options),
    };
    expect(await fetchForged(root, lying)).toMatchObject([refusal('forged', 'corrupt', /10737418240 bytes/)]);
  });
});

describe('a forged tree is refused by name', () => {
  /** A tree that a careful writer would not make, with the record that belongs to it. */
  async function forgeTree(
    write: (tree: TreeWriter) => void,
    place?: (writer: TreeRecordWriter) => void,
  ): Promise<PushRoot> {
    const writer = new TreeWriter();
    write(writer);
    const tree = Buffer.from(writer.finish());
    const oid = cache.oid(cache.hash.digest(tree));
    // What a reader refuses a writer of records refuses, too: such a record is made by hand.
    const record = place ? sealTree(tree, place) : sealByHand(tree, writer.files);
    await overwrite(remote, recordKey(oid), record);
    return rootOf(oid, writer.size, true);
  }

  function sealTree(tree: Buffer, place: (writer: TreeRecordWriter) => void): Buffer {
    const writer = new TreeRecordWriter(tree);
    while (writer.next()) place(writer);
    return writer.finish(cache.hash);
  }

  /** The record of a tree (below 128 bytes) of so many empty files. */
  function sealByHand(tree: Buffer, files: number): Buffer {
    const places = Buffer.alloc(files, LOCATION.empty);
    const record = Buffer.concat([
      RECORD_MAGIC,
      Buffer.from([RECORD_KIND.tree, tree.length]),
      tree,
      Buffer.from([0]),
      places,
    ]);
    return Buffer.concat([record, cache.hash.digest(record)]);
  }

  it.each(['..', '.', '', 'a/b', '../../etc/passwd', 'nul\0'])('with the name %j', async (name) => {
    const root = await forgeTree((tree) =>
      tree.addFile(name, false, 0, digestOf(cache.oid(cache.hash.digest(Buffer.alloc(0))))),
    );
    const failed = await fetchForged(root);
    expect(failed).toMatchObject([refusal('forged', 'corrupt', /the tree is damaged/)]);
  });

  it('with the same name twice, or names out of order', async () => {
    const digest = cache.hash.digest(Buffer.alloc(0));
    for (const names of [
      ['a', 'a'],
      ['b', 'a'],
    ]) {
      const root = await forgeTree((tree) => {
        for (const name of names) tree.addFile(name, false, 0, digest);
      });
      expect(await fetchForged(root)).toMatchObject([refusal('forged', 'corrupt', /not in order/)]);
    }
  });

  it('with an empty file that has the oid of another: it gets no name', async () => {
    const other = cache.hash.digest(randomBytes(100, 1));
    const root = await forgeTree(
      (tree) => tree.addFile('empty', false, 0, other),
      () => {},
    );
    const theirs = await openCache();
    const { failed } = await fetchObjects(openSession(theirs, remote), [toFetch(root)]);
    expect(failed).toMatchObject([refusal('forged/empty', 'corrupt', /another object/)]);
    expect(await verifiedObjects(theirs)).toEqual([root.oid]);
  });

  it('with a small file whose place holds something else', async () => {
    const [chunk] = (await packed(randomBytes(2000, 1))) as [PlacedChunk];
    const wanted = cache.hash.digest(randomBytes(2000, 2));
    const root = await forgeTree(
      (tree) => tree.addFile('file', false, 2000, wanted),
      (writer) => writer.packed(chunk),
    );
    const theirs = await openCache();
    const { failed } = await fetchObjects(openSession(theirs, remote), [toFetch(root)]);
    expect(failed).toMatchObject([refusal('forged/file', 'corrupt', /damaged/)]);
    expect(await verifiedObjects(theirs)).toEqual([root.oid]);
    expect(await fsckRemote(openSession(cache, remote), [root])).toMatchObject({
      findings: [{ kind: 'pack-damaged' }],
    });
  });

  it('that contradicts another record about one place', async () => {
    const content = randomBytes(2000, 1);
    const [chunk] = (await packed(content)) as [PlacedChunk];
    const right = await forgeTree(
      (tree) => tree.addFile('file', false, 2000, chunk.digest),
      (writer) => writer.packed(chunk),
    );
    const wrong = await forgeTree(
      (tree) => tree.addFile('file', false, 2000, cache.hash.digest(randomBytes(2000, 2))),
      (writer) => writer.packed(chunk),
    );
    for (const roots of [
      [right, wrong],
      [wrong, right],
    ])
      expect(await fsckRemote(openSession(cache, remote), roots)).toMatchObject({
        findings: [{ kind: 'pack-damaged' }],
      });
    expect(await fsckRemote(openSession(cache, remote), [right])).toMatchObject({ findings: [] });
  });
});

it('a tree of 5,000 levels is refused where it lies in the cache already', async () => {
  const { oid, size } = await storeDeepTree(cache, 5000);
  const { failed } = await fetchObjects(openSession(cache, remote), [toFetch(rootOf(oid, size, true)), toFetch(good)]);
  expect(failed).toMatchObject([refusal('forged', 'corrupt', /levels deep/)]);
});

it('a tree of 5,000 levels in the cache is refused by a push, whatever was there before', async () => {
  const before = await store(cache, directory({ 'a.bin': randomBytes(30 * KiB, 7) }), { path: 'forged' });
  await push(openSession(cache, remote), [before]);
  const { oid, size } = await storeDeepTree(cache, 5000);
  const deep = { ...rootOf(oid, size, true), predecessors: [before.oid] };
  const other = await store(cache, randomBytes(20 * KiB, 8), { path: 'other' });
  const report = await push(openSession(cache, remote), [deep, other]);
  expect(report).toMatchObject({ pushed: 1, failed: [refusal('forged', 'corrupt', /levels deep/)] });
  expect(await keysOf(remote)).not.toContain(recordKey(oid));
  const repair = await fsckRemote(openSession(cache, remote), [deep], { repair: true });
  expect(repair).toMatchObject({
    records: 1001,
    findings: [{ kind: 'record-missing' }],
    repaired: { failed: [refusal('forged', 'corrupt', /levels deep/)] },
  });
});

it('a tree whose directories double on every level is pushed once, whatever was there before', async () => {
  const before = await store(cache, directory({ 'a.bin': randomBytes(30 * KiB, 7) }), { path: 'forged' });
  await push(openSession(cache, remote), [before]);
  const { oid, size } = await storeDeepTree(cache, 60, ['a', 'b']);
  const root = { ...rootOf(oid, size, true), predecessors: [before.oid] };
  expect(await push(openSession(cache, remote), [root])).toMatchObject({ pushed: 1, objects: 61, failed: [] });
});

describe('a remote that answers wrongly', () => {
  const lies = (change: (content: RemoteContent) => RemoteContent): Remote => ({
    ...spyOn(remote).remote,
    get: async (key, options) =>
      key.startsWith('packs/') ? change(await remote.get(key, options)) : remote.get(key, options),
  });

  it('with more bytes than were asked for: the surplus is not looked at', async () => {
    async function* more(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
      yield* body;
      yield randomBytes(1000, 1);
    }
    const theirs = await openCache();
    const report = await fetchObjects(
      openSession(
        theirs,
        lies((content) => ({ ...content, body: more(content.body) })),
      ),
      [toFetch(good)],
    );
    expect(report.failed).toEqual([]);
  });

  it('with fewer bytes than were asked for: that is worth another try, and only what came whole gets a name', async () => {
    async function* fewer(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
      for await (const part of body) {
        yield part.subarray(0, 100);
        return;
      }
    }
    const theirs = await openCache();
    const session = openSession(
      theirs,
      lies((content) => ({ ...content, body: fewer(content.body) })),
    );
    await expect(fetchObjects(session, [toFetch(good)])).rejects.toMatchObject({ code: 'REMOTE_TRANSIENT' });
    // The listing, which its record held.
    expect(await verifiedObjects(theirs)).toEqual([good.oid]);
  });

  it('with bytes of another place', async () => {
    async function* other(): AsyncGenerator<Uint8Array> {
      yield randomBytes(30 * KiB, 5);
    }
    const theirs = await openCache();
    const { failed } = await fetchObjects(
      openSession(
        theirs,
        lies((content) => ({ ...content, body: other() })),
      ),
      [toFetch(good)],
    );
    expect(failed).toMatchObject([refusal('good/fine.bin', 'corrupt', /damaged/)]);
    expect(await verifiedObjects(theirs)).toEqual([good.oid]);
  });

  it('with a pack that is larger than any pack may be: fsck does not read it', async () => {
    const huge: Remote = {
      ...spyOn(remote).remote,
      stat: async (key, options) => {
        const entry = await remote.stat(key, options);
        return entry && key.startsWith('packs/') ? { ...entry, size: 100 * GiB } : entry;
      },
    };
    for (const deep of [false, true]) {
      const { findings } = await fsckRemote(openSession(cache, huge), [good], { deep });
      expect(findings).toMatchObject([{ kind: 'pack-damaged', message: expect.stringMatching(/107374182400 bytes/) }]);
    }
  });
});
