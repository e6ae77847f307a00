import { lstatSync } from 'node:fs';
import { STAT_FIELDS, type StatFields } from './directory-block.js';
import type { RepositoryPath } from './paths.js';
import type { PendingFiles } from './pending-files.js';

interface PlacedInDirectory {
  positions: Map<string, number>;
  stats: number[];
  digests: Buffer[];
}

/**
 * What a checkout wrote, with the stat each file had right afterwards: so that the walk that follows need not read
 * those files again, unless somebody else wrote to them in between.
 */
export class PlacedFiles {
  private readonly directories = new Map<RepositoryPath, PlacedInDirectory>();

  constructor(private readonly worktree: string) {}

  /**
   * Records a file that was just written with the content of that digest; its stat is looked up where it is not given.
   * `directory` may be empty for the top.
   */
  add(directory: RepositoryPath, name: string, content: { digest: Buffer; stat?: StatFields | undefined }): void {
    const { digest, stat = this.lookUp(directory, name) } = content;
    if (!stat) return;
    let placed = this.directories.get(directory);
    if (!placed) {
      placed = { positions: new Map(), stats: [], digests: [] };
      this.directories.set(directory, placed);
    }
    placed.positions.set(name, placed.digests.length);
    placed.stats.push(stat.size, stat.mtimeMs, stat.ctimeMs, stat.ino);
    placed.digests.push(digest);
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
