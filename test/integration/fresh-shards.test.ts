import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { ObjectCache } from '../../src/objects/cache.js';
import { CacheBatch } from '../../src/objects/cache-batch.js';
import { loadHash } from '../../src/objects/hash.js';
import { smallDisk } from '../helpers/small-disk.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

let cache: ObjectCache;

beforeEach(async () => {
  cache = new ObjectCache(join(temporaryDirectory('cache'), 'mlv'), await loadHash('blake3'));
});

/** Enough for whole folders: a few objects for nearly every shard. */
const contents = (count: number, from = 0): Buffer[] =>
  Array.from({ length: count }, (_, at) => Buffer.from(`content ${from + at}`));

const hexOf = (bytes: Buffer): string => cache.hash.digest(bytes).toString('hex');

function addAll(batch: CacheBatch, all: readonly Buffer[]): void {
  for (const bytes of all) batch.addBytes(bytes, hexOf(bytes));
}

/** Everything is there, right, read-only, and nothing else. */
async function expectStored(all: readonly Buffer[]): Promise<void> {
  const oids = all.map((bytes) => cache.oid(hexOf(bytes)));
  expect([...cache.list()].map(({ oid }) => oid)).toEqual([...new Set(oids)].sort());
  for (const oid of oids) await cache.verify(oid);
  expect(oids.filter((oid) => (lstatSync(cache.pathOf(oid)).mode & 0o222) !== 0)).toEqual([]);
  expect(readdirSync(cache.temporary.directory)).toEqual([]);
}

const folders = (): string[] =>
  readdirSync(cache.temporary.directory).filter((name) =>
    lstatSync(join(cache.temporary.directory, name)).isDirectory(),
  );

/** A shard that has a folder on its way. */
function someShard(): string {
  const [folder = ''] = folders();
  const [rest = ''] = readdirSync(join(cache.temporary.directory, folder));
  const all = contents(2000).map(hexOf);
  return (all.find((hex) => hex.endsWith(rest)) as string).slice(0, 2);
}

/** Several objects of the same shard. */
function ofOneShard(hexes: readonly string[]): [string, ...string[]] {
  const shards = hexes.map((hex) => hexes.filter((other) => other.startsWith(hex.slice(0, 2))));
  return shards.find((each) => each.length > 3) as [string, ...string[]];
}

it('makes new shards as whole folders, and goes on file by file in those that are there', async () => {
  const batch = new CacheBatch(cache);
  const all = contents(1000);
  addAll(batch, all);
  expect(folders().length).toBeGreaterThan(200);
  expect([...cache.list()]).toEqual([]);
  await batch.commit();
  await expectStored(all);
  const isThere = (bytes: Buffer): boolean => existsSync(join(cache.shardsDirectory, hexOf(bytes).slice(0, 2)));
  const more = contents(300, 1000).filter(isThere);
  addAll(batch, [...more, ...all]);
  expect(folders()).toEqual([]);
  await batch.commit();
  await expectStored([...all, ...more]);
});

it('makes no folder for a few objects', async () => {
  const batch = new CacheBatch(cache);
  const all = contents(60);
  addAll(batch, all);
  expect(folders()).toEqual([]);
  await batch.commit();
  await expectStored(all);
});

it('names what comes while a commit waits with the next one', async () => {
  const batch = new CacheBatch(cache);
  addAll(batch, contents(500));
  const first = batch.commit();
  const late = contents(500, 400);
  addAll(batch, late);
  await first;
  expect(late.filter((bytes) => cache.hasHex(hexOf(bytes)))).toHaveLength(100);
  await batch.commit();
  await expectStored(contents(900));
});

it('shares a shard with a batch that made it first, whatever of it both have', async () => {
  const batches = [new CacheBatch(cache), new CacheBatch(cache)] as const;
  addAll(batches[0], contents(600));
  addAll(batches[1], contents(600, 300));
  const hex = hexOf(contents(1)[0] as Buffer);
  await batches[0].commit();
  const inode = cache.stat(cache.oid(hex))?.ino;
  await batches[1].commit();
  expect(cache.stat(cache.oid(hex))?.ino).toBe(inode);
  await expectStored(contents(900));
});

it('shares shards with batches that commit at the same time', async () => {
  const batches = Array.from({ length: 4 }, () => new CacheBatch(cache));
  for (const [at, batch] of batches.entries()) addAll(batch, contents(400, at * 200));
  await Promise.all(batches.map((batch) => batch.commit()));
  await expectStored(contents(1000));
});

it('keeps what could not be named, and names it with the next commit', async () => {
  const batch = new CacheBatch(cache);
  const all = contents(1000);
  addAll(batch, all);
  const blocked = join(cache.shardsDirectory, someShard());
  writeFileSync(blocked, 'in the way');
  await expect(batch.commit()).rejects.toMatchObject({ code: 'FILE_SYSTEM', data: { path: blocked } });
  for (const { oid } of cache.list()) await cache.verify(oid);
  rmSync(blocked);
  await batch.commit();
  await expectStored(all);
});

