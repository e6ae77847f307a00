import { MlvError } from '../core/errors.js';
import type { Amount, Phase, Reporter } from '../core/reporter.js';
import { silentReporter } from '../core/reporter.js';
import { CacheBatch } from '../objects/cache-batch.js';
import { Ingester } from '../objects/link-ingest.js';
import { digestOf } from '../objects/oid.js';
import { KIND } from '../objects/tree-format.js';
import { completeTarget } from './absent-entries.js';
import { addInside } from './add-inside.js';
import { type AddTarget, askGit, checkAddTargets } from './add-targets.js';
import { hashingSink, storingSink } from './content-sinks.js';
import type { DirectoryBlock } from './directory-block.js';
import { FileBases } from './file-bases.js';
import { FileTable } from './file-table.js';
import { ignoreInGit } from './git-ignore-file.js';
import { reopenTrees, rereadLost } from './lost-objects.js';
import { forgetParts, loadParts, type Parts } from './part-store.js';
import { isWithin, nameOf, type RepositoryPath } from './paths.js';
import type { ContentSink } from './pending-files.js';
import { POINTER_SUFFIX, type Pointer, type PointerRun } from './pointer-format.js';
import { writePointers } from './pointer-write.js';
import { isPointerPath, loadTargets, pointerPathOf, type Target } from './pointers.js';
import { refuseBehind, refuseFilesBehind } from './refuse-behind.js';
import { refuseTrees } from './refuse-trees.js';
import { relinkFiles, usesLinks } from './relink.js';
import type { Repository } from './repository.js';
import { walkTarget } from './scan-target.js';
import { sealTrees } from './seal.js';
import { refuseUnseen, refuseUnseenInside } from './unseen-files.js';
import type { Walk, WalkProblem } from './walk.js';

export interface AddOptions {
  /** Stage the pointers and ignore files in Git. */
  stage?: boolean;
  reporter?: Reporter;
  signal?: AbortSignal;
  /**
   * Called when everything is in the cache and before the first pointer is written: what it gives is said in the pointers
   * to be the run that made the targets. An error from it leaves all pointers as they were.
   */
  recordRun?: (targets: readonly AddedTarget[]) => Promise<PointerRun>;
  /** Only store the contents: no pointer and no ignore file is written. */
  storeOnly?: boolean;
  /** Directories that were made anew: what their pointers named before is no part of them, wanted here or not. */
  anew?: readonly RepositoryPath[];
}

/** What became of one target. */
export interface AddedTarget {
  path: RepositoryPath;
  pointer: Pointer;
  /** `added` is new, `updated` has new content, `unchanged` had this content already. */
  state: 'added' | 'updated' | 'unchanged';
  /** Files and bytes that had to be read. */
  read: Required<Amount>;
}

export interface AddResult {
  targets: AddedTarget[];
  /** Files that a commit should hold: pointers and ignore files. */
  files: RepositoryPath[];
  staged: boolean;
}

/**
 * Takes files and directories into the cache and writes their pointers. One pass over the bytes; what the index knows
 * unchanged is not read. Pointers are written after everything they name is on the disk.
 * Errors: those of checkAddTargets, `FILE_CHANGED_WHILE_READ`, `DISK_FULL`, `FILE_SYSTEM`, `POINTER_INVALID`,
 * `OBJECT_MISSING` and `WORKSPACE_BEHIND` where a new pointer would take back what others did.
 */
export async function add(
  repository: Repository,
  paths: readonly RepositoryPath[],
  options: AddOptions = {},
): Promise<AddResult> {
  const git = askGit(repository, paths);
  // Of paths that can be no targets, more is said below, and before.
  git.catch(() => undefined);
  const known = await loadTargets(repository);
  const problem = known.problems.find(({ data }) => paths.some((path) => isAtOrIn(path, String(data.path))));
  if (problem) throw problem;
  const targets = await checkAddTargets(repository, paths, { known: known.targets, git });
  const run = new AddRun(repository, known.targets, options);
  try {
    return await run.all(targets);
  } finally {
    run.end();
  }
}

