import {
  chmodSync,
  copyFileSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { ObjectCache } from '../../src/objects/cache.js';
import { CacheBatch } from '../../src/objects/cache-batch.js';
import { type HashFunction, loadHash } from '../../src/objects/hash.js';
import { Placer, type PlacerOptions } from '../../src/objects/link-modes.js';
import type { Oid } from '../../src/objects/oid.js';
import { LargeTarget } from '../../src/transfer/large-target.js';
import { smallDisk } from '../helpers/small-disk.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

const content = Buffer.alloc(5_000_000, 'what a fetch brings ');

let hash: HashFunction;
/** Bytes that were hashed as a stream. */
let hashed: number;
let cache: ObjectCache;
let oid: Oid;
let workspace: string;

beforeEach(async () => {
  const blake3 = await loadHash('blake3');
  hashed = 0;
  hash = {
    ...blake3,
    create() {
      const hasher = blake3.create();
      const update = (bytes: Uint8Array): void => {
        hashed += bytes.length;
        hasher.update(bytes);
      };
      return { update, digest: () => hasher.digest() };
    },
  };
  cache = new ObjectCache(temporaryDirectory('cache'), hash);
  oid = cache.oid(hash.digest(content));
  workspace = temporaryDirectory('workspace');
});

/** As a fetch does it; `between` happens when the content was checked and has no name yet. */
async function bring(between?: (temporary: string) => void): Promise<void> {
  const batch = new CacheBatch(cache);
  const target = new LargeTarget(cache, oid, content.length);
  await target.write(content.subarray(2_000_000), 2_000_000);
  await target.write(content.subarray(0, 2_000_000), 0);
  await target.finish(batch);
  between?.(join(cache.temporary.directory, readdirSync(cache.temporary.directory)[0] as string));
  await batch.commit();
  hashed = 0;
}

async function place(from = cache, options: Partial<PlacerOptions> = {}, into = workspace): Promise<Buffer> {
  const placer = new Placer(from, { modes: ['copy'], verifyLinks: false, ...options });
  const path = join(into, 'large');
  await placer.place({ oid, size: content.length, executable: false, path, temporary: `${path}.new` });
  return readFileSync(path);
}

/** Changes bytes of a file and nothing else that can be set back. */
function tamper(path: string): void {
  const { mode, atime, mtime } = statSync(path);
  chmodSync(path, 0o600);
  writeFileSync(path, 'other', { flag: 'r+' });
  chmodSync(path, mode);
  utimesSync(path, atime, mtime);
}

describe('an object that this process brought', () => {
  it('is placed without being hashed once more, and is by any other cache hashed as ever', async () => {
    await bring();
    expect((await place()).equals(content)).toBe(true);
    expect(hashed).toBe(0);
    expect((await place(new ObjectCache(cache.directory, hash))).equals(content)).toBe(true);
    expect(hashed).toBe(content.length);
  });

  it.each([
    ['since', async () => bring().then(() => tamper(cache.pathOf(oid)))],
    ['between its check and its name', () => bring((temporary) => writeFileSync(temporary, 'other', { flag: 'r+' }))],
  ])('is found damaged when it was written to %s', async (_when, happen) => {
    await happen();
    await expect(place()).rejects.toMatchObject({ code: 'OBJECT_CORRUPT' });
    expect(readdirSync(workspace)).toEqual([]);
  });

  it('is found damaged when it is written to while it is copied', async () => {
    await bring();
    let told = 0;
    const onBytes = (bytes: number): void => {
      if (told === 0) tamper(cache.pathOf(oid));
      told += bytes;
    };
    await expect(place(cache, { onBytes })).rejects.toMatchObject({ code: 'OBJECT_CORRUPT' });
    expect(readdirSync(workspace)).toEqual([]);
    expect(told).toBe(content.length);
  });

  it('is linked without being hashed once more, unless it was written to', async () => {
    await bring();
    const links = { modes: ['symlink'], verifyLinks: true } as const;
    expect((await place(cache, links)).equals(content)).toBe(true);
    expect(hashed).toBe(0);
    tamper(cache.pathOf(oid));
    await expect(place(cache, links)).rejects.toMatchObject({ code: 'OBJECT_CORRUPT' });
    expect(hashed).toBe(content.length);
  });

  it('is hashed when another file took its name', async () => {
    await bring();
    const path = cache.pathOf(oid);
    copyFileSync(path, join(dirname(path), 'copy'));
    renameSync(join(dirname(path), 'copy'), path);
    expect((await place()).equals(content)).toBe(true);
    expect(hashed).toBe(content.length);
  });

  it('leaves nothing in the workspace when the copy is interrupted', async () => {
    await bring();
    const interrupt = new AbortController();
    const onBytes = (): void => interrupt.abort();
    await expect(place(cache, { onBytes, signal: interrupt.signal })).rejects.toMatchObject({ name: 'AbortError' });
    expect(readdirSync(workspace)).toEqual([]);
    expect(hashed).toBe(0);
  });

  it('leaves nothing on a full disk', async ({ skip }) => {
    const disk = smallDisk(3000) ?? skip('needs the right to mount');
    await bring();
    await expect(place(cache, {}, disk.path)).rejects.toMatchObject({ code: 'DISK_FULL' });
    expect(readdirSync(disk.path)).toEqual([]);
    expect(hashed).toBe(0);
  });
});
