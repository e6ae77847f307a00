import { lstatSync, rmdirSync, type Stats, unlinkSync } from 'node:fs';
import { isObjectError } from '../objects/object-error.js';
import { digestOf } from '../objects/oid.js';
import type { TreeEntry } from '../objects/tree-format.js';
import { planStep } from './checkout-plan.js';
import type { CheckoutWork } from './checkout-work.js';
import type { DirectoryBlock } from './directory-block.js';
import { FileBases } from './file-bases.js';
import { FileTable } from './file-table.js';
import { racyFromIfWritable, rememberIfWritable } from './index-if-writable.js';
import { absolutePath, ensureRealDirectory, nameOf, parentOf, type RepositoryPath } from './paths.js';
import type { Target } from './pointers.js';
import type { Walk } from './walk.js';
import { isAsSeen, sharesInode } from './workspace-files.js';
import { removeStaleTemporaries, temporaryBeside } from './workspace-temporary.js';

/** Brings single files, the targets that are no directories, to their pointers. */
export class FilesCheckout {
  /** True when single files may not be as they were looked at. */
  private touched = false;
  /** Directories of single files, without what killed processes left in them. */
  private readonly swept = new Set<RepositoryPath>();

  constructor(private readonly work: CheckoutWork) {}

  /** Brings all of them; what is kept or fails is in the report. To be called once. Errors: `DISK_FULL`, `FILE_SYSTEM`, `POINTER_UNSAFE`. */
  async files(targets: readonly Target[]): Promise<void> {
    if (targets.length === 0) return;
    const { index } = this.work.repository;
    const table = new FileTable(index.loadFiles());
    const paths = targets.map(({ path }) => path);
    const look = table.look(this.work.repository, paths);
    await this.work.read(look, racyFromIfWritable(index));
    for (const target of targets) await this.file(target, look);
    if (!this.touched) {
      if (look.pending.length > 0) {
        table.update(look.root);
        rememberIfWritable(() => index.saveFiles(table.block));
      }
      return rememberIfWritable(() => this.rememberBases(targets, look.root));
    }
    table.update(look.root);
    const after = table.look(this.work.repository, paths);
    await this.work.readPlaced(after);
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
    new FileBases(this.work.repository.index).remember(placed.block);
  }

  private async file({ path, pointer }: Target, look: Walk): Promise<void> {
    const { layout } = this.work.repository;
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
    if (unseen && this.work.holds(absolute, there, target)) {
      this.touched = true;
      return;
    }
    if (there && !now) this.touched = true;
    if (there && !now) return this.inTheWay(path, there.isDirectory(), () => this.placeFile(path, target));
    const step = planStep({ name, target, base: undefined, workspace: now }, this.work.plan);
    if (step.do === 'keep') return;
    this.touched = true;
    if (step.do === 'refuse' || (unseen && !this.work.plan.force))
      this.work.report.refused.push({ path, reason: 'modified' });
    else if (step.do === 'mode' && there && !sharesInode(there))
      this.work.setExecutable(absolute, pointer.executable ?? false);
    else await this.placeFile(path, target, there);
  }

  /** Something else than a file stands where the file belongs. */
  private async inTheWay(path: RepositoryPath, directory: boolean, place: () => Promise<void>): Promise<void> {
    const absolute = absolutePath(this.work.repository.layout, path);
    try {
      // An empty directory loses nothing; a full one stays even with --force, which is about files.
      if (directory) rmdirSync(absolute);
      else if (this.work.plan.force) unlinkSync(absolute);
      else return void this.work.report.refused.push({ path, reason: 'untracked' });
    } catch {
      return void this.work.report.refused.push({ path, reason: 'untracked' });
    }
    await place();
  }

  /** `over` is what may be replaced; what was written there since stays. */
  private async placeFile(
    path: RepositoryPath,
    target: Extract<TreeEntry, { digest: Buffer }>,
    over?: Stats,
  ): Promise<void> {
    const { cache, layout } = this.work.repository;
    const oid = cache.oid(target.digest);
    const absolute = absolutePath(layout, path);
    this.work.phase.expect({ items: 1, bytes: target.size });
    this.sweepBeside(path);
    try {
      const placed = await this.work.placer.place({
        oid,
        size: target.size,
        executable: target.kind === 'executable',
        path: absolute,
        temporary: temporaryBeside(absolute),
        mayReplace: () => this.work.plan.force || isAsSeen(absolute, over) || isAsSeen(absolute, undefined),
      });
      if (!placed) {
        const there = lstatSync(absolute, { throwIfNoEntry: false });
        // What appeared in between may be the very content, from another checkout of the same pointers.
        if (there && this.work.holds(absolute, there, target)) return;
        return void this.work.report.refused.push({ path, reason: over ? 'modified' : 'untracked' });
      }
    } catch (error) {
      if (!isObjectError(error)) throw error;
      this.work.report.failed.push({ path, oid, error });
      return;
    }
    this.work.placed.add('', path, { digest: target.digest });
    this.work.report.written++;
    this.work.report.bytes += target.size;
    this.work.phase.advance({ items: 1 });
  }

  private sweepBeside(path: RepositoryPath): void {
    const parent = parentOf(path);
    if (this.swept.has(parent)) return;
    this.swept.add(parent);
    removeStaleTemporaries(absolutePath(this.work.repository.layout, parent));
  }
}
