import {
  chmodSync,
  copyFileSync,
  type Dirent,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  type Stats,
  unlinkSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileSystemError, MlvError } from '../core/errors.js';
import { linkStaysInside } from '../objects/tree-format.js';
import { sameContent } from './same-content.js';

/** What a delivery did. */
export interface Delivery {
  /** Files and links that are there now and were not, or were others. */
  written: number;
  /** Bytes of these. */
  bytes: number;
  /** Files that were there with the same content already. */
  unchanged: number;
  /** Links that would lead out of what is delivered, by their path in it; they are left out. */
  leftOut: string[];
}

/**
 * Makes a file, or the files below a directory, that is ours the user's own: writable as the umask says, none sharing its
 * bytes with another. Takes out links that lead out of the directory, and names them. Errors: `FILE_SYSTEM`, `USAGE` for
 * what is a link itself.
 */
export function makeOwn(top: string): { leftOut: string[] } {
  const leftOut: string[] = [];
  const umask = process.umask();
  const stat = lstatSync(top);
  if (stat.isSymbolicLink()) {
    throw new MlvError('USAGE', `'${basename(top)}' is a link`, {
      hint: `name what it leads to: ${readlinkSync(top)}`,
      data: { path: basename(top) },
    });
  }
  if (stat.isFile()) ownFile(top, umask);
  for (const { path, parts, entry } of stat.isDirectory() ? entriesBelow(top) : []) {
    try {
      if (entry.isSymbolicLink()) {
        if (linkStaysInside(parts.slice(0, -1), readlinkSync(path))) continue;
        unlinkSync(path);
        leftOut.push(parts.join('/'));
      } else if (entry.isFile()) ownFile(path, umask);
    } catch (error) {
      throw fileSystemError('prepare', path, error);
    }
  }
  return { leftOut };
}

function ownFile(path: string, umask: number): void {
  const stat = lstatSync(path);
  if (stat.nlink > 1) {
    const copy = `${path}.${process.pid}~`;
    copyFileSync(path, copy);
    renameSync(copy, path);
  }
  const mode = (stat.mode & 0o100 ? 0o777 : 0o666) & ~umask;
  if ((stat.mode & 0o777) !== mode || stat.nlink > 1) chmodSync(path, mode);
}

/**
 * Moves a file or directory that is ours to where the user wants it, on the same file system. What is there with the same
 * content stays; other content is replaced only with `force`, and without it nothing at all is moved. Directories are
 * joined; nothing is written through a symbolic link, and no directory gives way to a file. Errors: `TARGET_EXISTS` with
 * what stands in the way, `FILE_SYSTEM`, `DISK_FULL`.
 */
export function deliver(from: string, to: string, { force }: { force: boolean }): Omit<Delivery, 'leftOut'> {
  const plan: Plan = { moves: [], inTheWay: [], unchanged: 0, force };
  try {
    mkdirSync(dirname(to), { recursive: true });
  } catch (error) {
    throw fileSystemError('create the directory', dirname(to), error);
  }
  planEntry(from, to, plan);
  if (plan.inTheWay.length > 0) throw inTheWay(plan.inTheWay, force);
  let bytes = 0;
  let written = 0;
  for (const move of plan.moves) {
    const { files, size } = totals(move.from);
    try {
      renameSync(move.from, move.to);
    } catch (error) {
      throw fileSystemError('write', move.to, error);
    }
    written += files;
    bytes += size;
  }
  return { written, bytes, unchanged: plan.unchanged };
}

interface Plan {
  moves: { from: string; to: string }[];
  inTheWay: string[];
  unchanged: number;
  force: boolean;
}

function planEntry(from: string, to: string, plan: Plan): void {
  const there = lstatSync(to, { throwIfNoEntry: false });
  const ours = lstatSync(from);
  if (!there) plan.moves.push({ from, to });
  else if (ours.isDirectory() && there.isDirectory()) {
    for (const name of readdirSync(from)) planEntry(join(from, name), join(to, name), plan);
  } else if (isSame(from, ours, to, there)) plan.unchanged += 1;
  else if (!plan.force || there.isDirectory() || ours.isDirectory()) plan.inTheWay.push(to);
  else plan.moves.push({ from, to });
}

function isSame(...[from, ours, to, there]: [from: string, ours: Stats, to: string, there: Stats]): boolean {
  if (ours.isSymbolicLink()) return there.isSymbolicLink() && readlinkSync(from) === readlinkSync(to);
  if (!ours.isFile() || !there.isFile()) return false;
  return ours.size === there.size && (ours.mode & 0o100) === (there.mode & 0o100) && sameContent(from, to);
}

function inTheWay(paths: string[], force: boolean): MlvError {
  const first = paths[0] as string;
  const more = paths.length > 1 ? ` and ${paths.length - 1} more` : '';
  return new MlvError('TARGET_EXISTS', `'${first}'${more} is there already, with other content; nothing was written`, {
    hint: force
      ? 'a directory never gives way to a file, nor a file to a directory: move it away, or choose another place with -o'
      : 'overwrite it with --force, or choose another place with -o',
    data: { paths: paths.slice(0, 1000) },
  });
}

function totals(path: string): { files: number; size: number } {
  const stat = lstatSync(path);
  if (!stat.isDirectory()) return { files: 1, size: stat.isFile() ? stat.size : 0 };
  let files = 0;
  let size = 0;
  for (const each of entriesBelow(path)) {
    if (each.entry.isDirectory()) continue;
    files += 1;
    if (each.entry.isFile()) size += lstatSync(each.path).size;
  }
  return { files, size };
}

function* entriesBelow(top: string): Generator<{ path: string; parts: string[]; entry: Dirent }> {
  const waiting: { path: string; parts: string[] }[] = [{ path: top, parts: [] }];
  for (let at = waiting.pop(); at; at = waiting.pop()) {
    for (const entry of readdirSync(at.path, { withFileTypes: true })) {
      const each = { path: join(at.path, entry.name), parts: [...at.parts, entry.name] };
      yield { ...each, entry };
      if (entry.isDirectory()) waiting.push(each);
    }
  }
}
