import { lstatSync, rmdirSync, type Stats, unlinkSync } from 'node:fs';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { fileSystemError, isMlvError, MlvError } from '../core/errors.js';
import { type Phase, type Reporter, silentReporter } from '../core/reporter.js';
import { shellQuote } from '../core/shell-quote.js';
import type { EarlyCopies } from '../objects/early-copy.js';
import { Placer } from '../objects/link-modes.js';
import { isObjectError } from '../objects/object-error.js';
import { digestOf } from '../objects/oid.js';
import { entryAt, type TreeLoader } from '../objects/tree-diff.js';
import type { TreeEntry } from '../objects/tree-format.js';
import { completeBlock } from './absent-entries.js';
import { type CheckoutReport, checkoutTree } from './checkout-directory.js';
import { planStep } from './checkout-plan.js';
import { hashingSink } from './content-sinks.js';
import type { DirectoryBlock } from './directory-block.js';
import { FileBases } from './file-bases.js';
import { FileTable } from './file-table.js';
import { racyFromIfWritable, rememberIfWritable } from './index-if-writable.js';
import { makeLink } from './link-file.js';
import { absolutePath, ensureRealDirectory, nameOf, parentOf, type RepositoryPath } from './paths.js';
import { PlacedFiles } from './placed-files.js';
import { isDirectoryTarget, type Selection, type Target } from './pointers.js';
import type { Repository } from './repository.js';
import { walkTarget } from './scan-target.js';
import { sealTrees } from './seal.js';
import { emptyWalk, type Walk } from './walk.js';
import type { WantedPart } from './wanted-part.js';
import { holdsContent, holdsEntry, isAsSeen, setExecutable, sharesInode } from './workspace-files.js';
import { removeStaleTemporaries, temporaryBeside } from './workspace-temporary.js';
import { cacheLoader } from './workspace-trees.js';
import { namesOnDisk, WrittenNames } from './written-name.js';

/** Long enough that a turn costs nothing, short enough that Ctrl-C and progress do not seem to hang. */
const TURN_MS = 50;

export interface CheckoutOptions {
  /** Overwrite files whose content is in no object. */
  force?: boolean;
  /** Remove files of tracked directories that the pointer does not name; unsaved ones only with `force`. */
  clean?: boolean;
  reporter?: Reporter;
  signal?: AbortSignal;
  /** Copies that a fetch of the same command wrote. */
  copies?: EarlyCopies | undefined;
}

/**
 * Brings the workspace to the pointers. Content that is in no object is kept and listed, objects that are missing or
 * damaged are listed, everything else is done all the same. Errors: `DISK_FULL`, `FILE_SYSTEM`, `POINTER_UNSAFE`.
 */
export async function checkout(
  repository: Repository,
  selections: readonly Selection[],
  options: CheckoutOptions = {},
): Promise<CheckoutReport> {
  const run = new CheckoutRun(repository, options);
  try {
    await run.files(selections.filter(({ target }) => !isDirectoryTarget(target)).map(({ target }) => target));
    for (const selection of selections) if (isDirectoryTarget(selection.target)) await run.directory(selection);
    return run.report;
  } finally {
    run.end();
  }
}

class CheckoutRun {
  readonly report: CheckoutReport = { written: 0, bytes: 0, removed: 0, refused: [], failed: [] };
  private readonly phase: Phase;
  private readonly placer: Placer;
  private readonly placed: PlacedFiles;
  private readonly plan;
  /** True when single files may not be as they were looked at. */
  private touched = false;
  /** Directories of single files, without what killed processes left in them. */
  private readonly swept = new Set<RepositoryPath>();
  /** When other work of the process had its last turn, ms. */
  private turned = Date.now();

  constructor(
    private readonly repository: Repository,
    private readonly options: CheckoutOptions,
  ) {
    const { cache, settings, layout } = repository;
    this.phase = (options.reporter ?? silentReporter).phase('Checking out', { unit: 'files' });
    this.placed = new PlacedFiles(layout.worktree);
    this.placer = new Placer(cache, {
      modes: settings.linkModes,
      verifyLinks: settings.verify,
      onBytes: (bytes) => this.phase.advance({ bytes }),
      copies: options.copies,
      ...(options.signal && { signal: options.signal }),
    });
    this.plan = {
      force: options.force ?? false,
      clean: options.clean ?? false,
      isSaved: (entry: TreeEntry) => this.isSaved(entry),
    };
  }

