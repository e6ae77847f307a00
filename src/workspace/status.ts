import { lstatSync } from 'node:fs';
import type { MlvError } from '../core/errors.js';
import { type Reporter, silentReporter } from '../core/reporter.js';
import { isObjectError } from '../objects/object-error.js';
import { digestOf } from '../objects/oid.js';
import { diffTrees } from '../objects/tree-diff.js';
import { KIND } from '../objects/tree-format.js';
import { completeTarget } from './absent-entries.js';
import { type BehindCandidate, findBehind, isOnlyBehind } from './behind-candidates.js';
import { type ChangeTotals, type PathChange, reportChanges, totalChanges } from './change-report.js';
import { Completeness, type MissingObjects } from './completeness.js';
import { hashingSink } from './content-sinks.js';
import type { DirectoryBlock } from './directory-block.js';
import { FileBases } from './file-bases.js';
import { FileTable } from './file-table.js';
import { racyFromIfWritable, rememberIfWritable } from './index-if-writable.js';
import { loadParts, type Parts } from './part-store.js';
import { absolutePath, isWithin, type RepositoryPath } from './paths.js';
import { isDirectoryTarget, loadTargets, type Selection, selectTargets, type Target } from './pointers.js';
import type { Repository } from './repository.js';
import { walkTarget } from './scan-target.js';
import { sealTrees } from './seal.js';
import type { Walk, WalkProblem } from './walk.js';
import type { PartText } from './wanted-part.js';
import type { TargetBase } from './workspace-behind.js';
import { blockLoader, cacheLoader } from './workspace-trees.js';

/** How a target stands against its pointer. */
export type TargetState = 'unchanged' | 'modified' | 'behind' | 'deleted' | 'type';

export interface TargetStatus {
  path: RepositoryPath;
  /**
   * `behind` differs only where nobody changed anything here, since the pointer is newer than what is here; `deleted` is not
   * in the workspace (after a clone: not pulled yet); `type` is a file for a directory or the reverse.
   */
  state: TargetState;
  /** Only where it is true: the workspace came from an older version of the pointer, whether or not it was changed since. */
  behind?: true;
  /**
   * Only where it is true: the workspace came from another version than the pointer names, one that is not older (Git went to
   * another branch, or back), and was not changed since. Its state is `modified`.
   */
  otherVersion?: true;
  directory: boolean;
  /** Of a directory: files that its pointer says are in it. */
  files?: number;
  /** What differs, file by file; for a single file one entry. Empty where the pointer's tree is not in the cache. */
  changes: PathChange[];
  totals: ChangeTotals;
  /** True when the tree that the pointer names is not in the cache, so that the changes cannot be listed. */
  detailsMissing: boolean;
  /** Objects of the pointer that the cache lacks. */
  missing: MissingObjects;
  /** Entries that cannot be tracked. */
  problems: WalkProblem[];
  /** Of a directory of which only a part is wanted here: which, and what is not here. Not counted as a change. */
  partial?: PartText & { absent: { files: number; bytes: number } };
}

export interface StatusResult {
  targets: TargetStatus[];
  /** Pointers that could not be read. */
  problems: MlvError[];
}

export interface StatusOptions {
  reporter?: Reporter;
  signal?: AbortSignal;
}

/**
 * Compares the workspace with the pointers, down to single files. Reads only files whose stat says that they changed.
 * Errors: `PATH_NOT_TRACKED`, that of a pointer that is named and broken, `FILE_SYSTEM`, `FILE_CHANGED_WHILE_READ`.
 */
export async function status(
  repository: Repository,
  paths: readonly RepositoryPath[],
  options: StatusOptions = {},
): Promise<StatusResult> {
  const { targets, problems } = await loadTargets(repository);
  const selections = selectTargets(targets, paths, problems);
  const run = new StatusRun(repository, options);
  try {
    const files = selections.filter(({ target }) => !isDirectoryTarget(target)).map(({ target }) => target);
    const results = await run.files(files);
    for (const selection of selections)
      if (isDirectoryTarget(selection.target)) results.push(await run.directory(selection));
    await run.findBehind();
    results.sort((left, right) => (left.path < right.path ? -1 : 1));
    return { targets: results, problems };
  } finally {
    run.end();
  }
}

