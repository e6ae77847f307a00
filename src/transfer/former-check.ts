import { type BigIntStats, fstatSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ObjectCache } from '../objects/cache.js';
import type { Hasher } from '../objects/hash.js';
import { digestOf, type Oid, splitOid } from '../objects/oid.js';
import { readFully } from '../objects/stream-copy.js';

/** Bytes that are read and hashed at once: they stay in the processor's own cache. */
const READ_BYTES = 256 * 1024;
/** Milliseconds without a turn of the event loop. */
const TURN_MS = 10;
/** A file that changed that short a time ago could change again with the same time, ms. */
const YOUNG_MS = 2000;

/**
 * Hashes a former version while parts of it are copied, so that a checkout that follows knows that it is whole, and need
 * not read it again before it replaces a file with that content: see ObjectCache.isFresh.
 */
export class FormerCheck {
  private readonly hasher: Hasher;
  private readonly before: BigIntStats;
  /** Bytes from the start; not a number once one could not be read. */
  private hashed = 0;
  private buffer: Buffer | undefined;

  constructor(
    private readonly cache: ObjectCache,
    private readonly oid: Oid,
    private readonly descriptor: number,
  ) {
    this.hasher = cache.hash.create();
    this.before = fstatSync(descriptor, { bigint: true });
  }

  /** Told of bytes that were read from that offset on. */
  took(bytes: Uint8Array, offset: number): void {
    if (offset !== this.hashed) return;
    this.hasher.update(bytes);
    this.hashed += bytes.length;
  }

  /**
   * Reads what was passed over before an offset, leaving the event loop a turn now and then. Never fails: what nobody
   * needs and cannot be read only means that nothing is known.
   */
  async passTo(offset: number, goesOn: () => boolean): Promise<void> {
    try {
      await this.readTo(offset, goesOn);
    } catch {
      this.hashed = Number.NaN;
    }
  }

  private async readTo(offset: number, goesOn: () => boolean): Promise<void> {
    const buffer = this.buffer ?? Buffer.allocUnsafeSlow(READ_BYTES);
    this.buffer = buffer;
    for (let turned = performance.now(); this.hashed < offset && goesOn(); ) {
      const part = buffer.subarray(0, Math.min(READ_BYTES, offset - this.hashed));
      const count = readFully(this.descriptor, part, this.hashed);
      if (count === 0) return;
      this.took(part.subarray(0, count), this.hashed);
      if (performance.now() - turned < TURN_MS) continue;
      await nextTurn();
      turned = performance.now();
    }
  }

  /** Reads the rest, and remembers the object as fresh where it is what it must be and nobody wrote to it meanwhile. */
  async end(goesOn: () => boolean): Promise<void> {
    await this.passTo(Number(this.before.size), goesOn);
    const now = fstatSync(this.descriptor, { bigint: true });
    if (this.hashed !== Number(now.size) || now.ctimeNs !== this.before.ctimeNs) return;
    if (Date.now() - Number(now.ctimeMs) < YOUNG_MS || !this.hasher.digest().equals(digestOf(this.oid))) return;
    this.cache.fresh.note(splitOid(this.oid).hex, this.before, now);
  }
}