  /** The object is read, too, unless this process did just that: were it damaged, the file of the workspace would be the last copy of its content. */
  private isSaved(entry: TreeEntry): boolean {
    if (entry.kind !== 'file' && entry.kind !== 'executable') return false;
    const { cache } = this.repository;
    const oid = cache.oid(entry.digest);
    if (cache.isFresh(oid)) return true;
    const stat = cache.stat(oid);
    return stat !== undefined && holdsContent(cache.hash, cache.pathOf(oid), stat, entry);
  }

  /** True when the file or link at the path has the entry's content, and its mode where the disk can tell. */
  private holds(path: string, stat: Stats, entry: TreeEntry): boolean {
    const { git, hash } = this.repository;
    return git.trustsFileMode() ? holdsEntry(hash, path, stat, entry) : holdsContent(hash, path, stat, entry);
  }

  /** Names change while a checkout is at work: nothing that was found out is kept. */
  private writtenAs(path: RepositoryPath): string | undefined {
    const written = new WrittenNames(namesOnDisk(this.repository.layout)).otherwise(path);
    const name = written && nameOf(written);
    return name === nameOf(path) ? undefined : name;
  }

  private setExecutable(path: string, executable: boolean): void {
    try {
      setExecutable(path, executable);
    } catch (error) {
      // A disk without such bits may refuse what it cannot keep.
      if (this.repository.git.trustsFileMode()) throw error;
    }
  }

  end(): void {
    this.phase.end();
  }

  async files(targets: readonly Target[]): Promise<void> {
    if (targets.length === 0) return;
    const { index } = this.repository;
    const table = new FileTable(index.loadFiles());
    const paths = targets.map(({ path }) => path);
    const look = table.look(this.repository, paths);
    await this.read(look, racyFromIfWritable(index));
    for (const target of targets) await this.file(target, look);
    if (!this.touched) {
      if (look.pending.length > 0) {
        table.update(look.root);
        rememberIfWritable(() => index.saveFiles(table.block));
      }
      return rememberIfWritable(() => this.rememberBases(targets, look.root));
    }
    table.update(look.root);
    const after = table.look(this.repository, paths);
    await this.readPlaced(after);
    table.update(after.root);
    index.saveFiles(table.block);
    this.rememberBases(targets, after.root);
  }

  /** Of what was kept or failed it stays known what it came from. */
  private rememberBases(targets: readonly Target[], seen: DirectoryBlock): void {
    const wanted = new Map(targets.map(({ path, pointer }) => [path, digestOf(pointer.oid)]));
    const others = seen.names.filter((path, at) => !wanted.get(path)?.equals(seen.digestAt(at)));
    const placed = new FileTable(seen);
    placed.remove(new Set(others));
    new FileBases(this.repository.index).remember(placed.block);
  }

  private async file({ path, pointer }: Target, look: Walk): Promise<void> {
    const { layout } = this.repository;
    const absolute = absolutePath(layout, path);
    ensureRealDirectory(layout, parentOf(path));
    const name = nameOf(path);
    const at = look.root.find(path);
    const now = at < 0 ? undefined : { ...look.root.entryAt(at), name };
    const target: TreeEntry = {
      kind: pointer.executable ? 'executable' : 'file',
      name,
      size: pointer.size,
      digest: digestOf(pointer.oid),
    };
    const there = lstatSync(absolute, { throwIfNoEntry: false });
    const unseen = there && !look.root.sameVersion(path, there);
    // Another checkout of the same pointers may have been here since the look.
    if (unseen && this.holds(absolute, there, target)) {
      this.touched = true;
      return;
    }
    if (there && !now) this.touched = true;
    if (there && !now) return this.inTheWay(path, there.isDirectory(), () => this.placeFile(path, target));
    const step = planStep({ name, target, base: undefined, workspace: now }, this.plan);
    if (step.do === 'keep') return;
    this.touched = true;
    if (step.do === 'refuse' || (unseen && !this.plan.force)) this.report.refused.push({ path, reason: 'modified' });
    else if (step.do === 'mode' && there && !sharesInode(there))
      this.setExecutable(absolute, pointer.executable ?? false);
    else await this.placeFile(path, target, there);
  }

