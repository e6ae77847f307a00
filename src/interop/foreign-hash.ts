import { createHash, type Hash, hash as hashOnce } from 'node:crypto';
import { MlvError } from '../core/errors.js';
import type { Hasher, HashFunction } from '../objects/hash.js';
import type { ForeignAlgorithm, ForeignId } from './foreign-id.js';

/** DVC reads so many bytes at once, and replaces line ends within each such part only. */
const DVC_PART = 1024 * 1024;
/** DVC takes a part for text by so many of its first bytes. */
const DVC_LOOK = 512;
const CR = 0x0d;
const LF = 0x0a;

/** The hash of another tool, over bytes that come in any pieces. */
export interface ForeignHasher {
  update(bytes: Uint8Array): void;
  /** Ends the hash and says whether the content has this name (hex). */
  matches(hex: string): boolean;
}

/** Begins a hash. Error: `HASH_UNAVAILABLE` for MD5 where this Node may not compute it (FIPS mode). */
export function foreignHasher(algorithm: ForeignAlgorithm): ForeignHasher {
  if (algorithm === 'md5-dos2unix') return new Dos2UnixHasher();
  const hash = begin(algorithm);
  return {
    update: (bytes) => void hash.update(bytes),
    matches: (hex) => hash.digest('hex') === hex,
  };
}

/** True when bytes that are in memory have this name. Error as foreignHasher. */
export function hasForeignId(bytes: Uint8Array, { algorithm, hex }: ForeignId): boolean {
  if (algorithm === 'md5-dos2unix') {
    const hasher = new Dos2UnixHasher();
    hasher.update(bytes);
    return hasher.matches(hex);
  }
  try {
    return hashOnce(algorithm, bytes, 'hex') === hex;
  } catch (cause) {
    throw unavailable(algorithm, cause);
  }
}

/**
 * A hash function of ours that feeds another tool's hasher with the same bytes, so that one pass over a content gives
 * both names. For one content only.
 */
export function pairedHash(ours: HashFunction, theirs: ForeignHasher): HashFunction {
  const create = (): Hasher => {
    const hasher = ours.create();
    return {
      update: (bytes) => {
        hasher.update(bytes);
        theirs.update(bytes);
      },
      digest: () => hasher.digest(),
    };
  };
  return { algorithm: ours.algorithm, implementation: ours.implementation, create, digest: ours.digest };
}

function begin(algorithm: 'md5' | 'sha256'): Hash {
  try {
    return createHash(algorithm);
  } catch (cause) {
    throw unavailable(algorithm, cause);
  }
}

function unavailable(algorithm: string, cause: unknown): MlvError {
  return new MlvError(
    'HASH_UNAVAILABLE',
    `this Node.js cannot compute ${algorithm}, by which the other tool names contents`,
    {
      cause,
      hint: 'run the migration with a Node.js that is not in FIPS mode',
    },
  );
}

/**
 * MD5 over a content whose CRLF count as LF where it looks like text. Versions of DVC before 3.0 decided that once for a
 * file, later ones for each MiB; a content may have either name, so that both are computed from where they differ.
 */
class Dos2UnixHasher implements ForeignHasher {
  private byFile = begin('md5');
  /** Undefined as long as both ways give the same. */
  private byPart: Hash | undefined;
  private fileIsText: boolean | undefined;
  private part: Buffer | undefined;
  private filled = 0;

  update(bytes: Uint8Array): void {
    let rest = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    while (rest.length > 0) {
      if (this.filled === 0 && rest.length >= DVC_PART) {
        this.take(rest.subarray(0, DVC_PART));
        rest = rest.subarray(DVC_PART);
        continue;
      }
      this.part ??= Buffer.allocUnsafe(DVC_PART);
      const count = rest.copy(this.part, this.filled, 0, DVC_PART - this.filled);
      this.filled += count;
      rest = rest.subarray(count);
      if (this.filled === DVC_PART) this.flush();
    }
  }

  matches(hex: string): boolean {
    this.flush();
    const { byPart } = this;
    return this.byFile.digest('hex') === hex || byPart?.digest('hex') === hex;
  }

  private flush(): void {
    if (this.part && this.filled > 0) this.take(this.part.subarray(0, this.filled));
    this.filled = 0;
  }

  private take(part: Buffer): void {
    const isText = looksLikeText(part.subarray(0, DVC_LOOK));
    this.fileIsText ??= isText;
    if (isText !== this.fileIsText) this.byPart ??= this.byFile.copy();
    this.byFile.update(this.fileIsText ? withUnixLineEnds(part) : part);
    this.byPart?.update(isText ? withUnixLineEnds(part) : part);
  }
}

/** No NUL, and at most 30 % bytes that plain text does not have: as dvc_data's istextfile.py has it. */
function looksLikeText(block: Uint8Array): boolean {
  let others = 0;
  for (const byte of block) {
    if (byte === 0) return false;
    const plain = (byte >= 32 && byte < 127) || byte === 10 || byte === 13 || byte === 9 || byte === 12 || byte === 8;
    if (!plain) others += 1;
  }
  return others <= block.length * 0.3;
}

function withUnixLineEnds(part: Buffer): Buffer {
  if (!part.includes('\r\n')) return part;
  const result = Buffer.allocUnsafe(part.length);
  let length = 0;
  for (let at = 0; at < part.length; at += 1) {
    if (part[at] === CR && part[at + 1] === LF) continue;
    result[length++] = part[at] as number;
  }
  return result.subarray(0, length);
}
