import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { type HashFunction, loadHash } from '../../src/objects/hash.js';

/** Inputs of BLAKE3's published test_vectors.json: byte i is i mod 251. Its first 32 bytes of output. */
const BLAKE3: [number, string][] = [
  [0, 'af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262'],
  [1, '2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213'],
  [1023, '10108970eeda3eb932baac1428c7a2163b0e924c9a9e25b35bba72b28f70bd11'],
  [1024, '42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7'],
  [1025, 'd00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444'],
  [2048, 'e776b6028c7cd22a4d0ba182a8bf62205d2ef576467e838ed6f2529b85fba24a'],
  [102400, 'bc3e3d41a1146b069abffad3c0d44860cf664390afce4d9661f7902e7943e085'],
];
/** FIPS 180-4 examples. */
const SHA256: [string, string][] = [
  ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
];

let native: HashFunction;
let wasm: HashFunction;

beforeAll(async () => {
  native = await loadHash('blake3', 'native');
  wasm = await loadHash('blake3', 'wasm');
});

function hex(hash: HashFunction, parts: Uint8Array[]): string {
  const hasher = hash.create();
  for (const part of parts) hasher.update(part);
  return hasher.digest().toString('hex');
}

describe('BLAKE3', () => {
  it.each(BLAKE3)('of %i bytes is the published one, natively and in WebAssembly', (length, expected) => {
    const input = Buffer.from(Array.from({ length }, (_, index) => index % 251));
    for (const hash of [native, wasm]) {
      expect(hash.digest(input).toString('hex')).toBe(expected);
      expect(hex(hash, [input])).toBe(expected);
    }
  });

  it('is the same however the bytes are cut, in both implementations', () => {
    const cuts = fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 8 });
    fc.assert(
      fc.property(cuts, (parts) => {
        const whole = native.digest(Buffer.concat(parts)).toString('hex');
        expect([hex(native, parts), hex(wasm, parts), wasm.digest(Buffer.concat(parts)).toString('hex')]).toEqual([
          whole,
          whole,
          whole,
        ]);
      }),
    );
  });

  it('of several streams at once is that of each alone', () => {
    const streams = fc.array(fc.uint8Array({ maxLength: 2500 }), { minLength: 2, maxLength: 4 });
    fc.assert(
      fc.property(streams, fc.array(fc.nat(3)), (inputs, turns) => {
        for (const hash of [native, wasm]) {
          const hashers = inputs.map(() => hash.create());
          const at = inputs.map(() => 0);
          const step = (index: number, length: number): void => {
            hashers[index]!.update(inputs[index]!.subarray(at[index], at[index]! + length));
            at[index]! += length;
          };
          for (const turn of turns) step(turn % inputs.length, 700);
          for (const index of inputs.keys()) step(index, 5000);
          const digests = hashers.map((hasher) => hasher.digest().toString('hex'));
          expect(digests).toEqual(inputs.map((input) => native.digest(input).toString('hex')));
        }
      }),
      { numRuns: 50 },
    );
  });

  it('takes the native binding where it loads', async () => {
    expect((await loadHash('blake3')).implementation).toBe('native');
    expect(wasm.implementation).toBe('wasm');
  });
});

it.each(SHA256)('SHA-256 of %j is the published one', async (text, expected) => {
  const hash = await loadHash('sha256');
  expect(hash.digest(Buffer.from(text)).toString('hex')).toBe(expected);
  expect(
    hex(
      hash,
      [...text].map((each) => Buffer.from(each)),
    ),
  ).toBe(expected);
});
