import { lstatSync, renameSync, rmSync, type Stats, unlinkSync } from 'node:fs';
import { fileSystemError, isMlvError, MlvError } from '../core/errors.js';
import { windowsNameProblem } from '../objects/entry-name.js';
import { isObjectError } from '../objects/object-error.js';
import type { Oid } from '../objects/oid.js';
import type { TreeLoader } from '../objects/tree-diff.js';
import { decodeTree, linkStaysInside, type TreeEntry } from '../objects/tree-format.js';
import { type CheckoutStep, joinSides, planStep, type ThreeWay } from './checkout-plan.js';
import type { DirectoryCheckout, DirectorySides } from './checkout-sides.js';
import type { DirectoryBlock } from './directory-block.js';
import { isWithin, type RepositoryPath } from './paths.js';
import { nameRefused, refusedName } from './refused-name.js';
import { isAsSeen, removeIfEmpty, sharesInode } from './workspace-files.js';
import { temporaryBeside } from './workspace-temporary.js';

type TreeSide = Extract<TreeEntry, { kind: 'tree' }>;

/** The entries of a base's tree; a base that is gone only means that less is known. */
export function entriesOrNone(load: TreeLoader, digest: Buffer): TreeEntry[] {
  try {
    return decodeTree(load(digest));
  } catch (error) {
    if (isMlvError(error)) return [];
    throw error;
  }
}

/** Looks after a directory that is one of the names: who calls this module gives it, because each needs the other. */
export type VisitDirectory = (run: DirectoryCheckout, sides: DirectorySides) => Promise<void>;

/** Carries out what was planned for one name of a directory, having looked once more at what stands there. */
export class EntryCheckout {
  private readonly three: ThreeWay;
  private readonly visitDirectory: VisitDirectory;
  private readonly path: RepositoryPath;
  private readonly absolute: string;
  /** What stands there and may be replaced. */
  private seen: Stats | undefined;

  constructor(
    private readonly run: DirectoryCheckout,
    private readonly sides: DirectorySides,
    { three, visit }: { three: ThreeWay; visit: VisitDirectory },
  ) {
    this.three = three;
    this.visitDirectory = visit;
    this.path = `${sides.path}/${three.name}`;
    this.absolute = `${run.worktree}/${this.path}`;
  }

  /** Done on return, or when the promise is. Errors: those of checkoutTree. */
  carryOut(planned: CheckoutStep): undefined | Promise<void> {
    if (!this.three.target && this.run.renamed.has(this.path)) return undefined;
    const step = this.recheck(planned);
    if (step.do === 'mode' || step.do === 'remove' || step.do === 'place') {
      this.run.onTouch(this.sides.path, this.three.name);
    }
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
    const written = stat && this.run.writtenAs(this.path);
    if (written !== undefined) return this.recheckWritten(written);
    if (!stat || (stat.isDirectory() ? this.three.target?.kind === 'tree' : this.run.plan.force)) return step;
    if (this.isTarget(stat)) return { do: 'keep', name: step.name };
    return { do: 'refuse', name: step.name, reason: 'untracked' };
  }

  /**
   * The file system takes the name for another one that is there: of this directory, too, or the former of a file that was
   * renamed. That one gets the new name, and is then what stands there.
   */
  private recheckWritten(written: string): CheckoutStep {
    const { name, target } = this.three;
    const { path, target: directory, workspace } = this.sides;
    if (decodeTree(this.run.loadTarget(directory.digest)).some((entry) => entry.name === written)) {
      const reason = `this file system takes its name and '${written}' for one`;
      this.failed(this.run.toOid(directory.digest), nameRefused(this.path, reason));
      return { do: 'leave', name };
    }
    const former = `${this.run.worktree}/${path}/${written}`;
    // Some file systems make up an inode for every writing of a name.
    const before = lstatSync(former);
    const at = workspace?.find(written) ?? -1;
    const entry = at < 0 ? undefined : workspace?.entryAt(at);
    const isSafe =
      this.run.plan.force ||
      (entry !== undefined && workspace?.sameVersion(written, before) === true && this.run.plan.isSaved(entry));
    this.guard(() => renameSync(former, this.absolute));
    this.run.renamed.add(`${path}/${written}`);
    const stat = lstatSync(this.absolute);
    if (this.isTarget(stat)) return { do: 'keep', name };
    if (stat.isDirectory() && target?.kind === 'tree') return { do: 'place', name, over: 'nothing' };
    if (stat.isDirectory() || !isSafe) return { do: 'refuse', name, reason: 'modified' };
    this.seen = stat;
    return { do: 'place', name, over: 'file' };
  }

  /** A file that shares its inode with the cache is replaced: its mode is that of every other name of it, too. */
  private setMode(): undefined | Promise<void> {
    const target = this.three.target as TreeEntry;
    if (sharesInode(lstatSync(this.absolute))) return this.put(target);
    return this.guard(() => this.run.setExecutable(this.absolute, target.kind === 'executable'));
  }

  private get childBlock(): DirectoryBlock | undefined {
    return this.sides.workspace?.childNamed(this.three.name);
  }

  private async enter(): Promise<void> {
    const { target, base, workspace } = this.three;
    if ((target as TreeSide).digest.equals((workspace as TreeSide).digest)) return;
    const former = base?.kind === 'tree' ? base : undefined;
    await this.visit({ target: target as TreeSide, base: former, workspace: this.childBlock });
  }

  private visit(sides: Pick<DirectorySides, 'target' | 'base' | 'workspace' | 'absent'>): Promise<void> {
    const parts = [...this.sides.parts, this.three.name];
    return this.visitDirectory(this.run, { path: this.path, parts, ...sides });
  }

  private place(over: 'nothing' | 'file' | 'directory'): undefined | Promise<void> {
    const target = this.three.target as TreeEntry;
    const problem = process.platform === 'win32' ? windowsNameProblem(this.three.name) : undefined;
    if (problem) return void this.failed(this.run.toOid(this.sides.target.digest), nameRefused(this.path, problem));
    if (over === 'directory')
      return this.removeDirectory().then(() => (this.isGone() ? this.put(target) : this.refuseKept()));
    if (over === 'file' && target.kind === 'tree') this.guard(() => rmSync(this.absolute, { force: true }));
    return this.put(target);
  }

  private put(target: TreeEntry): undefined | Promise<void> {
    if (target.kind === 'tree') {
      const absent = this.isFree();
      return this.visit({ target, base: undefined, workspace: undefined, absent });
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
      this.run.onPlaced(this.sides.path, this.three.name, { digest: target.digest });
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
    const refused = isObjectError(error) ? error : refusedName(this.path, this.absolute, error);
    if (!refused) throw error;
    this.run.report.failed.push({ path: this.path, oid, error: refused });
  }

  /** True where nothing stands in the way of a directory, false where there is one. */
  private isFree(): boolean {
    const stat = lstatSync(this.absolute, { throwIfNoEntry: false });
    if (stat?.isDirectory()) return false;
    if (stat && this.run.plan.force) this.guard(() => unlinkSync(this.absolute));
    return true;
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
      this.run.makeLink(target, temporary);
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
      await new EntryCheckout(this.run, sides, { three, visit: this.visitDirectory }).carryOut(
        planStep(three, this.run.plan),
      );
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

  private guard(action: () => void): undefined {
    try {
      action();
    } catch (error) {
      throw fileSystemError('change', this.absolute, error);
    }
    return undefined;
  }
}
