import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
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
