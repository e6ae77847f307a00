import { isMlvError, MlvError } from '../core/errors.js';
import type { ObjectCache } from '../objects/cache.js';
import { type Oid, splitOid, toOid } from '../objects/oid.js';
import { KIND, TreeReader } from '../objects/tree-format.js';
import { type Remote, readContent } from '../remotes/remote.js';
import { asideKey } from './collection-layout.js';
import { inParallel } from './in-parallel.js';
import { type ObjectRecord, openRecord } from './record-reader.js';
import { recordKey } from './remote-layout.js';

/** An object that a collection must keep, and what for. */
export interface LiveRoot {
  oid: Oid;
  /** Path of the tracked file or directory, for messages. */
  path: string;
  /** True for what is known to be a tree. */
  directory: boolean;
}

/** What roots lead to. */
export interface LiveSet {
  records: Set<Oid>;
  /** Names of packs, 64 hex digits each. */
  packs: Set<string>;
  /** What the records that are set aside refer to, by the object: the order to put them back in. */
  asideChildren: Map<Oid, Oid[]>;
  /** Records that are damaged or not there though something refers to them: what they refer to is not known. */
  problems: MlvError[];
}

export interface MarkOptions {
  remote: Remote;
  cache: ObjectCache;
  /** Objects with a record in use, and with one set aside, as they were listed. */
  inUse: ReadonlySet<Oid>;
  aside: ReadonlySet<Oid>;
  jobs: number;
  /** Called before each request. */
  step: () => Promise<void>;
  signal?: AbortSignal;
}

interface Visit extends LiveRoot {
  /** True for what a record on the remote refers to: it must be there. */
  needed: boolean;
}

/** Follows roots through their records, always those on the remote, to everything that they need. */
export class LiveMarker {
  readonly live: LiveSet = { records: new Set(), packs: new Set(), asideChildren: new Map(), problems: [] };
  /** Roots that the remote does not have, and trees below them. */
  readonly absent = new Set<Oid>();
  private readonly seen = new Set<Oid>();

  constructor(private readonly options: MarkOptions) {}

  /** Adds what the roots need. Errors: those of Remote, `FORMAT_TOO_NEW`. */
  async add(roots: Iterable<LiveRoot>): Promise<void> {
    let wave: Visit[] = [...roots].map((root) => ({ ...root, needed: this.options.inUse.has(root.oid) }));
    while (wave.length > 0) {
      const next: Visit[] = [];
      const fresh = wave.filter((visit) => this.isNew(visit));
      await inParallel(fresh, this.options.jobs, async (visit) => {
        for (const child of await this.visit(visit)) next.push(child);
      });
      wave = next;
    }
  }

  private isNew({ oid, needed }: Visit): boolean {
    // What was only wished for so far, and is not there, must be there for what refers to it.
    if (this.seen.has(oid) && !(needed && this.absent.delete(oid))) return false;
    this.seen.add(oid);
    return true;
  }

  private async visit(visit: Visit): Promise<Visit[]> {
    const read = await this.read(visit);
    if (!read) return visit.directory ? this.cachedChildren(visit) : [];
    const { record, aside } = read;
    this.live.records.add(visit.oid);
    for (const pack of packNames(record)) this.live.packs.add(pack);
    const children = childrenOf(record, visit.oid);
    const oids = children.map(({ oid }) => oid);
    if (aside) this.live.asideChildren.set(visit.oid, oids);
    return children.map(({ name, ...child }) => ({ ...child, path: `${visit.path}/${name}`, needed: true }));
  }

  private async read(visit: Visit): Promise<{ record: ObjectRecord; aside: boolean } | undefined> {
    const { oid, path, needed } = visit;
    if (splitOid(oid).algorithm === this.options.cache.hash.algorithm) {
      try {
        // A list that took its time may have missed what was written meanwhile.
        const record = needed ? await this.get(recordKey(oid), oid) : undefined;
        if (record) return { record, aside: false };
        const kept = this.options.aside.has(oid) ? await this.get(asideKey(oid), oid) : undefined;
        if (kept) return { record: kept, aside: true };
      } catch (error) {
        if (!isMlvError(error, 'RECORD_INVALID') && !isMlvError(error, 'TREE_INVALID')) throw error;
        this.live.records.add(oid);
        this.live.problems.push(error);
        return undefined;
      }
    }
    if (needed) this.live.problems.push(recordMissing(oid, path));
    else this.absent.add(oid);
    return undefined;
  }

  private async get(key: string, oid: Oid): Promise<ObjectRecord | undefined> {
    const { remote, cache, step, signal } = this.options;
    await step();
    const bytes = await getIfThere(remote, key, signal);
    return bytes && openRecord(bytes, oid, cache.hash);
  }

  /** What a tree needs whose record is not there: it may have been lost, and a repair would rely on what is below. */
  private cachedChildren({ oid, path }: Visit): Visit[] {
    const { cache, inUse } = this.options;
    const children: Visit[] = [];
    try {
      const reader = new TreeReader(cache.read(oid));
      while (reader.next()) {
        if (reader.kind === KIND.link) continue;
        const child = cache.oid(reader.digest);
        const directory = reader.kind === KIND.tree;
        if (directory || inUse.has(child) || this.options.aside.has(child))
          children.push({ oid: child, path: `${path}/${reader.name}`, directory, needed: inUse.has(child) });
      }
    } catch (error) {
      if (!isMlvError(error)) throw error;
      return [];
    }
    return children;
  }
}

/** The content at a key, or undefined where there is none. Errors: those of Remote. */
export async function getIfThere(remote: Remote, key: string, signal?: AbortSignal): Promise<Buffer | undefined> {
  try {
    return await readContent(await remote.get(key, signal ? { signal } : {}));
  } catch (error) {
    // A directory that is gone, an unmounted disk say, is not a remote without that key.
    if (isMlvError(error, 'REMOTE_NOT_FOUND') && error.data.missing === 'key') return undefined;
    throw error;
  }
}

/** Names of the packs that a record's chunks are in: 64 hex digits each. */
export function packNames(record: ObjectRecord): string[] {
  if (record.kind === 'inline') return [];
  return Array.from({ length: record.packs.count }, (_, index) => record.packs.digest(index).toString('hex'));
}

/** An object with a record of its own that a tree's record refers to. */
export interface ChildRecord {
  oid: Oid;
  name: string;
  directory: boolean;
}

/** The objects with records of their own that the record of `oid` refers to. */
export function childrenOf(record: ObjectRecord, oid: Oid): ChildRecord[] {
  const children: ChildRecord[] = [];
  if (record.kind !== 'tree') return children;
  const { algorithm } = splitOid(oid);
  const cursor = record.entries();
  while (cursor.next()) {
    const { entry } = cursor;
    const directory = entry.kind === KIND.tree;
    if (directory || cursor.location === 'own')
      children.push({ oid: toOid(algorithm, entry.digest), name: entry.name, directory });
  }
  return children;
}

function recordMissing(oid: Oid, path: string): MlvError {
  return new MlvError('RECORD_INVALID', `the record of ${oid} ('${path}') is not there, though another refers to it`, {
    data: { oid, path, key: recordKey(oid) },
  });
}
