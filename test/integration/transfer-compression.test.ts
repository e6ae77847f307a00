import { deflateRawSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from 'vitest';
import type { ObjectCache } from '../../src/objects/cache.js';
import { MemoryRemote } from '../../src/remotes/memory.js';
import type { Remote } from '../../src/remotes/remote.js';
import { fetchObjects } from '../../src/transfer/fetch.js';
import { fsckRemote } from '../../src/transfer/fsck-remote.js';
import { PackBuilder } from '../../src/transfer/pack-builder.js';
import { push } from '../../src/transfer/push.js';
import { ChunksRecordWriter } from '../../src/transfer/record-writer.js';
import { packKey, recordKey } from '../../src/transfer/remote-layout.js';
import type { PushRoot } from '../../src/transfer/roots.js';
import type { TransferSession } from '../../src/transfer/session.js';
import { randomBytes } from '../helpers/big-data.js';
import {
  contents,
  directory,
  expectClosed,
  flipByte,
  keysOf,
  makeSmallRemote,
  openCache,
  openSession,
  overwrite,
  type Spec,
  spyOn,
  store,
  toFetch,
} from '../helpers/transfer.js';

const KiB = 1024;
const MiB = 1024 * KiB;

let cache: ObjectCache;
let remote: MemoryRemote;

beforeEach(async () => {
  cache = await openCache();
  remote = new MemoryRemote();
});

function table(bytes: number, from = 0): Buffer {
  const lines: string[] = [];
  for (let length = 0, row = from; length < bytes; row++) {
    const line = `${row},sensor-${row % 13},${(Math.sin(row) * 100).toFixed(4)},2026-01-01\n`;
    lines.push(line);
    length += line.length;
  }
  return Buffer.from(lines.join(''));
}

const SPEC: Record<string, Spec> = {
  'large.csv': table(7 * MiB),
  'middle.csv': table(900 * KiB, 1_000_000),
  'large.bin': randomBytes(5 * MiB, 1),
  json: directory(
    Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`${at}.json`, table(2 * KiB, at * 1000)])),
  ),
  'copy.csv': table(7 * MiB),
};

const compressing = (to: Remote = remote, from = cache): TransferSession => openSession(from, to, { compress: true });

async function expectSame(root: PushRoot): Promise<void> {
  const theirs = await openCache(cache.hash.algorithm);
  const { failed } = await fetchObjects(openSession(theirs, remote), [toFetch(root)]);
  expect(failed).toEqual([]);
  expect(contents(theirs, root)).toEqual(contents(cache, root));
}

describe('a push that compresses', () => {
  it.each(['blake3', 'sha256'] as const)('sends fewer bytes, and all come back (%s)', async (algorithm) => {
    cache = await openCache(algorithm);
    const root = await store(cache, directory(SPEC));
    const spy = spyOn(remote);
    const report = await push(compressing(spy.remote), [root]);
    expect(report).toMatchObject({ pushed: 1, failed: [] });
    // 5 MiB cannot be made smaller; the other 8 are text.
    expect(spy.bytes('put')).toBeGreaterThan(5 * MiB);
    expect(spy.bytes('put')).toBeLessThan(9 * MiB);
    await expectClosed(remote, cache.hash);
    expect(await fsckRemote(openSession(cache, remote), [root], { deep: true })).toMatchObject({ findings: [] });
    await expectSame(root);
  });

  it('takes over places of compressed and of stored chunks, whatever it does itself', async () => {
    const before = await store(cache, directory(SPEC));
    await push(compressing(), [before]);
    for (const compress of [false, true]) {
      const changed = Buffer.concat([table(3 * MiB), Buffer.from(`${compress}\n`.repeat(500)), table(7 * MiB)]);
      const spec = { ...SPEC, 'large.csv': changed };
      const after = await store(cache, directory(spec), { predecessors: [before.oid] });
      const spy = spyOn(remote);
      await push(openSession(cache, spy.remote, { compress }), [after]);
      expect(spy.bytes('put', 'packs')).toBeLessThan(5 * MiB);
      await expectClosed(remote, cache.hash);
      await expectSame(after);
    }
  });

  it('goes on behind the last finished pack when it was stopped', async () => {
    const root = await store(cache, table(9 * MiB));
    const stopped = spyOn(remote, ({ method, key }) => {
      if (method === 'put' && key.startsWith('records/')) throw new Error('stopped');
    });
    await expect(push(compressing(stopped.remote), [root])).rejects.toThrow('stopped');
    const spy = spyOn(remote);
    await push(compressing(spy.remote), [root]);
    expect(spy.bytes('put', 'packs')).toBe(0);
    await expectClosed(remote, cache.hash);
    await expectSame(root);
  });

  it('ends with the error of an upload', async () => {
    await makeSmallRemote(remote);
    const root = await store(cache, table(9 * MiB));
    const full = spyOn(remote, ({ method, key }) => {
      if (method === 'put' && key.startsWith('packs/')) throw new Error('the bucket is full');
    });
    const session = openSession(cache, full.remote, { compress: true, jobs: 1 });
    await expect(push(session, [root])).rejects.toThrow('the bucket is full');
    expect(await keysOf(remote, 'records/')).toEqual([]);
  });

  it('is repaired where a compressed pack is damaged', async () => {
    const root = await store(cache, table(6 * MiB));
    await push(compressing(), [root]);
    const [pack] = await keysOf(remote, 'packs/');
    await flipByte(remote, pack as string, 5000);
    const theirs = await openCache();
    const { failed } = await fetchObjects(openSession(theirs, remote), [toFetch(root)]);
    expect(failed).toMatchObject([{ reason: 'corrupt', message: expect.stringContaining('has other content') }]);
    const options = { deep: true, repair: true };
    expect(await fsckRemote(compressing(), [root], options)).toMatchObject({ findings: [{ kind: 'pack-damaged' }] });
    expect(await fsckRemote(openSession(cache, remote), [root], { deep: true })).toMatchObject({ findings: [] });
    await expectSame(root);
  });
});

