import { appendFileSync, chmodSync, closeSync, openSync, statSync, writeFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import type { ObjectCache } from '../../src/objects/cache.js';
import type { Oid } from '../../src/objects/oid.js';
import { FormerCheck } from '../../src/transfer/former-check.js';
import { randomBytes } from '../helpers/big-data.js';
import { openCache, store } from '../helpers/transfer.js';

const CONTENT = randomBytes(1_500_000, 3);
const always = (): boolean => true;

let cache: ObjectCache;
let oid: Oid;

beforeEach(async () => {
  cache = await openCache();
  ({ oid } = await store(cache, CONTENT));
});

/** Tells of parts that were taken, and what comes of it; `during` happens when all were. */
async function check(taken: readonly [from: number, to: number][], during?: () => void): Promise<boolean> {
  const { descriptor } = cache.open(oid);
  try {
    const former = new FormerCheck(cache, oid, descriptor);
    for (const [from, to] of taken) {
      await former.passTo(from, always);
      former.took(CONTENT.subarray(from, to), from);
    }
    during?.();
    await former.end(always);
  } finally {
    closeSync(descriptor);
  }
  return cache.isFresh(oid);
}

/** As if it were that long after the object changed: its change time cannot be set, so the clock is. */
async function later<T>(action: () => Promise<T>, milliseconds = 60_000): Promise<T> {
  const { now } = Date;
  Date.now = () => statSync(cache.pathOf(oid)).ctimeMs + milliseconds;
  try {
    return await action();
  } finally {
    Date.now = now;
  }
}

describe('a former version of which parts are copied', () => {
  it.each<[string, [number, number][]]>([
    ['all of it', [[0, 1_500_000]]],
    ['nothing', []],
    [
      'with gaps',
      [
        [10, 400_000],
        [900_000, 1_000_000],
      ],
    ],
    [
      'backwards, and twice',
      [
        [900_000, 1_000_000],
        [10, 400_000],
        [10, 1_200_000],
      ],
    ],
  ])('is known to be whole: %s', async (_what, taken) => {
    expect(await later(() => check(taken))).toBe(true);
  });

  it('is not known when it is too young to tell whether it was written to', async () => {
    expect(await later(() => check([[0, 1_500_000]]), 100)).toBe(false);
  });

  it('is not known when it is written to meanwhile', async () => {
    const path = cache.pathOf(oid);
    chmodSync(path, 0o600);
    expect(await later(() => check([[0, 10]], () => appendFileSync(path, 'more')))).toBe(false);
  });

  it('is not known when it is damaged, though what was taken of it is not', async () => {
    const path = cache.pathOf(oid);
    chmodSync(path, 0o600);
    writeFileSync(path, 'other', { flag: 'r+' });
    expect(await later(() => check([[10, 20]]))).toBe(false);
  });

  it('is not known when it cannot be read to its end, which is no failure', async () => {
    // A directory opens, and cannot be read.
    const descriptor = openSync(cache.directory, 'r');
    const former = new FormerCheck(cache, oid, descriptor);
    await former.passTo(10, always);
    former.took(CONTENT.subarray(0, 10), 0);
    await later(() => former.end(always));
    closeSync(descriptor);
    expect(cache.isFresh(oid)).toBe(false);
  });

  it('is not known when the copy was ended', async () => {
    const { descriptor } = cache.open(oid);
    const former = new FormerCheck(cache, oid, descriptor);
    await later(() => former.end(() => false));
    closeSync(descriptor);
    expect(cache.isFresh(oid)).toBe(false);
  });
});
