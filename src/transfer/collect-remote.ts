import { MlvError } from '../core/errors.js';
import type { Oid } from '../objects/oid.js';
import { type DeadObject, DeadObjects } from './collection-dead.js';
import { CollectionLease, remoteNow } from './collection-lease.js';
import { listClocks, listRemote, type RemoteListing } from './collection-list.js';
import { readLog } from './collection-log.js';
import { LiveMarker, type LiveRoot, type LiveSet } from './collection-mark.js';
import { type CollectionPlan, type ListedPack, planCollection } from './collection-plan.js';
import { CollectionSteps } from './collection-steps.js';
import type { TransferSession } from './session.js';

export interface CollectOptions {
  /** Everything that must be kept: see collectGitRoots. */
  roots: readonly LiveRoot[];
  /** How long what nothing needs stays out of use, and how old it must be before that (milliseconds). */
  graceMs: number;
  /** Only find out what would be done. */
  dryRun?: boolean;
  /** Go on though a record that roots need is damaged, and so what it needs is not known; the report lists them. */
  ignoreUnreadable?: boolean;
}

/** A number of packs, and their bytes. */
export interface PackCount {
  packs: number;
  bytes: number;
}

export interface CollectionReport {
  dryRun: boolean;
  /** Roots that were asked to be kept, and how many of them are not on this remote. */
  roots: number;
  absentRoots: number;
  /** What is needed. */
  live: { records: number; packs: number };
  /** Records that came back into use. */
  restored: number;
  /** Objects that nothing needs, and that are out of use from now on; those that no other of them holds. */
  setAside: { records: number; objects: DeadObject[] };
  /** Packs that will be deleted when the grace is over. */
  marked: PackCount;
  /** What was deleted for good. */
  swept: PackCount & { records: number; objects: DeadObject[] };
  /** What waits for its grace to be over; `until` is the first such moment, in milliseconds by the remote's clock. */
  waiting: PackCount & { records: number; until: number | undefined };
  /** Records that are damaged or missing, and kept as they are: young ones, and with `ignoreUnreadable` any. */
  unreadable: { message: string }[];
}

/**
 * Takes out of use, and after a grace deletes, what nothing needs on a remote. Objects are set aside (a fetch still
 * finds them) and packs are marked (no push relies on them any more) in one run; a later one, after the grace, looks
 * at everything anew, puts back what is needed again and deletes the rest. Nothing is rewritten: a pack goes when no
 * record names it. Pushes, pulls and other collections may be under way. Errors: `RECORD_INVALID` where a needed record
 * is damaged, `REMOTE_BUSY` where another collection is at work, `REMOTE_MISMATCH` for a remote of another repository,
 * `FORMAT_TOO_NEW`, those of Remote; run again, it goes on where it was.
 */
export async function collectRemote(session: TransferSession, options: CollectOptions): Promise<CollectionReport> {
  if (!(await session.readInfo())) return emptyReport(options);
  await session.expectInfo();
  if (options.dryRun) return new Collection(session, options).run(await remoteNow(session.remote, session.cancel));
  const lease = await CollectionLease.take(session.remote, session.cancel);
  try {
    return await new Collection(session, options, lease).run(lease.taken);
  } finally {
    await lease.release();
  }
}

class Collection {
  private readonly dead: DeadObjects;
  private readonly phase;
  private readonly step = async (): Promise<void> => {
    this.phase.advance({ items: 1 });
    await this.lease?.step();
  };

  constructor(
    private readonly session: TransferSession,
    private readonly options: CollectOptions,
    private readonly lease?: CollectionLease,
  ) {
    const { jobs, reporter } = session.options;
    this.phase = reporter.phase('Looking at the remote', { unit: 'keys' });
    const { remote, cache, cancel } = session;
    this.dead = new DeadObjects({ remote, hash: cache.hash, jobs, step: this.step, ...cancel });
  }

  async run(now: number): Promise<CollectionReport> {
    try {
      const { remote, cache, cancel } = this.session;
      const log = await readLog(remote, cancel);
      const listing = await listRemote({ remote, algorithm: cache.hash.algorithm, ...cancel, onEntry: this.onEntry });
      const { live, absent, unreadable } = await this.mark(listing, now);
      await this.readDead(listing, live);
      const plan = planCollection({
        ...listing,
        marks: log.marks,
        liveRecords: live.records,
        livePacks: live.packs,
        packsOf: this.dead.packsOf,
        now,
        graceMs: this.options.graceMs,
      });
      plan.dropMarks.push(...log.damaged);
      const report = this.report(plan, { live, absent, unreadable });
      if (this.lease) await this.carryOut(plan, { live, lease: this.lease, report });
      return report;
    } finally {
      this.phase.end();
    }
  }

