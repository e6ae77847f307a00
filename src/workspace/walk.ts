import { isUtf8 } from 'node:buffer';
import { lstatSync, readdirSync, readlinkSync, type Stats, statSync } from 'node:fs';
import { fileSystemError } from '../core/errors.js';
import { compareNames, sortNames } from '../objects/entry-name.js';
import { KIND, type Kind, linkStaysInside, MAX_TREE_LEVELS } from '../objects/tree-format.js';
import { DirectoryBlock, pickStat, STAT_FIELDS } from './directory-block.js';
import { IGNORE_FILE, type IgnoreRules, isNeverTracked } from './ignore-rules.js';
import { readTarget } from './link-file.js';
import type { LookAhead } from './look-ahead.js';
import { PendingFiles } from './pending-files.js';
import type { DirectoryModes, RecordedModes } from './recorded-modes.js';

/** Something in a tracked directory that cannot be tracked, and why. */
export interface WalkProblem {
  /** Relative to the repository's top; bytes that are not UTF-8 are shown as U+FFFD. */
  path: string;
  reason: string;
}

export interface WalkOptions {
  /** Absolute path of the repository's top. */
  worktree: string;
  /** The tracked directory, relative to it. */
  directory: string;
  /** What the index knows of it. */
  previous?: DirectoryBlock;
  /** Rules in force in the directory, its own file included. */
  rules: IgnoreRules;
  /** Gives the hex digest when a link's absolute target is an object of the cache. */
  objectOfLink: (target: string) => string | undefined;
  /** Inode of a cached object, by hex digest, or undefined where it is not there. */
  inodeOfObject: (hex: string) => number | undefined;
  /** Called with the number of entries looked at, now and then. */
  onEntries?: (count: number) => void;
  /** Looks only at these paths below the directory, and what is below them; the blocks on the way have no other entries. */
  only?: readonly string[];
  /** Fills the entry of a file that this process just wrote, and is not looked at again; false for another. */
  placed?: (block: DirectoryBlock, index: number, directory: string) => boolean;
  /** Who else looks at the files of `previous`. */
  ahead?: Pick<LookAhead, 'isSame'> | undefined;
  /**
   * True for a name that is taken from `previous` without a look, being as it was a moment ago, when `previous` was made.
   * Who writes to it later makes its stat another than the one that is recorded.
   */
  settled?: (directory: string, name: string) => boolean;
  /** Where the bits on the disk do not say which files are executable: what does. See recordedModes. */
  modes?: RecordedModes | undefined;
}

/** A directory of the workspace as it is now: a block a directory, and the files whose content must be read. */
export interface Walk {
  root: DirectoryBlock;
  pending: PendingFiles;
  problems: WalkProblem[];
}

/**
 * Looks at every entry of a tracked directory once (`lstat`, no content) and takes the digests of what did not change
 * from the index. Synchronous: promises would cost more than the calls. Error: `FILE_SYSTEM`.
 */
export function walkDirectory(options: WalkOptions): Walk {
  const walker = new Walker(options);
  const only = options.only && focusOn(options.only);
  const root = walker.visit({ path: options.directory, below: [], rules: options.rules, only }, options.previous);
  return { root, pending: walker.pending, problems: walker.problems };
}

/** What a walk of an empty directory finds. */
export function emptyWalk(): Walk {
  return { root: new DirectoryBlock([]), pending: new PendingFiles(), problems: [] };
}

class Walker {
  readonly pending = new PendingFiles();
  readonly problems: WalkProblem[] = [];

  constructor(private readonly options: WalkOptions) {}

