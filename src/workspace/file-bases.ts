import type { DirectoryBlock } from './directory-block.js';
import { FileTable } from './file-table.js';
import type { RepositoryPath } from './paths.js';
import type { StatIndex } from './stat-index.js';

/**
 * What mlv left at tracked single files the last time, or took from them: what the workspace came from, as the base of a
 * tracked directory is. Only a hint: it may be lost at any time.
 */
export class FileBases {
  private readonly block: DirectoryBlock;

  constructor(private readonly index: StatIndex) {
    this.block = index.loadBases();
  }

  /** The digest that the file had then; undefined where nothing is known. */
  of(path: RepositoryPath): Buffer | undefined {
    const at = this.block.find(path);
    return at < 0 ? undefined : this.block.digestAt(at);
  }

  /** Takes over what is at the paths of a look now, and writes only what differs. Error: `FILE_SYSTEM`. */
  remember(seen: DirectoryBlock): void {
    const known = seen.names.every((path, at) => this.of(path)?.equals(seen.digestAt(at)) === true);
    if (known) return;
    const table = new FileTable(this.block);
    table.update(seen);
    this.index.saveBases(table.block);
  }
}
