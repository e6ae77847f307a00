import { randomBytes } from 'node:crypto';
import type { Hasher, HashFunction } from '../objects/hash.js';
import { DIGEST_BYTES } from '../objects/oid.js';
import { DEFAULT_PACK_BYTES, PACK_FOOTER_BYTES, PACK_MAGIC, PackTableWriter, tableEntryBytes } from './pack-format.js';

/** Bytes of a chunk that nothing refers to and that only makes a pack another one. */
const SALT_BYTES = 16;

/** Bytes that are hashed at once on the way: few enough to be in the processor's cache still. */
const HASHED_AT_ONCE = 256 * 1024;

/** A pack that is ready to be uploaded. */
export interface FinishedPack {
  /** Digest of all its bytes, which names it. */
  digest: Buffer;
  /** The pack: a view of the builder's buffer. */
  bytes: Buffer;
  /** Number of chunks in it. */
  count: number;
}

export interface PackBuilderOptions {
  /** Most bytes the pack may have, table of contents included; 16 MiB unless said. */
  capacity?: number;
  /** A buffer of at least that length to build in, from a pack that is done with; a new one is made otherwise. */
  buffer?: Buffer;
  /** True for names that the pack must not get: room is kept for what makes it another one. */
  isTaken?: (digest: Buffer) => boolean;
  /** Hashes the pack while it grows, which is faster than at its end; of the function that `finish` gets. */
  hasher?: Hasher;
}

/**
 * Collects chunks into one pack, in one buffer of the pack's size. Whether a chunk is in another pack already is the
 * caller's question; so is the next builder when a chunk does not fit.
 */
export class PackBuilder {
  readonly capacity: number;
  private readonly buffer: Buffer;
  private readonly table = new PackTableWriter();
  private readonly isTaken: ((digest: Buffer) => boolean) | undefined;
  /** Absent once the pack has a name. */
  private hasher: Hasher | undefined;
  private hashed = 0;
  private length: number;

  constructor(options: PackBuilderOptions = {}) {
    this.capacity = options.capacity ?? DEFAULT_PACK_BYTES;
    this.buffer = options.buffer ?? Buffer.allocUnsafeSlow(this.capacity);
    if (this.buffer.length < this.capacity) throw new RangeError('the buffer is shorter than the pack may get');
    this.isTaken = options.isTaken;
    this.hasher = options.hasher;
    this.length = PACK_MAGIC.copy(this.buffer);
  }

  /** Number of chunks so far. */
  get count(): number {
    return this.table.count;
  }

  /** Bytes of the pack if it were finished now. */
  get size(): number {
    return this.length + this.table.length + PACK_FOOTER_BYTES;
  }

  /** True when a chunk of `length` bytes that takes `stored` still goes in. */
  fits(stored: number, length = stored): boolean {
    // A chunk that fills a pack alone goes in all the same.
    const reserved = this.isTaken && this.count > 0 ? SALT_BYTES + tableEntryBytes(SALT_BYTES) : 0;
    return this.hasRoom(stored + reserved, length);
  }

  private hasRoom(stored: number, length = stored): boolean {
    return this.size + stored + tableEntryBytes(stored, length) <= this.capacity;
  }

  /**
   * Copies a chunk in, under the digest of its raw bytes; gives the offset where it begins in the pack. `bytes` are as they
   * are stored: the chunk itself, or a deflate stream of fewer bytes than the `length` of the chunk. Throws a RangeError for
   * an empty chunk, a digest that is none, and a chunk that does not fit.
   */
  add(digest: Buffer, bytes: Uint8Array, length = bytes.length): number {
    if (bytes.length === 0 || length < bytes.length) throw new RangeError('a chunk is never empty, nor made longer');
    if (digest.length !== DIGEST_BYTES) throw new RangeError(`a digest has ${DIGEST_BYTES} bytes`);
    if (!this.hasRoom(bytes.length, length)) throw new RangeError('the chunk does not fit into this pack');
    const offset = this.length;
    this.buffer.set(bytes, offset);
    this.length += bytes.length;
    this.table.add(digest, bytes.length, length);
    this.hashOn();
    return offset;
  }

  /** Ends the pack and names it. The builder is not used afterwards. Throws a RangeError when it holds no chunk. */
  finish(hash: HashFunction): FinishedPack {
    if (this.count === 0) throw new RangeError('a pack is never empty');
    const bytes = this.end();
    const pack = { digest: this.nameOf(bytes, hash), bytes, count: this.count };
    if (!this.isTaken?.(pack.digest) || !this.hasRoom(SALT_BYTES)) return pack;
    const salt = randomBytes(SALT_BYTES);
    this.add(hash.digest(salt), salt);
    const salted = this.end();
    return { digest: hash.digest(salted), bytes: salted, count: this.count };
  }

  private end(): Buffer {
    return this.buffer.subarray(0, this.table.finish(this.buffer, this.length));
  }

  private hashOn(): void {
    if (!this.hasher) return;
    for (; this.length - this.hashed >= HASHED_AT_ONCE; this.hashed += HASHED_AT_ONCE) {
      this.hasher.update(this.buffer.subarray(this.hashed, this.hashed + HASHED_AT_ONCE));
    }
  }

  private nameOf(bytes: Buffer, hash: HashFunction): Buffer {
    const { hasher, hashed } = this;
    this.hasher = undefined;
    if (!hasher || hashed === 0) return hash.digest(bytes);
    hasher.update(bytes.subarray(hashed));
    return hasher.digest();
  }
}
