import { lstatSync, mkdirSync, renameSync, rmSync, type Stats, symlinkSync, unlinkSync } from 'node:fs';
import { fileSystemError, isMlvError, MlvError, systemErrorCode } from '../core/errors.js';
import type { Phase } from '../core/reporter.js';
import { windowsNameProblem } from '../objects/entry-name.js';
import type { Placer } from '../objects/link-modes.js';
import { isObjectError } from '../objects/object-error.js';
import type { Oid } from '../objects/oid.js';
import type { TreeLoader } from '../objects/tree-diff.js';
import { checkTreeLevel, decodeTree, linkStaysInside, type TreeEntry } from '../objects/tree-format.js';
import { type CheckoutStep, joinSides, type PlanOptions, planStep, type ThreeWay } from './checkout-plan.js';
import type { DirectoryBlock } from './directory-block.js';
import { isWithin, type RepositoryPath } from './paths.js';
import { holdsWanted, type WantedPart } from './wanted-part.js';
import { isAsSeen, removeIfEmpty, setExecutable, sharesInode } from './workspace-files.js';
import { removeStaleTemporaries, temporaryBeside } from './workspace-temporary.js';

/** What a checkout did, and what it left for a reason. */
export interface CheckoutReport {
  /** Files and links written, and their bytes. */
  written: number;
  bytes: number;
  removed: number;
  /** Files with unsaved content that stand in the way, and were kept. */
  refused: { path: RepositoryPath; reason: 'modified' | 'untracked' }[];
  /** Objects that could not be placed, missing or damaged, with the path each was for. */
  failed: { path: RepositoryPath; oid: Oid; error: MlvError }[];
}

export interface DirectoryCheckout {
  /** Absolute path of the repository's top. */
  worktree: string;
  /** Trees of the target and of the base; a tree that is missing throws `OBJECT_MISSING`. */
  loadTarget: TreeLoader;
  loadBase: TreeLoader;
  toOid: (digest: Buffer) => Oid;
  placer: Placer;
  plan: PlanOptions;
  report: CheckoutReport;
  phase: Phase;
  /** True when the file or link at the path has the entry's content and mode: looked up, not remembered. */
  holds: (path: string, stat: Stats, entry: TreeEntry) => boolean;
  /** Told of every file that was written, by its directory, name and content. */
  onPlaced: (directory: RepositoryPath, name: string, digest: Buffer) => void;
  signal?: AbortSignal;
  /** Below these paths (relative to the tracked directory) only; empty for all. */
  below: string;
  /** What is not here comes only where it is in this part; everything when absent. */
  part?: WantedPart;
}

type TreeSide = Extract<TreeEntry, { kind: 'tree' }>;

/** Where one directory stands on the three sides. */
export interface DirectorySides {
  /** Repository path of the directory. */
  path: RepositoryPath;
  /** Components below the tracked directory. */
  parts: readonly string[];
  target: { digest: Buffer };
  base: { digest: Buffer } | undefined;
  /** The directory as the walk saw it. */
  workspace: DirectoryBlock | undefined;
}

/**
 * Brings one directory and all below it to the target. The directory itself exists. Never writes through a link and
 * never replaces content that is in no object unless the plan's `force` says so. Errors that concern one object are
 * collected in the report; others are raised: `DISK_FULL`, `FILE_SYSTEM`.
 */
export async function checkoutTree(run: DirectoryCheckout, sides: DirectorySides): Promise<void> {
  try {
    await checkoutDirectory(run, sides);
  } catch (error) {
    if (!isObjectError(error)) throw error;
    run.report.failed.push({ path: sides.path, oid: run.toOid(sides.target.digest), error });
  }
}

async function checkoutDirectory(run: DirectoryCheckout, sides: DirectorySides): Promise<void> {
  run.signal?.throwIfAborted();
  checkTreeLevel(sides.parts.length);
  const wanted = decodeTree(run.loadTarget(sides.target.digest));
  const base = sides.base ? entriesOrNone(run.loadBase, sides.base.digest) : [];
  const workspace = sides.workspace ? sides.workspace.entries() : [];
  if (sides.workspace) removeStaleTemporaries(`${run.worktree}/${sides.path}`);
  const next = run.below.split('/')[sides.parts.length];
  for (const three of joinSides(wanted, base, workspace)) {
    if (run.below !== '' && next !== undefined && three.name !== next) continue;
    if (run.part && !three.workspace && !isWanted(run, sides, three)) continue;
    const entry = new EntryCheckout(run, sides, three);
    const waiting = entry.carryOut(planStep(three, run.plan));
    if (waiting) await waiting;
  }
}

/** True for what the target has and the part wants, or something below it. */
function isWanted(
  { part, loadTarget }: DirectoryCheckout,
  { parts }: DirectorySides,
  { name, target }: ThreeWay,
): boolean {
  if (!part || !target) return true;
  return holdsWanted(target, { part, path: [...parts, name].join('/'), load: loadTarget });
}

