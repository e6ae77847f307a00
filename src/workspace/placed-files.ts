import { lstatSync } from 'node:fs';
import type { Kind } from '../objects/tree-format.js';
import { STAT_FIELDS, type StatFields } from './directory-block.js';
import type { RepositoryPath } from './paths.js';
import type { PendingFiles } from './pending-files.js';
import type { WalkOptions } from './walk.js';

/** What is known of a file that was just written. */
export interface PlacedContent {
  digest: Buffer;
  /** Its stat right afterwards. */
  stat?: StatFields | undefined;
  /** Given with the stat of a file of its own, which is no link to its object. */
  kind?: Kind;
}

/** Reading a file of so many bytes again takes longer than to wait until its stat can be trusted. */
const WORTH_A_WAIT_BYTES = 64 * 1024 * 1024;
/** No longer than that is waited, ms: where the clock counts whole seconds, reading is sooner done. */
const MOST_WAIT_MS = 25;

interface PlacedInDirectory {
  positions: Map<string, number>;
  stats: number[];
  digests: Buffer[];
  kinds: (Kind | undefined)[];
}

/**
 * What a checkout wrote, with the stat each file had right afterwards: so that the walk that follows need not read
 * those files again, unless somebody else wrote to them in between.
 */
export class PlacedFiles {
  private readonly directories = new Map<RepositoryPath, PlacedInDirectory>();
  /** Change time of the large file that was written last, ms. */
  private youngestLarge = Number.NEGATIVE_INFINITY;

  private readonly touched = new Map<RepositoryPath, Set<string>>();

  constructor(private readonly worktree: string) {}

  /** Records a name at which something is about to be written, changed or removed, whatever comes of it. */
  touch(directory: RepositoryPath, name: string): void {
    const names = this.touched.get(directory);
    if (names) names.add(name);
    else this.touched.set(directory, new Set([name]));
  }

  /** True for a name that the checkout did not touch: for a walk that knows what was there before. */
  isSettled(directory: RepositoryPath, name: string): boolean {
    return this.touched.get(directory)?.has(name) !== true;
  }

  /**
   * Records a file that was just written with the content of that digest; its stat is looked up where it is not given.
   * `directory` may be empty for the top.
   */
  add(directory: RepositoryPath, name: string, content: PlacedContent): void {
    const { digest, stat = this.lookUp(directory, name), kind } = content;
    if (!stat) return;
    let placed = this.directories.get(directory);
    if (!placed) {
      placed = { positions: new Map(), stats: [], digests: [], kinds: [] };
      this.directories.set(directory, placed);
    }
    placed.positions.set(name, placed.digests.length);
    placed.stats.push(stat.size, stat.mtimeMs, stat.ctimeMs, stat.ino);
    placed.digests.push(digest);
    placed.kinds.push(kind);
    if (stat.size >= WORTH_A_WAIT_BYTES) this.youngestLarge = Math.max(this.youngestLarge, stat.ctimeMs);
  }

  /**
   * How long to wait, in ms, until no large file that was written is too young to be trusted, where all are that changed
   * from `racyFrom` on: 0 where none is, or waiting takes too long.
   */
  waitFor(racyFrom: number): number {
    const wait = Math.ceil(this.youngestLarge - racyFrom) + 1;
    return wait > 0 && wait <= MOST_WAIT_MS ? wait : 0;
  }

  /**
   * For a walk: fills the entries of files that were written with kind and stat, so that they need no second look: who
   * writes to one later makes its stat another. What changed from `racyFrom` on (ms) is read again next time.
   */
  filler(racyFrom: number): NonNullable<WalkOptions['placed']> {
    return (block, index, directory) => {
      const placed = this.directories.get(directory);
      const at = placed?.positions.get(block.names[index] as string);
      const kind = at === undefined ? undefined : placed?.kinds[at];
      if (!placed || at === undefined || kind === undefined) return false;
      block.kinds[index] = kind;
      block.stats.set(placed.stats.slice(at * STAT_FIELDS, (at + 1) * STAT_FIELDS), index * STAT_FIELDS);
      block.setDigest(index, placed.digests[at] as Buffer);
      if ((placed.stats[at * STAT_FIELDS + 2] as number) >= racyFrom) block.distrust(index);
      return true;
    };
  }

  private lookUp(directory: RepositoryPath, name: string): StatFields | undefined {
    const folder = directory === '' ? this.worktree : `${this.worktree}/${directory}`;
    return lstatSync(`${folder}/${name}`, { throwIfNoEntry: false });
  }

  /** Gives the digests of what was written to the entries of a walk that are still as they were written. */
  resolve(pending: PendingFiles, racyFrom: number): void {
    pending.resolve((block, index, directory) => {
      const placed = this.directories.get(directory);
      const at = placed?.positions.get(block.names[index] as string);
      if (!placed || at === undefined) return false;
      for (let field = 0; field < STAT_FIELDS; field++) {
        if (block.stats[index * STAT_FIELDS + field] !== placed.stats[at * STAT_FIELDS + field]) return false;
      }
      block.setDigest(index, placed.digests[at] as Buffer);
      if ((placed.stats[at * STAT_FIELDS + 2] as number) >= racyFrom) block.distrust(index);
      return true;
    });
  }
}
