import { lstatSync, type Stats } from 'node:fs';
import { Placer } from '../objects/link-modes.js';
import type { Oid } from '../objects/oid.js';
import { absolutePath, ensureRealDirectory, parentOf, type RepositoryPath } from '../workspace/paths.js';
import type { Repository } from '../workspace/repository.js';
import { temporaryBeside } from '../workspace/workspace-temporary.js';

/** A file of the working tree that stands for its content only, and what its content is. */
export interface StandIn {
  path: RepositoryPath;
  oid: Oid;
  size: number;
  executable: boolean;
  /** True where the file, whose stat is given, still only stands for the content: then it may be replaced. */
  isStandIn: (absolute: string, stat: Stats) => boolean;
}

/**
 * Puts contents in the place of what only stood for them (links into another tool's cache, pointer files); everything
 * else is left alone. Gives the number of files. Errors: `DISK_FULL`, `FILE_SYSTEM`, `OBJECT_MISSING`.
 */
export async function fillWorkspace(repository: Repository, files: Iterable<StandIn>): Promise<number> {
  const { cache, settings, layout } = repository;
  const placer = new Placer(cache, { modes: settings.linkModes, verifyLinks: settings.verify });
  let count = 0;
  for (const { path, oid, size, executable, isStandIn } of files) {
    const absolute = absolutePath(layout, path);
    const replaceable = (): boolean => {
      const stat = lstatSync(absolute, { throwIfNoEntry: false });
      return stat !== undefined && isStandIn(absolute, stat);
    };
    if (!replaceable()) continue;
    ensureRealDirectory(layout, parentOf(path));
    const temporary = temporaryBeside(absolute);
    const placed = placer.place({ oid, size, executable, path: absolute, temporary, mayReplace: replaceable });
    if (typeof placed === 'boolean' ? placed : await placed) count += 1;
  }
  return count;
}
