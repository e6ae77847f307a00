import { lstatSync, readdirSync } from 'node:fs';
import type { RepositoryLayout } from '../git/git.js';
import { absolutePath, childOf, nameOf, parentOf, type RepositoryPath } from './paths.js';

/** What has to be asked of a file system about names. */
export interface NamesOnDisk {
  exists(path: RepositoryPath): boolean;
  /** The names in a directory, as they are written there. */
  names(directory: RepositoryPath): readonly string[];
}

/** The workspace's. Error of Node's where a directory cannot be read. */
export function namesOnDisk(layout: RepositoryLayout): NamesOnDisk {
  return {
    exists(path) {
      try {
        return lstatSync(absolutePath(layout, path), { throwIfNoEntry: false }) !== undefined;
      } catch {
        // Such as a name that is too long, which another writing or the suffix of a pointer makes longer still.
        return false;
      }
    },
    names: (directory) => readdirSync(absolutePath(layout, directory)),
  };
}

/**
 * Finds paths that a file system takes for others: where case (or Unicode's normal form) tells no names apart, `DATA` is
 * there as soon as `data` is, and would be tracked a second time. Costs a few looks for a path elsewhere.
 */
export class WrittenNames {
  /** Directories, with how they are written where that is otherwise. */
  private readonly directories = new Map<RepositoryPath, RepositoryPath | undefined>([['', undefined]]);

  constructor(private readonly disk: NamesOnDisk) {}

  /** How a path that is there is written on the disk; undefined where that is as it was given, or not to be found out. */
  otherwise(path: RepositoryPath): RepositoryPath | undefined {
    const parent = parentOf(path);
    if (!this.directories.has(parent)) this.directories.set(parent, this.otherwise(parent));
    const above = this.directories.get(parent);
    const name = this.writtenAs(parent, nameOf(path));
    if (above === undefined && name === undefined) return undefined;
    return childOf(above ?? parent, name ?? nameOf(path));
  }

  private writtenAs(parent: RepositoryPath, name: string): string | undefined {
    const exists = (each: string): boolean => this.disk.exists(childOf(parent, each));
    // Inodes would not tell: some file systems (those of FUSE) make one up for every writing.
    if (!exists(name) || !lookalikes(name).some(exists)) return undefined;
    const names = this.disk.names(parent);
    return names.includes(name) ? undefined : names.find((each) => folded(each) === folded(name));
  }
}

/** True for two paths that differ only in how they are written, and are one file or directory on the disk. */
export function isOneOnDisk(disk: NamesOnDisk, left: RepositoryPath, right: RepositoryPath): boolean {
  if (left === right || folded(left) !== folded(right) || !disk.exists(left) || !disk.exists(right)) return false;
  const written = new WrittenNames(disk);
  return (written.otherwise(left) ?? left) === (written.otherwise(right) ?? right);
}

function folded(name: string): string {
  return name.normalize('NFC').toLowerCase();
}

/** The same name written in other ways: where none of them is there, the name itself is what is there. */
function lookalikes(name: string): string[] {
  const all = [name.toLowerCase(), name.toUpperCase(), name.normalize('NFC'), name.normalize('NFD')];
  return [...new Set(all)].filter((each) => each !== name);
}
