import { isMlvError } from '../core/errors.js';
import type { HashFunction } from '../objects/hash.js';
import type { Oid } from '../objects/oid.js';
import { TreeReader } from '../objects/tree-format.js';
import type { Remote } from '../remotes/remote.js';
import { asideKey } from './collection-layout.js';
import { childrenOf, getIfThere, packNames } from './collection-mark.js';
import { inParallel } from './in-parallel.js';
import { type ObjectRecord, openRecord } from './record-reader.js';
import { recordKey } from './remote-layout.js';

/** Names of a directory's entries that are shown. */
const NAMES = 5;

/** An object that nothing needs any more, as its record describes it. */
export interface DeadObject {
  oid: Oid;
  kind: 'file' | 'directory' | 'damaged';
  /** Bytes of the file, or of all files below. */
  size: number;
  /** Files and links below a directory; 1 for a file. */
  files: number;
  /** Some names in a directory: what is known of where it was, since nothing in Git names it. */
  names: string[];
  /** Packs that its record names, 64 hex digits each. */
  packs: string[];
  /** Objects with records of their own that it refers to. */
  children: Oid[];
}

export interface DeadOptions {
  remote: Remote;
  hash: HashFunction;
  jobs: number;
  /** Called before each request. */
  step: () => Promise<void>;
  signal?: AbortSignal;
}

/** Objects that nothing needs, by their oid. */
export class DeadObjects {
  private readonly objects = new Map<Oid, DeadObject>();

  constructor(private readonly options: DeadOptions) {}

  /**
   * Reads the records of objects, in use or set aside; a damaged one names nothing. Errors: those of Remote,
   * `FORMAT_TOO_NEW`, because what a later version wrote may name packs that are needed.
   */
  async add(oids: readonly Oid[], from: 'use' | 'aside'): Promise<void> {
    const { remote, jobs, step, signal } = this.options;
    await inParallel(oids, jobs, async (oid) => {
      await step();
      const bytes = await getIfThere(remote, from === 'use' ? recordKey(oid) : asideKey(oid), signal);
      const described = bytes && this.describe(bytes, oid);
      if (!described) return;
      const before = this.objects.get(oid);
      if (before) before.packs.push(...described.packs);
      else this.objects.set(oid, described);
    });
  }

  /** Packs that the record of an object names, both of them where one is in use and one set aside. */
  readonly packsOf = (oid: Oid): readonly string[] => this.objects.get(oid)?.packs ?? [];

  /** What the record of an object refers to. */
  readonly childrenOf = (oid: Oid): readonly Oid[] => this.objects.get(oid)?.children ?? [];

  /** Those of the objects that no other of them refers to. */
  tops(oids: readonly Oid[]): DeadObject[] {
    const below = new Set(oids.flatMap(this.childrenOf));
    return oids.filter((oid) => !below.has(oid)).flatMap((oid) => this.objects.get(oid) ?? []);
  }

  private describe(bytes: Buffer, oid: Oid): DeadObject {
    try {
      const record = openRecord(bytes, oid, this.options.hash);
      const children = childrenOf(record, oid).map((child) => child.oid);
      return { oid, ...contentOf(record), packs: packNames(record), children };
    } catch (error) {
      if (!isMlvError(error, 'RECORD_INVALID') && !isMlvError(error, 'TREE_INVALID')) throw error;
      return { oid, kind: 'damaged', size: 0, files: 0, names: [], packs: [], children: [] };
    }
  }
}

function contentOf(record: ObjectRecord): Pick<DeadObject, 'kind' | 'size' | 'files' | 'names'> {
  if (record.kind === 'inline') return { kind: 'file', size: record.content.length, files: 1, names: [] };
  if (record.kind === 'chunks') return { kind: 'file', size: record.size, files: 1, names: [] };
  const total = { size: 0, files: 0 };
  const names: string[] = [];
  const reader = new TreeReader(record.tree);
  while (reader.next()) {
    total.size += reader.size;
    total.files += reader.files;
    if (names.length < NAMES) names.push(reader.name);
  }
  return { kind: 'directory', ...total, names };
}
