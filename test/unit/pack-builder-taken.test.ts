import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { type HashFunction, loadHash } from '../../src/objects/hash.js';
import { PackBuilder, type PackBuilderOptions } from '../../src/transfer/pack-builder.js';
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

describe('a pack that is hashed while it grows', () => {
  it('is the pack that is hashed at its end, also where its name is taken', () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 400_000 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(lengths, fc.boolean(), (chunks, taken) => {
        const build = (options: PackBuilderOptions) => {
          const builder = new PackBuilder({ capacity: 4 * 1024 * 1024, ...options });
          for (const [seed, length] of chunks.entries()) {
            const bytes = Buffer.alloc(length, `chunk ${seed}`);
            builder.add(hash.digest(bytes), bytes);
          }
          return builder.finish(hash);
        };
        const plain = build({});
        const isTaken = (digest: Buffer): boolean => taken && digest.equals(plain.digest);
        const grown = build({ hasher: hash.create(), isTaken });
        expect(grown.digest.equals(hash.digest(grown.bytes))).toBe(true);
        expect(grown.digest.equals(plain.digest)).toBe(!taken);
        expect(verifyPack(grown.bytes, grown.digest, hash).count).toBe(chunks.length + (taken ? 1 : 0));
      }),
      { numRuns: 30 },
    );
  });
});
