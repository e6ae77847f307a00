import { isMlvError, MlvError } from '../core/errors.js';
import { splitOid } from '../objects/oid.js';
import { bytesBody, type Remote } from '../remotes/remote.js';
import { CollectionLease } from './collection-lease.js';
import { type CopyFailure, CopyPacks } from './copy-packs.js';
import { CopyRecords } from './copy-records.js';
import { inParallel } from './in-parallel.js';
import { encodeRemoteInfo, type RemoteInfo } from './remote-info.js';
import { PACKS_PREFIX, parsePackKey, parseRecordKey, RECORDS_PREFIX, REMOTE_INFO_KEY } from './remote-layout.js';
import type { TransferSession } from './session.js';

/** Whole packs that are in memory at once. */
const MOST_PACKS = 4;

export interface CopyOptions {
  /** Only find out what would be copied: nothing is read but lists. */
  dryRun?: boolean;
}

export interface CopyReport {
  /** What was copied, or would be. */
  packs: number;
  records: number;
  /** Bytes of both. */
  bytes: number;
  /** Packs and records that were there already. */
  present: number;
  /** What is damaged or missing at the source, and what depends on it: not copied. */
  failed: CopyFailure[];
}

/**
 * Copies everything that is in use on one remote to another of the same repository: packs first, then records of files,
 * then those of trees from the leaves up, so that a copy that was interrupted names nothing that is not there; running
 * it again goes on. Every pack and record is checked on its way. What the other remote has already stays as it is there.
 * Errors: `REMOTE_MISMATCH` where one of them belongs to another repository, `REMOTE_NOT_FOUND` where nothing was ever
 * pushed to the first, `REMOTE_BUSY` while the second is being collected, those of Remote.
 */
export async function copyRemote(
  from: TransferSession,
  to: TransferSession,
  options: CopyOptions = {},
): Promise<CopyReport> {
  const info = await matchingInfo(from, to);
  if (options.dryRun) return new RemoteCopy(from, to).plan();
  // A collection there must not delete what the copy finds present: unlike a push, it cannot give packs other names.
  const lease = await CollectionLease.take(to.remote, to.cancel);
  try {
    await to.remote.put(REMOTE_INFO_KEY, bytesBody(encodeRemoteInfo(info)), { ifAbsent: true, ...to.cancel });
    return await new RemoteCopy(from, to, lease).all();
  } finally {
    await lease.release();
  }
}

/** What the source says of itself, for a destination that says the same or nothing. */
async function matchingInfo(from: TransferSession, to: TransferSession): Promise<RemoteInfo> {
  const info = await from.readInfo();
  if (!info) {
    const message = `nothing was ever pushed to remote '${from.options.name}' (${from.remote.url})`;
    throw new MlvError('REMOTE_NOT_FOUND', message, { data: { url: from.remote.url, missing: 'key' } });
  }
  await from.expectInfo();
  const there = await to.expectInfo();
  if (there.pack.size >= info.pack.size || !(await to.readInfo())) return info;
  throw new MlvError(
    'REMOTE_MISMATCH',
    `packs of remote '${from.options.name}' are up to ${info.pack.size} bytes, those of '${to.options.name}' up to ${there.pack.size}`,
    { hint: 'copy to a new directory or prefix', data: { url: to.remote.url } },
  );
}

class RemoteCopy {
  private readonly report: CopyReport = { packs: 0, records: 0, bytes: 0, present: 0, failed: [] };
  private readonly phase;

  constructor(
    private readonly from: TransferSession,
    private readonly to: TransferSession,
    private readonly lease?: CollectionLease,
  ) {
    this.phase = from.options.reporter.phase('Copying', { unit: 'keys' });
  }

  async plan(): Promise<CopyReport> {
    try {
      for (const [what, listed] of Object.entries(await this.lists())) {
        for (const bytes of listed.missing.values()) this.count(what as 'packs' | 'records', bytes);
      }
      return this.report;
    } finally {
      this.phase.end();
    }
  }

  async all(): Promise<CopyReport> {
    const { from, to, report } = this;
    const { jobs } = from.options;
    try {
      const lists = await this.lists();
      const context = {
        from,
        to,
        step: async () => this.lease?.step(),
        fail: (failure: CopyFailure) => report.failed.push(failure),
      };
      const packs = new CopyPacks(context, lists.packs.present, (bytes) => this.count('packs', bytes));
      const records = new CopyRecords(context, {
        packs,
        present: lists.records.present,
        onCopied: (bytes) => this.count('records', bytes),
      });
      await inParallel(lists.packs.missing.keys(), Math.min(MOST_PACKS, jobs), (name) => packs.ensure(name));
      await inParallel(lists.records.missing.keys(), jobs, (oid) => records.ensure(oid));
      return report;
    } finally {
      this.phase.end();
    }
  }

  /** Records are listed first: what they name was there before them, and is in the list of packs. */
  private async lists() {
    const { algorithm } = this.from.cache.hash;
    const records = await this.compare(RECORDS_PREFIX, (key) => {
      const oid = parseRecordKey(key);
      return oid && splitOid(oid).algorithm === algorithm ? oid : undefined;
    });
    const packs = await this.compare(PACKS_PREFIX, (key) => {
      const pack = parsePackKey(key);
      return pack?.algorithm === algorithm ? pack.hex : undefined;
    });
    for (const { missing } of [packs, records]) {
      this.phase.expect({ items: missing.size, bytes: [...missing.values()].reduce((sum, bytes) => sum + bytes, 0) });
    }
    return { packs, records };
  }

  /** What the destination lacks, or has in another size where the size tells; and the rest of what it has. */
  private async compare<T extends string>(prefix: string, parse: (key: string) => T | undefined) {
    const there = await sizesBelow(this.to.remote, prefix, this.to.cancel);
    const listed = { missing: new Map<T, number>(), present: new Set<T>() };
    for (const key of there.keys()) {
      const name = parse(key);
      if (name !== undefined) listed.present.add(name);
    }
    for await (const { key, size } of this.from.remote.list(prefix, this.from.cancel)) {
      const name = parse(key);
      if (name === undefined) continue;
      // Packs are named by their content, while two records of one object may differ.
      if (prefix === PACKS_PREFIX ? there.get(key) === size : there.has(key)) this.report.present++;
      else {
        listed.missing.set(name, size);
        listed.present.delete(name);
      }
    }
    return listed;
  }

  private count(what: 'packs' | 'records', bytes: number): void {
    this.report[what]++;
    this.report.bytes += bytes;
    this.phase.advance({ items: 1, bytes });
  }
}

async function sizesBelow(remote: Remote, prefix: string, options: { signal?: AbortSignal }) {
  const sizes = new Map<string, number>();
  try {
    for await (const { key, size } of remote.list(prefix, options)) sizes.set(key, size);
  } catch (error) {
    // A directory that is not there yet has nothing; the first put makes it.
    if (!isMlvError(error, 'REMOTE_NOT_FOUND') || error.data.missing !== 'directory') throw error;
  }
  return sizes;
}