it('goes on after a shard was filled in half', async () => {
  const batch = new CacheBatch(cache);
  const all = contents(2000);
  addAll(batch, all);
  // The first ones of a batch are written file by file.
  const inFolders = all.slice(64).map(hexOf);
  const inShard = ofOneShard(inFolders);
  const shard = join(cache.shardsDirectory, inShard[0].slice(0, 2));
  // A directory cannot be replaced by an object.
  const obstacle = join(shard, inShard[0].slice(2));
  mkdirSync(obstacle, { recursive: true });
  await expect(batch.commit()).rejects.toMatchObject({ code: 'FILE_SYSTEM' });
  expect(inShard.slice(1).every((hex) => cache.hasHex(hex))).toBe(true);
  rmSync(obstacle, { recursive: true });
  await batch.commit();
  await expectStored(all);
});

it('leaves nothing behind when it is abandoned, also after a commit that failed', async () => {
  const batch = new CacheBatch(cache);
  addAll(batch, contents(1000));
  expect(folders().length).toBeGreaterThan(0);
  writeFileSync(join(cache.shardsDirectory, someShard()), 'in the way');
  await expect(batch.commit()).rejects.toMatchObject({ code: 'FILE_SYSTEM' });
  addAll(batch, contents(1000, 5000));
  batch.abandon();
  expect(readdirSync(cache.temporary.directory)).toEqual([]);
  for (const { oid } of cache.list()) await cache.verify(oid);
});

it('clears away the folders of the dead with what is in them, and none of the living', () => {
  const batch = new CacheBatch(cache);
  addAll(batch, contents(1000));
  const living = folders();
  const dead = (living[0] as string).replace(/-\d+-([0-9a-f]{8}-\d+)$/, '-4194304-$1');
  const killed = join(cache.temporary.directory, dead);
  mkdirSync(killed);
  for (const name of ['a', 'b']) writeFileSync(join(killed, name), 'half');
  const { all, stale } = cache.temporary.count();
  expect([all.files, stale]).toEqual([1002, { files: 2, bytes: 8 }]);
  expect(cache.temporary.removeStale()).toBe(8);
  expect([folders().length, existsSync(killed)]).toEqual([living.length, false]);
});

it('gives a shard of a group the rights that the others have, whatever the umask', async ({ skip }) => {
  if (process.platform === 'win32') skip('needs POSIX permissions');
  mkdirSync(cache.directory, { recursive: true });
  chmodSync(cache.directory, 0o2775);
  const before = process.umask(0o077);
  try {
    const batch = new CacheBatch(cache);
    addAll(batch, contents(1000));
    expect(folders().length).toBeGreaterThan(200);
    await batch.commit();
  } finally {
    process.umask(before);
  }
  for (const prefix of readdirSync(cache.shardsDirectory))
    expect(statSync(join(cache.shardsDirectory, prefix)).mode & 0o2070).toBe(0o2070);
  for (const { oid } of cache.list()) expect(cache.stat(oid)?.mode).toBe(0o100440);
});

it('makes no folder where the temporary files are not for the group and objects are', async ({ skip }) => {
  if (process.platform === 'win32') skip('needs POSIX permissions');
  mkdirSync(cache.shardsDirectory, { recursive: true });
  chmodSync(cache.shardsDirectory, 0o2775);
  const batch = new CacheBatch(cache);
  const all = contents(500);
  addAll(batch, all);
  expect(folders()).toEqual([]);
  await batch.commit();
  for (const prefix of readdirSync(cache.shardsDirectory))
    expect(statSync(join(cache.shardsDirectory, prefix)).mode & 0o2070).toBe(0o2070);
  await expectStored(all);
});

it('says that the disk is full, leaves nothing, and goes on when there is room', async ({ skip }) => {
  const disk = smallDisk(2000) ?? skip('needs the right to mount');
  cache = new ObjectCache(mkdtempSync(`${disk.path}/cache-`), cache.hash);
  const all = contents(1000).map((bytes) => Buffer.concat([bytes, Buffer.alloc(4000)]));
  const batch = new CacheBatch(cache);
  expect(() => addAll(batch, all)).toThrow(expect.objectContaining({ code: 'DISK_FULL' }));
  batch.abandon();
  expect(readdirSync(cache.temporary.directory)).toEqual([]);
  disk.resize(20_000);
  const again = new CacheBatch(cache);
  addAll(again, all);
  await again.commit();
  await expectStored(all);
});

it('writes again what is there with another size', async () => {
  const all = contents(200);
  const first = new CacheBatch(cache);
  addAll(first, all);
  await first.commit();
  const damaged = cache.pathOfHex(hexOf(all[7] as Buffer));
  rmSync(damaged);
  writeFileSync(damaged, 'cut');
  const second = new CacheBatch(cache);
  addAll(second, [...contents(100, 7000), ...all]);
  await second.commit();
  await expectStored([...all, ...contents(100, 7000)]);
});