/** A base that is gone only means that less is known. */
function entriesOrNone(load: TreeLoader, digest: Buffer): TreeEntry[] {
  try {
    return decodeTree(load(digest));
  } catch (error) {
    if (isMlvError(error)) return [];
    throw error;
  }
}

class EntryCheckout {
  private readonly path: RepositoryPath;
  private readonly absolute: string;
  /** What stands there and may be replaced. */
  private seen: Stats | undefined;

  constructor(
    private readonly run: DirectoryCheckout,
    private readonly sides: DirectorySides,
    private readonly three: ThreeWay,
  ) {
    this.path = `${sides.path}/${three.name}`;
    this.absolute = `${run.worktree}/${this.path}`;
  }

  carryOut(planned: CheckoutStep): undefined | Promise<void> {
    const step = this.recheck(planned);
    switch (step.do) {
      case 'keep':
      case 'leave':
        return undefined;
      case 'enter':
        return this.enter();
      case 'mode':
        return this.setMode();
      case 'refuse':
        this.run.report.refused.push({ path: this.path, reason: step.reason });
        return undefined;
      case 'remove':
        if (step.directory) return this.removeDirectory();
        return this.guard(() => {
          rmSync(this.absolute, { force: true });
          this.run.report.removed++;
        });
      case 'place':
        return this.place(step.over);
    }
  }

  /** What was written to since the walk is not what the plan was made for. */
  private recheck(step: CheckoutStep): CheckoutStep {
    if (step.do === 'place' && step.over === 'nothing') return this.recheckAbsent(step);
    if (this.run.plan.force) return step;
    const replaces = (step.do === 'place' && step.over === 'file') || (step.do === 'remove' && !step.directory);
    if (!(replaces || step.do === 'mode')) return step;
    const stat = lstatSync(this.absolute, { throwIfNoEntry: false });
    if (!stat) return step;
    if (this.isAsWalked(stat)) {
      this.seen = stat;
      return step;
    }
    return this.isTarget(stat)
      ? { do: 'keep', name: step.name }
      : { do: 'refuse', name: step.name, reason: 'modified' };
  }

  /** Placing the same object elsewhere as a hard link moves a file's change time: then its content tells. */
  private isAsWalked(stat: Stats): boolean {
    const { name, workspace } = this.three;
    if (workspace === undefined || workspace.kind === 'tree') return false;
    if (workspace.kind !== 'link' && this.sides.workspace?.sameVersion(name, stat)) return true;
    return (workspace.kind === 'link' || stat.nlink > 1) && this.run.holds(this.absolute, stat, workspace);
  }

  private mayReplace(): boolean {
    return this.run.plan.force || isAsSeen(this.absolute, this.seen) || isAsSeen(this.absolute, undefined);
  }

  /** Another checkout of the same pointers may have been here since the walk. */
  private isTarget(stat: Stats): boolean {
    const { target } = this.three;
    return target !== undefined && target.kind !== 'tree' && this.run.holds(this.absolute, stat, target);
  }

  /** What the walk left out (by an ignore rule, or as neither file nor directory) is the user's all the same. */
  private recheckAbsent(step: CheckoutStep): CheckoutStep {
    const stat = lstatSync(this.absolute, { throwIfNoEntry: false });
    if (!stat || (stat.isDirectory() ? this.three.target?.kind === 'tree' : this.run.plan.force)) return step;
    if (this.isTarget(stat)) return { do: 'keep', name: step.name };
    return { do: 'refuse', name: step.name, reason: 'untracked' };
  }

  /** A file that shares its inode with the cache is replaced: its mode is that of every other name of it, too. */
  private setMode(): undefined | Promise<void> {
    const target = this.three.target as TreeEntry;
    if (sharesInode(lstatSync(this.absolute))) return this.put(target);
    return this.guard(() => setExecutable(this.absolute, target.kind === 'executable'));
  }

  private get childBlock(): DirectoryBlock | undefined {
    return this.sides.workspace?.childNamed(this.three.name);
  }

  private async enter(): Promise<void> {
    const { target, base, workspace } = this.three;
    if ((target as TreeSide).digest.equals((workspace as TreeSide).digest)) return;
    await this.visit(target as TreeSide, base?.kind === 'tree' ? base : undefined, this.childBlock);
  }

  private async visit(
    target: { digest: Buffer },
    base: TreeSide | undefined,
    workspace: DirectoryBlock | undefined,
  ): Promise<void> {
    const parts = [...this.sides.parts, this.three.name];
    await checkoutTree(this.run, { path: this.path, parts, target, base, workspace });
  }

  private place(over: 'nothing' | 'file' | 'directory'): undefined | Promise<void> {
    const target = this.three.target as TreeEntry;
    if (process.platform === 'win32') this.checkWindowsName();
    if (over === 'directory')
      return this.removeDirectory().then(() => (this.isGone() ? this.put(target) : this.refuseKept()));
    if (over === 'file' && target.kind === 'tree') this.guard(() => rmSync(this.absolute, { force: true }));
    return this.put(target);
  }

