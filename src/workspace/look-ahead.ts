import { availableParallelism } from 'node:os';
import { Thread, threadProgram } from '../core/thread.js';
import type { DirectoryBlock } from './directory-block.js';
import type { LookJob } from './look-job.js';
import { LookUnits, UNIT_ENTRIES, unitsOf } from './look-units.js';

/** A thread is there, and has read the index, after the time in which the walk looks at half as many. */
const FROM_FILES = 40_000;

export interface LookAheadOptions {
  /** Starts the thread; false where none can be had. */
  start?: (job: LookJob) => boolean;
  fromFiles?: number;
  cores?: number;
}

/**
 * A thread that looks at files of a large index beside the walk that compares with it: from the last to the first, until
 * they meet. The walk lists every directory itself, and looks at whatever the thread did not find as recorded.
 */
export class LookAhead {
  /** The first unit of each directory. */
  private readonly first = new Map<DirectoryBlock, number>();
  private readonly units: LookUnits;
  private unit = -1;
  private isByThread = false;

  private constructor(root: DirectoryBlock) {
    this.units = LookUnits.create(this.number(root, 0));
  }

  /**
   * Starts the thread for what was read from an index and not compared with before; undefined where there is none, it is
   * small, or no thread can be had. `directory` is the absolute path of the tracked directory.
   */
  static begin(
    root: DirectoryBlock,
    directory: string,
    { start = startThread, fromFiles = FROM_FILES, cores = availableParallelism() }: LookAheadOptions = {},
  ): LookAhead | undefined {
    const { stored } = root;
    // What was read is changed by those who compared with it.
    root.stored = undefined;
    if (!stored || cores < 2 || root.files < fromFiles || process.platform === 'win32') return undefined;
    const ahead = new LookAhead(root);
    const { shared } = ahead.units;
    return start({ index: stored.path, seal: stored.seal, directory, shared }) ? ahead : undefined;
  }

  /** True for a file that the thread found as the index has it; false says nothing of it. */
  isSame(block: DirectoryBlock, at: number): boolean {
    const first = this.first.get(block);
    if (first === undefined) return false;
    const unit = first + Math.floor(at / UNIT_ENTRIES);
    if (unit !== this.unit) {
      this.unit = unit;
      this.isByThread = !this.units.take(unit) && this.units.isDone(unit);
    }
    return this.isByThread && this.units.isSame(unit, at % UNIT_ENTRIES);
  }

  /** Numbers the units in the order of the index, from `next` on; gives the number after the last. */
  private number(block: DirectoryBlock, next: number): number {
    this.first.set(block, next);
    let after = next + unitsOf(block.length);
    for (const child of block.children.values()) after = this.number(child, after);
    return after;
  }
}

function startThread(job: LookJob): boolean {
  const program = threadProgram('look-worker.js');
  return program !== undefined && Thread.start(program, job) !== undefined;
}
