import type { BigIntStats } from 'node:fs';

/** Objects that are remembered; what comes beyond is checked like any other. */
const MOST_REMEMBERED = 50_000;

/**
 * Objects that this process hashed as files of the cache and named, with the stat of each: while that stands, nobody
 * wrote to them since, and their bytes need not be hashed once more to be copied.
 */
export class FreshObjects {
  private readonly stats = new Map<string, BigIntStats>();

  /**
   * Remembers the object that just got its name, from the stat that its file had before it was hashed and the one that
   * it has now. A file that was written to in between is not remembered.
   */
  note(hex: string, hashed: BigIntStats, named: BigIntStats): void {
    this.stats.delete(hex);
    if (this.stats.size < MOST_REMEMBERED && sameBytes(hashed, named)) this.stats.set(hex, named);
  }

  /** True when that object was remembered, whatever became of it. */
  knows(hex: string): boolean {
    return this.stats.has(hex);
  }

  /** True when the object of that name is the file that was hashed, and was not touched since. */
  holds(hex: string, now: BigIntStats): boolean {
    const named = this.stats.get(hex);
    return named !== undefined && sameBytes(named, now) && named.ctimeNs === now.ctimeNs;
  }
}

function sameBytes(left: BigIntStats, right: BigIntStats): boolean {
  return (['dev', 'ino', 'size', 'mtimeNs'] as const).every((field) => left[field] === right[field]);
}
