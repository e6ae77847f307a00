import { isMlvError, MlvError } from '../core/errors.js';
import type { HashFunction } from '../objects/hash.js';
import { chunkContent } from './chunk-codec.js';
import {
  PACK_HEADER_BYTES,
  PACK_MAGIC,
  type PackEntry,
  type PackIdentity,
  type PackTable,
  parsePackTable,
} from './pack-format.js';

/**
 * Proves that `bytes` are the pack of that digest and that every chunk in it has the digest it is listed under; gives
 * its table of contents. The error names the first chunk that is not right (`data.chunk`, `data.offset`). Errors:
 * `PACK_INVALID`; `FORMAT_TOO_NEW` for an undamaged pack with a codec of a later version.
 */
export function verifyPack(bytes: Buffer, digest: Buffer, hash: HashFunction): PackTable {
  const name = digest.toString('hex');
  const identity = { name, size: bytes.length };
  const intact = hash.digest(bytes).equals(digest);
  const table = intact ? parsePackTable(bytes, identity) : tableOfDamaged(bytes, identity);
  for (const entry of table.entries()) {
    const stored = bytes.subarray(entry.offset, entry.offset + entry.stored);
    if (!hasDigest(stored, entry, hash)) throw badChunk(name, entry);
  }
  if (!intact || !PACK_MAGIC.equals(bytes.subarray(0, PACK_HEADER_BYTES))) throw notThatPack(name);
  return table;
}

function hasDigest(stored: Buffer, { length, digest }: PackEntry, hash: HashFunction): boolean {
  try {
    return hash.digest(chunkContent(stored, length)).equals(digest);
  } catch (error) {
    if (isMlvError(error, 'PACK_INVALID')) return false;
    throw error;
  }
}

/** In a damaged pack a codec is not a sign of a later version but one more damaged byte. */
function tableOfDamaged(bytes: Buffer, identity: PackIdentity): PackTable {
  try {
    return parsePackTable(bytes, identity);
  } catch (cause) {
    if (isMlvError(cause, 'FORMAT_TOO_NEW')) throw notThatPack(identity.name, cause);
    throw cause;
  }
}

function badChunk(name: string, entry: PackEntry): MlvError {
  const chunk = entry.digest.toString('hex');
  const place = `${entry.stored} bytes at offset ${entry.offset}`;
  return new MlvError('PACK_INVALID', `pack ${name} is damaged: chunk ${chunk} (${place}) has other content`, {
    data: { pack: name, chunk, offset: entry.offset },
    hint: 'upload its chunks again from a cache that has them: mlv fsck --remote --repair',
  });
}

function notThatPack(name: string, cause?: unknown): MlvError {
  return new MlvError('PACK_INVALID', `pack ${name} is damaged: its bytes do not have the digest that names it`, {
    data: { pack: name },
    cause,
  });
}
