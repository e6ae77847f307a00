import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  dearRequests,
  isLookedAt,
  mayBeDear,
  OF_DIRECTORY,
  type RequestUse,
} from '../../src/transfer/fragmentation.js';
import { PackLayout } from '../../src/transfer/pack-layout.js';
import { planRanges } from '../../src/transfer/range-plan.js';

const KiB = 1024;
const REQUEST = 512 * KiB;
const packs = Array.from({ length: 40 }, (_, index) => Buffer.alloc(32, index));

/** Stretches of packs: slots of 64 KiB, of which some are not filled to the end. */
const stretches = fc.array(
  fc.record({ pack: fc.nat(39), slot: fc.nat(600) }).map(({ pack, slot }) => ({
    pack,
    offset: 8 + slot * 64 * KiB,
    // The same slot always holds the same stretch: chunks of a pack do not overlap.
    length: 64 * KiB - ((slot + pack) % 4) * 1000,
  })),
  { maxLength: 300 },
);

const costOf = (requests: readonly RequestUse[]): number =>
  requests.reduce((sum, { length }) => sum + length + REQUEST, 0);
const usefulOf = (requests: readonly RequestUse[]): number => requests.reduce((sum, { useful }) => sum + useful, 0);
const onePiece = (bytes: number): number => bytes + Math.max(1, Math.ceil(bytes / (16 * KiB * KiB))) * REQUEST;

describe('the requests for a directory', () => {
  it('are those of a pull', () => {
    fc.assert(
      fc.property(stretches, (wanted) => {
        const layout = new PackLayout();
        for (const { pack, offset, length } of wanted) layout.add(packs[pack] as Buffer, { offset, length });
        const planned = planRanges(
          wanted.map(({ pack, offset, length }) => ({ pack: String(pack), offset, length, use: undefined })),
        );
        const requests = layout.plan();
        const lengths = (list: readonly { length: number }[]): number[] =>
          list.map(({ length }) => length).sort((left, right) => left - right);
        expect(lengths(requests)).toEqual(lengths(planned));
        const distinct = new Map(wanted.map((each) => [`${each.pack} ${each.offset}`, each.length]));
        expect(usefulOf(requests)).toBe([...distinct.values()].reduce((sum, length) => sum + length, 0));
        for (const { pack, length, parts } of planned) {
          for (const { offset } of parts) {
            expect(layout.requestAt(packs[Number(pack)] as Buffer, offset)?.length).toBe(length);
          }
        }
      }),
    );
  });

  it('know what stays where it is in any case', () => {
    const layout = new PackLayout();
    const [one, two] = packs as [Buffer, Buffer];
    layout.add(one, { offset: 8, length: 100 });
    layout.add(one, { offset: 200, length: 100, fixed: true });
    layout.add(one, { offset: 8 + 1000 * KiB, length: 100 });
    layout.add(Buffer.from(two), { offset: 8, length: 50 });
    expect(layout.plan()).toEqual([
      { length: 292, useful: 200, fixed: true },
      { length: 100, useful: 100, fixed: false },
      { length: 50, useful: 50, fixed: false },
    ]);
    expect(layout.requestAt(one, 250)?.fixed).toBe(true);
    expect(layout.requestAt(two, 8)?.useful).toBe(50);
    expect(layout.requestAt(two, 7)).toBeUndefined();
  });
});

const uses = fc.array(
  fc.record({ useful: fc.integer({ min: 1, max: 2000 }), waste: fc.nat(4000) }).map(({ useful, waste }) => ({
    useful: useful * KiB,
    length: (useful + waste) * KiB,
  })),
  { maxLength: 200 },
);

describe('what is written afresh of a directory', () => {
  it('is asked for every version, and for every fourth of a huge one', () => {
    const digests = Array.from({ length: 256 }, (_, first) => Buffer.alloc(32, first));
    expect(digests.filter((digest) => isLookedAt({ files: 200_000, digest })).length).toBe(256);
    expect(digests.filter((digest) => isLookedAt({ files: 1_000_000, digest })).length).toBe(64);
  });

  it('is nothing of up to sixteen small requests, and the least useful ones of more', () => {
    const small = (count: number): RequestUse[] =>
      Array.from({ length: count }, (_, index) => ({ length: (index + 1) * KiB, useful: (index + 1) * KiB }));
    expect(dearRequests(small(16), OF_DIRECTORY)).toEqual([]);
    const [chosen, all] = [dearRequests(small(40), OF_DIRECTORY), small(40)];
    expect(chosen).toEqual(all.slice(0, chosen.length));
    expect(40 - chosen.length).toBeLessThanOrEqual(9);
    expect(40 - chosen.length).toBeGreaterThan(4);
  });

  it('brings the cost below its bound, only by requests that are dear, and saves more than it sends', () => {
    fc.assert(
      fc.property(uses, (requests) => {
        const chosen = new Set(dearRequests(requests, OF_DIRECTORY));
        const bytes = usefulOf(requests);
        const rest = requests.filter((request) => !chosen.has(request));
        const moved = usefulOf([...chosen]);
        if (chosen.size === 0) {
          expect(costOf(requests)).toBeLessThanOrEqual(2 * onePiece(bytes) + 16 * REQUEST);
          return;
        }
        expect([...chosen].every(mayBeDear)).toBe(true);
        const after = costOf(rest) + onePiece(moved);
        expect(after).toBeLessThanOrEqual(1.5 * onePiece(bytes) + 8 * REQUEST);
        expect(moved).toBeLessThanOrEqual(costOf(requests) - costOf(rest) - moved);
      }),
    );
  });
});