  visit(at: DirectoryVisit, previous: DirectoryBlock | undefined): DirectoryBlock {
    const { path, below, rules, only } = at;
    const absolute = `${this.options.worktree}/${path}`;
    const listing = this.isTooDeep(path, below) ? [] : this.list(path, absolute);
    const inside = below.length > 0 && listing.includes(IGNORE_FILE) ? rules.enter(this.options.worktree, path) : rules;
    const isPlain = inside.empty && !only && !this.options.placed && !this.options.settled;
    const modes = this.options.modes && { recorded: this.options.modes(path) };
    const same = previous && isPlain ? this.countSame({ absolute, listing, modes }, previous) : 0;
    if (previous && same === listing.length && same === previous.length) return this.asBefore(previous);
    const block = new DirectoryBlock([], listing.length);
    if (previous) block.copyFirst(previous, same);
    let cursor = same;
    let unchanged = previous !== undefined;
    for (let position = same; position < listing.length; position++) {
      const name = listing[position] as string;
      if (only && !only.has(name)) continue;
      while (previous && cursor < previous.length && isBefore(previous.names[cursor] as string, name)) cursor++;
      const known = previous !== undefined && previous.names[cursor] === name ? previous : undefined;
      if (known && isPlain && this.isSame({ absolute, modes }, known, cursor)) {
        block.copyFile(block.names.push(name) - 1, known, cursor);
        continue;
      }
      if (known && this.fillSettled({ block, path, rules: inside, name, previous: known, at: cursor })) continue;
      if (this.options.placed && this.fillPlaced({ block, path, rules: inside, name })) {
        unchanged = false;
        continue;
      }
      const stat = this.look({ path, absolute, name, rules: inside });
      if (!stat) continue;
      const index = block.names.push(name) - 1;
      const isSame = this.fill({
        ...{ block, index, path, below, rules: inside, name, stat, modes, previous: known, at: cursor },
        only: only?.get(name),
      });
      unchanged &&= isSame;
    }
    this.options.onEntries?.(block.length);
    if (unchanged && previous?.length === block.length) {
      block.treeDigest = previous.treeDigest;
      block.size = previous.size;
      block.files = previous.files;
      block.unchanged = true;
    }
    return block;
  }

  /**
   * How many entries from the first on are files that are as the index has them. Nothing is made for them, because there
   * may be a million, and most often that is all.
   */
  private countSame(
    { listing, ...place }: DirectoryPlace & { listing: readonly string[] },
    previous: DirectoryBlock,
  ): number {
    const most = Math.min(listing.length, previous.length);
    for (let at = 0; at < most; at++) {
      const name = listing[at] as string;
      if (name !== previous.names[at] || !this.isSame(place, previous, at)) return at;
    }
    return most;
  }

  /** True for a file that is as the index has it; false does not say that it is another. */
  private isSame({ absolute, modes }: DirectoryPlace, previous: DirectoryBlock, at: number): boolean {
    const kind = previous.kindAt(at);
    if (!isFileKind(kind)) return false;
    if (this.options.ahead?.isSame(previous, at)) return true;
    const name = previous.names[at] as string;
    const stat = statOf(`${absolute}/${name}`);
    if (stat?.isFile() !== true || !previous.sameStat(at, stat)) return false;
    return modes?.recorded?.links.has(name) !== true && fileKind({ stat, name, modes, previous, at }) === kind;
  }

  private asBefore(previous: DirectoryBlock): DirectoryBlock {
    this.options.onEntries?.(previous.length);
    previous.unchanged = true;
    return previous;
  }

  /** The entry of a file that needs no look; it comes after those that the block has. */
  private fillSettled({ block, path, rules, name, previous, at }: SettledVisit): boolean {
    if (!this.options.settled || !isFileKind(previous.kindAt(at)) || !this.options.settled(path, name)) return false;
    // What was too young to be trusted may be old enough by now.
    if (previous.isDistrusted(at)) return false;
    if (!rules.empty && rules.ignores(`${path}/${name}`, false)) return false;
    block.copyFile(block.names.push(name) - 1, previous, at);
    return true;
  }

  /** The entry comes after those that the block has. */
  private fillPlaced(entry: Pick<EntryVisit, 'block' | 'path' | 'rules' | 'name'>): boolean {
    const { block, path, rules, name } = entry;
    if (isNeverTracked(name) || (!rules.empty && rules.ignores(`${path}/${name}`, false))) return false;
    const index = block.names.push(name) - 1;
    if (this.options.placed?.(block, index, path)) return true;
    block.names.pop();
    return false;
  }

  private isTooDeep(path: string, below: readonly string[]): boolean {
    if (below.length <= MAX_TREE_LEVELS) return false;
    this.problems.push({ path, reason: `it lies more than ${MAX_TREE_LEVELS} levels deep` });
    return true;
  }

