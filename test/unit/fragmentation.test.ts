import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readCost, scatteredChunks } from '../../src/transfer/fragmentation.js';
import type { PlacedChunk } from '../../src/transfer/record-writer.js';

const KiB = 1024;
const PACK_BYTES = 16 * KiB * KiB;
const packs = Array.from({ length: 250 }, (_, index) => Buffer.alloc(32, index));

/** Chunks of 64 KiB, each in the pack and at the place (counted in chunks) that is given. */
function file(places: readonly { pack: number; slot: number }[]): PlacedChunk[] {
  return places.map(({ pack, slot }) => ({
    digest: Buffer.from(`chunk ${pack} ${slot}`),
    length: 64 * KiB,
    pack: packs[pack] as Buffer,
    offset: 8 + slot * 64 * KiB,
    deflated: slot % 3 === 2 ? 1 + ((pack * 977 + slot * 131) % 60_000) : undefined,
  }));
}

const stored = (chunk: PlacedChunk): PlacedChunk => ({ ...chunk, deflated: undefined });

/** The same file after the chunks that are said to be scattered were written to new packs, in the file's order. */
function rewritten(chunks: readonly PlacedChunk[]): PlacedChunk[] {
  const scattered = scatteredChunks(chunks);
  const moves = new Map<string, PlacedChunk>();
  let written = 0;
  return chunks.map((chunk, index) => {
    if (!scattered.has(index)) return chunk;
    const known = moves.get(chunk.digest.toString());
    if (known) return known;
    const length = chunk.deflated ?? chunk.length;
    const pack = Buffer.from(`new pack ${Math.floor(written / PACK_BYTES)}`);
    const moved = { ...chunk, pack, offset: 8 + (written % PACK_BYTES) };
    moves.set(chunk.digest.toString(), moved);
    written += length;
    return moved;
  });
}

const scattering = fc.array(
  fc.oneof(fc.record({ pack: fc.nat(199), slot: fc.nat(250) }), fc.record({ pack: fc.nat(2), slot: fc.nat(250) })),
  { minLength: 1, maxLength: 400 },
);

describe('what it costs to read a file', () => {
  it('is that of one request for a file in one piece, whatever its order', () => {
    const whole = file(Array.from({ length: 200 }, (_, slot) => ({ pack: 1, slot }))).map(stored);
    expect(readCost(whole)).toEqual({ requests: 1, bytes: 200 * 64 * KiB, ratio: 1 });
    expect(readCost(whole.reverse()).ratio).toBe(1);
  });

  it('grows with every range and every byte in between', () => {
    const near = readCost(file([0, 4, 8].map((slot) => ({ pack: 1, slot }))).map(stored));
    const far = readCost(file([0, 100, 200].map((slot) => ({ pack: 1, slot }))).map(stored));
    expect([near.requests, near.bytes, far.requests, far.bytes]).toEqual([1, 9 * 64 * KiB, 3, 3 * 64 * KiB]);
    expect(near.ratio).toBeGreaterThan(1.5);
    expect(far.ratio).toBeGreaterThan(near.ratio);
  });
});

describe('what is written afresh', () => {
  it('is nothing of a file in few pieces', () => {
    const places = Array.from({ length: 250 }, (_, slot) => ({ pack: slot % 50 === 0 ? 2 : 1, slot }));
    expect(scatteredChunks(file(places).map(stored)).size).toBe(0);
    expect(scatteredChunks([]).size).toBe(0);
  });

  it('is what lies alone, and not the large pieces', () => {
    const places = Array.from({ length: 240 }, (_, slot) => ({ pack: slot % 6 === 0 ? slot + 2 : 1, slot }));
    const scattered = scatteredChunks(file(places).map(stored));
    expect(scattered.size).toBeGreaterThan(10);
    expect([...scattered].every((index) => index % 6 === 0)).toBe(true);
  });

  it('brings every scattered file to half as much again as in one piece', () => {
    fc.assert(
      fc.property(scattering, (places) => {
        const chunks = file(places);
        const before = readCost(chunks).ratio;
        const after = readCost(rewritten(chunks)).ratio;
        if (scatteredChunks(chunks).size === 0) expect(before).toBeLessThanOrEqual(2);
        else expect(before).toBeGreaterThan(2);
        expect(after).toBeLessThanOrEqual(scatteredChunks(chunks).size === 0 ? before : 1.5);
      }),
    );
  });

  it('is decided by the places alone: the same for the same, and nothing once it is done', () => {
    fc.assert(
      fc.property(scattering, (places) => {
        const chunks = file(places);
        expect(scatteredChunks(chunks)).toEqual(scatteredChunks(chunks));
        expect(scatteredChunks(rewritten(chunks)).size).toBe(0);
      }),
    );
  });
});
