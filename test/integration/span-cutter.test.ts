import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createChunker } from '../../bench/stream-chunker.js';
import { type HashFunction, loadHash } from '../../src/objects/hash.js';
import { type ChunkerParams, DEFAULT_CHUNKER } from '../../src/transfer/chunker-params.js';
import {
  ChunkChain,
  type CutSpan,
  SPAN_BYTES,
  SpanCutter,
  type SpannedFile,
  spanBufferBytes,
} from '../../src/transfer/span-cutter.js';
import { randomBytes } from '../helpers/big-data.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';
import { triggeringBytes } from '../helpers/xet-vectors.js';

const MiB = 1024 * 1024;
const SMALL: ChunkerParams = { name: 'gear64', min: 64, target: 256, max: 512, whole: 0 };

/** Does something with an open file of that content. */
function withFile<T>(content: Uint8Array, work: (descriptor: number) => T): T {
  const path = join(temporaryDirectory(), 'file');
  writeFileSync(path, content);
  const descriptor = openSync(path, 'r');
  try {
    return work(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Every span of a file, the last first: none needs to know of another. */
function spansOf(file: SpannedFile): CutSpan[] {
  const { size, params, span = SPAN_BYTES } = file;
  const starts = Array.from({ length: Math.ceil(size / span) }, (_, index) => index * span);
  const buffer = (): Uint8Array<ArrayBuffer> => new Uint8Array(spanBufferBytes(params, span));
  return starts
    .reverse()
    .map((start) => new SpanCutter(file).cut(start, buffer()))
    .reverse();
}

function streamed(content: Uint8Array, params: ChunkerParams): number[] {
  const chunker = createChunker(params);
  const lengths = chunker.push(content);
  const last = chunker.finish();
  return last > 0 ? [...lengths, last] : lengths;
}

/** Checks that a file is cut in spans as it is cut in one pass, with the same digests. */
function expectSameCuts(content: Uint8Array, params: ChunkerParams, hash: HashFunction, span = SPAN_BYTES): void {
  withFile(content, (descriptor) => {
    const file = { descriptor, size: content.length, hash, params, span };
    const chain = new ChunkChain(file);
    const lengths: number[] = [];
    let whole: Uint8Array | undefined;
    let at = 0;
    for (const each of spansOf(file)) {
      const block = chain.join(each);
      if (!block) throw new Error('the file is shorter than it is');
      let offset = block.begin;
      for (const [index, length] of block.lengths.entries()) {
        const chunk = Buffer.from(content.buffer, content.byteOffset + at, length);
        expect(chunk.equals(block.bytes.subarray(offset, offset + length))).toBe(true);
        expect(hash.digest(chunk).equals(block.digests.subarray(index * 32, index * 32 + 32))).toBe(true);
        lengths.push(length);
        offset += length;
        at += length;
      }
      expect(whole).toBeUndefined();
      whole = block.whole;
    }
    expect(lengths).toEqual(streamed(content, params));
    expect(whole && hash.digest(content).equals(whole)).toBe(true);
  });
}

const piece = fc.oneof(
  fc.record({ seed: fc.nat(1_000_000), length: fc.nat(3000) }).map((r) => randomBytes(r.length, r.seed)),
  fc.record({ byte: fc.nat(255), length: fc.nat(2500) }).map((r) => Buffer.alloc(r.length, r.byte)),
  fc.record({ padding: fc.nat(127), length: fc.nat(2000) }).map((r) => triggeringBytes(r.length, r.padding)),
);

describe('a file that is cut in spans', () => {
  it('has the chunks of one pass, whatever its content and the spans', async () => {
    const hash = await loadHash('blake3');
    fc.assert(
      fc.property(
        fc.array(piece, { minLength: 1, maxLength: 6 }).map((pieces) => Buffer.concat(pieces)),
        fc.integer({ min: 65, max: 4000 }),
        (content, span) => {
          if (content.length > 0) expectSameCuts(content, SMALL, hash, span);
        },
      ),
    );
  });

  it.each([
    ['one byte', randomBytes(1, 1)],
    ['one span', randomBytes(SPAN_BYTES, 2)],
    ['one byte more than a span', randomBytes(SPAN_BYTES + 1, 3)],
    ['a little less than two spans', randomBytes(2 * SPAN_BYTES - 1000, 4)],
    ['without any place for a cut', Buffer.alloc(2 * SPAN_BYTES + 12_345, 7)],
    [
      'with places in its middle alone',
      Buffer.concat([Buffer.alloc(5 * MiB), randomBytes(MiB, 5), Buffer.alloc(5 * MiB)]),
    ],
  ])('has the chunks of one pass: %s', async (_what, content) => {
    expectSameCuts(content, DEFAULT_CHUNKER, await loadHash('blake3'));
  });

  it('has chunks that are longer than a span', async () => {
    const content = Buffer.concat([Buffer.alloc(70_000, 1), randomBytes(20_000, 6), Buffer.alloc(50_000, 2)]);
    const params = { ...SMALL, target: 16 * 1024, max: 32 * 1024 };
    expectSameCuts(content, params, await loadHash('sha256'), 3000);
  });

  it('mostly has the digests that its spans guessed', async () => {
    let digests = 0;
    const hash = await loadHash('blake3');
    const content = randomBytes(4 * SPAN_BYTES, 8);
    withFile(content, (descriptor) => {
      const file = { descriptor, size: content.length, hash, params: DEFAULT_CHUNKER };
      const digest = (bytes: Uint8Array): Buffer => {
        digests++;
        return hash.digest(bytes);
      };
      const chain = new ChunkChain({ ...file, hash: { ...hash, digest } });
      for (const each of spansOf(file)) chain.join(each);
    });
    expect(digests).toBeLessThan(16);
  });

  it('is refused when it is shorter than it should be', async () => {
    const hash = await loadHash('blake3');
    const content = randomBytes(5000, 9);
    withFile(content, (descriptor) => {
      const file = { descriptor, size: 5001, hash, params: SMALL, span: 1000 };
      const chain = new ChunkChain(file);
      expect(spansOf(file).some((each) => chain.join(each) === undefined)).toBe(true);
    });
  });
});
