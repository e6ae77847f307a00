import { digestOf } from '../objects/oid.js';
import type { TreeEntry } from '../objects/tree-format.js';
import { hashingSink } from './content-sinks.js';
import type { DirectoryBlock } from './directory-block.js';
import { absolutePath, type RepositoryPath } from './paths.js';
import type { Target } from './pointers.js';
import { removeSeen } from './remove-content.js';
import type { Repository } from './repository.js';
import { walkTarget } from './scan-target.js';
import { unsavedFiles } from './unsaved-files.js';
import type { Walk } from './walk.js';
import type { WantedPart } from './wanted-part.js';
import { holdsContent, removeIfEmpty } from './workspace-files.js';
import { cacheLoader } from './workspace-trees.js';

/** What left the workspace, and what stayed though it is not wanted. */
export interface NarrowReport {
  removed: { files: number; bytes: number };
  /** Changed, never added, or in no object that is good: it would be lost. */
  kept: RepositoryPath[];
}

/** What a look at a tracked directory found outside of a part. */
export interface UnwantedLook {
  target: Target;
  part: WantedPart;
  walk: Walk;
  kept: RepositoryPath[];
}

/**
 * Looks at what a directory holds outside of a part. `isSaved` says whether a file that is as its pointer says can be had
 * again. Nothing is changed. Errors: `OBJECT_MISSING` of a listing, `FILE_SYSTEM`, `FILE_CHANGED_WHILE_READ`.
 */
export async function lookAtUnwanted(
  repository: Repository,
  { target, part }: { target: Target; part: WantedPart },
  options: { isSaved: (entry: Extract<TreeEntry, { digest: Buffer }>) => boolean; signal?: AbortSignal },
): Promise<UnwantedLook> {
  const { hash, index, layout, cache } = repository;
  const known = index.load(target.path);
  const walk = walkTarget(repository, target.path, known ? { previous: known.block } : {});
  const abort = options.signal ? { signal: options.signal } : {};
  await walk.pending.read(hashingSink(hash, abort), { worktree: layout.worktree, racyFrom: 0, ...abort });
  const below = (path: RepositoryPath): string => path.slice(target.path.length + 1);
  const unsaved = unsavedFiles(
    { path: target.path, block: walk.root, digest: digestOf(target.pointer.oid) },
    {
      load: cacheLoader(cache),
      isSaved: options.isSaved,
      concerns: (path, directory) => part.covers(below(path), directory) !== 'all',
    },
  );
  return { target, part, walk, kept: [...unsaved] };
}

/** True for an entry whose object is in the cache and good: the object is read. */
export function isGoodInCache({ cache }: Repository): (entry: Extract<TreeEntry, { digest: Buffer }>) => boolean {
  return (entry) => {
    const oid = cache.oid(entry.digest);
    const stat = cache.stat(oid);
    return stat !== undefined && holdsContent(cache.hash, cache.pathOf(oid), stat, entry);
  };
}

/** Removes what a look found outside of a part, but for what it found unsaved and what was written to since. */
export function removeUnwanted(repository: Repository, { target, part, walk, kept }: UnwantedLook): NarrowReport {
  const report: NarrowReport = { removed: { files: 0, bytes: 0 }, kept: [...kept] };
  const left = new Set(kept);
  const visit = (block: DirectoryBlock, path: string): void => {
    for (const [at, name] of block.names.entries()) {
      const below = path === '' ? name : `${path}/${name}`;
      const child = block.children.get(at);
      const coverage = part.covers(below, child !== undefined);
      const full = `${target.path}/${below}`;
      if (coverage === 'all' || left.has(full)) continue;
      if (child) {
        visit(child, below);
        if (coverage === 'none' || child.length > 0) removeIfEmpty(absolutePath(repository.layout, full));
        continue;
      }
      const before = report.kept.length;
      removeSeen(repository, { path: full, block, at }, report.kept);
      if (report.kept.length > before) continue;
      report.removed.files++;
      report.removed.bytes += block.sizeAt(at);
    }
  };
  visit(walk.root, '');
  report.kept.sort();
  return report;
}