/** True for the target of a pointer, and what lies in it. */
function isAtOrIn(path: RepositoryPath, pointer: RepositoryPath): boolean {
  return isPointerPath(pointer) && isWithin(path, pointer.slice(0, -POINTER_SUFFIX.length));
}

class AddRun {
  readonly batch: CacheBatch;
  private readonly phase: Phase;
  private readonly sink: ContentSink;
  private readonly racyFrom: number;
  private readonly before: Map<RepositoryPath, Target>;
  private readonly parts: Parts;
  /**
   * Notes what the workspace came from, once the pointers say so. Before that it came from what it came from until now: a
   * checkout after a kill would take new files for those that a pointer once named, and remove them.
   */
  private readonly remembering: (() => void)[] = [];

  constructor(
    readonly repository: Repository,
    known: readonly Target[],
    private readonly options: AddOptions,
  ) {
    const { cache, hash, settings, index } = repository;
    cache.temporary.removeStale();
    this.before = new Map(known.map((target) => [target.path, target]));
    this.parts = loadParts(repository.layout);
    this.batch = new CacheBatch(cache);
    this.phase = (options.reporter ?? silentReporter).phase('Adding', { unit: 'files' });
    this.racyFrom = index.racyFrom();
    const ingester = new Ingester(cache, this.batch, settings.linkModes);
    const onBytes = (bytes: number): void => this.phase.advance({ bytes });
    this.sink = refuseTrees(
      storingSink(
        { hash, batch: this.batch, ingester },
        { onBytes, ...(options.signal && { signal: options.signal }) },
      ),
    );
  }

  end(): void {
    this.batch.abandon();
    this.phase.end();
  }

  async all(wanted: readonly AddTarget[]): Promise<AddResult> {
    const targets = wanted.filter(({ inside }) => !inside);
    const files = targets.filter((target) => !target.directory).map(({ path }) => path);
    const added = files.length > 0 ? await this.addFiles(files) : [];
    const directories = targets.filter(({ directory }) => directory);
    for (const { path } of directories) {
      added.push(await this.addDirectory(path, { isLast: path === directories.at(-1)?.path }));
    }
    if (this.options.storeOnly) return { targets: added, files: [], staged: false };
    const run = await this.options.recordRun?.(added);
    if (run) for (const { pointer } of added) pointer.run = run;
    const changed = new Set<RepositoryPath>();
    const ignoring = ignoreInGit(
      this.repository,
      added.map(({ path }) => path),
    );
    for (const file of ignoring) changed.add(file);
    for (const { path } of added) changed.add(pointerPathOf(path));
    await writePointers(this.repository.layout, added);
    for (const remember of this.remembering) remember();
    this.forgetFormerParts(added);
    for (const [target, paths] of byDirectory(wanted)) {
      added.push(await this.addInside(target, paths));
      changed.add(pointerPathOf(target.path));
    }
    added.sort((left, right) => (left.path < right.path ? -1 : 1));
    const stage = this.options.stage ?? this.repository.settings.stage;
    if (stage) await this.repository.git.stage([...changed]);
    return { targets: added, files: [...changed].sort(), staged: stage };
  }

  private async addDirectory(path: RepositoryPath, { isLast }: { isLast: boolean }): Promise<AddedTarget> {
    const { index, hash } = this.repository;
    const known = index.load(path);
    const before = this.isAnew(path) ? undefined : this.before.get(path);
    // Both refusals before anything is stored: a checkout may replace what an object has.
    if (before && known?.base && !this.isOfRun) {
      await refuseBehind(this.repository, before, {
        base: known.base,
        look: () => this.look(path, { previous: known.block }),
      });
    }
    const walk = walkTarget(this.repository, path, known ? { previous: known.block } : {});
    refuseProblems(walk.problems);
    if (before) refuseUnseen(this, before, { root: this.completed(path, walk.root), base: known?.base });
    const reread = rereadLost(this, walk, path);
    const read = await this.read(walk);
    reopenTrees(walk.root, { reread, batch: this.batch });
    const { treeDigest, size, files } = this.seal(this.completed(path, walk.root));
    await this.batch.commit();
    if (usesLinks(this.repository)) await relinkFiles(this.repository, walk.pending);
    sealTrees(walk.root, hash, () => {});
    // What was read is not read again when this is killed before the pointers are there; right before them, that is soon.
    if (!isLast || this.options.storeOnly) index.save(path, { base: known?.base, block: walk.root });
    this.remembering.push(() => index.save(path, { base: treeDigest, block: walk.root }));
    return this.added(path, { digest: treeDigest, size, files }, read);
  }