  private list(path: string, absolute: string): string[] {
    let names: string[];
    try {
      names = readdirSync(absolute);
      if (names.some((name) => name.includes('\ufffd'))) names = this.onlyUtf8(path, absolute);
    } catch (error) {
      throw fileSystemError('list', absolute, error);
    }
    return sortNames(names);
  }

  private onlyUtf8(path: string, absolute: string): string[] {
    const kept: string[] = [];
    for (const bytes of readdirSync(absolute, { encoding: 'buffer' })) {
      const name = bytes.toString('utf8');
      if (isUtf8(bytes)) kept.push(name);
      else this.problems.push({ path: `${path}/${name}`, reason: 'its name is not valid UTF-8' });
    }
    return kept;
  }

  /** The stat of an entry that is tracked; undefined for what is ignored, unsupported, or gone since the listing. */
  private look(entry: { path: string; absolute: string; name: string; rules: IgnoreRules }): Stats | undefined {
    if (isNeverTracked(entry.name)) return undefined;
    const path = `${entry.path}/${entry.name}`;
    const stat = statOf(`${entry.absolute}/${entry.name}`);
    if (!stat) return undefined;
    if (!entry.rules.empty && entry.rules.ignores(path, stat.isDirectory())) return undefined;
    if (stat.isFile() || stat.isDirectory() || stat.isSymbolicLink()) return stat;
    this.problems.push({ path, reason: 'it is neither a file, a directory nor a symbolic link' });
    return undefined;
  }

  /** Fills one entry; true when it is as the index has it. */
  private fill(entry: EntryVisit): boolean {
    if (entry.stat.isFile()) {
      const target = this.targetInFile(entry);
      return target === undefined ? this.fillFile(entry) : fillTarget(entry, target);
    }
    if (entry.stat.isDirectory()) return this.fillDirectory(entry);
    return this.fillLink(entry);
  }

  private fillFile({ block, index, path, name, stat, modes, previous, at }: EntryVisit): boolean {
    const kind = fileKind({ stat, name, modes, previous, at });
    block.kinds[index] = kind;
    block.setStat(index, stat);
    const known = previous !== undefined && isFileKind(previous.kindAt(at)) && this.sameContent(previous, at, stat);
    if (known) block.setDigest(index, (previous as DirectoryBlock).digestAt(at));
    else this.pending.push(block, index, path);
    return known && (previous as DirectoryBlock).kindAt(at) === kind;
  }

  private sameContent(previous: DirectoryBlock, at: number, stat: Stats): boolean {
    if (previous.sameStat(at, stat)) return true;
    if (stat.nlink < 2) return false;
    // Every further hard link of an object moves its change time; what is still the object's own inode did not change.
    const withoutChangeTime = { ...pickStat(stat), ctimeMs: previous.stats[at * STAT_FIELDS + 2] as number };
    if (!previous.sameStat(at, withoutChangeTime)) return false;
    return this.options.inodeOfObject(previous.digestAt(at).toString('hex')) === stat.ino;
  }

  private fillDirectory({ block, index, path, below, rules, name, previous, at, only }: EntryVisit): boolean {
    block.kinds[index] = KIND.tree;
    const known = previous?.kindAt(at) === KIND.tree ? previous.children.get(at) : undefined;
    const focus = only && only.size > 0 ? only : undefined;
    const child = this.visit({ path: `${path}/${name}`, below: [...below, name], rules, only: focus }, known);
    block.children.set(index, child);
    return child.unchanged;
  }

  private fillLink({ block, index, path, below, name, stat, previous, at }: EntryVisit): boolean {
    const absolute = `${this.options.worktree}/${path}/${name}`;
    const target = readLink(absolute);
    if (target.includes('\ufffd') && !isUtf8(readlinkSync(absolute, { encoding: 'buffer' }))) {
      this.problems.push({ path: `${path}/${name}`, reason: 'it is a symbolic link whose target is not valid UTF-8' });
    }
    const hex = this.options.objectOfLink(target);
    if (hex !== undefined) return this.fillObjectLink({ block, index, path, stat, previous, at, absolute }, hex);
    if (!linkStaysInside(below, target)) {
      this.problems.push({
        path: `${path}/${name}`,
        reason: `it is a symbolic link to '${target}', outside the tracked directory`,
      });
    }
    return fillTarget({ block, index, previous, at }, target);
  }

