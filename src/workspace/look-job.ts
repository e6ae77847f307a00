import { lstatSync, readFileSync } from 'node:fs';
import { KIND } from '../objects/tree-format.js';
import { type LocatedBlock, locateBlocks, STAT_FIELDS, sealOf } from './index-layout.js';
import { LookUnits, UNIT_ENTRIES, unitsOf } from './look-units.js';

const NUL = 0;
const NO_THROW = { throwIfNoEntry: false } as const;

/** What a thread looks at beside a walk. */
export interface LookJob {
  /** The index's file, and the hash at its end: another version of it is not what the walk compares with. */
  index: string;
  seal: Uint8Array;
  /** Absolute path of the tracked directory. */
  directory: string;
  /** Memory of LookUnits. */
  shared: SharedArrayBuffer;
}

/**
 * Looks (`lstat`) at the files of an index, the last first, where the walk has not come to yet, and notes which are as
 * recorded. Errors: those of the file system.
 */
export function carryOutLook({ index, seal, directory, shared }: LookJob): void {
  const bytes = readFileSync(index);
  if (!sealOf(bytes).equals(seal)) return;
  const units = new LookUnits(shared);
  let last = units.count;
  for (const block of locateBlocks(bytes).reverse()) {
    last -= unitsOf(block.count);
    lookAtBlock(block, { units, first: last, directory });
  }
}

function lookAtBlock(
  block: LocatedBlock,
  { units, first, directory }: { units: LookUnits; first: number; directory: string },
): void {
  let entries: Entries | undefined;
  for (let number = unitsOf(block.count) - 1; number >= 0; number--) {
    const unit = first + number;
    if (!units.takeAside(unit)) continue;
    entries ??= new Entries(block, directory);
    const from = number * UNIT_ENTRIES;
    const most = Math.min(UNIT_ENTRIES, block.count - from);
    for (let at = 0; at < most; at++) if (entries.isSame(from + at)) units.noteSame(unit, at);
    units.finish(unit);
  }
}

/** The entries of one directory, as an index has them. */
class Entries {
  private readonly stats: Float64Array;
  /** Where each name begins; one more than there are, each a byte beyond the name before. */
  private readonly starts: Int32Array;
  private readonly prefix: string;

  constructor(
    private readonly block: LocatedBlock,
    directory: string,
  ) {
    this.prefix = `${block.path === '' ? directory : `${directory}/${block.path}`}/`;
    this.stats = new Float64Array(block.count * STAT_FIELDS);
    block.stats.copy(Buffer.from(this.stats.buffer));
    this.starts = new Int32Array(block.count + 1);
    for (let at = 1; at <= block.count; at++) {
      const end = block.names.indexOf(NUL, this.starts[at - 1]);
      this.starts[at] = (end < 0 ? block.names.length : end) + 1;
    }
  }

  isSame(at: number): boolean {
    const kind = this.block.kinds[at];
    if (kind !== KIND.file && kind !== KIND.executable) return false;
    const name = this.block.names.toString('utf8', this.starts[at], (this.starts[at + 1] as number) - 1);
    const stat = lstatSync(this.prefix + name, NO_THROW);
    if (!stat?.isFile() || ((stat.mode & 0o100) !== 0) !== (kind === KIND.executable)) return false;
    const { stats } = this;
    const first = at * STAT_FIELDS;
    return (
      stats[first] === stat.size &&
      stats[first + 1] === stat.mtimeMs &&
      stats[first + 2] === stat.ctimeMs &&
      stats[first + 3] === stat.ino
    );
  }
}
