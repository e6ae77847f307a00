import { isMlvError } from '../core/errors.js';
import { type Reporter, silentReporter } from '../core/reporter.js';
import type { Oid } from '../objects/oid.js';
import { Completeness } from './completeness.js';
import type { RepositoryPath } from './paths.js';
import { pointerContradiction } from './pointer-check.js';
import { isDirectoryTarget, pointerPathOf, type Target } from './pointers.js';
import type { Repository } from './repository.js';

/** An object of the cache whose bytes are not what its name says. */
export interface DamagedObject {
  oid: Oid;
  path: string;
  /** Where it was moved to, with `repair`. */
  movedTo?: string;
}

/** Objects that a pointer needs and the cache lacks. */
export interface IncompleteTarget {
  path: RepositoryPath;
  objects: number;
  bytes: number;
  examples: { path: string; oid: Oid }[];
}

export interface FsckReport {
  /** Objects of the cache that were read, and their bytes. */
  objects: number;
  bytes: number;
  damaged: DamagedObject[];
  /** Pointers that their objects contradict: edited by hand, or damaged. */
  contradicted: { path: RepositoryPath; message: string }[];
  /** Targets of the working tree that the cache does not hold in full; not damage, they may be on a remote. */
  incomplete: IncompleteTarget[];
  /** Bytes of temporary files that killed processes left, and that were removed, with `repair`. */
  freed: number;
}

export interface FsckOptions {
  /** Set damaged objects aside, so that they can be fetched or added again, and remove what killed processes left. */
  repair?: boolean;
  reporter?: Reporter;
  signal?: AbortSignal;
}

/** Reads every object of the cache and compares it with its name, and looks whether the targets are complete. Error: `FILE_SYSTEM`. */
export async function fsckCache(
  repository: Repository,
  targets: readonly Target[],
  options: FsckOptions = {},
): Promise<FsckReport> {
  const { cache } = repository;
  const report: FsckReport = { objects: 0, bytes: 0, damaged: [], contradicted: [], incomplete: [], freed: 0 };
  const phase = (options.reporter ?? silentReporter).phase('Reading the cache', { unit: 'objects' });
  try {
    for (const { oid, size } of cache.list()) {
      options.signal?.throwIfAborted();
      phase.expect({ items: 1, bytes: size });
      report.objects++;
      report.bytes += size;
      const damaged = await check(repository, oid, (bytes) => phase.advance({ bytes }));
      phase.advance({ items: 1 });
      if (!damaged) continue;
      const movedTo = options.repair ? await cache.quarantineDamaged(oid) : undefined;
      // Where nothing was moved, somebody else mended it first.
      if (!options.repair || movedTo !== undefined) report.damaged.push({ ...damaged, ...(movedTo && { movedTo }) });
    }
  } finally {
    phase.end();
  }
  if (options.repair) report.freed = cache.temporary.removeStale();
  const completeness = new Completeness(cache, `${cache.directory}/complete`);
  // What a damaged object says of a pointer is no evidence against the pointer.
  const damaged = new Set(report.damaged.map(({ oid }) => oid));
  for (const target of targets) {
    const message = damaged.has(target.pointer.oid) ? undefined : pointerContradiction(repository, target);
    if (message) report.contradicted.push({ path: pointerPathOf(target.path), message });
    const missing = completeness.missing(target.pointer.oid, isDirectoryTarget(target), target.pointer.size);
    if (missing.objects > 0) report.incomplete.push({ path: target.path, ...missing });
  }
  return report;
}

async function check(
  repository: Repository,
  oid: Oid,
  onBytes: (bytes: number) => void,
): Promise<DamagedObject | undefined> {
  try {
    await repository.cache.verify(oid, onBytes);
    return undefined;
  } catch (error) {
    if (isMlvError(error, 'OBJECT_MISSING')) return undefined;
    if (!isMlvError(error, 'OBJECT_CORRUPT')) throw error;
    return { oid, path: repository.cache.pathOf(oid) };
  }
}
