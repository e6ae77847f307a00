import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileGearScan } from '../../bench/make-gear-wasm.js';
import { createChunker } from '../../bench/stream-chunker.js';
import { type ChunkerParams, chunkerParamsProblem, DEFAULT_CHUNKER } from '../../src/transfer/chunker-params.js';
import { createGearScanner, SCAN_BYTES } from '../../src/transfer/gear-scan.js';
import { GEAR_TABLE } from '../../src/transfer/gear-table.js';
import { GEAR_WASM } from '../../src/transfer/gear-wasm.js';
import { randomBytes, triggeringBytes, XET_CONSTANT, XET_RANDOM, XET_TRIGGERING } from '../helpers/xet-vectors.js';

const IMPLEMENTATIONS = ['wasm', 'js'] as const;
const SMALL: ChunkerParams = { name: 'gear64', min: 64, target: 256, max: 512, whole: 0 };

/** Ends of the chunks of `data` pushed in pieces of these lengths, the last repeated. */
function ends(
  data: Uint8Array,
  implementation: 'wasm' | 'js',
  params = DEFAULT_CHUNKER,
  pieces = [data.length],
): number[] {
  const chunker = createChunker(params, implementation);
  const lengths: number[] = [];
  for (let at = 0, turn = 0; at < data.length; turn++) {
    const piece = Math.max(1, pieces[Math.min(turn, pieces.length - 1)] ?? 1);
    lengths.push(...chunker.push(data.subarray(at, at + piece)));
    at += piece;
  }
  const last = chunker.finish();
  if (last > 0) lengths.push(last);
  let sum = 0;
  return lengths.map((length) => (sum += length));
}

/** Xet's published pseudo-code, byte by byte: the specification that the fast implementations are held to. */
function specifiedEnds(data: Uint8Array, params: ChunkerParams): number[] {
  const limit = 2n ** 64n / BigInt(params.target);
  const result: number[] = [];
  let hash = 0n;
  let start = 0;
  for (let at = 0; at < data.length; at++) {
    hash = BigInt.asUintN(64, (hash << 1n) + GEAR_TABLE[data[at]!]!);
    const size = at + 1 - start;
    if (size < params.min || (size < params.max && hash >= limit)) continue;
    result.push(at + 1);
    start = at + 1;
    hash = 0n;
  }
  if (start < data.length) result.push(data.length);
  return result;
}

/** Bytes in which cuts are frequent and rare: random stretches, runs of one byte, and repeats of a cutting pattern. */
const bytes = fc
  .array(
    fc.oneof(
      fc
        .record({ seed: fc.bigInt(0n, 2n ** 64n - 1n), length: fc.nat(3000) })
        .map((r) => randomBytes(r.length, r.seed)),
      fc.record({ byte: fc.nat(255), length: fc.nat(1500) }).map((r) => Buffer.alloc(r.length, r.byte)),
      fc.record({ padding: fc.nat(127), length: fc.nat(2000) }).map((r) => triggeringBytes(r.length, r.padding)),
    ),
    { maxLength: 6 },
  )
  .map((parts) => Buffer.concat(parts));