  /** True for what a command wrote, which is recorded as it is, and for what is only kept. */
  private get isOfRun(): boolean {
    return this.options.recordRun !== undefined || this.options.storeOnly === true;
  }

  /** A directory as it is, or those paths of it, sealed, with nothing of it stored. */
  private async look(
    path: RepositoryPath,
    { previous, only }: { previous: DirectoryBlock; only?: readonly string[] },
  ): Promise<DirectoryBlock> {
    const { hash, layout } = this.repository;
    const walk = walkTarget(this.repository, path, { previous, ...(only && { only }) });
    const signal = this.options.signal && { signal: this.options.signal };
    await walk.pending.read(hashingSink(hash, signal), {
      worktree: layout.worktree,
      racyFrom: this.racyFrom,
      ...signal,
    });
    const root = only ? walk.root : this.completed(path, walk.root);
    sealTrees(root, hash, () => {});
    return root;
  }

  /** With what is not here, because it is not wanted here. */
  private completed(path: RepositoryPath, block: DirectoryBlock): DirectoryBlock {
    const target = this.before.get(path);
    if (!target || this.isAnew(path)) return block;
    const { root, problems } = completeTarget(this.repository, target, { block, parts: this.parts });
    refuseProblems(problems);
    return root;
  }

  private isAnew(path: RepositoryPath): boolean {
    return this.options.anew?.includes(path) === true;
  }

  private seal(block: DirectoryBlock): DirectoryBlock {
    sealTrees(block, this.repository.hash, (digest, bytes) => this.batch.addBytes(bytes, digest.toString('hex')));
    return block;
  }

  private async addInside(target: Target, paths: readonly RepositoryPath[]): Promise<AddedTarget> {
    const { index } = this.repository;
    const known = index.load(target.path);
    const only = paths.map((path) => path.slice(target.path.length + 1));
    if (known?.base && !this.isOfRun) {
      const look = (): Promise<DirectoryBlock> => this.look(target.path, { previous: known.block, only });
      await refuseBehind(this.repository, target, { base: known.base, look, only });
    }
    const walk = walkTarget(this.repository, target.path, { ...(known && { previous: known.block }), only });
    refuseProblems(walk.problems);
    const sides = { root: walk.root, base: known?.base };
    for (const below of only) refuseUnseenInside(this, target, { ...sides, below, part: this.parts.get(target.path) });
    const reread = rereadLost(this, walk, target.path);
    const read = await this.read(walk);
    reopenTrees(walk.root, { reread, batch: this.batch });
    const { before, pointer } = await addInside(this.repository, { target, paths: only, root: walk.root }, this.batch);
    if (usesLinks(this.repository)) await relinkFiles(this.repository, walk.pending);
    const state = before.pointer.oid === pointer.oid ? 'unchanged' : 'updated';
    return { path: target.path, pointer, state, read };
  }

  /** A directory that was not tracked until now has nothing that is not here, whatever was tracked there before. */
  private forgetFormerParts(added: readonly AddedTarget[]): void {
    const isFresh = ({ path, state }: AddedTarget): boolean => state === 'added' || this.isAnew(path);
    const fresh = added.filter((each) => isFresh(each) && this.parts.has(each.path));
    if (fresh.length > 0)
      forgetParts(
        this.repository.layout,
        fresh.map(({ path }) => path),
      );
  }

