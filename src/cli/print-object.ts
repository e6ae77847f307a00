import { closeSync, readSync } from 'node:fs';
import { fileSystemError } from '../core/errors.js';
import { corrupt } from '../objects/cache.js';
import type { Oid } from '../objects/oid.js';
import type { Repository } from '../workspace/repository.js';
import type { Output } from './output.js';

const BUFFER_BYTES = 1024 * 1024;

/** Prints an object's bytes. Errors: `OBJECT_MISSING`, `OBJECT_CORRUPT` after bytes that must not be used, `FILE_SYSTEM`. */
export async function printObject({ cache, hash }: Repository, oid: Oid, output: Output): Promise<void> {
  const { descriptor } = cache.open(oid);
  const hasher = hash.create();
  try {
    for (;;) {
      const buffer = Buffer.allocUnsafe(BUFFER_BYTES);
      const bytes = buffer.subarray(0, readObject(descriptor, buffer, cache.pathOf(oid)));
      if (bytes.length === 0) break;
      hasher.update(bytes);
      await output.write(bytes);
      if (output.closed) return;
    }
  } finally {
    closeSync(descriptor);
  }
  if (cache.oid(hasher.digest()) !== oid) throw corrupt(oid, cache.pathOf(oid));
}

function readObject(descriptor: number, buffer: Buffer, path: string): number {
  try {
    return readSync(descriptor, buffer, 0, buffer.length, null);
  } catch (error) {
    throw fileSystemError('read', path, error);
  }
}
