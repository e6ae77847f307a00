import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { isMlvError } from '../../src/core/errors.js';
import { type HashFunction, loadHash } from '../../src/objects/hash.js';
import { DEFAULT_RANGES, planRanges, type RangeRequest, type Wanted } from '../../src/transfer/range-plan.js';
import { type ChunkUse, readRange } from '../../src/transfer/range-reader.js';
import { randomBytes } from '../helpers/big-data.js';

let hash: HashFunction;
beforeAll(async () => {
  hash = await loadHash('blake3');
});

const stretches = fc.array(
  fc.record({
    pack: fc.constantFrom('a', 'b', 'c'),
    offset: fc.nat(4000),
    length: fc.integer({ min: 1, max: 300 }),
  }),
  { maxLength: 80 },
);
const options = fc.record({ gap: fc.nat(200), most: fc.integer({ min: 1, max: 2000 }) });

function numbered(list: { pack: string; offset: number; length: number }[]): Wanted<number>[] {
  return list.map((each, use) => ({ ...each, use }));
}

describe('planRanges', () => {
  it('puts every stretch into exactly one request, which covers it', () => {
    fc.assert(
      fc.property(stretches, options, (list, limits) => {
        const requests = planRanges(numbered(list), limits);
        const uses = requests.flatMap(({ parts }) => parts.map(({ use }) => use));
        expect([...uses].sort((left, right) => left - right)).toEqual(list.map((_, index) => index));
        for (const { pack, start, length, parts } of requests) {
          for (const part of parts) {
            expect(part.pack).toBe(pack);
            expect(part.offset).toBeGreaterThanOrEqual(start);
            expect(part.offset + part.length).toBeLessThanOrEqual(start + length);
          }
        }
      }),
    );
  });

  it('asks for no more than the most at once, and reads over no gap that is too long', () => {
    fc.assert(
      fc.property(stretches, options, (list, limits) => {
        for (const { start, length, parts } of planRanges(numbered(list), limits)) {
          if (length > limits.most) expect(parts.every((part) => part.length === length)).toBe(true);
          let end = start;
          for (const part of parts) {
            expect(part.offset - end).toBeLessThanOrEqual(limits.gap);
            end = part.offset + part.length;
          }
          expect(end).toBe(start + length);
        }
      }),
    );
  });

  it('gives parts that can be cut in one pass: in order, each the same as the one before or behind it', () => {
    fc.assert(
      fc.property(stretches, options, (list, limits) => {
        for (const { parts } of planRanges(numbered(list), limits)) {
          for (const [index, part] of parts.slice(1).entries()) {
            const before = parts[index] as Wanted<number>;
            const same = before.offset === part.offset && before.length === part.length;
            expect(same || part.offset >= before.offset + before.length).toBe(true);
          }
        }
      }),
    );
  });

  it('makes one request of neighbours, and of a whole pack', () => {
    const chunk = 64 * 1024;
    const neighbours = Array.from({ length: 250 }, (_, index) => ({
      pack: 'a',
      offset: 8 + index * chunk,
      length: chunk,
    }));
    expect(planRanges(numbered(neighbours))).toHaveLength(1);
    const apart = [0, DEFAULT_RANGES.gap + chunk + 1].map((offset) => ({
      pack: 'a',
      offset: 8 + offset,
      length: chunk,
    }));
    expect(planRanges(numbered(apart))).toHaveLength(2);
  });
});

/** A pack's worth of bytes, and requests of chunks in it. */
const bodies = fc.record({
  lengths: fc.array(
    fc.record({ skip: fc.nat(40), length: fc.integer({ min: 1, max: 200 }), times: fc.integer({ min: 1, max: 3 }) }),
    {
      minLength: 1,
      maxLength: 25,
    },
  ),
  cuts: fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 60 }),
  damaged: fc.nat(24),
});

interface Use extends ChunkUse {
  index: number;
}

/** A body and the request for it; a chunk that is wanted several times follows itself. */
function makeBody(lengths: { skip: number; length: number; times: number }[]): {
  body: Buffer;
  request: RangeRequest<Use>;
} {
  const total = lengths.reduce((sum, { skip, length }) => sum + skip + length, 0);
  const body = randomBytes(total, total);
  const start = 1000;
  const parts: Wanted<Use>[] = [];
  let at = 0;
  for (const [index, { skip, length, times }] of lengths.entries()) {
    at += skip;
    const digest = hash.digest(body.subarray(at, at + length));
    for (let time = 0; time < times; time++)
      parts.push({ pack: 'p', offset: start + at, length, use: { digest, index, length } });
    at += length;
  }
  return { body, request: { pack: 'p', start, length: total, parts } };
}

async function* inPieces(body: Buffer, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let at = 0, cut = 0; at < body.length; cut++) {
    const length = cuts[cut % cuts.length] as number;
    // A copy that is overwritten afterwards, as a socket does with its buffers.
    const piece = Buffer.from(body.subarray(at, at + length));
    yield piece;
    piece.fill(0);
    at += length;
  }
}

describe('readRange', () => {
  it('gives every chunk its bytes, as often as it is wanted, however the body is sliced', async () => {
    await fc.assert(
      fc.asyncProperty(bodies, async ({ lengths, cuts }) => {
        const { body, request } = makeBody(lengths);
        const taken: Wanted<Use>[] = [];
        let bytes = 0;
        await readRange(request, inPieces(body, cuts), {
          hash,
          take: (part, content) => {
            expect(
              content.equals(body.subarray(part.offset - request.start, part.offset - request.start + part.length)),
            ).toBe(true);
            taken.push(part);
          },
          refuse: () => expect.unreachable(),
          onBytes: (count) => {
            bytes += count;
          },
        });
        expect(taken).toEqual(request.parts);
        expect(bytes).toBe(body.length);
      }),
    );
  });

  it('refuses a damaged chunk in all its uses, by name, and no other', async () => {
    await fc.assert(
      fc.asyncProperty(bodies, async ({ lengths, cuts, damaged }) => {
        const { body, request } = makeBody(lengths);
        const bad = damaged % lengths.length;
        const first = request.parts.find(({ use }) => use.index === bad) as Wanted<Use>;
        const place = first.offset - request.start + first.length - 1;
        body[place] = (body[place] as number) ^ 1;
        const taken: number[] = [];
        const refused: number[] = [];
        await readRange(request, inPieces(body, cuts), {
          hash,
          take: (part) => taken.push(part.use.index),
          refuse: (part, error) => {
            expect(isMlvError(error, 'PACK_INVALID')).toBe(true);
            expect(error.data).toMatchObject({ chunk: part.use.digest.toString('hex'), offset: part.offset });
            refused.push(part.use.index);
          },
        });
        const indexes = request.parts.map(({ use }) => use.index);
        expect(refused).toEqual(indexes.filter((index) => index === bad));
        expect(taken).toEqual(indexes.filter((index) => index !== bad));
      }),
    );
  });

  it('calls a body that ends early an error that is worth another try', async () => {
    const { body, request } = makeBody([{ skip: 0, length: 100, times: 1 }]);
    const options = { hash, take: () => {}, refuse: () => {} };
    await expect(readRange(request, inPieces(body.subarray(0, 99), [7]), options)).rejects.toMatchObject({
      code: 'REMOTE_TRANSIENT',
    });
  });
});
