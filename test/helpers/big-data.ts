import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A small, fast, seeded source of bytes that do not compress (xorshift32). */
export function randomBytes(length: number, seed: number): Buffer {
  const words = new Uint32Array(Math.ceil(length / 4));
  // Never zero, and another one for every seed.
  let state = (2 * seed + 1) | 0;
  for (let index = 0; index < words.length; index++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[index] = state;
  }
  return Buffer.from(words.buffer, 0, length);
}

/** Writes `count` files of `size` bytes each into sub-directories of a hundred. */
export function writeSmallFiles(directory: string, options: { count: number; size: number; seed: number }): void {
  for (let index = 0; index < options.count; index++) {
    const folder = join(directory, `part-${Math.floor(index / 100)}`);
    if (index % 100 === 0) mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `${index}.bin`), randomBytes(options.size, options.seed + index * 7919));
  }
}
