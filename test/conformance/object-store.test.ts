import { closeSync, existsSync, mkdirSync, readdirSync, readSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { isStaleTemporary } from '../../src/core/temporary-name.js';
import { ObjectCache } from '../../src/objects/cache.js';
import { CacheBatch } from '../../src/objects/cache-batch.js';
import { loadHash } from '../../src/objects/hash.js';
import { ALGORITHMS, type Oid } from '../../src/objects/oid.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

describe.each(ALGORITHMS)('the cache, with %s', (algorithm) => {
  let cache: ObjectCache;
  const bytes = Buffer.from('content');

  beforeEach(async () => {
    cache = new ObjectCache(temporaryDirectory('cache'), await loadHash(algorithm));
  });

  async function store(...contents: Buffer[]): Promise<Oid[]> {
    const batch = new CacheBatch(cache);
    const digests = contents.map((each) => cache.hash.digest(each));
    for (const [at, each] of contents.entries()) batch.addBytes(each, (digests[at] as Buffer).toString('hex'));
    await batch.commit();
    return digests.map((digest) => cache.oid(digest));
  }

  it('gives back what was stored, whole or as an open file', async () => {
    const [oid] = (await store(bytes)) as [Oid];
    expect(cache.read(oid).equals(bytes)).toBe(true);
    await cache.verify(oid);
    const { descriptor, size } = cache.open(oid);
    const read = Buffer.alloc(size);
    readSync(descriptor, read);
    closeSync(descriptor);
    expect(read.equals(bytes)).toBe(true);
    expect([cache.has(oid), cache.has(oid, 7), cache.has(oid, 8), cache.stat(oid)?.size]).toEqual([
      true,
      true,
      false,
      7,
    ]);
  });

  it('names nothing before the batch is committed, and nothing that was abandoned', async () => {
    const batch = new CacheBatch(cache);
    const hex = cache.hash.digest(bytes).toString('hex');
    batch.addBytes(bytes, hex);
    expect([batch.holds(hex), cache.hasHex(hex)]).toEqual([true, false]);
    batch.abandon();
    expect([batch.holds(hex), cache.hasHex(hex), readdirSync(cache.temporary.directory)]).toEqual([false, false, []]);
  });

  it('stores a hundred objects in one batch, and the same ones again without a write', async () => {
    const contents = Array.from({ length: 100 }, (_, at) => Buffer.from(`object ${at}`));
    const oids = await store(...contents);
    const inodes = oids.map((oid) => cache.stat(oid)?.ino);
    expect(await store(...contents)).toEqual(oids);
    expect(oids.map((oid) => cache.stat(oid)?.ino)).toEqual(inodes);
    expect([...cache.list()].map(({ oid }) => oid)).toEqual([...oids].sort());
    expect(readdirSync(cache.temporary.directory)).toEqual([]);
  });

  it('takes in a file in one pass, and refuses a directory', async () => {
    const path = join(temporaryDirectory('source'), 'file');
    writeFileSync(path, Buffer.alloc(9_000_000, 'x'));
    const batch = new CacheBatch(cache);
    const { digest, size } = await batch.addFile(path);
    await batch.commit();
    expect(size).toBe(9_000_000);
    await cache.verify(cache.oid(digest));
    await expect(batch.addFile(cache.directory)).rejects.toMatchObject({ code: 'FILE_SYSTEM' });
    expect(readdirSync(cache.temporary.directory)).toEqual([]);
  });

  it('says what is missing, and removes without complaint what is not there', async () => {
    const oid = cache.oid(cache.hash.digest(bytes));
    expect(() => cache.read(oid)).toThrow(expect.objectContaining({ code: 'OBJECT_MISSING', data: { oid } }));
    await expect(cache.verify(oid)).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
    cache.remove(oid);
    expect([cache.has(oid), [...cache.list()]]).toEqual([false, []]);
  });

  it('never gives out damaged bytes, and sets them aside when told', async () => {
    const [oid] = (await store(bytes)) as [Oid];
    cache.remove(oid);
    writeFileSync(cache.pathOf(oid), 'CONTENT');
    expect(() => cache.read(oid)).toThrow(expect.objectContaining({ code: 'OBJECT_CORRUPT' }));
    await expect(cache.verify(oid)).rejects.toMatchObject({ code: 'OBJECT_CORRUPT' });
    const aside = cache.quarantine(oid);
    expect([cache.has(oid), existsSync(aside ?? '')]).toEqual([false, true]);
    await store(bytes);
    await cache.verify(oid);
  });

  it('takes only oids of its own algorithm, and only files for objects', () => {
    const other: Oid = `${algorithm === 'blake3' ? 'sha256' : 'blake3'}:${'0'.repeat(64)}`;
    expect(() => cache.pathOf(other)).toThrow(expect.objectContaining({ code: 'OBJECT_CORRUPT' }));
    expect(() => cache.pathOf('blake3:../../../etc/passwd')).toThrow(
      expect.objectContaining({ code: 'OBJECT_CORRUPT' }),
    );
    const oid = cache.oid('a'.repeat(64));
    mkdirSync(cache.pathOf(oid), { recursive: true });
    expect([cache.has(oid), [...cache.list()]]).toEqual([false, []]);
  });

  it('clears away what the dead left behind, and nothing of the living', () => {
    const mine = cache.temporary.next();
    writeFileSync(mine, 'being written');
    const dead = mine.replace(/-\d+-([0-9a-f]{8}-\d+)$/, '-4194304-$1');
    const elsewhere = join(cache.temporary.directory, 'otherhost-1-0123abcd-0');
    for (const path of [dead, elsewhere]) writeFileSync(path, 'half');
    expect(cache.temporary.removeStale()).toBe(4);
    expect([mine, dead, elsewhere].map((path) => existsSync(path))).toEqual([true, false, true]);
    utimesSync(elsewhere, 1, 1);
    cache.temporary.removeStale();
    expect(existsSync(elsewhere)).toBe(false);
    expect(isStaleTemporary('otherhost-1-0123abcd-0', 1000)).toBe(false);
    expect(statSync(mine).size).toBe(13);
  });
});
