import { lstatSync, readlinkSync, statSync } from 'node:fs';
import { compareNames, sortNames } from '../objects/entry-name.js';
import { KIND } from '../objects/tree-format.js';
import { DirectoryBlock, STAT_FIELDS } from './directory-block.js';
import { absolutePath, type RepositoryPath } from './paths.js';
import { PendingFiles } from './pending-files.js';
import { isRecordedExecutable } from './recorded-modes.js';
import type { Repository } from './repository.js';
import { objectOfLink } from './scan-target.js';
import type { Walk } from './walk.js';

/**
 * The tracked single files of a repository, as one block whose names are repository paths. Looking at some of them
 * gives what a walk gives for a directory, so that both are read and recorded in one way.
 */
export class FileTable {
  constructor(public block: DirectoryBlock) {}

  /** Looks at the paths (regular files, or links into the cache); a path that is neither is left out of the result. */
  look(repository: Repository, paths: readonly RepositoryPath[]): Walk {
    const root = new DirectoryBlock([], paths.length);
    const pending = new PendingFiles();
    const toObject = objectOfLink(repository);
    const onDisk = repository.git.trustsFileMode();
    const positions = new Map(this.block.names.map((name, index) => [name, index]));
    for (const path of sortNames([...new Set(paths)])) {
      const absolute = absolutePath(repository.layout, path);
      const stat = lstatSync(absolute, { throwIfNoEntry: false });
      const hex = stat?.isSymbolicLink() ? toObject(readlinkSync(absolute)) : undefined;
      if (!stat || (!stat.isFile() && hex === undefined)) continue;
      const index = root.names.push(path) - 1;
      const isExecutable = onDisk ? (stat.mode & 0o100) !== 0 : isRecordedExecutable(repository, path);
      root.kinds[index] = hex === undefined && isExecutable ? KIND.executable : KIND.file;
      const size = hex === undefined ? stat.size : (statSync(absolute, { throwIfNoEntry: false })?.size ?? 0);
      root.setStat(index, { size, mtimeMs: stat.mtimeMs, ctimeMs: stat.ctimeMs, ino: stat.ino });
      const known = positions.get(path);
      if (hex !== undefined) root.setDigest(index, Buffer.from(hex, 'hex'));
      else if (known !== undefined && this.unchanged(repository, known, root, index))
        root.setDigest(index, this.block.digestAt(known));
      else pending.push(root, index, '');
    }
    return { root, pending, problems: [] };
  }

  private unchanged(repository: Repository, known: number, now: DirectoryBlock, index: number): boolean {
    const [size, mtimeMs, ctimeMs, ino] = now.stats.subarray(
      index * STAT_FIELDS,
      (index + 1) * STAT_FIELDS,
    ) as unknown as [number, number, number, number];
    if (this.block.sameStat(known, { size, mtimeMs, ctimeMs, ino })) return true;
    // Every further hard link of an object moves its change time, and nothing else.
    const before = this.block.stats[known * STAT_FIELDS + 2] as number;
    if (!this.block.sameStat(known, { size, mtimeMs, ctimeMs: before, ino })) return false;
    const object = repository.cache.pathOfHex(this.block.digestAt(known).toString('hex'));
    return statSync(object, { throwIfNoEntry: false })?.ino === ino;
  }

  /** Takes over what was looked at and read. */
  update(seen: DirectoryBlock): void {
    const names = sortNames([...new Set([...this.block.names, ...seen.names])]);
    const merged = new DirectoryBlock(names);
    let old = 0;
    let now = 0;
    for (let index = 0; index < names.length; index++) {
      const name = names[index] as string;
      while (old < this.block.length && compareNames(this.block.names[old] as string, name) < 0) old++;
      while (now < seen.length && compareNames(seen.names[now] as string, name) < 0) now++;
      if (seen.names[now] === name) copyEntry(seen, now, merged, index);
      else copyEntry(this.block, old, merged, index);
    }
    this.block = merged;
  }

  /** Forgets paths. */
  remove(paths: ReadonlySet<RepositoryPath>): void {
    const kept = this.block.names.map((name, index) => ({ name, index })).filter(({ name }) => !paths.has(name));
    const next = new DirectoryBlock(kept.map(({ name }) => name));
    for (const [position, { index }] of kept.entries()) copyEntry(this.block, index, next, position);
    this.block = next;
  }
}

function copyEntry(from: DirectoryBlock, at: number, to: DirectoryBlock, index: number): void {
  to.kinds[index] = from.kindAt(at);
  to.stats.set(from.stats.subarray(at * STAT_FIELDS, (at + 1) * STAT_FIELDS), index * STAT_FIELDS);
  to.setDigest(index, from.digestAt(at));
}
