import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { loadHash } from '../../src/objects/hash.js';
import { PrefixHash } from '../../src/transfer/prefix-hash.js';
import { randomBytes } from '../helpers/big-data.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

const CONTENT = randomBytes(2_000_000, 1);

it.each<[string, number[]]>([
  ['in order', [0, 1, 2, 3, 4]],
  ['backwards', [4, 3, 2, 1, 0]],
  ['with gaps that are filled later', [2, 0, 4, 1, 3]],
])('hashes a file that is written %s', async (_order, parts) => {
  const hash = await loadHash('blake3');
  const descriptor = openSync(join(temporaryDirectory(), 'file'), 'w+');
  try {
    const prefix = new PrefixHash(hash, () => descriptor);
    const length = CONTENT.length / parts.length;
    for (const part of parts) {
      writeSync(descriptor, CONTENT, part * length, length, part * length);
      prefix.note(part * length, length);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await prefix.digest(CONTENT.length)).toEqual(hash.digest(CONTENT));
  } finally {
    closeSync(descriptor);
  }
});

it('fails for a file that is shorter than what was noted, and for one with a gap', async () => {
  const hash = await loadHash('blake3');
  const descriptor = openSync(join(temporaryDirectory(), 'file'), 'w+');
  try {
    writeSync(descriptor, CONTENT, 0, 1000, 0);
    const short = new PrefixHash(hash, () => descriptor);
    short.note(0, 300_000);
    await expect(short.digest(300_000)).rejects.toThrow('ends after 1000 bytes');
    const open = new PrefixHash(hash, () => descriptor);
    open.note(1, 999);
    await expect(open.digest(1000)).rejects.toThrow('0 bytes were hashed');
  } finally {
    closeSync(descriptor);
  }
});

it('hashes what is offered from memory and the rest from the file, in any order', async () => {
  const hash = await loadHash('blake3');
  const directory = temporaryDirectory();
  let files = 0;
  const parts = fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 7], { minLength: 8 });
  const steps = fc.array(fc.record({ offer: fc.boolean(), catchUp: fc.boolean(), late: fc.boolean() }), {
    minLength: 8,
    maxLength: 8,
  });
  await fc.assert(
    fc.asyncProperty(parts, steps, fc.boolean(), async (order, how, ascending) => {
      const descriptor = openSync(join(directory, `${files++}`), 'w+');
      try {
        const prefix = new PrefixHash(hash, () => descriptor);
        const length = CONTENT.length / order.length;
        const late: number[] = [];
        const write = (at: number): void => {
          writeSync(descriptor, CONTENT, at, length, at);
          prefix.note(at, length);
        };
        for (const [index, part] of (ascending ? [...order].sort() : order).entries()) {
          const step = how[index] ?? { offer: true, catchUp: false, late: false };
          const at = part * length;
          if (step.catchUp) prefix.catchUp(at);
          if (step.offer) prefix.offer(at, CONTENT.subarray(at, at + length));
          if (step.late) late.push(at);
          else write(at);
          await new Promise((resolve) => setImmediate(resolve));
        }
        for (const at of late) write(at);
        expect(await prefix.digest(CONTENT.length)).toEqual(hash.digest(CONTENT));
      } finally {
        closeSync(descriptor);
      }
    }),
    { numRuns: 40 },
  );
});

it('does not read back what is offered in order', async () => {
  const hash = await loadHash('blake3');
  const prefix = new PrefixHash(hash, () => expect.unreachable());
  for (let at = 0; at < CONTENT.length; at += 500_000) {
    expect(prefix.lag(at)).toBe(0);
    prefix.offer(at, CONTENT.subarray(at, at + 500_000));
    prefix.note(at, 500_000);
  }
  expect(await prefix.digest(CONTENT.length)).toEqual(hash.digest(CONTENT));
});

it('says in the end that a file was shorter than what it was to catch up with', async () => {
  const hash = await loadHash('blake3');
  const descriptor = openSync(join(temporaryDirectory(), 'file'), 'w+');
  try {
    const prefix = new PrefixHash(hash, () => descriptor);
    prefix.note(0, 1000);
    prefix.catchUp(1000);
    await expect(prefix.digest(1000)).rejects.toThrow('ends after 0 bytes');
  } finally {
    closeSync(descriptor);
  }
});
