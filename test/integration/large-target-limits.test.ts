import { beforeEach, expect, it, vi } from 'vitest';
import { ObjectCache } from '../../src/objects/cache.js';
import { CacheBatch } from '../../src/objects/cache-batch.js';
import { loadHash } from '../../src/objects/hash.js';
import { LargeTarget } from '../../src/transfer/large-target.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

/** What the system refuses: so many openings of files, and one flush. */
const refusing = vi.hoisted(() => ({ opens: 0, flush: false }));

vi.mock('node:fs', async (original) => {
  const real = await original<typeof import('node:fs')>();
  const openSync: typeof real.openSync = (...args) => {
    if (refusing.opens > 0 && args[1] === 'r+') {
      refusing.opens--;
      throw Object.assign(new Error('EMFILE: too many open files, open'), { code: 'EMFILE', syscall: 'open' });
    }
    return real.openSync(...args);
  };
  const fdatasync = (descriptor: number, done: (error: Error | null) => void): void => {
    const error = Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO', syscall: 'fdatasync' });
    if (refusing.flush) setImmediate(() => done(error));
    else real.fdatasync(descriptor, done);
    refusing.flush = false;
  };
  return { ...real, openSync, fdatasync };
});

const content = Buffer.alloc(40 * 1024 * 1024, 'what a fetch brings ');

let cache: ObjectCache;

beforeEach(async () => {
  cache = new ObjectCache(temporaryDirectory('cache'), await loadHash('blake3'));
  refusing.opens = 0;
  refusing.flush = false;
});

function target(bytes: Buffer, giveUpCopies?: () => void): LargeTarget {
  return new LargeTarget(cache, cache.oid(cache.hash.digest(bytes)), bytes.length, { giveUpCopies });
}

/** Opens as many others as may be open, so that the one that was open before is closed. */
async function crowdOut(count = 64): Promise<LargeTarget[]> {
  const others = Array.from({ length: count }, (_, index) => target(Buffer.from(`object ${index}`)));
  for (const other of others) await other.write(Buffer.from('o'), 0);
  return others;
}

it('closes what rests, and gives copies up, where no more files may be open', async () => {
  let givenUp = 0;
  const small = content.subarray(0, 100);
  const first = target(small, () => givenUp++);
  await first.write(small.subarray(0, 50), 0);
  const others = await crowdOut();
  refusing.opens = 1;
  await first.write(small.subarray(50), 50);
  expect(givenUp).toBe(1);
  const batch = new CacheBatch(cache);
  await first.finish(batch);
  await batch.commit();
  expect(cache.read(first.oid).equals(small)).toBe(true);
  for (const other of others) other.abandon();
});

it('says so where that does not help', async () => {
  const small = content.subarray(0, 100);
  const first = target(small);
  await first.write(small.subarray(0, 50), 0);
  const others = await crowdOut();
  refusing.opens = 2;
  expect(() => first.write(small.subarray(50), 50)).toThrow(/too many open files/);
  for (const other of [first, ...others]) other.abandon();
});

it('a flush that failed is not forgotten when the file was closed in between', async () => {
  refusing.flush = true;
  const first = target(content);
  const half = content.length - 100;
  await first.write(content.subarray(0, half), 0);
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  const others = await crowdOut();
  await expect(
    (async () => {
      await first.write(content.subarray(half), half);
      await first.finish(new CacheBatch(cache));
    })(),
  ).rejects.toMatchObject({ code: 'FILE_SYSTEM', message: expect.stringContaining('input/output error') });
  for (const other of [first, ...others]) other.abandon();
});
