import { join } from 'node:path';
import type { Oid } from '../objects/oid.js';
import { CollectionWatch } from './collection-watch.js';
import { DueRecords } from './due-records.js';
import { inParallel } from './in-parallel.js';
import { KnownPlaces } from './known-places.js';
import { PackUploader } from './pack-uploader.js';
import { PredecessorPlaces } from './predecessors.js';
import { ChunkSender } from './push-chunks.js';
import { PushJournal } from './push-journal.js';
import { IN_TREE_BYTES, PushWalk, type RemoteState, type RepairView } from './push-walk.js';
import type { RemoteInfo } from './remote-info.js';
import { missingFromRemote } from './remote-status.js';
import type { FailedObject, FormerVersions, PushRoot } from './roots.js';
import { ScatteredFiles } from './scattered-files.js';
import type { TransferSession } from './session.js';

export interface PushOptions {
  /** Only find out what would be sent. */
  dryRun?: boolean;
  /** Adds to the predecessors of roots that the remote lacks: not called where it has all of them, as far as is known here. */
  formerVersions?: FormerVersions;
  /**
   * For repair: what is on the remote is not asked but told. The records of objects that are not intact are written
   * again, with all below them.
   */
  repair?: RepairView;
}

export interface PushReport {
  /** Roots that the remote had already, and those that it has now. */
  upToDate: number;
  pushed: number;
  /** What was sent: records (one an object), packs, their bytes; with `dryRun` what would be (bytes before dedup). */
  objects: number;
  packs: number;
  bytes: number;
  failed: FailedObject[];
}

/**
 * Brings roots and all that they name to a remote: packs first, then records of files, then those of trees from the
 * leaves up, roots last. Only chunks that no predecessor on the remote has are sent. Objects that the cache lacks do
 * not stop the others. Errors: those of Remote, `REMOTE_MISMATCH`, `INTERRUPTED`.
 */
export async function push(
  session: TransferSession,
  roots: readonly PushRoot[],
  options: PushOptions = {},
): Promise<PushReport> {
  const report: PushReport = { upToDate: 0, pushed: 0, objects: 0, packs: 0, bytes: 0, failed: [] };
  const unique = [...new Map(roots.map((root) => [root.oid, root])).values()];
  const early = options.repair ? undefined : askEarly(session, unique, options.formerVersions);
  const wanted = options.repair ? unique : await missingFromRemote(session, unique);
  report.upToDate = countTargets(unique) - countTargets(wanted);
  // What another repository keeps is not kept for this one: its collection would delete it.
  if (wanted.length < unique.length && !options.repair) await session.confirmRepository();
  if (wanted.length === 0) {
    await early?.settled();
    return report;
  }
  // Neither needs what the others find out.
  const [info, toPush, first] = await Promise.all([
    options.dryRun ? session.expectInfo() : session.ensureInfo(),
    options.formerVersions ? withPredecessors(wanted, early?.former ?? options.formerVersions) : wanted,
    early?.watch ?? CollectionWatch.begin(session),
  ]);
  let watch = first;
  while (!(await new PushRun(session, { info, report, options, watch }).all(toPush))) {
    watch = await CollectionWatch.begin(session);
  }
  return report;
}

/** What a push asks for before it knows that it needs the answers. */
interface EarlyQuestions {
  former: FormerVersions | undefined;
  watch: Promise<CollectionWatch>;
  /** Waits until nothing of it is under way any more. */
  settled(): Promise<unknown>;
}

/**
 * Asks the remote and Git at once what a push of roots asks that the remote lacks. Undefined where it most probably has them
 * all: their records were seen there, or they are not here. What collections did since the question, the end of the push sees.
 */
function askEarly(
  session: TransferSession,
  roots: readonly PushRoot[],
  formerVersions: FormerVersions | undefined,
): EarlyQuestions | undefined {
  const fresh = roots.filter(({ oid }) => !session.records.hasCopy(oid) && session.cache.has(oid));
  if (fresh.length === 0) return undefined;
  const info = session.askInfo();
  const watch = CollectionWatch.begin(session);
  const paths = pathsOf(fresh);
  const first = formerVersions?.(paths);
  const underWay = [info, watch, first];
  // Whoever needs an answer gets its error, and what is wrong with the remote is said by the first question.
  for (const answer of underWay) answer?.catch(() => undefined);
  const former = formerVersions && first && joined({ paths, first }, formerVersions);
  return { former, watch, settled: () => Promise.allSettled(underWay) };
}

/** Gives the versions of some paths, which were asked for, and asks for those of others when they are needed. */
function joined(
  { paths, first }: { paths: readonly string[]; first: ReturnType<FormerVersions> },
  formerVersions: FormerVersions,
): FormerVersions {
  const asked = new Set(paths);
  return async (wanted) => {
    const others = wanted.filter((path) => !asked.has(path));
    return others.length === 0 ? first : new Map([...(await first), ...(await formerVersions(others))]);
  };
}

