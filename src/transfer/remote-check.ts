import pLimit from 'p-limit';
import { isMlvError } from '../core/errors.js';
import type { Oid } from '../objects/oid.js';
import {
  checkTreeLevel,
  KIND,
  looksLikeTree,
  MAX_TREE_LEVELS,
  TREE_MAGIC,
  TreeReader,
} from '../objects/tree-format.js';
import { inParallel, settled } from './in-parallel.js';
import { KnownPlaces } from './known-places.js';
import { checkPack, type NeededChunk, PackNeed } from './pack-check.js';
import { DEFAULT_PACK_BYTES } from './pack-format.js';
import { IN_TREE_BYTES, type RepairView } from './push-walk.js';
import type { ObjectRecord } from './record-reader.js';
import { unexpectedInfo } from './remote-info.js';
import { packKey, REMOTE_INFO_KEY, recordKey } from './remote-layout.js';
import type { PushRoot } from './roots.js';
import type { TransferSession } from './session.js';

/** Whole packs that are in memory at once in a deep check. */
const MOST_PACKS = 4;

/** One thing on a remote that is not as it must be. */
export interface RemoteFinding {
  kind: 'info-missing' | 'info-damaged' | 'record-missing' | 'record-damaged' | 'pack-missing' | 'pack-damaged';
  /** Key on the remote. */
  key: string;
  /** What it is needed for: paths of tracked files and directories. */
  paths: string[];
  message: string;
}

export interface RemoteFsckOptions {
  /** Download every pack and check every byte, rather than that each is there and lists what is needed of it. */
  deep?: boolean;
  /** Upload what is missing or damaged from the cache. */
  repair?: boolean;
}

/** What a check looked at and found. */
export interface RemoteChecked {
  roots: number;
  records: number;
  packs: number;
  /** Bytes of the packs that the roots need. */
  bytes: number;
  findings: RemoteFinding[];
}

/** An object on the way down from a root. */
interface Visit {
  oid: Oid;
  path: string;
  /** Levels below the root. */
  level: number;
  /** False for what only the cache says there should be. */
  expected: boolean;
}

/** One look at everything that roots need on a remote. */
export class RemoteCheck {
  private readonly lostPacks = new Set<string>();
  private readonly needs = new Map<string, PackNeed>();
  private readonly records = new Map<Oid, ObjectRecord>();
  private readonly visited = new Set<Oid>();
  private readonly intact = new Map<Oid, boolean>();
  private readonly findings: RemoteFinding[] = [];
  private readonly limit;
  private readonly phase;
  private bytes = 0;

  constructor(
    private readonly session: TransferSession,
    private readonly options: RemoteFsckOptions,
  ) {
    this.limit = pLimit(session.options.jobs);
    this.phase = session.options.reporter.phase(options.deep ? 'Reading the remote' : 'Checking the remote', {
      unit: 'packs',
    });
  }

  /** Looks at everything. Errors as fsckRemote. */
  async all(roots: readonly PushRoot[]): Promise<RemoteChecked> {
    try {
      const most = roots.length > 0 ? await this.info(roots) : DEFAULT_PACK_BYTES;
      await settled(roots.map(({ oid, path }) => this.visit({ oid, path, level: 0, expected: true })));
      this.phase.expect({ items: this.needs.size });
      const { jobs } = this.session.options;
      await inParallel(this.needs, this.options.deep ? Math.min(MOST_PACKS, jobs) : jobs, ([hex, need]) =>
        this.pack(hex, need, most),
      );
    } finally {
      this.phase.end();
    }
    this.findings.sort((left, right) => (left.key < right.key ? -1 : 1));
    return {
      roots: roots.length,
      records: this.visited.size,
      packs: this.needs.size,
      bytes: this.bytes,
      findings: this.findings,
    };
  }

  /** True when the object's record, all packs it names and everything below it are as they must be. */
  isIntact(oid: Oid, level = 0): boolean {
    const known = this.intact.get(oid);
    if (known !== undefined) return known;
    const record = this.records.get(oid);
    const intact =
      level <= MAX_TREE_LEVELS &&
      this.isRecordGood(oid) &&
      this.below(record).every((each) => this.isIntact(each, level + 1));
    this.intact.set(oid, intact);
    return intact;
  }

  /** What a repair needs to know. */
  repairView(): RepairView {
    const places = new KnownPlaces((pack) => this.lostPacks.has(pack.toString('hex')));
    const former = new KnownPlaces();
    for (const record of this.records.values()) {
      places.addRecord(record);
      former.addRecord(record);
    }
    return {
      places,
      former,
      isIntact: (oid) => this.isIntact(oid),
      isRecordGood: (oid) => this.isRecordGood(oid),
      treeOf: (oid) => {
        const record = this.records.get(oid);
        return record?.kind === 'tree' ? record.tree : undefined;
      },
    };
  }

  private isRecordGood(oid: Oid): boolean {
    const record = this.records.get(oid);
    if (!record) return false;
    if (record.kind === 'inline') return true;
    for (let index = 0; index < record.packs.count; index++) {
      if (this.lostPacks.has(record.packs.digest(index).toString('hex'))) return false;
    }
    return true;
  }

