import { type CollectionLog, markedPacks, readLog, readLogState } from './collection-log.js';
import type { TransferSession } from './session.js';

/** What a push must know of collections: which packs it cannot rely on, and whether that is still true. */
export class CollectionWatch {
  private constructor(
    private readonly session: TransferSession,
    private readonly log: CollectionLog,
    private readonly marked: ReadonlySet<string>,
  ) {}

  /** Reads what collections have written: one list. Errors: `REMOTE_MISMATCH`, `FORMAT_TOO_NEW`, those of Remote. */
  static async begin(session: TransferSession): Promise<CollectionWatch> {
    const log = await readLog(session.remote, session.cancel);
    return new CollectionWatch(session, log, markedPacks(log, session.remote));
  }

  /** True for a pack that a collection may delete; undefined where there is none. */
  get isMarked(): ((pack: Buffer) => boolean) | undefined {
    return this.marked.size === 0 ? undefined : (pack) => this.marked.has(pack.toString('hex'));
  }

  /** True when a collection has marked or taken away something since then: one list. */
  async hasChanged(): Promise<boolean> {
    return (await readLogState(this.session.remote, this.session.cancel)) !== this.log.state;
  }
}