/** What is known of a directory before it is compared with its pointer. */
type UnjudgedDirectory = Omit<TargetStatus, 'totals' | 'state' | 'changes'>;

interface DirectoryLook {
  block: DirectoryBlock;
  /** Digest of the tree that it came from. */
  base: Buffer | undefined;
  problems: WalkProblem[];
}

class StatusRun {
  private readonly phase;
  private readonly completeness: Completeness;
  private readonly racyFrom: number;
  private readonly parts: Parts;
  private readonly candidates: BehindCandidate[] = [];

  constructor(
    private readonly repository: Repository,
    private readonly options: StatusOptions,
  ) {
    this.parts = loadParts(repository.layout);
    this.phase = (options.reporter ?? silentReporter).phase('Reading changed files', { unit: 'files' });
    this.completeness = new Completeness(repository.cache, `${repository.cache.directory}/complete`);
    this.racyFrom = racyFromIfWritable(repository.index);
  }

  end(): void {
    this.phase.end();
  }

  async files(targets: readonly Target[]): Promise<TargetStatus[]> {
    if (targets.length === 0) return [];
    const table = new FileTable(this.repository.index.loadFiles());
    const look = table.look(
      this.repository,
      targets.map(({ path }) => path),
    );
    await this.read(look);
    if (look.pending.length > 0) {
      table.update(look.root);
      rememberIfWritable(() => this.repository.index.saveFiles(table.block));
    }
    const positions = new Map(look.root.names.map((name, index) => [name, index]));
    const results = targets.map((target) => this.fileStatus(target, look, positions.get(target.path)));
    const changed = results.flatMap((status, at) => (status.state === 'modified' ? [{ status, at }] : []));
    const bases = changed.length > 0 ? new FileBases(this.repository.index) : undefined;
    for (const { status, at } of changed) {
      const target = targets[at] as Target;
      const base = bases?.of(target.path);
      const now = look.root.digestAt(positions.get(target.path) as number);
      if (base?.equals(now)) this.mayBeBehind(status, { target, base, isOnlyOld: () => true });
    }
    return results;
  }

  /** Tells what is only older than its pointer. */
  findBehind(): Promise<void> {
    return findBehind(this.repository, this.candidates);
  }

  private mayBeBehind(status: TargetStatus, { isOnlyOld, ...from }: TargetBase & { isOnlyOld: () => boolean }): void {
    const found = (only: boolean): void => {
      status.behind = true;
      if (only) status.state = 'behind';
    };
    const foundOther = (): void => {
      status.otherVersion = true;
    };
    this.candidates.push({ ...from, isOnlyOld, found, foundOther });
  }

  private fileStatus(target: Target, look: Walk, at: number | undefined): TargetStatus {
    const { path, pointer } = target;
    const missing = this.completeness.missing(pointer.oid, false, pointer.size);
    const result = { path, directory: false, detailsMissing: false, missing, problems: [] };
    const kindBefore = pointer.executable ? ('executable' as const) : ('file' as const);
    const change = { path, before: kindBefore, bytesBefore: pointer.size };
    if (at === undefined) {
      const there = lstatSync(absolutePath(this.repository.layout, path), { throwIfNoEntry: false }) !== undefined;
      const kind = there ? ('type' as const) : ('deleted' as const);
      return finish({ ...result, state: kind, changes: [{ ...change, kind, bytesAfter: 0 }] });
    }
    const after = look.root.kindAt(at) === KIND.executable ? 'executable' : 'file';
    const sameContent = look.root.digestAt(at).equals(digestOf(pointer.oid));
    if (sameContent && after === kindBefore) return finish({ ...result, state: 'unchanged', changes: [] });
    const modified: PathChange = {
      ...change,
      kind: sameContent ? 'mode' : 'modified',
      after,
      bytesAfter: look.root.sizeAt(at),
    };
    return finish({ ...result, state: 'modified', changes: [modified] });
  }

