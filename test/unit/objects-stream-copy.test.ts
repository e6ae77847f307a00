import { closeSync, openSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadHash } from '../../src/objects/hash.js';
import { type CopyOptions, copyAndHash } from '../../src/objects/stream-copy.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

/** Large enough for several flushes on the way. */
const BYTES = 300 * 1024 * 1024 + 17;

function sparseFile(): string {
  const path = join(temporaryDirectory('stream-copy'), 'source');
  writeFileSync(path, 'begins');
  truncateSync(path, BYTES);
  return path;
}

async function copy(from: string, to: string, options: Partial<CopyOptions>): ReturnType<typeof copyAndHash> {
  const [source, target] = [openSync(from, 'r'), openSync(to, 'w')];
  try {
    return await copyAndHash(source, target, { hash: await loadHash('blake3'), ...options });
  } finally {
    closeSync(source);
    closeSync(target);
  }
}

describe('copying and hashing in one pass', () => {
  it('gives the same bytes and digest whether the target is flushed on the way or not', async () => {
    const source = sparseFile();
    const plain = await copy(source, `${source}.plain`, {});
    const flushed = await copy(source, `${source}.flushed`, { flushed: true });
    expect(flushed).toEqual(plain);
    expect(flushed.size).toBe(BYTES);
    expect(statSync(`${source}.flushed`).size).toBe(BYTES);
    expect(readFileSync(`${source}.flushed`).equals(readFileSync(source))).toBe(true);
  });

  it('fails when a flush on the way fails: the kernel would not tell the next one', async () => {
    // A null device takes every byte and cannot be flushed.
    await expect(copy(sparseFile(), '/dev/null', { flushed: true })).rejects.toHaveProperty('code');
    await expect(copy(sparseFile(), '/dev/null', {})).resolves.toMatchObject({ size: BYTES });
  });
});
