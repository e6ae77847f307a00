import { createHash } from 'node:crypto';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { ObjectCache } from '../objects/cache.js';
import { letGroupRead, makeCacheDirectory } from '../objects/group-directory.js';
import { DIGEST_BYTES, type Oid, splitOid } from '../objects/oid.js';

const MAGIC = Buffer.from('mlvsha2\x01', 'latin1');

/** What was found out once about the bytes behind an oid. */
export interface RememberedDigests {
  /** The SHA-256 of the file, or of the directory's listing. */
  own: Buffer;
  /** For a directory: the SHA-256 of each file below, by the hex digits of its oid. */
  files: ReadonlyMap<string, Buffer>;
}

/**
 * Remembers the SHA-256 of objects beside the cache, so that each is read once for it: `sha256/ab/cdef…`, one file for
 * each root, written whole and renamed, with a checksum at its end. What is damaged, cut off or absent counts as not
 * known. Who can write here can write the cache's objects, too: it defends against accidents, not against that person.
 */
export class Sha256Memory {
  constructor(private readonly cache: ObjectCache) {}

  /** What is known of an oid; undefined where nothing is, or the file is damaged. */
  recall(oid: Oid): RememberedDigests | undefined {
    try {
      return decode(readFileSync(this.pathOf(oid)), splitOid(oid).hex);
    } catch {
      return undefined;
    }
  }

  /** Keeps what was found out. Where that fails (a read-only disk), it is computed again next time. */
  keep(oid: Oid, digests: RememberedDigests): void {
    const path = this.pathOf(oid);
    let temporary: string | undefined;
    try {
      makeCacheDirectory(dirname(path));
      temporary = this.cache.temporary.next();
      writeFileSync(temporary, encode(digests, splitOid(oid).hex), { flag: 'wx' });
      letGroupRead(temporary);
      renameSync(temporary, path);
    } catch {
      if (temporary !== undefined) rmSync(temporary, { force: true });
    }
  }

  private pathOf(oid: Oid): string {
    const { algorithm, hex } = splitOid(oid);
    return `${this.cache.directory}/sha256/${algorithm}/${hex.slice(0, 2)}/${hex.slice(2)}`;
  }
}

/** Magic, oid, own digest, pairs of oid and SHA-256, and the SHA-256 of all that. */
function encode({ own, files }: RememberedDigests, hex: string): Buffer {
  const parts = [MAGIC, Buffer.from(hex, 'hex'), own];
  for (const [name, digest] of files) parts.push(Buffer.from(name, 'hex'), digest);
  const body = Buffer.concat(parts);
  return Buffer.concat([body, checksum(body)]);
}

function decode(bytes: Buffer, hex: string): RememberedDigests | undefined {
  const body = bytes.subarray(0, -DIGEST_BYTES);
  const head = MAGIC.length + 2 * DIGEST_BYTES;
  if (body.length < head || !MAGIC.equals(body.subarray(0, MAGIC.length))) return undefined;
  if (!checksum(body).equals(bytes.subarray(-DIGEST_BYTES))) return undefined;
  const at = (offset: number): Buffer => body.subarray(offset, offset + DIGEST_BYTES);
  if (at(MAGIC.length).toString('hex') !== hex) return undefined;
  const files = new Map<string, Buffer>();
  for (let offset = head; offset < body.length; offset += 2 * DIGEST_BYTES) {
    files.set(at(offset).toString('hex'), at(offset + DIGEST_BYTES));
  }
  return { own: at(MAGIC.length + DIGEST_BYTES), files };
}

function checksum(body: Buffer): Buffer {
  return createHash('sha256').update(body).digest();
}
