import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadHash } from '../../src/objects/hash.js';
import { createChunker, DEFAULT_CHUNKER } from '../../src/transfer/chunker.js';
import { cutBufferBytes, FileCutter } from '../../src/transfer/file-cutter.js';
import { randomBytes } from '../helpers/big-data.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

const MiB = 1024 * 1024;

it.each([
  ['empty', Buffer.alloc(0)],
  ['one byte', randomBytes(1, 1)],
  ['one block', randomBytes(MiB, 2)],
  ['one byte less than two blocks', randomBytes(2 * MiB - 1, 3)],
  ['one byte more than two blocks', randomBytes(2 * MiB + 1, 4)],
  ['without any place for a cut', Buffer.alloc(3 * MiB, 7)],
  ['several blocks', randomBytes(3 * MiB + 12_345, 5)],
])('a file is cut as a stream is, with the digest of every chunk and of all: %s', async (_what, content) => {
  const hash = await loadHash('blake3');
  const path = join(temporaryDirectory(), 'file');
  writeFileSync(path, content);
  const chunker = createChunker(DEFAULT_CHUNKER);
  const expected = chunker.push(content);
  const last = chunker.finish();
  if (last > 0) expected.push(last);

  const descriptor = openSync(path, 'r');
  const cutter = new FileCutter(descriptor, hash, DEFAULT_CHUNKER);
  const buffer = new Uint8Array(cutBufferBytes(DEFAULT_CHUNKER));
  const lengths: number[] = [];
  let at = 0;
  for (;;) {
    const block = cutter.next(buffer);
    let inBlock = 0;
    for (const [index, length] of block.lengths.entries()) {
      const chunk = content.subarray(at, at + length);
      expect(chunk.equals(block.bytes.subarray(inBlock, inBlock + length))).toBe(true);
      expect(hash.digest(chunk).equals(block.digests.subarray(index * 32, index * 32 + 32))).toBe(true);
      lengths.push(length);
      inBlock += length;
      at += length;
    }
    if (!block.whole) continue;
    expect(hash.digest(content).equals(block.whole)).toBe(true);
    break;
  }
  expect(lengths).toEqual(expected);
  expect(cutter.next(buffer).lengths.length).toBe(0);
  closeSync(descriptor);
});
