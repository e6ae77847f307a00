import type { Oid } from '../objects/oid.js';
import { inParallel } from './in-parallel.js';
import type { TransferSession } from './session.js';

/** Height of a file's record: below every tree's. */
export const FILE_HEIGHT = -1;

/** A record that can be written once all packs are on the remote. */
export interface DueRecord {
  oid: Oid;
  /** FILE_HEIGHT, or a tree's distance from its leaves: 0 without sub-trees. */
  height: number;
  /** Called once, when the packs have their names. */
  encode: () => Buffer;
}

/** The records that a push has to write, in the order that makes each of them true from the moment it is there. */
export class DueRecords {
  private readonly due: DueRecord[] = [];

  get count(): number {
    return this.due.length;
  }

  add(record: DueRecord): void {
    this.due.push(record);
  }

  /**
   * Writes all: those of files, then those of trees from the leaves up, so that roots come last. `onWritten` gets the
   * bytes of each. Errors: those of Remote.
   */
  async writeAll(session: TransferSession, onWritten: (bytes: number) => void): Promise<void> {
    const phase = session.options.reporter.phase('Recording', { total: { items: this.count }, unit: 'records' });
    const write = async ({ oid, encode }: DueRecord): Promise<void> => {
      const bytes = encode();
      await session.records.write(oid, bytes);
      onWritten(bytes.length);
      phase.advance({ items: 1, bytes: bytes.length });
    };
    try {
      for (const level of this.levels()) await inParallel(level, session.options.jobs, write);
    } finally {
      phase.end();
    }
  }

  private levels(): DueRecord[][] {
    const byHeight = new Map<number, DueRecord[]>();
    for (const record of this.due) {
      const level = byHeight.get(record.height);
      if (level) level.push(record);
      else byHeight.set(record.height, [record]);
    }
    return [...byHeight].sort(([left], [right]) => left - right).map(([, level]) => level);
  }
}
