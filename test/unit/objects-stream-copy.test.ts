import { closeSync, openSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadHash } from '../../src/objects/hash.js';
import { type CopyOptions, copyAndHash, copyOnly } from '../../src/objects/stream-copy.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

/** Large enough for several flushes on the way. */
const BYTES = 300 * 1024 * 1024 + 17;
/** Enough for a flush on the way. */
const FEW_BYTES = 40 * 1024 * 1024 + 17;

function sparseFile(bytes = BYTES): string {
  const path = join(temporaryDirectory('stream-copy'), 'source');
  writeFileSync(path, 'begins');
  truncateSync(path, bytes);
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

describe('copying without a look at the bytes', () => {
  async function copyPlainly(from: string, to: string, flushed: boolean): Promise<number> {
    const [source, target] = [openSync(from, 'r'), openSync(to, 'w')];
    try {
      return await copyOnly(source, target, { flushed });
    } finally {
      closeSync(source);
      closeSync(target);
    }
  }

  it('gives the same bytes whether the target is flushed on the way or not', async () => {
    const source = sparseFile(FEW_BYTES);
    expect(await copyPlainly(source, `${source}.plain`, false)).toBe(FEW_BYTES);
    expect(await copyPlainly(source, `${source}.flushed`, true)).toBe(FEW_BYTES);
    expect(readFileSync(`${source}.flushed`).equals(readFileSync(`${source}.plain`))).toBe(true);
  });

  it('fails when a flush on the way fails, and not where none was asked for', async () => {
    await expect(copyPlainly(sparseFile(FEW_BYTES), '/dev/null', true)).rejects.toHaveProperty('code');
    await expect(copyPlainly(sparseFile(FEW_BYTES), '/dev/null', false)).resolves.toBe(FEW_BYTES);
  });
});
