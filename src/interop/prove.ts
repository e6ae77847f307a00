import { closeSync, readSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { MlvError } from '../core/errors.js';
import type { ObjectCache } from '../objects/cache.js';
import { digestOf } from '../objects/oid.js';
import { walkTree } from '../objects/tree-diff.js';
import type { RepositoryPath } from '../workspace/paths.js';
import type { Pointer } from '../workspace/pointer-format.js';
import { cacheLoader } from '../workspace/workspace-trees.js';
import { foreignHasher } from './foreign-hash.js';
import { type ForeignId, foreignKey } from './foreign-id.js';

/** What a new pointer must give. */
export interface Claim {
  path: RepositoryPath;
  pointer: Pointer;
  /** For a directory, each file below it; for a file, itself with an empty path. */
  files: readonly { path: string; id: ForeignId }[];
}

/** What was proved. */
export interface Proof {
  /** Files of pointers; one that several pointers have counts for each. */
  files: number;
  /** Objects that were read, and their bytes. */
  objects: number;
  bytes: number;
}

const TURN_MS = 50;

/**
 * Reads every object that the pointers name from the cache and compares it with the name that the other tool had for the
 * content at that path. Error: `OBJECT_CORRUPT` for the first file that is another, `OBJECT_MISSING`.
 */
export async function proveClaims(
  cache: ObjectCache,
  claims: Iterable<Claim>,
  options: { onObject: (bytes: number) => void; signal?: AbortSignal },
): Promise<Proof> {
  const proof: Proof = { files: 0, objects: 0, bytes: 0 };
  const proved = new Set<string>();
  const buffer = Buffer.allocUnsafeSlow(1024 * 1024);
  let turn = Date.now();
  for (const claim of claims) {
    const given = filesOf(cache, claim.pointer);
    if (given.size !== claim.files.length) throw differs(claim.path);
    for (const { path, id } of claim.files) {
      const hex = given.get(path);
      const place = path === '' ? claim.path : `${claim.path}/${path}`;
      if (hex === undefined) throw differs(place);
      proof.files += 1;
      const key = `${hex} ${foreignKey(id)}`;
      if (proved.has(key)) continue;
      const bytes = readAs(cache, { hex, id, buffer });
      if (bytes === undefined) throw differs(place);
      proved.add(key);
      proof.objects += 1;
      proof.bytes += bytes;
      options.onObject(bytes);
      if (Date.now() - turn < TURN_MS) continue;
      await nextTurn();
      options.signal?.throwIfAborted();
      turn = Date.now();
    }
  }
  return proof;
}

function filesOf(cache: ObjectCache, pointer: Pointer): Map<string, string> {
  if (pointer.files === undefined) return new Map([['', digestOf(pointer.oid).toString('hex')]]);
  const files = new Map<string, string>();
  for (const { path, entry } of walkTree(digestOf(pointer.oid), cacheLoader(cache))) {
    if (entry.kind === 'file' || entry.kind === 'executable') files.set(path, entry.digest.toString('hex'));
  }
  return files;
}

/** Bytes of the object where its content has that name. */
function readAs(
  cache: ObjectCache,
  { hex, id, buffer }: { hex: string; id: ForeignId; buffer: Buffer },
): number | undefined {
  const { descriptor } = cache.open(cache.oid(hex));
  try {
    const hasher = foreignHasher(id.algorithm);
    let bytes = 0;
    for (let count = -1; count !== 0; bytes += count) {
      count = readSync(descriptor, buffer, 0, buffer.length, null);
      hasher.update(buffer.subarray(0, count));
    }
    return hasher.matches(id.hex) ? bytes : undefined;
  } finally {
    closeSync(descriptor);
  }
}

function differs(path: string): MlvError {
  return new MlvError(
    'OBJECT_CORRUPT',
    `what mlv would give for '${path}' is not what was there before; nothing was changed`,
    {
      hint: 'look at the cache: mlv fsck',
      data: { path },
    },
  );
}
