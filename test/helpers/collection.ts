import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { ObjectCache } from '../../src/objects/cache.js';
import type { HashFunction } from '../../src/objects/hash.js';
import { type Oid, toOid } from '../../src/objects/oid.js';
import { KIND } from '../../src/objects/tree-format.js';
import { MemoryRemote } from '../../src/remotes/memory.js';
import type { Remote } from '../../src/remotes/remote.js';
import { type CollectionReport, type CollectOptions, collectRemote } from '../../src/transfer/collect-remote.js';
import { asideKey } from '../../src/transfer/collection-layout.js';
import { fetchObjects } from '../../src/transfer/fetch.js';
import type { PackTable } from '../../src/transfer/pack-format.js';
import { verifyPack } from '../../src/transfer/pack-verify.js';
import { type PushReport, push } from '../../src/transfer/push.js';
import type { ChunkCursor } from '../../src/transfer/record-cursor.js';
import { type ObjectRecord, openRecord } from '../../src/transfer/record-reader.js';
import { packKey, recordKey } from '../../src/transfer/remote-layout.js';
import type { PushRoot } from '../../src/transfer/roots.js';
import { randomBytes } from './big-data.js';
import {
  bytesAt,
  contents,
  type Directory,
  directory,
  makeSmallRemote,
  openCache,
  openSession,
  toFetch,
} from './transfer.js';

export const HOUR = 60 * 60 * 1000;
export const DAY = 24 * HOUR;
/** The grace of collections in tests that do not say another. */
export const GRACE = 14 * DAY;

/** A remote with a clock that only the test moves, and small packs unless they shall be as usual. */
export interface ClockedRemote {
  remote: MemoryRemote;
  /** Lets that many milliseconds pass. */
  pass(ms: number): void;
  now(): number;
}

export async function clockedRemote({ small = true } = {}): Promise<ClockedRemote> {
  // A clock of its own, far from that of this machine.
  let now = Date.UTC(2001, 0, 1);
  const remote = new MemoryRemote({ now: () => now });
  if (small) await makeSmallRemote(remote);
  const pass = (ms: number): void => {
    now += ms;
  };
  return { remote, now: () => now, pass };
}

let empty: Promise<ObjectCache> | undefined;

/** A cache that nothing is put into: for clones that only look at a remote. */
function emptyCache(): Promise<ObjectCache> {
  empty ??= openCache();
  return empty;
}

/** What a collection of the remote does that keeps these roots, from a clone with that cache. */
export async function collect(
  remote: Remote,
  roots: readonly PushRoot[],
  options: Partial<CollectOptions> & { cache?: ObjectCache } = {},
): Promise<CollectionReport> {
  const { cache = await emptyCache(), ...rest } = options;
  return collectRemote(openSession(cache, remote), { roots: roots.map(liveRoot), graceMs: GRACE, ...rest });
}

function liveRoot({ oid, path, directory: isTree }: PushRoot) {
  return { oid, path, directory: isTree };
}

/**
 * Pushes roots from a cache, and proves that all of them are there. Each push is one of a machine that knows nothing of
 * the remote, unless it is told where the notes of an earlier one are.
 */
export async function pushAll(
  cache: ObjectCache,
  remote: Remote,
  roots: readonly PushRoot[],
  stateDirectory = join(cache.directory, 'remotes', randomUUID()),
): Promise<PushReport> {
  const report = await push(openSession(cache, remote, { stateDirectory }), roots);
  expect(report.failed).toEqual([]);
  return report;
}

/**
 * Proves, by the formats alone, that roots can be fetched: every record is in use or set aside, and every chunk is in
 * its pack.
 */
export async function expectReadable(remote: Remote, hash: HashFunction, roots: readonly PushRoot[]): Promise<void> {
  const tables = new Map<string, Promise<PackTable>>();
  const tableOf = (hex: string): Promise<PackTable> => {
    const read = async (): Promise<PackTable> =>
      verifyPack(await bytesAt(remote, packKey(hash.algorithm, hex)), Buffer.from(hex, 'hex'), hash);
    const table = tables.get(hex) ?? read();
    tables.set(hex, table);
    return table;
  };
  const readRecord = async (oid: Oid): Promise<ObjectRecord> => {
    const key = (await remote.stat(recordKey(oid))) ? recordKey(oid) : asideKey(oid);
    return openRecord(await bytesAt(remote, key), oid, hash);
  };
  const expectChunks = async (cursor: ChunkCursor): Promise<void> => {
    while (cursor.next()) {
      const entry = [...(await tableOf(cursor.pack.toString('hex'))).entries()].find(
        ({ offset }) => offset === cursor.offset,
      );
      expect(entry?.digest.equals(cursor.digest) && entry.length === cursor.length).toBe(true);
    }
  };
  const expectObject = async (oid: Oid): Promise<void> => {
    const record = await readRecord(oid);
    if (record.kind === 'chunks') await expectChunks(record.chunks());
    if (record.kind !== 'tree') return;
    const cursor = record.entries();
    while (cursor.next()) {
      if (cursor.entry.kind === KIND.tree || cursor.location === 'own')
        await expectObject(toOid(hash.algorithm, Buffer.from(cursor.entry.digest)));
      else await expectChunks(cursor.chunks);
    }
  };
  for (const { oid } of roots) await expectObject(oid);
}

/** Proves that a machine that has nothing gets all of the roots, exactly as `cache` has them. */
export async function expectFetchable(cache: ObjectCache, remote: Remote, roots: readonly PushRoot[]): Promise<void> {
  const machine = await openCache();
  const report = await fetchObjects(
    openSession(machine, remote),
    roots.map((root) => toFetch(root)),
  );
  expect(report.failed).toEqual([]);
  for (const root of roots) expect(contents(machine, root)).toEqual(contents(cache, root));
}

/** A directory with small and large files and a sub-directory; what it holds depends on the seed alone. */
export function dataset(seed: number): Directory {
  return directory({
    'small.txt': `small ${seed}`,
    'middle.bin': randomBytes(40_000, 1000 + seed),
    below: directory({ 'deep.bin': randomBytes(20_000, 2000 + seed), link: { link: '../small.txt' } }),
  });
}
