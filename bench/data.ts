import { type Cipher, createCipheriv, createHash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const PIECE = 4 * 1024 * 1024;
const FILES_A_DIRECTORY = 1000;

/** A stream of bytes that look random, the same ones for the same seed. */
export class RandomBytes {
  private readonly cipher: Cipher;
  private readonly zeros = Buffer.alloc(PIECE);

  constructor(seed: string) {
    const key = createHash('sha256').update(seed).digest();
    this.cipher = createCipheriv('aes-256-ctr', key, Buffer.alloc(16));
  }

  /** The next bytes, at most 4 MiB at once. */
  next(length: number): Buffer {
    return this.cipher.update(this.zeros.subarray(0, length));
  }
}

/** What a made file consists of: so many bytes of the stream with this seed. */
export interface Part {
  seed: string;
  bytes: number;
  /** Bytes of the stream that are passed over first. */
  skip?: number;
}

/** Writes a file out of seeded random bytes: real blocks, nothing that compresses or repeats. */
export function writeRandomFile(path: string, parts: readonly Part[]): void {
  const descriptor = openSync(path, 'w');
  try {
    for (const part of parts) writePart(descriptor, part);
  } finally {
    closeSync(descriptor);
  }
}

/** Writes `files` files of `bytes` bytes each, all different, a thousand in each sub-directory. */
export function writeSmallFiles(directory: string, files: number, bytes: number): void {
  const random = new RandomBytes(`small files ${files} ${bytes}`);
  for (let index = 0; index < files; index++) {
    const parent = join(directory, `part-${String(Math.floor(index / FILES_A_DIRECTORY)).padStart(4, '0')}`);
    if (index % FILES_A_DIRECTORY === 0) mkdirSync(parent, { recursive: true });
    writeFileSync(join(parent, `sample-${String(index).padStart(7, '0')}.bin`), random.next(bytes));
  }
}

function writePart(descriptor: number, { seed, bytes, skip = 0 }: Part): void {
  const random = new RandomBytes(seed);
  for (let passed = 0; passed < skip; passed += PIECE) random.next(Math.min(PIECE, skip - passed));
  for (let written = 0; written < bytes; written += PIECE) {
    writeFully(descriptor, random.next(Math.min(PIECE, bytes - written)));
  }
}

function writeFully(descriptor: number, bytes: Buffer): void {
  for (let offset = 0; offset < bytes.length; ) offset += writeSync(descriptor, bytes, offset);
}
