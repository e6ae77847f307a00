import type { Algorithm, Oid } from '../objects/oid.js';
import { bytesBody, type Remote } from '../remotes/remote.js';
import { asideKey } from './collection-layout.js';
import type { CollectionLease } from './collection-lease.js';
import { beginEpoch, writeMarks } from './collection-log.js';
import { getIfThere } from './collection-mark.js';
import { type CollectionPlan, type ListedPack, type ListedRecord, parentsFirst } from './collection-plan.js';
import { inParallel } from './in-parallel.js';
import { packKey, recordKey } from './remote-layout.js';

/** Keys that are looked at once more and then deleted together. */
const BATCH = 100;
/** Remotes tell times to the second in one place and finer in another. */
const CLOCK_RESOLUTION_MS = 1000;

export interface StepOptions {
  remote: Remote;
  algorithm: Algorithm;
  lease: CollectionLease;
  jobs: number;
  /** What the record of an object refers to. */
  childrenOf: (oid: Oid) => readonly Oid[];
  /** Called for each thing that is done. */
  onStep: () => void;
  signal?: AbortSignal;
}

/**
 * Carries a plan out, in an order that leaves a remote right wherever it ends: what comes back before what goes;
 * records before what they refer to when they go, and after it when they come; packs after all records.
 */
export class CollectionSteps {
  /** What was really set aside and deleted; less than planned where something was pushed again meanwhile. */
  readonly done = { setAside: 0, sweptRecords: 0, sweptPacks: 0, sweptBytes: 0 };

  constructor(private readonly options: StepOptions) {}

  /** Errors: `REMOTE_BUSY` where the lease was lost, those of Remote. Running it all again finishes the job. */
  async carryOut(plan: CollectionPlan): Promise<void> {
    const { remote } = this.options;
    await this.restore(plan.restore);
    await this.delete(plan.superfluous.map(({ oid }) => asideKey(oid)));
    const takesAway = plan.setAside.length + plan.sweepRecords.length + plan.sweepPacks.length > 0;
    if (takesAway) await beginEpoch(remote, this.cancel);
    await this.setAside(plan.setAside);
    if (plan.mark.length > 0) {
      await writeMarks(
        remote,
        plan.mark.map(({ name }) => name),
        this.cancel,
      );
    }
    await this.sweepRecords(plan.sweepRecords);
    await this.sweepPacks(plan.sweepPacks);
    await this.delete(plan.dropMarks);
  }

  /** Puts records back in use: what they refer to first, so that what is in use is whole at any moment. */
  private async restore(records: readonly ListedRecord[]): Promise<void> {
    const oids = records.map(({ oid }) => oid);
    for (const group of parentsFirst(oids, this.options.childrenOf).reverse()) {
      await this.each(group, async (oid) => {
        const bytes = await this.read(asideKey(oid));
        // Who pushed it again meanwhile knows better where it is.
        if (bytes) await this.options.remote.put(recordKey(oid), bytesBody(bytes), { ifAbsent: true, ...this.cancel });
      });
      await this.delete(group.map(asideKey));
    }
  }

  private async setAside(records: readonly ListedRecord[]): Promise<void> {
    const { childrenOf, remote } = this.options;
    const listed = new Map(records.map((record) => [record.oid, record]));
    /** What was written again meanwhile, and all below it. */
    const kept = new Set<Oid>();
    const keep = (oid: Oid): void => {
      for (const child of childrenOf(oid)) kept.add(child);
    };
    for (const group of parentsFirst([...listed.keys()], childrenOf)) {
      for (const oid of group) if (kept.has(oid)) keep(oid);
      for (const batch of batches(group.filter((oid) => !kept.has(oid)))) {
        await this.each(batch, async (oid) => {
          const bytes = await this.read(recordKey(oid));
          if (bytes) await remote.put(asideKey(oid), bytesBody(bytes), this.cancel);
        });
        const entries = batch.map((oid) => ({ key: recordKey(oid), ...(listed.get(oid) as ListedRecord) }));
        const gone = new Set((await this.deleteUnchanged(entries)).map(({ oid }) => oid));
        for (const oid of batch) if (!gone.has(oid)) keep(oid);
        this.done.setAside += gone.size;
      }
    }
  }

  private async sweepRecords(records: readonly ListedRecord[]): Promise<void> {
    const oids = records.map(({ oid }) => oid);
    for (const group of parentsFirst(oids, this.options.childrenOf)) {
      await this.delete(group.map(asideKey));
      this.done.sweptRecords += group.length;
    }
  }

  private async sweepPacks(packs: readonly ListedPack[]): Promise<void> {
    for (const batch of batches(packs)) {
      const entries = batch.map((pack) => ({ key: packKey(this.options.algorithm, pack.name), ...pack }));
      for (const { size } of await this.deleteUnchanged(entries)) {
        this.done.sweptPacks++;
        this.done.sweptBytes += size;
      }
    }
  }

  /** Deletes what has not been written again since it was listed; gives what that was. */
  private async deleteUnchanged<T extends { key: string; modified: number }>(entries: readonly T[]): Promise<T[]> {
    const unchanged: T[] = [];
    await this.each(entries, async (entry) => {
      const now = await this.options.remote.stat(entry.key, this.cancel);
      if (now && now.modified < entry.modified + CLOCK_RESOLUTION_MS) unchanged.push(entry);
    });
    await this.delete(unchanged.map(({ key }) => key));
    return unchanged;
  }

  private async delete(keys: readonly string[]): Promise<void> {
    if (keys.length === 0) return;
    await this.options.lease.check();
    await this.options.remote.delete(keys, this.cancel);
  }

  private async each<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
    await inParallel(items, this.options.jobs, async (item) => {
      await this.options.lease.step();
      await work(item);
      this.options.onStep();
    });
  }

  private read(key: string): Promise<Buffer | undefined> {
    return getIfThere(this.options.remote, key, this.options.signal);
  }

  private get cancel(): { signal?: AbortSignal } {
    return this.options.signal ? { signal: this.options.signal } : {};
  }
}

function batches<T>(items: readonly T[]): T[][] {
  const result: T[][] = [];
  for (let start = 0; start < items.length; start += BATCH) result.push(items.slice(start, start + BATCH));
  return result;
}