describe('a compressed chunk from elsewhere', () => {
  /** A record and a pack for a file, whatever they say of the file's one chunk. */
  async function forge(content: Buffer, stream: Buffer, length: number): Promise<PushRoot> {
    const builder = new PackBuilder();
    const digest = cache.hash.digest(content);
    const offset = builder.add(digest, stream, length);
    const pack = builder.finish(cache.hash);
    await overwrite(remote, packKey('blake3', pack.digest), Buffer.from(pack.bytes));
    const writer = new ChunksRecordWriter();
    writer.add({ digest, length, pack: pack.digest, offset, deflated: stream.length });
    const oid = cache.oid(digest);
    await overwrite(remote, recordKey(oid), writer.finish(cache.hash));
    return { oid, size: length, directory: false, path: 'forged', predecessors: [] };
  }

  it.each([
    ['that grows to 64 MiB', deflateRawSync(Buffer.alloc(64 * MiB)), 300 * KiB],
    ['that is shorter than it says', deflateRawSync(Buffer.alloc(100 * KiB)), 300 * KiB],
    ['that is no stream', randomBytes(1000, 3), 300 * KiB],
    ['that has other content', deflateRawSync(Buffer.alloc(300 * KiB, 1)), 300 * KiB],
  ])('%s is refused by name', async (_what, stream, length) => {
    const root = await forge(Buffer.alloc(length), stream, length);
    const theirs = await openCache();
    const { failed } = await fetchObjects(openSession(theirs, remote), [toFetch(root)]);
    expect(failed).toMatchObject([{ path: 'forged', reason: 'corrupt' }]);
    expect([...theirs.list()]).toEqual([]);
    const deep = await fsckRemote(openSession(cache, remote), [root], { deep: true });
    expect(deep.findings).toMatchObject([{ kind: 'info-missing' }, { kind: 'pack-damaged' }]);
  });

  it('of which the record and the pack say different lengths is found', async () => {
    const content = Buffer.alloc(300 * KiB);
    const root = await forge(content, deflateRawSync(content), content.length);
    expect((await fsckRemote(openSession(cache, remote), [root])).findings).toHaveLength(1);
    const record = new ChunksRecordWriter();
    const [key] = await keysOf(remote, 'packs/');
    const pack = Buffer.from((key as string).slice(-64), 'hex');
    record.add({ digest: cache.hash.digest(content), length: content.length, pack, offset: 8 });
    await overwrite(remote, recordKey(root.oid), record.finish(cache.hash));
    expect((await fsckRemote(openSession(cache, remote), [root])).findings).toMatchObject([
      { kind: 'info-missing' },
      { kind: 'pack-damaged' },
    ]);
  });
});