  /** The objects that have records of their own below a tree. */
  private below(record: ObjectRecord | undefined): Oid[] {
    const oids: Oid[] = [];
    if (record?.kind !== 'tree') return oids;
    const cursor = record.entries();
    while (cursor.next()) {
      if (cursor.entry.kind === KIND.tree || cursor.location === 'own')
        oids.push(this.session.cache.oid(cursor.entry.digest));
    }
    return oids;
  }

  /** Checks what the remote says of itself; gives the most bytes that one of its packs may have. */
  private async info(roots: readonly PushRoot[]): Promise<number> {
    const paths = roots.map((root) => root.path);
    const state = await this.session.inspectInfo();
    if (state.kind === 'missing') this.find('info-missing', REMOTE_INFO_KEY, paths, `${REMOTE_INFO_KEY} is not there`);
    if (state.kind === 'damaged') this.find('info-damaged', REMOTE_INFO_KEY, paths, state.message);
    if (state.kind !== 'there') return DEFAULT_PACK_BYTES;
    const unexpected = unexpectedInfo(state.info);
    if (unexpected) this.find('info-damaged', REMOTE_INFO_KEY, paths, `${REMOTE_INFO_KEY} is damaged: ${unexpected}`);
    return Math.max(state.info.pack.size, DEFAULT_PACK_BYTES);
  }

  private async visit(visit: Visit): Promise<void> {
    const { oid, path, level } = visit;
    if (this.visited.has(oid)) return;
    this.visited.add(oid);
    const record = await this.limit(() => this.read(visit));
    if (!record) {
      if (this.options.repair) await this.visitUnrecorded(visit);
      return;
    }
    this.records.set(oid, record);
    if (record.kind === 'chunks') {
      const chunks = record.chunks();
      while (chunks.next()) this.need(chunks, path);
    }
    if (record.kind !== 'tree') return;
    const below: Promise<void>[] = [];
    const cursor = record.entries();
    while (cursor.next()) {
      const { entry, chunks } = cursor;
      if (entry.kind === KIND.tree || cursor.location === 'own')
        below.push(
          this.visit({
            oid: this.session.cache.oid(entry.digest),
            path: `${path}/${entry.name}`,
            level: level + 1,
            expected: true,
          }),
        );
      else if (cursor.location === 'chunks') while (chunks.next()) this.need(chunks, path);
    }
    await settled(below);
  }

  /** Looks for what is right below a tree whose record is not, so that a repair does not send it again. */
  private async visitUnrecorded({ oid, path, level }: Visit): Promise<void> {
    const below: Promise<void>[] = [];
    try {
      if (level >= MAX_TREE_LEVELS) return;
      if (!looksLikeTree(this.session.cache.peek(oid, TREE_MAGIC.length))) return;
      const reader = new TreeReader(this.session.cache.read(oid));
      while (reader.next()) {
        if (reader.kind !== KIND.tree && reader.size <= IN_TREE_BYTES) continue;
        below.push(
          this.visit({
            oid: this.session.cache.oid(reader.digest),
            path: `${path}/${reader.name}`,
            level: level + 1,
            expected: false,
          }),
        );
      }
    } catch (error) {
      // The repair meets the same object and reports it.
      if (!isMlvError(error)) throw error;
    } finally {
      await settled(below);
    }
  }

  private need(chunk: NeededChunk & { pack: Buffer }, path: string): void {
    const hex = chunk.pack.toString('hex');
    let need = this.needs.get(hex);
    if (!need) {
      need = new PackNeed();
      this.needs.set(hex, need);
    }
    need.add(chunk, path);
  }

  private async read({ oid, path, level, expected }: Visit): Promise<ObjectRecord | undefined> {
    try {
      checkTreeLevel(level);
      const record = await this.session.records.read(oid, { fresh: true });
      if (!record && expected) this.find('record-missing', recordKey(oid), [path], `the record of ${oid} is not there`);
      return record;
    } catch (error) {
      if (!isMlvError(error, 'RECORD_INVALID') && !isMlvError(error, 'TREE_INVALID')) throw error;
      this.find('record-damaged', recordKey(oid), [path], error.message);
      return undefined;
    }
  }

  private async pack(hex: string, need: PackNeed, most: number): Promise<void> {
    const onBytes = (bytes: number): void => this.phase.advance({ bytes });
    const { bytes, problem } = await checkPack(this.session, hex, {
      need,
      most,
      deep: this.options.deep ?? false,
      onBytes,
    });
    this.bytes += bytes;
    this.phase.advance({ items: 1 });
    if (!problem) return;
    this.lostPacks.add(hex);
    this.find(problem.kind, packKey(this.session.cache.hash.algorithm, hex), [...need.paths], problem.message);
  }

  private find(kind: RemoteFinding['kind'], key: string, paths: string[], message: string): void {
    this.findings.push({ kind, key, paths, message });
  }
}
