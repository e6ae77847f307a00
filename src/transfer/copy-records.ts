import { isMlvError } from '../core/errors.js';
import type { Oid } from '../objects/oid.js';
import { bytesBody } from '../remotes/remote.js';
import { childrenOf, getIfThere, packNames } from './collection-mark.js';
import type { CopyContext, CopyPacks } from './copy-packs.js';
import { type ObjectRecord, openRecord } from './record-reader.js';
import { packKey, recordKey } from './remote-layout.js';

export interface CopyRecordsOptions {
  packs: CopyPacks;
  /** Objects whose records the other remote has, with all that they need. */
  present: ReadonlySet<Oid>;
  onCopied: (bytes: number) => void;
}

/** Copies records from one remote to another, each once and after everything that it refers to. */
export class CopyRecords {
  private readonly copies = new Map<Oid, Promise<boolean>>();

  constructor(
    private readonly context: CopyContext,
    private readonly options: CopyRecordsOptions,
  ) {}

  /** True when the record is, or now is, on the other remote, with all that it needs. Errors: those of Remote. */
  async ensure(oid: Oid): Promise<boolean> {
    if (this.options.present.has(oid)) return true;
    const copy = this.copies.get(oid) ?? this.copy(oid);
    this.copies.set(oid, copy);
    return copy;
  }

  private async copy(oid: Oid): Promise<boolean> {
    const { to, fail } = this.context;
    const read = await this.read(oid);
    if (!read) return false;
    const lacking = await this.lacking(oid, read.record);
    if (lacking !== undefined) {
      fail({ key: recordKey(oid), message: `it needs ${lacking}, which could not be copied` });
      return false;
    }
    await to.remote.put(recordKey(oid), bytesBody(read.bytes), to.cancel);
    this.options.onCopied(read.bytes.length);
    return true;
  }

  /** The first thing that the record refers to and that is not on the other remote, nor could be copied. */
  private async lacking(oid: Oid, record: ObjectRecord): Promise<string | undefined> {
    const { algorithm } = this.context.from.cache.hash;
    for (const name of packNames(record)) if (!(await this.options.packs.ensure(name))) return packKey(algorithm, name);
    for (const child of childrenOf(record, oid)) if (!(await this.ensure(child.oid))) return recordKey(child.oid);
    return undefined;
  }

  private async read(oid: Oid): Promise<{ bytes: Buffer; record: ObjectRecord } | undefined> {
    const { from, step, fail } = this.context;
    const key = recordKey(oid);
    await step();
    try {
      const bytes = await getIfThere(from.remote, key, from.options.signal);
      if (bytes) return { bytes, record: openRecord(bytes, oid, from.cache.hash) };
      fail({ key, message: `the record of ${oid} is not there` });
    } catch (error) {
      if (!isMlvError(error, 'RECORD_INVALID') && !isMlvError(error, 'TREE_INVALID')) throw error;
      fail({ key, message: error.message });
    }
    return undefined;
  }
}