  private readonly onEntry = (): void => this.phase.advance({ items: 1 });

  /** Follows the roots, and then what was pushed so lately that its commits may not be seen here yet. */
  private async mark(
    listing: RemoteListing,
    now: number,
  ): Promise<{ live: LiveSet; absent: number; unreadable: { message: string }[] }> {
    const { remote, cache, cancel, options } = this.session;
    const inUse = new Set(listing.records.map(({ oid }) => oid));
    const aside = new Set(listing.aside.map(({ oid }) => oid));
    const { jobs } = options;
    const marker = new LiveMarker({ remote, cache, inUse, aside, jobs, step: this.step, ...cancel });
    await marker.add(this.options.roots);
    const { live } = marker;
    const absent = this.options.roots.filter(({ oid }) => marker.absent.has(oid)).length;
    if (live.problems.length > 0 && !this.options.ignoreUnreadable) throw damagedError(live.problems, this.session);
    const young = listing.records.filter(({ modified }) => now - modified < this.options.graceMs);
    await marker.add(young.map(({ oid }) => ({ oid, path: oid, directory: false })));
    return { live, absent, unreadable: live.problems.map(({ message }) => ({ message })) };
  }

  private async readDead({ records, aside }: RemoteListing, live: LiveSet): Promise<void> {
    const deadOf = (listed: readonly { oid: Oid }[]): Oid[] =>
      listed.map(({ oid }) => oid).filter((oid) => !live.records.has(oid));
    await this.dead.add(deadOf(records), 'use');
    await this.dead.add(deadOf(aside), 'aside');
  }

  private async carryOut(
    plan: CollectionPlan,
    context: { live: LiveSet; lease: CollectionLease; report: CollectionReport },
  ): Promise<void> {
    const { session, phase } = this;
    const { live, lease, report } = context;
    const steps = new CollectionSteps({
      remote: session.remote,
      algorithm: session.cache.hash.algorithm,
      lease,
      jobs: session.options.jobs,
      childrenOf: (oid) => live.asideChildren.get(oid) ?? this.dead.childrenOf(oid),
      onStep: () => phase.advance({ items: 1 }),
      ...session.cancel,
    });
    await steps.carryOut(plan);
    await session.remote.delete(await listClocks(session), session.cancel);
    const { setAside, sweptRecords, sweptPacks, sweptBytes } = steps.done;
    report.setAside.records = setAside;
    Object.assign(report.swept, { records: sweptRecords, packs: sweptPacks, bytes: sweptBytes });
  }

  private report(
    plan: CollectionPlan,
    found: { live: LiveSet; absent: number; unreadable: { message: string }[] },
  ): CollectionReport {
    const { live, absent, unreadable } = found;
    const tops = (records: readonly { oid: Oid }[]): DeadObject[] => this.dead.tops(records.map(({ oid }) => oid));
    const { waiting } = plan;
    return {
      ...emptyReport(this.options),
      absentRoots: absent,
      live: { records: live.records.size, packs: live.packs.size },
      restored: plan.restore.length,
      setAside: { records: plan.setAside.length, objects: tops(plan.setAside) },
      marked: packCount(plan.mark),
      swept: { records: plan.sweepRecords.length, ...packCount(plan.sweepPacks), objects: tops(plan.sweepRecords) },
      waiting: { records: waiting.records.length, ...packCount(waiting.packs), until: waiting.until },
      unreadable,
    };
  }
}

function emptyReport({ roots, dryRun = false }: CollectOptions): CollectionReport {
  return {
    dryRun,
    roots: roots.length,
    absentRoots: roots.length,
    live: { records: 0, packs: 0 },
    restored: 0,
    setAside: { records: 0, objects: [] },
    marked: { packs: 0, bytes: 0 },
    swept: { records: 0, packs: 0, bytes: 0, objects: [] },
    waiting: { records: 0, packs: 0, bytes: 0, until: undefined },
    unreadable: [],
  };
}

function packCount(packs: readonly ListedPack[]): PackCount {
  return { packs: packs.length, bytes: packs.reduce((sum, { size }) => sum + size, 0) };
}

function damagedError(problems: readonly MlvError[], { options, remote }: TransferSession): MlvError {
  const [first] = problems;
  const more = problems.length > 1 ? `, and so are ${problems.length - 1} more` : '';
  return new MlvError(
    'RECORD_INVALID',
    `${first?.message} on remote '${options.name}'; what it needs cannot be told${more}`,
    {
      cause: first,
      hint: `mend it from a clone that has it: mlv fsck --remote=${options.name} --repair --all-commits; --ignore-unreadable goes on without`,
      data: { url: remote.url, problems: problems.slice(0, 1000).map(({ message, data }) => ({ message, ...data })) },
    },
  );
}
