import { lstatSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { fileSystemError, systemErrorCode } from '../core/errors.js';
import { windowsNameProblem } from '../objects/entry-name.js';
import { SMALL_FILE_BYTES } from '../objects/link-modes.js';
import { isObjectError } from '../objects/object-error.js';
import { KIND, linkStaysInside, type TreeEntry } from '../objects/tree-format.js';
import type { DirectoryCheckout, DirectorySides } from './checkout-sides.js';
import { pickStat, type StatFields } from './directory-block.js';
import { temporaryBeside } from './workspace-temporary.js';

/** A kill costs at most this many bytes of copies; what a directory has beyond comes one by one. */
const MOST_BYTES = 256 * 1024 ** 2;
/** What a file counts for at least. */
const LEAST_BYTES = 4096;

type SmallFile = Extract<TreeEntry, { digest: Buffer; kind: 'file' | 'executable' }>;

/**
 * A directory where nothing stood: its small files and links are written into a folder beside it, under the names that
 * they will have, and the folder gets the directory's name when they are whole. So there is nothing to look for, nothing
 * to rename, and what a killed process left is one folder that the next checkout takes away.
 */
export class NewDirectory {
  /** Names that are in the directory since it has its name. */
  readonly placed = new Set<string>();
  private readonly path: string;
  private readonly folder: string;
  private readonly files: { entry: SmallFile; stat: StatFields; written: boolean }[] = [];
  private readonly links: string[] = [];

  constructor(
    private readonly run: DirectoryCheckout,
    private readonly sides: DirectorySides,
  ) {
    this.path = `${run.worktree}/${sides.path}`;
    this.folder = temporaryBeside(this.path);
  }

  /**
   * Makes the directory with what of the entries is small and whole; the others, and all of them where somebody else was
   * faster with something of the directory's name, are left to the caller. What was whole before an error or an
   * interruption is in the directory, too. Errors: `DISK_FULL`, `FILE_SYSTEM`, the interruption.
   */
  async fill(entries: readonly TreeEntry[]): Promise<void> {
    const small = entries.filter((entry) => this.isSmall(entry));
    if (small.length === 0) return makeDirectory(this.path);
    try {
      mkdirSync(this.folder);
    } catch (error) {
      throw fileSystemError('create the directory', this.path, error);
    }
    try {
      try {
        await this.write(small);
      } finally {
        await this.run.placer.settle();
      }
    } finally {
      this.publish();
    }
  }

  private isSmall(entry: TreeEntry): boolean {
    if (this.run.refusesNames && windowsNameProblem(entry.name)) return false;
    if (entry.kind === 'link') return linkStaysInside(this.sides.parts, entry.target);
    return entry.kind !== 'tree' && entry.size <= SMALL_FILE_BYTES;
  }

  private async write(entries: readonly TreeEntry[]): Promise<void> {
    let left = MOST_BYTES;
    for (const entry of entries) {
      if (entry.kind === 'tree') continue;
      if (entry.kind === 'link') this.link(entry);
      else {
        this.file(entry);
        left -= Math.max(entry.size, LEAST_BYTES);
      }
      if (left <= 0) return;
      const turn = this.run.turn();
      if (turn) await turn;
    }
  }

  /** An object that is missing or damaged is met again, and reported, by whoever looks after what is left. */
  private file(entry: SmallFile): void {
    const { name, kind, size, digest } = entry;
    const oid = this.run.toOid(digest);
    const placement = { oid, size, executable: kind === 'executable', path: `${this.folder}/${name}` };
    try {
      this.run.placer.placeNew(placement, (stat, { written }) => {
        if (!stat) return;
        this.files.push({ entry, stat: pickStat(stat), written });
        this.run.phase.advance({ items: 1 });
      });
    } catch (error) {
      if (!isObjectError(error)) throw error;
    }
  }

  private link({ name, target }: Extract<TreeEntry, { kind: 'link' }>): void {
    try {
      this.run.makeLink(target, `${this.folder}/${name}`);
    } catch (error) {
      // On a file system that takes two names for one, the second is left, as it is without this folder.
      if (systemErrorCode(error) === 'EEXIST') return;
      throw fileSystemError('change', `${this.path}/${name}`, error);
    }
    this.links.push(name);
  }

  /** Renaming never replaces a file, a link or a directory with something in it. */
  private publish(): void {
    try {
      renameSync(this.folder, this.path);
    } catch {
      // Whatever is there now: what can be done beside it is done one by one, and what cannot says so itself.
      rmSync(this.folder, { recursive: true, force: true });
      makeDirectory(this.path);
      return;
    }
    const { report, onPlaced } = this.run;
    for (const { entry, stat, written } of this.files) {
      const { name, digest, kind } = entry;
      onPlaced(this.sides.path, name, { digest, stat, ...(written && { kind: KIND[kind] }) });
      this.placed.add(entry.name);
      report.bytes += entry.size;
    }
    for (const name of this.links) this.placed.add(name);
    report.written += this.files.length + this.links.length;
  }
}

/** Makes a directory, or finds that somebody else did. Error: `FILE_SYSTEM`, also for a link: nothing is written through it. */
export function makeDirectory(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST' && lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
    throw fileSystemError('change', path, error);
  }
}
