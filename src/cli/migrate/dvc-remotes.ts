import { isMlvError } from '../../core/errors.js';
import { inParallel } from '../../transfer/in-parallel.js';
import type { OpenRepository } from '../context.js';
import type { Session } from '../session.js';
import { type OpenDvcRemote, openDvcRemote } from './dvc-remote.js';
import type { DvcSettings } from './dvc-settings.js';

/** The remotes of DVC, opened when something is wanted of them. */
export class DvcRemotes {
  name: string | undefined;
  private open: (OpenDvcRemote | undefined)[] | undefined;

  constructor(
    private readonly session: Session,
    private readonly repository: OpenRepository,
    private readonly options: { settings: readonly DvcSettings[]; named: string | undefined },
  ) {}

  /** Asks each remote for each item. One that cannot be used is warned of, and not asked again: contents are missing then. */
  async each<T>(
    items: readonly T[],
    jobs: number,
    work: (item: T, open: OpenDvcRemote) => Promise<void>,
  ): Promise<void> {
    if (items.length === 0) return;
    this.open ??= await this.openAll();
    for (const [at, open] of this.open.entries()) {
      if (!open) continue;
      this.name ??= open.name;
      try {
        await inParallel(items, jobs, (item) => work(item, open));
      } catch (error) {
        if (!isMlvError(error) || !error.code.startsWith('REMOTE_')) throw error;
        this.session.reporter.warn(`DVC's remote '${open.name}' cannot be used: ${error.message}`);
        this.open[at] = undefined;
        await open.remote.close();
      }
    }
  }

  private async openAll(): Promise<(OpenDvcRemote | undefined)[]> {
    const { named, settings } = this.options;
    const all: (OpenDvcRemote | undefined)[] = [];
    for (const each of settings) {
      all.push(await openDvcRemote(this.session, this.repository, { settings: each, named }));
    }
    return all;
  }

  async close(): Promise<void> {
    for (const each of this.open ?? []) await each?.remote.close();
  }
}
