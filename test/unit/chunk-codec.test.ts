import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compressBatch } from '../../src/transfer/chunk-batch.js';
import {
  CompressionGuess,
  chunkContent,
  deflateChunk,
  inflateChunk,
  isWorthCompressing,
  requireKnownCodec,
} from '../../src/transfer/chunk-codec.js';
import { randomBytes } from '../helpers/big-data.js';

const chunk = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 2000 }),
  fc.tuple(fc.nat(255), fc.integer({ min: 1, max: 5000 })).map(([byte, length]) => Buffer.alloc(length, byte)),
  fc.string({ minLength: 1, maxLength: 2000 }).map((text) => Buffer.from(text)),
);

const text = Buffer.from(Array.from({ length: 3000 }, (_, row) => `${row},name-${row % 7},0.${row * 13}\n`).join(''));

describe('a chunk that is compressed', () => {
  it('is what it was afterwards, and saves at least an eighth', () => {
    fc.assert(
      fc.property(chunk, (bytes) => {
        const deflated = deflateChunk(bytes);
        if (!deflated) return;
        expect(deflated.length).toBeLessThanOrEqual(bytes.length * (7 / 8));
        expect(inflateChunk(deflated, bytes.length).equals(bytes)).toBe(true);
        expect(chunkContent(deflated, bytes.length).equals(bytes)).toBe(true);
      }),
    );
  });

  it('is refused when it is longer or shorter than was said, and never taken into memory', () => {
    const bomb = deflateRawSync(Buffer.alloc(64 * 1024 * 1024));
    expect(bomb.length).toBeLessThan(100_000);
    for (const length of [1, 100, 64 * 1024, 64 * 1024 * 1024 + 1]) {
      expect(() => inflateChunk(bomb, length)).toThrow(expect.objectContaining({ code: 'PACK_INVALID' }));
    }
  });

  it('is refused, and nothing else happens, whatever its bytes are', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 200 }),
        fc.integer({ min: 1, max: 5000 }),
        (bytes, length) => {
          try {
            expect(inflateChunk(bytes, length).length).toBe(length);
          } catch (error) {
            expect(error).toMatchObject({ code: 'PACK_INVALID' });
          }
        },
      ),
    );
  });

  it('of a codec that nobody knows yet is of a later version', () => {
    for (const codec of [0, 1]) requireKnownCodec(codec, 'the pack');
    expect(() => requireKnownCodec(2, 'the pack')).toThrow(expect.objectContaining({ code: 'FORMAT_TOO_NEW' }));
  });
});

describe('what is tried', () => {
  const numbers = Buffer.from(Float64Array.from({ length: 8192 }, (_, index) => Math.sin(index) * 100).buffer);

  it.each([
    ['text', text, true],
    ['zeros', Buffer.alloc(64 * 1024), true],
    ['16-bit integers', Buffer.from(Uint16Array.from({ length: 20_000 }, (_, index) => index % 300).buffer), true],
    ['random bytes', randomBytes(64 * 1024, 1), false],
    ['compressed bytes', deflateRawSync(numbers), false],
    ['a few bytes', Buffer.from('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'), false],
  ])('%s', (_what, bytes, expected) => {
    expect(isWorthCompressing(bytes)).toBe(expected);
  });
});

describe('a batch', () => {
  it('comes back with every chunk as it is stored', () => {
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 20 }), (chunks) => {
        const bytes = new Uint8Array(Buffer.concat([...chunks, Buffer.alloc(50)]));
        const result = compressBatch({ bytes, lengths: Uint32Array.from(chunks, ({ length }) => length) });
        let at = 0;
        for (const [index, each] of chunks.entries()) {
          const stored = Buffer.from(result.bytes.buffer, at, result.stored[index]);
          expect(chunkContent(stored, each.length).equals(each)).toBe(true);
          at += stored.length;
        }
      }),
    );
  });
});

describe('the guess for the chunks of a file', () => {
  const noise = randomBytes(8_000, 1);

  it('looks at every chunk until many in a row promised nothing, and from then on at one of eight', () => {
    const guess = new CompressionGuess();
    expect(guess.promises(text)).toBe(true);
    for (let index = 0; index < 15; index++) expect(guess.promises(noise)).toBe(false);
    expect(guess.promises(text)).toBe(true);
    for (let index = 0; index < 17; index++) expect(guess.promises(noise)).toBe(false);
    const later = Array.from({ length: 9 }, () => guess.promises(text));
    expect(later).toEqual([false, false, false, false, false, false, false, true, true]);
  });

  it('misses no chunk of a file whose chunks all promise something', () => {
    const guess = new CompressionGuess();
    for (let index = 0; index < 40; index++) expect(guess.promises(text)).toBe(true);
  });
});
