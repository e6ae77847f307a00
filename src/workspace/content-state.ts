import { lstatSync } from 'node:fs';
import { KIND } from '../objects/tree-format.js';
import { completeTarget } from './absent-entries.js';
import { hashingSink } from './content-sinks.js';
import type { DirectoryBlock } from './directory-block.js';
import { FileTable } from './file-table.js';
import { racyFromIfWritable, rememberIfWritable } from './index-if-writable.js';
import { loadParts } from './part-store.js';
import { absolutePath, type RepositoryPath } from './paths.js';
import { parseTarget, pointerPathOf, readPointerText } from './pointers.js';
import type { Repository } from './repository.js';
import { walkTarget } from './scan-target.js';
import { sealTrees } from './seal.js';

/** What a file or directory of the workspace holds at this moment. */
export interface ContentState {
  digest: Buffer;
  /** Bytes of the file, or of all files below. */
  size: number;
  /** Files and links below, for a directory. */
  files?: number;
  executable?: boolean;
}

/**
 * What the paths hold now, tracked or not: the digests that `mlv add` would name. Nothing is stored; what the index knows
 * unchanged is not read, and what was read is remembered there. A path where there is neither a file nor a directory is
 * left out. Errors: `FILE_SYSTEM`, `FILE_CHANGED_WHILE_READ`, `OBJECT_MISSING` of a partial directory's listing.
 */
export async function contentStates(
  repository: Repository,
  paths: readonly RepositoryPath[],
  signal?: AbortSignal,
): Promise<Map<RepositoryPath, ContentState>> {
  const states = new Map<RepositoryPath, ContentState>();
  const reading = { racyFrom: racyFromIfWritable(repository.index), ...(signal && { signal }) };
  const files: RepositoryPath[] = [];
  for (const path of paths) {
    const stat = lstatSync(absolutePath(repository.layout, path), { throwIfNoEntry: false });
    if (stat?.isDirectory()) states.set(path, await directoryState(repository, path, reading));
    else if (stat) files.push(path);
  }
  for (const [path, state] of await fileStates(repository, files, reading)) states.set(path, state);
  return states;
}

interface Reading {
  racyFrom: number;
  signal?: AbortSignal;
}

async function directoryState(repository: Repository, path: RepositoryPath, reading: Reading): Promise<ContentState> {
  const { index, hash, layout } = repository;
  const known = index.load(path);
  const walk = walkTarget(repository, path, known ? { previous: known.block } : {});
  await walk.pending.read(hashingSink(hash, reading.signal && { signal: reading.signal }), {
    worktree: layout.worktree,
    ...reading,
  });
  sealTrees(walk.root, hash, () => {});
  const root = completed(repository, path, walk.root);
  if (known && !walk.root.unchanged) rememberIfWritable(() => index.save(path, { base: known.base, block: walk.root }));
  const { treeDigest, size, files } = root;
  return { digest: treeDigest, size, files };
}

/** With what is not here of a directory of which only a part is wanted: what `mlv add` would name. */
function completed(repository: Repository, path: RepositoryPath, block: DirectoryBlock): DirectoryBlock {
  const parts = loadParts(repository.layout);
  const file = pointerPathOf(path);
  const text = parts.has(path) ? readPointerText(repository.layout, file) : undefined;
  if (text === undefined) return block;
  const { root } = completeTarget(repository, parseTarget(file, text), { block, parts });
  sealTrees(root, repository.hash, () => {});
  return root;
}

async function fileStates(
  repository: Repository,
  paths: readonly RepositoryPath[],
  reading: Reading,
): Promise<[RepositoryPath, ContentState][]> {
  if (paths.length === 0) return [];
  const { index, hash, layout } = repository;
  const table = new FileTable(index.loadFiles());
  const look = table.look(repository, paths);
  await look.pending.read(hashingSink(hash, reading.signal && { signal: reading.signal }), {
    worktree: layout.worktree,
    ...reading,
  });
  if (look.pending.length > 0) {
    table.update(look.root);
    rememberIfWritable(() => index.saveFiles(table.block));
  }
  return look.root.names.map((path, at) => {
    const executable = look.root.kindAt(at) === KIND.executable;
    const state = { digest: look.root.digestAt(at), size: look.root.sizeAt(at) };
    return [path, executable ? { ...state, executable } : state];
  });
}