describe.each(IMPLEMENTATIONS)('chunks cut in %s', (implementation) => {
  it('are those of Xet for a million random bytes', () => {
    expect(ends(randomBytes(1_000_000, 0n), implementation)).toEqual(XET_RANDOM);
  });

  it('are those of Xet for a million equal bytes', () => {
    expect(ends(Buffer.alloc(1_000_000, 59), implementation)).toEqual(XET_CONSTANT);
  });

  it.each(XET_TRIGGERING)(
    'are those of Xet around the shortest length, padding $padding',
    ({ padding, ends: expected }) => {
      expect(ends(triggeringBytes(65536, padding), implementation)).toEqual(expected);
    },
  );

  it('are those of the byte-by-byte specification', () => {
    fc.assert(
      fc.property(bytes, (data) => {
        expect(ends(data, implementation, SMALL)).toEqual(specifiedEnds(data, SMALL));
      }),
    );
  });

  it('do not depend on how the stream is sliced', () => {
    fc.assert(
      fc.property(
        bytes,
        fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 30 }),
        (data, pieces) => {
          expect(ends(data, implementation, SMALL, pieces)).toEqual(ends(data, implementation, SMALL));
        },
      ),
    );
  });

  it("go on across the scanner's slices, whatever their remainder", () => {
    const data = Buffer.concat([randomBytes(SCAN_BYTES * 2 + 37, 7n), triggeringBytes(SCAN_BYTES, 3)]);
    const whole = ends(data, implementation, SMALL);
    expect(ends(data, implementation, SMALL, [SCAN_BYTES - 1, SCAN_BYTES + 70, 5])).toEqual(whole);
    expect(whole.at(-1)).toBe(data.length);
  });

  it.each([1, 4, 12])('are asked for by the same places in a full input and in short ones, at %i bits', (bits) => {
    const data = Buffer.concat([randomBytes(2 * SCAN_BYTES, BigInt(bits)), triggeringBytes(SCAN_BYTES, 5)]);
    const placesBy = (implementation: 'wasm' | 'js', step: number): number[] => {
      const scanner = createGearScanner(bits, implementation);
      const places: number[] = [];
      for (let at = 0; at < data.length; at += step) {
        for (const place of scanner.scan(data.subarray(at, at + step))) places.push(at + place);
      }
      return places;
    };
    const whole = Buffer.from(Uint32Array.from(placesBy('wasm', SCAN_BYTES)).buffer);
    expect(whole.length).toBeGreaterThan(0);
    for (const step of [SCAN_BYTES / 4 - 1, 1000]) {
      expect(whole.equals(Buffer.from(Uint32Array.from(placesBy('wasm', step)).buffer))).toBe(true);
    }
    expect(whole.equals(Buffer.from(Uint32Array.from(placesBy('js', SCAN_BYTES)).buffer))).toBe(true);
  });

  it('keep within the shortest and the longest length', () => {
    fc.assert(
      fc.property(bytes, (data) => {
        const places = ends(data, implementation, SMALL);
        const lengths = places.map((end, index) => end - (places[index - 1] ?? 0));
        expect(lengths.every((length) => length <= SMALL.max)).toBe(true);
        expect(lengths.slice(0, -1).every((length) => length >= SMALL.min)).toBe(true);
      }),
    );
  });

  it('serve two streams at once', () => {
    const data = [randomBytes(300_000, 1n), randomBytes(300_000, 2n)];
    const chunkers = data.map(() => createChunker(SMALL, implementation));
    const lengths: number[][] = [[], []];
    for (let at = 0; at < 300_000; at += 10_000) {
      for (const [index, chunker] of chunkers.entries()) {
        lengths[index]!.push(...chunker.push(data[index]!.subarray(at, at + 10_000)));
      }
    }
    for (const [index, one] of data.entries()) {
      let sum = 0;
      expect(lengths[index]!.map((length) => (sum += length))).toEqual(
        specifiedEnds(one, SMALL).slice(0, lengths[index]!.length),
      );
    }
  });

  it('starts anew after the end of a stream', () => {
    const chunker = createChunker(SMALL, implementation);
    const data = triggeringBytes(3000, 9);
    const first = [...chunker.push(data), chunker.finish()];
    expect([...chunker.push(data), chunker.finish()]).toEqual(first);
    expect(chunker.finish()).toBe(0);
  });

  it('finds places that lie densely', () => {
    const scanner = createGearScanner(1, implementation);
    const half = triggeringBytes(SCAN_BYTES, 0);
    const places = Array.from(scanner.scan(half));
    let hash = 0n;
    const expected: number[] = [];
    for (const [index, byte] of half.entries()) {
      hash = BigInt.asUintN(64, (hash << 1n) + GEAR_TABLE[byte]!);
      if (hash < 2n ** 63n) expected.push(index + 1);
    }
    expect(places).toEqual(expected);
  });
});

describe('an edit', () => {
  it('changes no chunk beyond those around it', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 2n ** 32n), fc.nat(59_000), fc.integer({ min: 1, max: 40 }), (seed, place, length) => {
        const data = randomBytes(60_000, seed);
        const edited = Buffer.concat([data.subarray(0, place), randomBytes(length, seed + 1n), data.subarray(place)]);
        const before = ends(data, 'js', SMALL);
        const after = new Set(ends(edited, 'js', SMALL));
        const lost = before.filter((end) => end > place + 40 * SMALL.max && !after.has(end + length));
        expect(lost).toEqual([]);
        expect(before.filter((end) => end <= place && !after.has(end))).toEqual([]);
      }),
      { numRuns: 30 },
    );
  });
});

describe('the committed WebAssembly', () => {
  it('is what its source compiles to', async () => {
    expect(Buffer.from(GEAR_WASM, 'base64').equals(await compileGearScan())).toBe(true);
  });

  it('is done without where the process has none', () => {
    const script = `import('${new URL('../../src/transfer/gear-scan.ts', import.meta.url).href}')
      .then(({ createGearScanner }) => process.stdout.write(createGearScanner(16).implementation))`;
    const args = ['--jitless', '--import', 'tsx', '-e', script];
    expect(execFileSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })).toBe('js');
  });
});

describe('chunker parameters', () => {
  it.each([
    ['min below the window', { min: 63 }],
    ['a target between powers of two', { target: 65_000 }],
    ['a target below min', { target: 4096 }],
    ['max below target', { max: 32_768 }],
    ['a fraction', { whole: 0.5 }],
    ['a chunk of gigabytes', { max: 2 ** 31 }],
    ['not a number', { min: Number.NaN }],
  ])('are refused: %s', (_what, change) => {
    expect(chunkerParamsProblem({ ...DEFAULT_CHUNKER, ...change })).toBeTypeOf('string');
    expect(() => createChunker({ ...DEFAULT_CHUNKER, ...change })).toThrow(RangeError);
  });

  it('are accepted as a new remote has them', () => {
    expect(chunkerParamsProblem(DEFAULT_CHUNKER)).toBeUndefined();
  });
});