  /** Something else than a file stands where the file belongs. */
  private async inTheWay(path: RepositoryPath, directory: boolean, place: () => Promise<void>): Promise<void> {
    const absolute = absolutePath(this.repository.layout, path);
    try {
      // An empty directory loses nothing; a full one stays even with --force, which is about files.
      if (directory) rmdirSync(absolute);
      else if (this.plan.force) unlinkSync(absolute);
      else return void this.report.refused.push({ path, reason: 'untracked' });
    } catch {
      return void this.report.refused.push({ path, reason: 'untracked' });
    }
    await place();
  }

  /** `over` is what may be replaced; what was written there since stays. */
  private async placeFile(
    path: RepositoryPath,
    target: Extract<TreeEntry, { digest: Buffer }>,
    over?: Stats,
  ): Promise<void> {
    const { cache, layout } = this.repository;
    const oid = cache.oid(target.digest);
    const absolute = absolutePath(layout, path);
    this.phase.expect({ items: 1, bytes: target.size });
    this.sweepBeside(path);
    try {
      const placed = await this.placer.place({
        oid,
        size: target.size,
        executable: target.kind === 'executable',
        path: absolute,
        temporary: temporaryBeside(absolute),
        mayReplace: () => this.plan.force || isAsSeen(absolute, over) || isAsSeen(absolute, undefined),
      });
      if (!placed) {
        const there = lstatSync(absolute, { throwIfNoEntry: false });
        // What appeared in between may be the very content, from another checkout of the same pointers.
        if (there && this.holds(absolute, there, target)) return;
        return void this.report.refused.push({ path, reason: over ? 'modified' : 'untracked' });
      }
    } catch (error) {
      if (!isObjectError(error)) throw error;
      this.report.failed.push({ path, oid, error });
      return;
    }
    this.placed.add('', path, { digest: target.digest });
    this.report.written++;
    this.report.bytes += target.size;
    this.phase.advance({ items: 1 });
  }

  async directory({ target, below, part }: Selection): Promise<void> {
    const { index, layout, cache } = this.repository;
    const digest = digestOf(target.pointer.oid);
    const loadTarget = cacheLoader(cache);
    if (!this.isAvailable(target, below, loadTarget)) return;
    const known = index.load(target.path);
    const state = this.lookAtDirectory(target.path);
    if (state === 'in the way') return;
    const absent = state === 'absent';
    const before = absent
      ? emptyWalk()
      : walkTarget(this.repository, target.path, {
          ...(known && { previous: known.block }),
          // What mlv left here: another mode of the pointer is a step to take, where the disk does not show it, too.
          ...(known?.base && { recorded: known.base }),
        });
    await this.read(before, racyFromIfWritable(index));
    sealTrees(before.root, this.repository.hash, () => {});
    const base = below === '' ? digest : known?.base;
    if (!absent && this.isAsWanted(before.root, target, part)) {
      const remembered = before.root.unchanged && (base === undefined || known?.base?.equals(base));
      if (!remembered) rememberIfWritable(() => index.save(target.path, { base, block: before.root }));
      return;
    }
    if (!part) this.phase.expect({ items: target.pointer.files ?? 0, bytes: target.pointer.size });
    await checkoutTree(
      {
        worktree: layout.worktree,
        loadTarget,
        loadBase: loadTarget,
        toOid: (each) => cache.oid(each),
        placer: this.placer,
        plan: this.plan,
        report: this.report,
        phase: this.phase,
        holds: (path, stat, entry) => this.holds(path, stat, entry),
        writtenAs: (path) => this.writtenAs(path),
        renamed: new Set(),
        refusesNames: !this.repository.git.trustsFileMode(),
        makeLink: (link, path) => makeLink(this.repository, link, path),
        setExecutable: (path, executable) => this.setExecutable(path, executable),
        onTouch: (directory, name) => this.placed.touch(directory, name),
        onPlaced: (directory, name, content) => this.placed.add(directory, name, content),
        turn: () => this.turn(),
        below,
        ...(part && { part }),
        ...(this.options.signal && { signal: this.options.signal }),
      },
      {
        path: target.path,
        parts: [],
        target: { digest },
        base: known?.base && { digest: known.base },
        workspace: absent ? undefined : before.root,
        absent,
      },
    );
    await this.remember(target, before, base);
  }

