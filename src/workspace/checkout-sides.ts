import type { Stats } from 'node:fs';
import type { MlvError } from '../core/errors.js';
import type { Phase } from '../core/reporter.js';
import type { Placer } from '../objects/link-modes.js';
import type { Oid } from '../objects/oid.js';
import type { TreeLoader } from '../objects/tree-diff.js';
import type { TreeEntry } from '../objects/tree-format.js';
import type { PlanOptions } from './checkout-plan.js';
import type { DirectoryBlock } from './directory-block.js';
import type { RepositoryPath } from './paths.js';
import type { PlacedContent } from './placed-files.js';
import type { WantedPart } from './wanted-part.js';

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
  /** True when the file or link at the path has the entry's content, and its mode where the disk can tell: looked up, not remembered. */
  holds: (path: string, stat: Stats, entry: TreeEntry) => boolean;
  /** Sets or clears the executable bits of a file, where the disk has any. Its errors: the system's. */
  setExecutable: (path: string, executable: boolean) => void;
  /** Makes a link where nothing is, or what stands for one. See makeLink. */
  makeLink: (target: string, path: string) => void;
  /** How a path that is there is written on the disk, its last part: undefined where that is as given. */
  writtenAs: (path: RepositoryPath) => string | undefined;
  /** Paths that got another name because the file system takes both for one. */
  renamed: Set<RepositoryPath>;
  /** True where the disk may refuse names that others take. */
  refusesNames: boolean;
  /** Told of a name of a directory before anything is written, changed or removed there. */
  onTouch: (directory: RepositoryPath, name: string) => void;
  /** Told of every file that was written, by its directory, name and content. */
  onPlaced: (directory: RepositoryPath, name: string, content: PlacedContent) => void;
  /** To be waited for between two files, now and then, so that Ctrl-C and progress get their turn. Its error: the interruption. */
  turn: () => Promise<void> | undefined;
  signal?: AbortSignal;
  /** Below these paths (relative to the tracked directory) only; empty for all. */
  below: string;
  /** What is not here comes only where it is in this part; everything when absent. */
  part?: WantedPart;
}

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
  /** True where nothing is at the path: the checkout makes the directory. */
  absent?: boolean;
}
