import { lstatSync } from 'node:fs';
import { sameFile } from '../objects/link-ingest.js';
import { Placer } from '../objects/link-modes.js';
import { KIND } from '../objects/tree-format.js';
import { type DirectoryBlock, pickStat, STAT_FIELDS } from './directory-block.js';
import type { PendingFiles } from './pending-files.js';
import type { Repository } from './repository.js';
import { temporaryBeside } from './workspace-temporary.js';

/** True when checked-out files share the cache's bytes by hard or symbolic link. */
export function usesLinks(repository: Repository): boolean {
  const [first] = repository.settings.linkModes.filter((mode) => mode !== 'reflink');
  return first === 'hardlink' || first === 'symlink';
}

/**
 * Replaces files that were just stored by links to their objects, so that the bytes are on the disk once. Records the
 * new stats. Errors: `DISK_FULL`, `FILE_SYSTEM`.
 */
export async function relinkFiles(repository: Repository, files: PendingFiles): Promise<void> {
  const { cache, settings, layout } = repository;
  const placer = new Placer(cache, { modes: settings.linkModes, verifyLinks: false });
  const relinked: { block: DirectoryBlock; index: number }[] = [];
  for (let position = 0; position < files.length; position++) {
    const { block, index } = files.entryAt(position);
    if (block.kindAt(index) === KIND.executable || block.sizeAt(index) === 0) continue;
    const path = `${layout.worktree}/${files.pathAt(position)}`;
    const oid = cache.oid(block.digestAt(index));
    const size = block.sizeAt(index);
    const shared = sameFile(path, cache.pathOf(oid));
    // What was written to since it was read is not what the cache holds: it stays, and is seen as changed.
    if (!shared && !isAsRead(block, index, path)) continue;
    const mayReplace = (): boolean => shared || isAsRead(block, index, path);
    if (!shared || settings.linkModes.includes('symlink')) {
      const placed = await placer.place({
        oid,
        size,
        executable: false,
        path,
        temporary: temporaryBeside(path),
        mayReplace,
      });
      if (!placed) continue;
    }
    block.setStat(index, { ...pickStat(lstatSync(path)), size });
    relinked.push({ block, index });
  }
  // A link is as young as its change time says: a write within the clock's resolution of it would not show.
  const racyFrom = relinked.length > 0 ? repository.index.racyFrom() : 0;
  for (const { block, index } of relinked) {
    if ((block.stats[index * STAT_FIELDS + 2] as number) >= racyFrom) block.distrust(index);
  }
}

function isAsRead(block: DirectoryBlock, index: number, path: string): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat !== undefined && block.sameVersion(block.names[index] as string, stat);
}
