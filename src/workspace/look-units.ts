/** Entries of a directory that are looked at in one go: few enough that nobody waits long for the other. */
export const UNIT_ENTRIES = 512;

const FREE = 0;
const OF_THREAD = 1;
const OF_WALK = 2;
const DONE = 3;
/** A thread looks at a unit within milliseconds; one that ended never does. */
const MOST_WAIT_MS = 50;

/** How many units a directory of so many entries has. */
export function unitsOf(entries: number): number {
  return Math.ceil(entries / UNIT_ENTRIES);
}

/**
 * Memory that a walk and the thread beside it share: who looks at which entries of an index, and of which the thread found
 * that their files are as recorded. Units are numbered in the order of the index, directory by directory.
 */
export class LookUnits {
  private readonly states: Int32Array;
  private readonly same: Uint8Array;

  constructor(readonly shared: SharedArrayBuffer) {
    const [count = 0] = new Int32Array(shared, 0, 1);
    this.states = new Int32Array(shared, 4, count);
    this.same = new Uint8Array(shared, 4 + 4 * count);
  }

  static create(count: number): LookUnits {
    const shared = new SharedArrayBuffer(4 + count * (4 + UNIT_ENTRIES));
    new Int32Array(shared, 0, 1)[0] = count;
    return new LookUnits(shared);
  }

  get count(): number {
    return this.states.length;
  }

  /** True for the walk when it must look at the unit itself: nobody did, or does. */
  take(unit: number): boolean {
    return Atomics.compareExchange(this.states, unit, FREE, OF_WALK) === FREE;
  }

  /** As take, for the thread. */
  takeAside(unit: number): boolean {
    return Atomics.compareExchange(this.states, unit, FREE, OF_THREAD) === FREE;
  }

  /** Notes that an entry of a unit that the thread has taken is as recorded. */
  noteSame(unit: number, at: number): void {
    this.same[unit * UNIT_ENTRIES + at] = 1;
  }

  /** Says that the thread is done with a unit. */
  finish(unit: number): void {
    Atomics.store(this.states, unit, DONE);
    Atomics.notify(this.states, unit);
  }

  /** True when the thread is done with a unit; waited for when it is at it. */
  isDone(unit: number): boolean {
    Atomics.wait(this.states, unit, OF_THREAD, MOST_WAIT_MS);
    return Atomics.load(this.states, unit) === DONE;
  }

  /** True for an entry of a unit that is done, and was found as recorded. */
  isSame(unit: number, at: number): boolean {
    return this.same[unit * UNIT_ENTRIES + at] === 1;
  }
}
