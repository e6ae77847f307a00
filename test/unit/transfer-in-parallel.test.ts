import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { inParallel, settled } from '../../src/transfer/in-parallel.js';

describe('inParallel', () => {
  it('does every item once, in order, no more at once than it may', async () => {
    const begun: number[] = [];
    let running = 0;
    let most = 0;
    await inParallel(
      Array.from({ length: 20 }, (_, index) => index),
      3,
      async (item) => {
        begun.push(item);
        most = Math.max(most, ++running);
        await sleep(1);
        running--;
      },
    );
    expect(begun).toEqual(Array.from({ length: 20 }, (_, index) => index));
    expect(most).toBe(3);
  });

  it('starts nothing after a failure, waits for what is under way, and throws the first', async () => {
    const ended: number[] = [];
    const work = inParallel([0, 1, 2, 3, 4, 5], 2, async (item) => {
      await sleep(item === 0 ? 20 : 1);
      ended.push(item);
      if (item === 1) throw new Error('first');
    });
    await expect(work).rejects.toThrow('first');
    expect(ended).toEqual([1, 0]);
  });
});

it('settled waits for all before it throws', async () => {
  let ended = false;
  const slow = sleep(20).then(() => {
    ended = true;
  });
  await expect(settled([slow, Promise.reject(new Error('early'))])).rejects.toThrow('early');
  expect(ended).toBe(true);
  expect(await settled([Promise.resolve(1), Promise.resolve(2)])).toEqual([1, 2]);
});
