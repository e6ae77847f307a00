import type { Stats } from 'node:fs';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { type Phase, type Reporter, silentReporter } from '../core/reporter.js';
import type { EarlyCopies } from '../objects/early-copy.js';
import { Placer } from '../objects/link-modes.js';
import type { TreeEntry } from '../objects/tree-format.js';
import type { PlanOptions } from './checkout-plan.js';
import type { CheckoutReport } from './checkout-sides.js';
import { hashingSink } from './content-sinks.js';
import { nameOf, type RepositoryPath } from './paths.js';
import { PlacedFiles } from './placed-files.js';
import type { Repository } from './repository.js';
import type { Walk } from './walk.js';
import { holdsContent, holdsEntry, setExecutable } from './workspace-files.js';
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

/** What the targets of one checkout share: what is reported, how files are placed, and what was placed. */
export class CheckoutWork {
  readonly report: CheckoutReport = { written: 0, bytes: 0, removed: 0, refused: [], failed: [] };
  readonly phase: Phase;
  readonly placer: Placer;
  readonly placed: PlacedFiles;
  readonly plan: PlanOptions;
  /** When other work of the process had its last turn, ms. */
  private turned = Date.now();

  constructor(
    readonly repository: Repository,
    readonly options: CheckoutOptions,
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
  holds(path: string, stat: Stats, entry: TreeEntry): boolean {
    const { git, hash } = this.repository;
    return git.trustsFileMode() ? holdsEntry(hash, path, stat, entry) : holdsContent(hash, path, stat, entry);
  }

  /** See DirectoryCheckout. Names change while a checkout is at work: nothing that was found out is kept. */
  writtenAs(path: RepositoryPath): string | undefined {
    const written = new WrittenNames(namesOnDisk(this.repository.layout)).otherwise(path);
    const name = written && nameOf(written);
    return name === nameOf(path) ? undefined : name;
  }

  /** Sets or clears the executable bits of a file, where the disk has any. System errors pass. */
  setExecutable(path: string, executable: boolean): void {
    try {
      setExecutable(path, executable);
    } catch (error) {
      // A disk without such bits may refuse what it cannot keep.
      if (this.repository.git.trustsFileMode()) throw error;
    }
  }

  /** To be called at the end, however the checkout ended. */
  end(): void {
    this.phase.end();
  }

  /** See DirectoryCheckout. */
  turn(): Promise<void> | undefined {
    return Date.now() - this.turned < TURN_MS ? undefined : this.takeTurn();
  }

  private async takeTurn(): Promise<void> {
    await nextTurn();
    this.options.signal?.throwIfAborted();
    this.turned = Date.now();
  }

  /** Hashes what a walk has left to be read; `racyFrom` as that of the index. Errors: those of PendingFiles. */
  async read({ pending }: Walk, racyFrom: number): Promise<void> {
    const sink = hashingSink(this.repository.hash, this.options.signal ? { signal: this.options.signal } : {});
    await pending.read(sink, {
      worktree: this.repository.layout.worktree,
      racyFrom,
      ...(this.options.signal && { signal: this.options.signal }),
    });
  }

  /** As read, for a walk behind the checkout: what was placed needs no look. */
  async readPlaced(walk: Walk): Promise<void> {
    const racyFrom = await this.racyFrom();
    this.placed.resolve(walk.pending, racyFrom);
    await this.read(walk, racyFrom);
  }

  /** As that of the index, but waits where a large file would have to be read again by the next command only for its age. */
  async racyFrom(): Promise<number> {
    const { index } = this.repository;
    const racyFrom = index.racyFrom();
    const wait = this.placed.waitFor(racyFrom);
    if (wait === 0) return racyFrom;
    await delay(wait);
    return index.racyFrom();
  }
}
