import { lstatSync } from 'node:fs';
import type { MlvError } from '../core/errors.js';
import type { Reporter } from '../core/reporter.js';
import { digestOf } from '../objects/oid.js';
import { diffTrees, type EntryChange, type TreeLoader } from '../objects/tree-diff.js';
import { KIND, type TreeEntry } from '../objects/tree-format.js';
import { completeTarget } from './absent-entries.js';
import { type ChangeTotals, type PathChange, reportChanges, totalChanges } from './change-report.js';
import { hashingSink } from './content-sinks.js';
import { FileTable } from './file-table.js';
import { loadParts } from './part-store.js';
import { absolutePath, isWithin, nameOf, type RepositoryPath } from './paths.js';
import { isDirectoryTarget, loadTargets, loadTargetsAt, type Target } from './pointers.js';
import type { Repository } from './repository.js';
import { walkTarget } from './scan-target.js';
import { sealTrees } from './seal.js';
import { blockLoader, cacheLoader } from './workspace-trees.js';

/**
 * One side of `mlv diff`. `pointers` are the pointer files of the working tree, `workspace` the files themselves,
 * `empty` is what was there before the first commit.
 */
export type ComparedState =
  | { kind: 'empty' }
  | { kind: 'workspace' }
  | { kind: 'pointers' }
  | { kind: 'index' }
  | { kind: 'revision'; revision: string };

export interface ComparisonOptions {
  /** Only changes at or below these paths; all when empty. */
  paths?: readonly RepositoryPath[];
  reporter?: Reporter;
}

export interface ComparisonResult {
  changes: PathChange[];
  totals: ChangeTotals;
  problems: MlvError[];
}

interface Side {
  entry: TreeEntry;
  load: TreeLoader;
}

type Sides = Map<RepositoryPath, Side>;

/**
 * Everything that differs between two states of the tracked data, file by file, renames across targets included.
 * Errors: `REVISION_UNKNOWN`, `OBJECT_MISSING` when a tree that must be opened is not in the cache.
 */
export async function compareStates(
  repository: Repository,
  before: ComparedState,
  after: ComparedState,
  options: ComparisonOptions = {},
): Promise<ComparisonResult> {
  const problems: MlvError[] = [];
  const left = await sidesOf(repository, before, problems);
  const right = await sidesOf(repository, after, problems);
  const changes = reportChanges(joined(left, right), '').filter((change) => isAskedFor(change, options.paths ?? []));
  return { changes, totals: totalChanges(changes), problems };
}

function isAskedFor(change: PathChange, paths: readonly RepositoryPath[]): boolean {
  if (paths.length === 0) return true;
  return paths.some(
    (path) => isWithin(change.path, path) || (change.from !== undefined && isWithin(change.from, path)),
  );
}

function* joined(left: Sides, right: Sides): Generator<EntryChange> {
  for (const path of [...new Set([...left.keys(), ...right.keys()])].sort()) {
    yield* between(left.get(path), right.get(path), path);
  }
}

function* between(before: Side | undefined, after: Side | undefined, path: RepositoryPath): Generator<EntryChange> {
  const oldTree = before && treeSide(before);
  const newTree = after && treeSide(after);
  const oldFile = oldTree ? undefined : before?.entry;
  const newFile = newTree ? undefined : after?.entry;
  if (oldFile && newFile && sameFile(oldFile, newFile)) return;
  if (oldFile || newFile) yield { path, before: oldFile, after: newFile };
  if (oldTree || newTree) yield* diffTrees(oldTree, newTree, { path, level: 0 });
}

function treeSide(side: Side): { digest: Buffer; load: TreeLoader } | undefined {
  return side.entry.kind === 'tree' ? { digest: side.entry.digest, load: side.load } : undefined;
}

function sameFile(left: TreeEntry, right: TreeEntry): boolean {
  return left.kind === right.kind && left.kind !== 'link' && right.kind !== 'link' && left.digest.equals(right.digest);
}

async function sidesOf(repository: Repository, state: ComparedState, problems: MlvError[]): Promise<Sides> {
  if (state.kind === 'empty') return new Map();
  const loaded =
    state.kind === 'workspace' || state.kind === 'pointers'
      ? await loadTargets(repository)
      : await loadTargetsAt(repository, state);
  problems.push(...loaded.problems);
  if (state.kind === 'workspace') return workspaceSides(repository, loaded.targets);
  const load = cacheLoader(repository.cache);
  return new Map(loaded.targets.map((target) => [target.path, { entry: pointerEntry(target), load }]));
}

function pointerEntry({ path, pointer }: Target): TreeEntry {
  const digest = digestOf(pointer.oid);
  const name = nameOf(path);
  if (pointer.files !== undefined) return { kind: 'tree', name, size: pointer.size, files: pointer.files, digest };
  return { kind: pointer.executable ? 'executable' : 'file', name, size: pointer.size, digest };
}

async function workspaceSides(repository: Repository, targets: readonly Target[]): Promise<Sides> {
  const { layout, index, hash } = repository;
  const sides: Sides = new Map();
  const parts = loadParts(layout);
  const read = { worktree: layout.worktree, racyFrom: 0 };
  const files = new FileTable(index.loadFiles()).look(
    repository,
    targets.filter((target) => !isDirectoryTarget(target)).map(({ path }) => path),
  );
  await files.pending.read(hashingSink(hash), read);
  const load = cacheLoader(repository.cache);
  for (const [at, path] of files.root.names.entries()) {
    const kind = files.root.kindAt(at) === KIND.executable ? 'executable' : 'file';
    sides.set(path, {
      entry: { kind, name: nameOf(path), size: files.root.sizeAt(at), digest: files.root.digestAt(at) },
      load,
    });
  }
  for (const target of targets) {
    if (!isDirectoryTarget(target)) continue;
    if (!lstatSync(absolutePath(layout, target.path), { throwIfNoEntry: false })?.isDirectory()) continue;
    const known = index.load(target.path);
    const walk = walkTarget(repository, target.path, known ? { previous: known.block } : {});
    await walk.pending.read(hashingSink(hash), read);
    sealTrees(walk.root, hash, () => {});
    const { root } = completeTarget(repository, target, { block: walk.root, parts });
    sealTrees(root, hash, () => {});
    const { size, files: count, treeDigest } = root;
    sides.set(target.path, {
      entry: { kind: 'tree', name: nameOf(target.path), size, files: count, digest: treeDigest },
      load: blockLoader(root, load),
    });
  }
  return sides;
}