  /** Nothing is to be done where the directory is as the tree, but for what is not wanted here. */
  private isAsWanted(block: DirectoryBlock, { pointer }: Target, part: WantedPart | undefined): boolean {
    const digest = digestOf(pointer.oid);
    if (!part || block.treeDigest.equals(digest)) return block.treeDigest.equals(digest);
    const load = cacheLoader(this.repository.cache);
    try {
      const { root } = completeBlock(block, { digest, part, load });
      sealTrees(root, this.repository.hash, () => {});
      return root.treeDigest.equals(digest);
    } catch (error) {
      // The checkout meets the same listing, and says for which path it is missing.
      if (!isObjectError(error)) throw error;
      return false;
    }
  }

  private async remember(target: Target, before: Walk, base: Buffer | undefined): Promise<void> {
    const { index, hash } = this.repository;
    const placed = this.placed.filler(await this.racyFrom());
    const settled = (directory: RepositoryPath, name: string): boolean => this.placed.isSettled(directory, name);
    const after = walkTarget(this.repository, target.path, {
      ...{ previous: before.root, placed, settled, recorded: digestOf(target.pointer.oid) },
    });
    await this.readPlaced(after);
    sealTrees(after.root, hash, () => {});
    index.save(target.path, { base, block: after.root });
  }

  /** A target whose tree is missing is reported as one failure. */
  private isAvailable(target: Target, below: string, load: TreeLoader): boolean {
    try {
      const entry = entryAt(digestOf(target.pointer.oid), below, load);
      if (entry) {
        load(digestOf(target.pointer.oid));
        return true;
      }
    } catch (error) {
      if (!isMlvError(error)) throw error;
      this.report.failed.push({ path: target.path, oid: target.pointer.oid, error });
      return false;
    }
    throw new MlvError('PATH_NOT_FOUND', `'${target.path}/${below}' is not in the tracked directory '${target.path}'`, {
      hint: `mlv ls ${shellQuote(target.path)} shows what is`,
      data: { path: `${target.path}/${below}` },
    });
  }

  private sweepBeside(path: RepositoryPath): void {
    const parent = parentOf(path);
    if (this.swept.has(parent)) return;
    this.swept.add(parent);
    removeStaleTemporaries(absolutePath(this.repository.layout, parent));
  }

  /** Whether a target's directory is there. Its parents are, afterwards, without what killed processes left in them. */
  private lookAtDirectory(path: RepositoryPath): 'there' | 'absent' | 'in the way' {
    const { layout } = this.repository;
    const absolute = absolutePath(layout, path);
    ensureRealDirectory(layout, parentOf(path));
    removeStaleTemporaries(absolutePath(layout, parentOf(path)));
    const stat = lstatSync(absolute, { throwIfNoEntry: false });
    if (stat?.isDirectory()) return 'there';
    if (stat && !this.plan.force) {
      this.report.refused.push({ path, reason: 'untracked' });
      return 'in the way';
    }
    try {
      if (stat) unlinkSync(absolute);
    } catch (error) {
      throw fileSystemError('remove', absolute, error);
    }
    return 'absent';
  }

  private turn(): Promise<void> | undefined {
    return Date.now() - this.turned < TURN_MS ? undefined : this.takeTurn();
  }

  private async takeTurn(): Promise<void> {
    await nextTurn();
    this.options.signal?.throwIfAborted();
    this.turned = Date.now();
  }

  private async read({ pending }: Walk, racyFrom: number): Promise<void> {
    const sink = hashingSink(this.repository.hash, this.options.signal ? { signal: this.options.signal } : {});
    await pending.read(sink, {
      worktree: this.repository.layout.worktree,
      racyFrom,
      ...(this.options.signal && { signal: this.options.signal }),
    });
  }

  private async readPlaced(walk: Walk): Promise<void> {
    const racyFrom = await this.racyFrom();
    this.placed.resolve(walk.pending, racyFrom);
    await this.read(walk, racyFrom);
  }

  /** As that of the index, but waits where a large file would have to be read again by the next command only for its age. */
  private async racyFrom(): Promise<number> {
    const { index } = this.repository;
    const racyFrom = index.racyFrom();
    const wait = this.placed.waitFor(racyFrom);
    if (wait === 0) return racyFrom;
    await delay(wait);
    return index.racyFrom();
  }
}