  private put(target: TreeEntry): undefined | Promise<void> {
    if (target.kind === 'tree') {
      this.guard(() => this.ensureDirectory());
      return this.visit(target, undefined, undefined);
    }
    if (target.kind === 'link') return this.putLink(target.target);
    const oid = this.run.toOid(target.digest);
    const request = {
      oid,
      size: target.size,
      executable: target.kind === 'executable',
      path: this.absolute,
      temporary: temporaryBeside(this.absolute),
      mayReplace: () => this.mayReplace(),
    };
    const done = (placed: boolean): void => {
      if (!placed) {
        const stat = lstatSync(this.absolute, { throwIfNoEntry: false });
        // What appeared in between may be the very content, from another checkout of the same pointers.
        if (stat && this.isTarget(stat)) return;
        this.run.report.refused.push({ path: this.path, reason: this.seen ? 'modified' : 'untracked' });
        return;
      }
      this.run.report.written++;
      this.run.report.bytes += target.size;
      this.run.phase.advance({ items: 1 });
      this.run.onPlaced(this.sides.path, this.three.name, target.digest);
    };
    try {
      const waiting = this.run.placer.place(request);
      if (typeof waiting === 'boolean') return void done(waiting);
      return waiting.then(done, (error: unknown) => this.failed(oid, error));
    } catch (error) {
      return void this.failed(oid, error);
    }
  }

  private failed(oid: Oid, error: unknown): void {
    if (!isObjectError(error)) throw error;
    this.run.report.failed.push({ path: this.path, oid, error });
  }

  private ensureDirectory(): void {
    const stat = lstatSync(this.absolute, { throwIfNoEntry: false });
    if (stat?.isDirectory()) return;
    if (stat && this.run.plan.force) unlinkSync(this.absolute);
    try {
      mkdirSync(this.absolute);
    } catch (error) {
      // A link that appeared meanwhile would lead what is written next out of the directory.
      if (systemErrorCode(error) !== 'EEXIST' || !lstatSync(this.absolute).isDirectory()) throw error;
    }
  }

  private putLink(target: string): undefined {
    if (!linkStaysInside(this.sides.parts, target)) {
      const message = `'${this.path}' is refused: the link to '${target}' leaves the tracked directory`;
      const error = new MlvError('TREE_INVALID', message, { data: { path: this.path } });
      return void this.run.report.failed.push({
        path: this.path,
        oid: this.run.toOid(this.sides.target.digest),
        error,
      });
    }
    return this.guard(() => {
      const temporary = temporaryBeside(this.absolute);
      symlinkSync(target, temporary);
      renameSync(temporary, this.absolute);
      this.run.report.written++;
    });
  }

  /** Removes what is safe to remove in a directory, and the directory when that was all. */
  private async removeDirectory(): Promise<void> {
    const base = this.three.base?.kind === 'tree' ? this.three.base : undefined;
    const workspace = this.childBlock;
    const now = workspace?.entries() ?? [];
    const before = base ? entriesOrNone(this.run.loadBase, base.digest) : [];
    const sides = { ...this.sides, path: this.path, parts: [...this.sides.parts, this.three.name], workspace };
    for (const three of joinSides([], before, now)) {
      await new EntryCheckout(this.run, sides, three).carryOut(planStep(three, this.run.plan));
    }
    if (this.three.target) this.refuseRest(now);
    removeIfEmpty(this.absolute);
  }

  /** A file is to stand where a directory with the user's own files is: those are what stands in the way. */
  private refuseRest(entries: readonly TreeEntry[]): void {
    for (const entry of entries) {
      const path = `${this.path}/${entry.name}`;
      const there = lstatSync(`${this.run.worktree}/${path}`, { throwIfNoEntry: false });
      if (there && !this.isReported(path)) this.run.report.refused.push({ path, reason: 'untracked' });
    }
  }

  private isReported(path: RepositoryPath): boolean {
    return this.run.report.refused.some((each) => isWithin(each.path, path));
  }

  /** What keeps the directory may be nothing that a walk lists: ignored files, sockets. */
  private refuseKept(): undefined {
    if (!this.isReported(this.path)) this.run.report.refused.push({ path: this.path, reason: 'untracked' });
    return undefined;
  }

  private isGone(): boolean {
    return lstatSync(this.absolute, { throwIfNoEntry: false }) === undefined;
  }

  private checkWindowsName(): void {
    const problem = windowsNameProblem(this.three.name);
    if (problem) throw fileSystemError('write', this.absolute, new Error(problem));
  }

  private guard(action: () => void): undefined {
    try {
      action();
    } catch (error) {
      throw fileSystemError('change', this.absolute, error);
    }
    return undefined;
  }
}
