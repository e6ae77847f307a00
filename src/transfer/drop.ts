import { join, relative } from 'node:path';
import { isMlvError, MlvError } from '../core/errors.js';
import { inShellQuotes } from '../core/shell-quote.js';
import type { ObjectCache } from '../objects/cache.js';
import type { Oid } from '../objects/oid.js';
import { ReachableObjects } from '../objects/reachable-objects.js';
import { linksInto, objectAt } from '../workspace/cache-links.js';
import { whileAlone } from '../workspace/cache-use.js';
import { markDropped } from '../workspace/dropped.js';
import { forgetParts } from '../workspace/part-store.js';
import { isWithin, type RepositoryPath } from '../workspace/paths.js';
import { POINTER_SUFFIX } from '../workspace/pointer-format.js';
import { isDirectoryTarget, pointerPathOf, readPointerText, type Target } from '../workspace/pointers.js';
import { removeUnchanged, requireUnchanged } from '../workspace/remove-unchanged.js';
import type { Repository } from '../workspace/repository.js';
import type { LiveRoot } from './collection-mark.js';
import { requireWorktrees } from './collection-roots.js';
import type { TransferContext } from './open-transfer.js';
import { PointerRoots } from './pointer-roots.js';
import { type Proofs, proveOnRemotes } from './prove.js';

export interface DropOptions {
  /** The remotes that may prove it, instead of those of the pointers. */
  named?: readonly string[];
  /** Read every byte on the remote, too. */
  deep?: boolean;
  /** Leave the objects in the cache. */
  keepCache?: boolean;
  /** What other repositories need that share the cache. */
  others?: () => Promise<LiveRoot[]>;
  dryRun?: boolean;
}

/** One target that was dropped. */
export interface DroppedTarget {
  path: RepositoryPath;
  oid: Oid;
  /** Bytes of the file, or of all files below. */
  size: number;
  /** The remote that was proved to have it. */
  remote: string;
  /** False for one that was not in the workspace before. */
  workspace: boolean;
}

export interface DropReport {
  dryRun: boolean;
  targets: DroppedTarget[];
  /** What left the cache. */
  cache: { objects: number; bytes: number };
}

/**
 * Takes the bytes of targets out of the workspace and out of the cache, and keeps their pointers: all of them or none.
 * Only what a remote was proved to have goes (see proveOnRemotes), and of the cache only what no other target of any
 * working tree needs. Errors: `UNSAVED_CHANGES` for local changes, `OBJECT_MISSING` where no remote has all of a target,
 * that of the remote where none can be asked, `CACHE_BUSY`, `HISTORY_INCOMPLETE`, `FILE_SYSTEM`.
 */
export async function drop(
  context: TransferContext,
  targets: readonly Target[],
  options: DropOptions = {},
): Promise<DropReport> {
  const { repository, signal } = context;
  const here = await requireUnchanged(repository, targets, signal);
  const proofs = await proveOnRemotes(context, targets.map(rootOf), options);
  requireProof(
    targets.map(({ path, pointer }) => ({ path, oid: pointer.oid })),
    proofs,
  );
  const report: DropReport = {
    dryRun: options.dryRun ?? false,
    targets: targets.map(({ path, pointer }) => ({
      path,
      oid: pointer.oid,
      size: pointer.size,
      remote: proofs.proven.get(pointer.oid) as string,
      workspace: here.has(path),
    })),
    cache: { objects: 0, bytes: 0 },
  };
  if (options.keepCache) {
    if (!report.dryRun) await takeOut(repository, targets, signal);
    return report;
  }
  const work = async (): Promise<void> => {
    const going = await dropped(repository, targets, (await options.others?.()) ?? []);
    if (!report.dryRun) await takeOut(repository, targets, signal);
    for (const { oid, bytes } of going) {
      if (!report.dryRun) repository.cache.remove(oid);
      report.cache.objects++;
      report.cache.bytes += bytes;
    }
  };
  await (report.dryRun ? work() : whileAlone(repository.cache.directory, repository.use, work));
  return report;
}

function rootOf(target: Target) {
  const { path, pointer } = target;
  const { oid, size, remote } = pointer;
  return { oid, size, path, remote, directory: isDirectoryTarget(target) };
}

