import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { type HashFunction, loadHash } from '../../src/objects/hash.js';
import { PackBuilder } from '../../src/transfer/pack-builder.js';
import { loneChunkPackBytes } from '../../src/transfer/pack-format.js';
import { verifyPack } from '../../src/transfer/pack-verify.js';

let hash: HashFunction;
beforeAll(async () => {
  hash = await loadHash('blake3');
});

const CAPACITY = 64 * 1024;

/** A pack of chunks of that length, as many as go in. */
function fill(length: number, isTaken?: (digest: Buffer) => boolean) {
  const builder = new PackBuilder({ capacity: CAPACITY, ...(isTaken && { isTaken }) });
  const offsets: number[] = [];
  for (let seed = 0; builder.fits(length); seed++) {
    const bytes = Buffer.alloc(length, seed);
    offsets.push(builder.add(hash.digest(bytes), bytes));
  }
  return { ...builder.finish(hash), offsets };
}

describe('a pack whose name is taken', () => {
  it('becomes another one of at most the same size, with every chunk where it was', () => {
    for (const length of [1, 100, 1000, 30_000, CAPACITY / 2 - 100]) {
      const plain = fill(length, () => false);
      const other = fill(length, (digest) => digest.equals(plain.digest));
      expect(other.digest.equals(plain.digest)).toBe(false);
      expect(other.offsets).toEqual(plain.offsets);
      expect(other.bytes.length).toBeLessThanOrEqual(CAPACITY);
      expect(verifyPack(other.bytes, other.digest, hash).count).toBe(plain.count + 1);
    }
  });

  it('is the same as ever where the name is free, or nothing is taken at all', () => {
    const few = (isTaken?: (digest: Buffer) => boolean) => {
      const builder = new PackBuilder({ capacity: CAPACITY, ...(isTaken && { isTaken }) });
      const bytes = Buffer.from('a chunk');
      builder.add(hash.digest(bytes), bytes);
      return builder.finish(hash).digest.toString('hex');
    };
    expect(few(() => false)).toBe(few());
    expect(few(() => true)).not.toBe(few());
  });

  it('takes a chunk that fills it alone, as ever', () => {
    const bytes = randomBytes(1000);
    const builder = new PackBuilder({ capacity: loneChunkPackBytes(bytes.length), isTaken: () => true });
    expect(builder.fits(bytes.length)).toBe(true);
    builder.add(hash.digest(bytes), bytes);
    const pack = builder.finish(hash);
    expect(verifyPack(pack.bytes, pack.digest, hash).count).toBe(1);
  });
});