  async directory(selection: Selection): Promise<TargetStatus> {
    const { target } = selection;
    const { path, pointer } = target;
    const part = this.parts.get(path);
    const missing = this.completeness.missing(pointer.oid, true, pointer.size, part);
    const { files = 0 } = pointer;
    const result: UnjudgedDirectory = {
      ...{ path, directory: true, files, detailsMissing: false, missing, problems: [] },
      ...(part && { partial: { ...part.text, absent: { files: 0, bytes: 0 } } }),
    };
    const stat = lstatSync(absolutePath(this.repository.layout, path), { throwIfNoEntry: false });
    if (!stat?.isDirectory()) return finish({ ...result, state: stat ? 'type' : 'deleted', changes: [] });
    const { block, base, problems } = await this.lookAtDirectory(path);
    result.problems = problems;
    if (block.treeDigest.equals(digestOf(pointer.oid))) return finish({ ...result, state: 'unchanged', changes: [] });
    const { isOnlyOld, ...status } = this.compared(selection, { block, base, result });
    const finished = finish(status);
    if (base && finished.state === 'modified') this.mayBeBehind(finished, { target, base, isOnlyOld });
    return finished;
  }

  /** A directory as it is, remembered where it is not as it was. */
  private async lookAtDirectory(path: RepositoryPath): Promise<DirectoryLook> {
    const { index, hash } = this.repository;
    const known = index.load(path);
    const walk = walkTarget(this.repository, path, known ? { previous: known.block } : {});
    await this.read(walk);
    sealTrees(walk.root, hash, () => {});
    if (!walk.root.unchanged) rememberIfWritable(() => index.save(path, { base: known?.base, block: walk.root }));
    return { block: walk.root, base: known?.base, problems: walk.problems };
  }

  /** What differs in a directory that is not as its pointer says, and whether it is only older. */
  private compared(
    { target, below }: Selection,
    { block, base, result }: Pick<DirectoryLook, 'block' | 'base'> & { result: UnjudgedDirectory },
  ): Omit<TargetStatus, 'totals'> & { isOnlyOld: () => boolean } {
    const { path, pointer } = target;
    const { hash, cache } = this.repository;
    const isUntouched = base?.equals(block.treeDigest) === true;
    try {
      const completed = completeTarget(this.repository, target, { block, parts: this.parts });
      sealTrees(completed.root, hash, () => {});
      if (result.partial) result.partial.absent = completed.absent;
      result.problems.push(...completed.problems);
      const load = cacheLoader(cache);
      const before = { digest: digestOf(pointer.oid), load };
      const after = { digest: completed.root.treeDigest, load: blockLoader(completed.root, load) };
      const changes = reportChanges(diffTrees(before, after), `${path}/`).filter((change) =>
        concerns(change, `${path}/${below}`, below),
      );
      const state = changes.length === 0 ? unchanged(below, this.parts.get(path)) : 'modified';
      const trees = base && { base: { digest: base, load }, pointer: before, now: after };
      const isOnlyOld = (): boolean => trees !== undefined && (isUntouched || isOnlyBehind(trees, below));
      return { ...result, state, changes, isOnlyOld };
    } catch (error) {
      if (!isObjectError(error)) throw error;
      return { ...result, state: 'modified', changes: [], detailsMissing: true, isOnlyOld: () => isUntouched };
    }
  }

  private async read({ pending }: Walk): Promise<void> {
    if (pending.length === 0) return;
    this.phase.expect({ items: pending.length, bytes: pending.bytes });
    const sink = hashingSink(this.repository.hash, {
      onBytes: (bytes) => this.phase.advance({ bytes }),
      ...(this.options.signal && { signal: this.options.signal }),
    });
    await pending.read(sink, {
      worktree: this.repository.layout.worktree,
      racyFrom: this.racyFrom,
      onFile: (bytes) => this.phase.advance({ items: 1, bytes }),
      ...(this.options.signal && { signal: this.options.signal }),
    });
  }
}

/** What differs and has no name (an order of entries that no mlv writes) is a change of the whole all the same. */
function unchanged(below: string, part: unknown): TargetState {
  return below !== '' || part !== undefined ? 'unchanged' : 'modified';
}

function concerns(change: PathChange, path: RepositoryPath, below: string): boolean {
  return below === '' || isWithin(change.path, path) || (change.from !== undefined && isWithin(change.from, path));
}

function finish(status: Omit<TargetStatus, 'totals'>): TargetStatus {
  return { ...status, totals: totalChanges(status.changes) };
}

/** True when a target, or anything below it, is not as its pointer says. */
export function differs(status: TargetStatus): boolean {
  return status.state !== 'unchanged';
}