/** The mark comes last: what was killed before it is brought back by the next checkout, as if nothing had been done. */
async function takeOut(repository: Repository, targets: readonly Target[], signal?: AbortSignal): Promise<void> {
  await removeUnchanged(repository, targets, signal);
  const paths = targets.map(({ path }) => path);
  markDropped(repository.layout, paths);
  // What was wanted of a partial directory is wanted no more: what is not here would pass for deleted.
  forgetParts(repository.layout, paths);
}

/** Error: `OBJECT_MISSING` where something was not proved, or that of the remote where none could be asked. */
export function requireProof(
  wanted: readonly { path: RepositoryPath; oid: Oid }[],
  { proven, findings, errors }: Proofs,
): void {
  const lacking = wanted.filter(({ oid }) => !proven.has(oid));
  const [first] = lacking;
  if (!first) return;
  const [error] = errors;
  if (error && findings.length === 0) throw error;
  const [finding] = findings;
  const reason = finding ? ` (${finding.remote}: ${finding.message})` : '';
  const more = lacking.length > 1 ? ` and ${lacking.length - 1} more` : '';
  throw new MlvError('OBJECT_MISSING', `no remote has all of '${first.path}'${more}: nothing was dropped${reason}`, {
    hint: `send it first: mlv push ${inShellQuotes(first.path)}   (mlv fsck --remote --repair where the remote is damaged)`,
    data: { paths: lacking.map(({ path }) => path), findings: findings.slice(0, 100) },
  });
}

/** Objects of the targets that nothing else needs here; what others are made of comes first, so that these still name it. */
async function dropped(
  repository: Repository,
  targets: readonly Target[],
  others: readonly LiveRoot[],
): Promise<{ oid: Oid; bytes: number }[]> {
  const { cache } = repository;
  const needed = await neededHere(repository, new Set(targets.map(({ path }) => path)), others);
  const below = new ReachableObjects(cache);
  for (const target of targets) below.add(target.pointer.oid, isDirectoryTarget(target));
  const going: { oid: Oid; bytes: number }[] = [];
  for (const hex of [...below.hexes].reverse()) {
    const oid = cache.oid(hex);
    const stat = needed.has(hex) ? undefined : cache.stat(oid);
    if (stat) going.push({ oid, bytes: stat.size });
  }
  return going;
}

/** What the pointers of every working tree need but for some targets of this one, and what links lead to. */
export async function neededHere(
  repository: Repository,
  without: ReadonlySet<RepositoryPath>,
  others: readonly LiveRoot[],
): Promise<Set<string>> {
  const { cache, git, layout } = repository;
  const { files, missing } = await git.worktreeStates(POINTER_SUFFIX);
  requireWorktrees(missing);
  const found = new PointerRoots();
  const left = new Set([...without].map(pointerPathOf));
  for (const { top, path } of files) {
    if (top === layout.worktree && left.has(path)) continue;
    const text = readPointerText({ ...layout, worktree: top }, path);
    if (text !== undefined) found.add(text, path);
  }
  const needed = new ReachableObjects(cache);
  for (const { oid, directory } of [...found.roots.values(), ...others]) addReadable(needed, { oid, directory });
  for (const hex of linkedObjects(cache, await git.worktrees(), (path) => isBelowOne(layout.worktree, path, without)))
    needed.hexes.add(hex);
  return needed.hexes;
}

/** A tree that is damaged names nothing that a checkout could use: what lies below it is on the remote, as was proved. */
function addReadable(needed: ReachableObjects, { oid, directory }: { oid: Oid; directory: boolean }): void {
  try {
    needed.add(oid, directory);
  } catch (error) {
    if (!isMlvError(error, 'OBJECT_CORRUPT') && !isMlvError(error, 'TREE_INVALID')) throw error;
  }
}

/** Digests of the objects that symbolic links of working trees lead to. */
export function linkedObjects(
  cache: ObjectCache,
  tops: readonly string[],
  without: (path: string) => boolean = () => false,
): string[] {
  const objects = join(cache.objectsDirectory, cache.hash.algorithm);
  return tops
    .flatMap((top) => linksInto(top, objects))
    .filter(({ path }) => !without(path))
    .flatMap(({ to }) => objectAt(to, objects) ?? []);
}

function isBelowOne(top: string, path: string, targets: ReadonlySet<RepositoryPath>): boolean {
  const inner = relative(top, path).split('\\').join('/');
  return [...targets].some((target) => isWithin(inner, target));
}
