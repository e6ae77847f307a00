import { closeSync, readSync } from 'node:fs';
import { fileSystemError } from '../../core/errors.js';
import { corrupt } from '../../objects/cache.js';
import type { Oid } from '../../objects/oid.js';
import { type OpenRepository, openRepository } from '../context.js';
import { findFile } from '../find-file.js';
import type { Output } from '../output.js';
import type { Session } from '../session.js';
import type { Result, VerbInput } from '../verb.js';

const BUFFER_BYTES = 1024 * 1024;

/**
 * `mlv cat`: see its declaration. Errors: `PATH_NOT_TRACKED`, `PATH_NOT_FOUND`, `USAGE` for a directory,
 * `REVISION_UNKNOWN`, `OBJECT_MISSING`, `OBJECT_CORRUPT` after bytes that must not be used.
 */
export async function run(session: Session, { args: [argument = ''] }: VerbInput): Promise<Result> {
  const repository = await openRepository(session);
  const found = await findFile(session, repository, argument);
  await copyObject(repository, found.oid, session.output);
  return {};
}

async function copyObject({ cache, hash }: OpenRepository, oid: Oid, output: Output): Promise<void> {
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
