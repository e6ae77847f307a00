import type { Stats } from 'node:fs';
import { compareNames } from '../objects/entry-name.js';
import { DIGEST_BYTES } from '../objects/oid.js';
import { KIND, type Kind, type TreeEntry, TreeWriter } from '../objects/tree-format.js';
import { STAT_FIELDS } from './index-layout.js';

export { STAT_FIELDS };

/** The part of a stat that tells an unchanged file. `NaN` in `mtimeMs` marks an entry that must be read again. */
export interface StatFields {
  size: number;
  mtimeMs: number;
  ctimeMs: number;
  ino: number;
}

/** The fields of a stat that a block keeps. */
export function pickStat({ size, mtimeMs, ctimeMs, ino }: StatFields): StatFields {
  return { size, mtimeMs, ctimeMs, ino };
}

/**
 * What is known of one directory of the workspace: names, kinds, stats and digests in parallel arrays rather than an
 * object an entry, because a directory may have a million. Names are in the order of their UTF-8 bytes.
 */
export class DirectoryBlock {
  readonly kinds: Uint8Array;
  readonly stats: Float64Array;
  readonly digests: Buffer;
  /** Targets of links and blocks of sub-directories, by the entry's index. */
  readonly targets = new Map<number, string>();
  readonly children = new Map<number, DirectoryBlock>();
  /** Digest of the directory's tree; all zeros until it is sealed. */
  treeDigest: Buffer = Buffer.alloc(DIGEST_BYTES);
  /** Bytes and number of files below. */
  size = 0;
  files = 0;
  /** True when a walk found every entry as the index has it, so that the tree's digest still holds. */
  unchanged = false;
  /** Of what was read from an index and not compared with yet: the index's file, and the hash at its end. */
  stored: { path: string; seal: Buffer } | undefined;
  /** True for a directory that is not in the workspace and belongs there all the same: only its digest and sums are known. */
  absent = false;

  /** `capacity` is how many entries there is room for when names are still to be added. */
  constructor(
    readonly names: string[],
    capacity = names.length,
  ) {
    this.kinds = new Uint8Array(capacity);
    this.stats = new Float64Array(capacity * STAT_FIELDS);
    this.digests = Buffer.alloc(capacity * DIGEST_BYTES);
  }

  get length(): number {
    return this.names.length;
  }

  kindAt(index: number): Kind {
    return this.kinds[index] as Kind;
  }

  /** The digest of a file: a view. */
  digestAt(index: number): Buffer {
    return this.digests.subarray(index * DIGEST_BYTES, (index + 1) * DIGEST_BYTES);
  }

  setDigest(index: number, digest: Buffer): void {
    digest.copy(this.digests, index * DIGEST_BYTES);
  }

  sizeAt(index: number): number {
    return this.stats[index * STAT_FIELDS] as number;
  }

  /** Records what a stat said of an entry. */
  setStat(index: number, stat: StatFields): void {
    const at = index * STAT_FIELDS;
    this.stats[at] = stat.size;
    this.stats[at + 1] = stat.mtimeMs;
    this.stats[at + 2] = stat.ctimeMs;
    this.stats[at + 3] = stat.ino;
  }

  /** Takes over what another block knows of a file: kind, stat and digest. */
  copyFile(index: number, from: DirectoryBlock, at: number): void {
    this.kinds[index] = from.kinds[at] as number;
    for (let field = 0; field < STAT_FIELDS; field++) {
      this.stats[index * STAT_FIELDS + field] = from.stats[at * STAT_FIELDS + field] as number;
    }
    from.digests.copy(this.digests, index * DIGEST_BYTES, at * DIGEST_BYTES, (at + 1) * DIGEST_BYTES);
  }

  /** Takes over the first entries of another block, all of them files, into this one, which has none yet. */
  copyFirst(from: DirectoryBlock, count: number): void {
    for (let index = 0; index < count; index++) this.names.push(from.names[index] as string);
    this.kinds.set(from.kinds.subarray(0, count));
    this.stats.set(from.stats.subarray(0, count * STAT_FIELDS));
    from.digests.copy(this.digests, 0, 0, count * DIGEST_BYTES);
  }

  /** True when a file's stat is what was recorded when its digest was. */
  sameStat(index: number, stat: StatFields): boolean {
    const at = index * STAT_FIELDS;
    const { stats } = this;
    return (
      stats[at] === stat.size &&
      stats[at + 1] === stat.mtimeMs &&
      stats[at + 2] === stat.ctimeMs &&
      stats[at + 3] === stat.ino
    );
  }

  /** Marks an entry so that no stat equals it: its file may have changed within the clock's resolution. */
  distrust(index: number): void {
    this.stats[index * STAT_FIELDS + 1] = Number.NaN;
  }

  /** True for an entry that was marked so. */
  isDistrusted(index: number): boolean {
    return Number.isNaN(this.stats[index * STAT_FIELDS + 1]);
  }

  /** Index of a name, or -1. */
  find(name: string): number {
    let low = 0;
    let high = this.length - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const order = compareNames(this.names[middle] as string, name);
      if (order === 0) return middle;
      if (order < 0) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }

  /** The block of a sub-directory, or undefined where the name is none. */
  childNamed(name: string): DirectoryBlock | undefined {
    return this.children.get(this.find(name));
  }

  /** True when the file of that name was not written to since this block was made, going by its stat. */
  sameVersion(name: string, stat: Stats): boolean {
    const at = this.find(name) * STAT_FIELDS;
    if (at < 0) return false;
    // A link into the cache is recorded with the size of its object, which the link's own stat does not tell.
    const sameSize = stat.isSymbolicLink() || this.stats[at] === stat.size;
    return sameSize && this.stats[at + 2] === stat.ctimeMs && this.stats[at + 3] === stat.ino;
  }

  /** The entries as plain values, in tree order; sub-directories are sealed. */
  entries(): TreeEntry[] {
    return this.names.map((_, index) => this.entryAt(index));
  }

  /** One entry as a plain value; a sub-directory is sealed. */
  entryAt(index: number): TreeEntry {
    const name = this.names[index] as string;
    const kind = this.kindAt(index);
    if (kind === KIND.link) return { kind: 'link', name, target: this.targets.get(index) as string };
    if (kind === KIND.tree) {
      const { size, files, treeDigest } = this.children.get(index) as DirectoryBlock;
      return { kind: 'tree', name, size, files, digest: treeDigest };
    }
    const type = kind === KIND.executable ? 'executable' : 'file';
    return { kind: type, name, size: this.sizeAt(index), digest: this.digestAt(index) };
  }

  /** The canonical tree of this directory; children must be sealed. Sets size and files. */
  encode(): Buffer {
    const writer = new TreeWriter(this.length * 64 + 64);
    for (let index = 0; index < this.length; index++) {
      const name = this.names[index] as string;
      const kind = this.kindAt(index);
      if (kind === KIND.link) writer.addLink(name, this.targets.get(index) as string);
      else if (kind === KIND.tree) {
        const child = this.children.get(index) as DirectoryBlock;
        writer.addTree(name, child, child.treeDigest);
      } else writer.addFile(name, kind === KIND.executable, this.sizeAt(index), this.digestAt(index));
    }
    this.size = writer.size;
    this.files = writer.files;
    return writer.finish();
  }
}
