import { lstatSync, unlinkSync } from 'node:fs';
import { fileSystemError, isMlvError, MlvError } from '../core/errors.js';
import { shellQuote } from '../core/shell-quote.js';
import { isObjectError } from '../objects/object-error.js';
import { digestOf } from '../objects/oid.js';
import { entryAt, type TreeLoader } from '../objects/tree-diff.js';
import { completeBlock } from './absent-entries.js';
import { checkoutTree } from './checkout-directory.js';
import type { DirectoryCheckout } from './checkout-sides.js';
import type { CheckoutWork } from './checkout-work.js';
import type { DirectoryBlock } from './directory-block.js';
import type { IndexedTarget } from './index-format.js';
import { racyFromIfWritable, rememberIfWritable } from './index-if-writable.js';
import { makeLink } from './link-file.js';
import { absolutePath, ensureRealDirectory, parentOf, type RepositoryPath } from './paths.js';
import type { Selection, Target } from './pointers.js';
import { walkTarget } from './scan-target.js';
import { sealTrees } from './seal.js';
import { emptyWalk, type Walk } from './walk.js';
import type { WantedPart } from './wanted-part.js';
import { removeStaleTemporaries } from './workspace-temporary.js';
import { cacheLoader } from './workspace-trees.js';

/** Brings directories to their pointers, one after the other. */
export class DirectoriesCheckout {
  constructor(private readonly work: CheckoutWork) {}

  /**
   * Brings a directory, or what is selected of it; what is kept or fails is in the report. Errors: `PATH_NOT_FOUND`,
   * `DISK_FULL`, `FILE_SYSTEM`, `POINTER_UNSAFE`.
   */
  async directory(selection: Selection): Promise<void> {
    const { target, below, part } = selection;
    const { index, cache, hash } = this.work.repository;
    const digest = digestOf(target.pointer.oid);
    if (!this.isAvailable(target, below, cacheLoader(cache))) return;
    const known = index.load(target.path);
    const state = this.lookAtDirectory(target.path);
    if (state === 'in the way') return;
    const absent = state === 'absent';
    const before = absent ? emptyWalk() : this.walk(target, known);
    await this.work.read(before, racyFromIfWritable(index));
    sealTrees(before.root, hash, () => {});
    const base = below === '' ? digest : known?.base;
    if (!absent && this.isAsWanted(before.root, target, part)) {
      const remembered = before.root.unchanged && (base === undefined || known?.base?.equals(base));
      if (!remembered) rememberIfWritable(() => index.save(target.path, { base, block: before.root }));
      return;
    }
    if (!part) this.work.phase.expect({ items: target.pointer.files ?? 0, bytes: target.pointer.size });
    await checkoutTree(this.toolsFor(selection), {
      path: target.path,
      parts: [],
      target: { digest },
      base: known?.base && { digest: known.base },
      workspace: absent ? undefined : before.root,
      absent,
    });
    await this.remember(target, before, base);
  }

  private walk({ path }: Target, known: IndexedTarget | undefined): Walk {
    return walkTarget(this.work.repository, path, {
      ...(known && { previous: known.block }),
      // What mlv left here: another mode of the pointer is a step to take, where the disk does not show it, too.
      ...(known?.base && { recorded: known.base }),
    });
  }

  private toolsFor({ below, part }: Selection): DirectoryCheckout {
    const { work } = this;
    const { layout, cache, git } = work.repository;
    const load = cacheLoader(cache);
    return {
      worktree: layout.worktree,
      loadTarget: load,
      loadBase: load,
      toOid: (each) => cache.oid(each),
      placer: work.placer,
      plan: work.plan,
      report: work.report,
      phase: work.phase,
      holds: (path, stat, entry) => work.holds(path, stat, entry),
      writtenAs: (path) => work.writtenAs(path),
      renamed: new Set(),
      refusesNames: !git.trustsFileMode(),
      makeLink: (link, path) => makeLink(work.repository, link, path),
      setExecutable: (path, executable) => work.setExecutable(path, executable),
      onTouch: (directory, name) => work.placed.touch(directory, name),
      onPlaced: (directory, name, content) => work.placed.add(directory, name, content),
      turn: () => work.turn(),
      below,
      ...(part && { part }),
      ...(work.options.signal && { signal: work.options.signal }),
    };
  }

  /** Nothing is to be done where the directory is as the tree, but for what is not wanted here. */
  private isAsWanted(block: DirectoryBlock, { pointer }: Target, part: WantedPart | undefined): boolean {
    const digest = digestOf(pointer.oid);
    if (!part || block.treeDigest.equals(digest)) return block.treeDigest.equals(digest);
    const load = cacheLoader(this.work.repository.cache);
    try {
      const { root } = completeBlock(block, { digest, part, load });
      sealTrees(root, this.work.repository.hash, () => {});
      return root.treeDigest.equals(digest);
    } catch (error) {
      // The checkout meets the same listing, and says for which path it is missing.
      if (!isObjectError(error)) throw error;
      return false;
    }
  }

  private async remember(target: Target, before: Walk, base: Buffer | undefined): Promise<void> {
    const { index, hash } = this.work.repository;
    const placed = this.work.placed.filler(await this.work.racyFrom());
    const settled = (directory: RepositoryPath, name: string): boolean => this.work.placed.isSettled(directory, name);
    const after = walkTarget(this.work.repository, target.path, {
      ...{ previous: before.root, placed, settled, recorded: digestOf(target.pointer.oid) },
    });
    await this.work.readPlaced(after);
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
      this.work.report.failed.push({ path: target.path, oid: target.pointer.oid, error });
      return false;
    }
    throw new MlvError('PATH_NOT_FOUND', `'${target.path}/${below}' is not in the tracked directory '${target.path}'`, {
      hint: `mlv ls ${shellQuote(target.path)} shows what is`,
      data: { path: `${target.path}/${below}` },
    });
  }

  /** Whether a target's directory is there. Its parents are, afterwards, without what killed processes left in them. */
  private lookAtDirectory(path: RepositoryPath): 'there' | 'absent' | 'in the way' {
    const { layout } = this.work.repository;
    const absolute = absolutePath(layout, path);
    ensureRealDirectory(layout, parentOf(path));
    removeStaleTemporaries(absolutePath(layout, parentOf(path)));
    const stat = lstatSync(absolute, { throwIfNoEntry: false });
    if (stat?.isDirectory()) return 'there';
    if (stat && !this.work.plan.force) {
      this.work.report.refused.push({ path, reason: 'untracked' });
      return 'in the way';
    }
    try {
      if (stat) unlinkSync(absolute);
    } catch (error) {
      throw fileSystemError('remove', absolute, error);
    }
    return 'absent';
  }
}