  private async addFiles(paths: readonly RepositoryPath[]): Promise<AddedTarget[]> {
    const { index } = this.repository;
    const table = new FileTable(index.loadFiles());
    const bases = new FileBases(index);
    if (!this.isOfRun) await this.refuseFilesBehind(bases, paths);
    const look = table.look(this.repository, paths);
    rereadLost(this, look, '');
    const reading = new Set(
      Array.from({ length: look.pending.length }, (_, position) => look.pending.pathAt(position)),
    );
    await this.read(look);
    await this.batch.commit();
    if (usesLinks(this.repository)) await relinkFiles(this.repository, look.pending);
    table.update(look.root);
    index.saveFiles(table.block);
    this.remembering.push(() => new FileBases(index).remember(look.root));
    return look.root.names.map((path, at) => {
      const size = look.root.sizeAt(at);
      const executable = look.root.kindAt(at) === KIND.executable;
      return this.added(
        path,
        { digest: look.root.digestAt(at), size, executable },
        reading.has(path) ? { items: 1, bytes: size } : { items: 0, bytes: 0 },
      );
    });
  }

  /** Before anything is stored: a checkout may replace what an object has. */
  private async refuseFilesBehind(bases: FileBases, paths: readonly RepositoryPath[]): Promise<void> {
    const { hash, index, layout } = this.repository;
    const known = paths.flatMap((path) => {
      const target = this.before.get(path);
      const base = bases.of(path);
      return target && base && !base.equals(digestOf(target.pointer.oid)) ? [{ target, base }] : [];
    });
    if (known.length === 0) return;
    const signal = this.options.signal && { signal: this.options.signal };
    const { root, pending } = new FileTable(index.loadFiles()).look(
      this.repository,
      known.map(({ target }) => target.path),
    );
    await pending.read(hashingSink(hash, signal), { worktree: layout.worktree, racyFrom: this.racyFrom, ...signal });
    const files = known.flatMap(({ target, base }) => {
      const at = root.find(target.path);
      return at < 0 ? [] : [{ target, base, now: root.digestAt(at) }];
    });
    await refuseFilesBehind(this.repository, files);
  }

  private async read({ pending }: Walk): Promise<Required<Amount>> {
    const amount = { items: pending.length, bytes: pending.bytes };
    this.phase.expect(amount);
    await pending.read(this.sink, {
      worktree: this.repository.layout.worktree,
      racyFrom: this.racyFrom,
      onFile: (bytes) => this.phase.advance({ items: 1, bytes }),
      ...(this.options.signal && { signal: this.options.signal }),
    });
    return amount;
  }

  private added(
    path: RepositoryPath,
    content: { digest: Buffer; size: number; files?: number; executable?: boolean },
    read: Required<Amount>,
  ): AddedTarget {
    const pointer: Pointer = { path: nameOf(path), oid: this.repository.cache.oid(content.digest), size: content.size };
    if (content.files !== undefined) pointer.files = content.files;
    if (content.executable) pointer.executable = true;
    const before = this.before.get(path)?.pointer;
    const same = before?.oid === pointer.oid && (before.executable ?? false) === (pointer.executable ?? false);
    const state = before === undefined ? 'added' : same ? 'unchanged' : 'updated';
    return { path, pointer, state, read };
  }
}

/** Paths inside tracked directories, by directory. */
function byDirectory(targets: readonly AddTarget[]): Map<Target, RepositoryPath[]> {
  const found = new Map<Target, RepositoryPath[]>();
  for (const { path, inside } of targets) if (inside) found.set(inside, [...(found.get(inside) ?? []), path]);
  return found;
}

function refuseProblems(problems: readonly WalkProblem[]): void {
  const first = problems[0];
  if (!first) return;
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more like it)` : '';
  throw new MlvError('PATH_UNSUPPORTED', `'${first.path}' cannot be tracked: ${first.reason}${more}`, {
    hint: 'rename or remove it, or leave it out with a line in .mlvignore',
    data: { paths: problems.slice(0, 100) },
  });
}