function pathsOf(roots: readonly PushRoot[]): string[] {
  return [...new Set(roots.map(({ path }) => path))];
}

async function withPredecessors(roots: readonly PushRoot[], formerVersions: FormerVersions): Promise<PushRoot[]> {
  const former = await formerVersions(pathsOf(roots));
  return roots.map((root) => {
    const all = [...root.predecessors, ...(former.get(root.path) ?? [])];
    return { ...root, predecessors: [...new Set(all)].filter((oid) => oid !== root.oid) };
  });
}

function countTargets(roots: readonly PushRoot[]): number {
  return roots.filter(({ isRecord }) => !isRecord).length;
}

class PushRun implements RemoteState {
  readonly repair?: RepairView;
  private readonly places: KnownPlaces;
  private readonly predecessors: PredecessorPlaces;
  private readonly journal: PushJournal;
  private readonly uploader: PackUploader;
  private readonly phase;
  /** Large files of trees that the remote was asked for, and has. */
  private readonly present = new Set<Oid>();

  constructor(
    private readonly session: TransferSession,
    private readonly job: { info: RemoteInfo; report: PushReport; options: PushOptions; watch: CollectionWatch },
  ) {
    const { stateDirectory, reporter } = session.options;
    if (job.options.repair) this.repair = job.options.repair;
    this.phase = reporter.phase('Pushing', { unit: 'packs' });
    const { isMarked } = job.watch;
    this.places = this.repair?.places ?? new KnownPlaces(isMarked);
    if (isMarked) this.places.drop(isMarked);
    this.predecessors = new PredecessorPlaces(session, this.places);
    this.journal = new PushJournal(join(stateDirectory, 'journal'), session.cache.temporary);
    const packBytes = job.info.pack.size;
    this.uploader = new PackUploader({ session, journal: this.journal, packBytes, isMarked, phase: this.phase });
  }

  /**
   * Pushes the roots; what happened is in the report. False when a collection took something away meanwhile, which this
   * run may have relied on: nothing was recorded, and the next run goes on with the packs that were sent.
   */
  async all(roots: readonly PushRoot[]): Promise<boolean> {
    const { report } = this.job;
    report.pushed = 0;
    report.failed = [];
    const records = new DueRecords();
    try {
      if (!this.repair) await this.learn(roots);
      await this.send(roots, records);
      if (this.job.options.dryRun) {
        report.objects = records.count;
        return true;
      }
      await this.uploader.finish();
      if (await this.job.watch.hasChanged()) return false;
      await records.writeAll(this.session, (bytes) => {
        report.objects++;
        report.bytes += bytes;
      });
      this.journal.clear();
      return true;
    } finally {
      // Uploads that are under way must not outlive an error: their packs are journaled as they end.
      await this.uploader.finish().catch(() => {});
      this.phase.end();
      report.packs += this.uploader.packs;
      report.bytes += this.uploader.bytes;
    }
  }

  has(oid: Oid): boolean {
    if (this.repair) return this.repair.isIntact(oid);
    return this.present.has(oid) || this.predecessors.has(oid);
  }

  /** Finds out what of the roots the remote has already. */
  private async learn(roots: readonly PushRoot[]): Promise<void> {
    const { session } = this;
    const { jobs } = session.options;
    await this.journal.recall(session, this.places);
    const successors: PushRoot[] = [];
    await inParallel(roots, jobs, async (root) => {
      if ((await this.predecessors.load(root)) && root.directory) successors.push(root);
    });
    const scattered = new ScatteredFiles({
      session,
      places: this.places,
      predecessors: this.predecessors,
      whole: this.job.info.chunker.whole,
    });
    for (const root of successors) await scattered.setAside(root);
    await inParallel(this.predecessors.unknownLargeFiles(roots, IN_TREE_BYTES), jobs, async (oid) => {
      if (await session.records.isOnRemote(oid)) this.present.add(oid);
    });
  }

  private async send(roots: readonly PushRoot[], records: DueRecords): Promise<void> {
    const { session, places, uploader, phase } = this;
    const { info, report, options } = this.job;
    const dryRun = options.dryRun ?? false;
    const sender = new ChunkSender({ session, info, places, uploader, phase, dryRun });
    const { whole } = info.chunker;
    const walk = new PushWalk({ session, whole, places, sender, records, remote: this, failed: report.failed });
    try {
      for (const root of roots) if (await walk.root(root)) report.pushed++;
      await sender.finish();
    } finally {
      await sender.close();
    }
    report.bytes += sender.plannedBytes;
  }
}
