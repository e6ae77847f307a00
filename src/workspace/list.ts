import { isMlvError, MlvError } from '../core/errors.js';
import { shellQuote } from '../core/shell-quote.js';
import { digestOf, type Oid } from '../objects/oid.js';
import { entryAt, walkTree } from '../objects/tree-diff.js';
import { decodeTree, type TreeEntry } from '../objects/tree-format.js';
import { nameOf, type RepositoryPath } from './paths.js';
import { isDirectoryTarget, type Selection, selectTargets, type Target } from './pointers.js';
import type { Repository } from './repository.js';
import { cacheLoader } from './workspace-trees.js';

/** One line of `mlv ls` or `mlv du`. */
export interface ListedEntry {
  path: RepositoryPath;
  kind: TreeEntry['kind'];
  /** Bytes, of everything below for a directory. */
  size: number;
  /** Files and links below, for a directory. */
  files?: number;
  oid?: Oid;
  /** Target of a symbolic link. */
  link?: string;
}

/**
 * The tracked targets, or what is in the tracked directories that the paths name; everything below with `recursive`.
 * Errors: `PATH_NOT_TRACKED`, `PATH_NOT_FOUND`, `OBJECT_MISSING` when a directory's tree is not in the cache.
 */
export function* listEntries(
  repository: Repository,
  targets: readonly Target[],
  options: { paths: readonly RepositoryPath[]; recursive: boolean },
): Generator<ListedEntry> {
  const selections = selectTargets(targets, options.paths);
  const opened = new Set(options.paths);
  for (const selection of selections) {
    const named = opened.has(joinPath(selection)) || selection.below !== '';
    yield* listSelection(repository, selection, { open: named || options.recursive, recursive: options.recursive });
  }
}

function* listSelection(
  repository: Repository,
  selection: Selection,
  options: { open: boolean; recursive: boolean },
): Generator<ListedEntry> {
  const path = joinPath(selection);
  const entry = selectedEntry(repository, selection);
  if (entry.kind !== 'tree' || !options.open) {
    yield listed(repository, path, entry);
    return;
  }
  const load = cacheLoader(repository.cache);
  if (options.recursive) {
    for (const { path: at, entry: each } of walkTree(entry.digest, load)) {
      if (each.kind !== 'tree' || each.files === 0) yield listed(repository, `${path}/${at}`, each);
    }
  } else for (const each of decodeTree(load(entry.digest))) yield listed(repository, `${path}/${each.name}`, each);
}

/** The entry that a selection names. Errors: `PATH_NOT_FOUND`, `OBJECT_MISSING`. */
export function selectedEntry(repository: Repository, { target, below }: Selection): TreeEntry {
  const { path, pointer } = target;
  const digest = digestOf(pointer.oid);
  if (!isDirectoryTarget(target)) {
    return { kind: pointer.executable ? 'executable' : 'file', name: nameOf(path), size: pointer.size, digest };
  }
  if (below === '') return { kind: 'tree', name: nameOf(path), size: pointer.size, files: pointer.files ?? 0, digest };
  const entry = entryAt(digest, below, cacheLoader(repository.cache));
  if (entry) return entry;
  throw new MlvError('PATH_NOT_FOUND', `'${path}/${below}' is not in the tracked directory '${path}'`, {
    hint: `mlv ls ${shellQuote(path)} shows what is`,
    data: { path: `${path}/${below}` },
  });
}

/** Sizes of the targets, or of the entries one level below them, without opening what the totals already say. */
export function* diskUsage(
  repository: Repository,
  targets: readonly Target[],
  paths: readonly RepositoryPath[],
): Generator<ListedEntry> {
  for (const selection of selectTargets(targets, paths)) {
    const entry = selectedEntry(repository, selection);
    const path = joinPath(selection);
    if (entry.kind === 'tree' && paths.length > 0) yield* usageBelow(repository, path, entry);
    yield listed(repository, path, entry);
  }
}

function* usageBelow(
  repository: Repository,
  path: RepositoryPath,
  entry: Extract<TreeEntry, { kind: 'tree' }>,
): Generator<ListedEntry> {
  try {
    for (const each of decodeTree(cacheLoader(repository.cache)(entry.digest))) {
      if (each.kind === 'tree') yield listed(repository, `${path}/${each.name}`, each);
    }
  } catch (error) {
    if (!isMlvError(error, 'OBJECT_MISSING')) throw error;
  }
}

function joinPath({ target, below }: Selection): RepositoryPath {
  return below === '' ? target.path : `${target.path}/${below}`;
}

function listed(repository: Repository, path: RepositoryPath, entry: TreeEntry): ListedEntry {
  if (entry.kind === 'link') return { path, kind: entry.kind, size: 0, link: entry.target };
  const result: ListedEntry = { path, kind: entry.kind, size: entry.size, oid: repository.cache.oid(entry.digest) };
  if (entry.kind === 'tree') result.files = entry.files;
  return result;
}