  /** Where a file stands for a link: the link's target. What no checkout wrote there is a file. */
  private targetInFile({ path, below, name, stat, modes }: EntryVisit): string | undefined {
    if (modes?.recorded?.links.has(name) !== true) return undefined;
    const target = readTarget(`${this.options.worktree}/${path}/${name}`, stat);
    return target !== undefined && linkStaysInside(below, target) ? target : undefined;
  }

  /** A link into the cache is a file that was checked out by symbolic link: its name says its content. */
  private fillObjectLink(
    entry: Pick<EntryVisit, 'block' | 'index' | 'path' | 'stat' | 'previous' | 'at'> & { absolute: string },
    hex: string,
  ): boolean {
    const { block, index, previous, at } = entry;
    const now = statSync(entry.absolute, { throwIfNoEntry: false })?.size;
    block.kinds[index] = KIND.file;
    block.setDigest(index, Buffer.from(hex, 'hex'));
    const known = previous?.kindAt(at) === KIND.file && previous.digestAt(at).equals(block.digestAt(index));
    const size = known ? (previous as DirectoryBlock).sizeAt(at) : (now ?? 0);
    if (known && now !== undefined && now !== size) {
      this.problems.push({
        path: `${entry.path}/${block.names[index]}`,
        reason: 'the object it links to in the cache is damaged',
      });
    }
    block.setStat(index, { ...pickStat(entry.stat), size });
    return known;
  }
}

/** Names of a directory that are looked at, each with those below it; none below one that is looked at as a whole. */
interface Focus extends Map<string, Focus> {}

/** A directory that is looked at. */
interface DirectoryVisit {
  path: string;
  /** Path components under the tracked directory, for the check of links. */
  below: string[];
  rules: IgnoreRules;
  only: Focus | undefined;
}

type SettledVisit = Pick<EntryVisit, 'block' | 'path' | 'rules' | 'name' | 'at'> & { previous: DirectoryBlock };

/** Where the disk does not tell which files are executable: what is recorded, unknown where that is lost. */
interface Modes {
  recorded: DirectoryModes | undefined;
}

interface DirectoryPlace {
  absolute: string;
  modes: Modes | undefined;
}

interface EntryVisit {
  block: DirectoryBlock;
  index: number;
  path: string;
  below: string[];
  rules: IgnoreRules;
  name: string;
  stat: Stats;
  modes: Modes | undefined;
  previous: DirectoryBlock | undefined;
  /** Index of the same name in `previous`. */
  at: number;
  only: Focus | undefined;
}

/** Fills the entry of a link; true when it is as the index has it. */
function fillTarget(
  { block, index, previous, at }: Pick<EntryVisit, 'block' | 'index' | 'previous' | 'at'>,
  target: string,
): boolean {
  block.kinds[index] = KIND.link;
  block.targets.set(index, target);
  return previous?.kindAt(at) === KIND.link && previous.targets.get(at) === target;
}

/** Of what is not recorded where it should be, the index knows what it was. */
function fileKind(file: Pick<EntryVisit, 'stat' | 'name' | 'modes' | 'previous' | 'at'>): Kind {
  const { stat, name, modes, previous, at } = file;
  const isExecutable = modes
    ? (modes.recorded?.executables.has(name) ?? previous?.kindAt(at) === KIND.executable)
    : (stat.mode & 0o100) !== 0;
  return isExecutable ? KIND.executable : KIND.file;
}

/** What lies below another of the paths adds nothing. */
function focusOn(paths: readonly string[]): Focus {
  const root: Focus = new Map();
  for (const path of [...paths].sort((left, right) => right.length - left.length)) {
    let at = root;
    for (const part of path.split('/')) {
      const next: Focus = at.get(part) ?? new Map();
      at.set(part, next);
      at = next;
    }
    at.clear();
  }
  return root;
}

function statOf(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw fileSystemError('look at', path, error);
  }
}

function readLink(path: string): string {
  try {
    return readlinkSync(path);
  } catch (error) {
    throw fileSystemError('read the link', path, error);
  }
}

function isBefore(known: string, name: string): boolean {
  return known !== name && compareNames(known, name) < 0;
}

function isFileKind(kind: Kind): boolean {
  return kind === KIND.file || kind === KIND.executable;
}
