import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isMlvError, MlvError, systemErrorCode } from '../core/errors.js';
import type { ObjectCache } from '../objects/cache.js';
import { DIGEST_BYTES, type Oid, splitOid } from '../objects/oid.js';
import { bytesBody, discardContent, type Remote, type RemoteContent, readContent } from '../remotes/remote.js';
import { asideKey } from './collection-layout.js';
import { type ObjectRecord, openRecord } from './record-reader.js';
import { recordKey } from './remote-layout.js';

/** More bytes than that are no record: a directory of a million files in one level has a tenth. */
const RECORD_MAX_BYTES = 512 * 1024 * 1024;

/**
 * The records of one remote, with copies of those that were seen kept on this machine. A copy says how an object was
 * stored, which stays true while its packs are there; whether the object is on the remote only the remote can say.
 */
export class RecordStore {
  /** Records that came from, or went to, the remote through this store. */
  private readonly seen = new Set<Oid>();

  constructor(
    private readonly remote: Remote,
    private readonly cache: ObjectCache,
    private readonly directory: string,
    private readonly signal?: AbortSignal,
  ) {}

  /** True when the remote has the record: one request. */
  async isOnRemote(oid: Oid): Promise<boolean> {
    try {
      return (await this.remote.stat(recordKey(oid), this.cancel)) !== undefined;
    } catch (error) {
      // A directory that is not there yet has nothing; the first push makes it.
      if (isMlvError(error, 'REMOTE_NOT_FOUND') && error.data.missing === 'directory') return false;
      throw error;
    }
  }

  /** True when there is a copy on this machine, whole or not: the remote most probably has the record. */
  hasCopy(oid: Oid): boolean {
    return existsSync(this.pathOf(oid));
  }

  /** The copy on this machine, or undefined where there is none that is whole. */
  copyOf(oid: Oid): ObjectRecord | undefined {
    return this.openCopy(oid)?.record;
  }

  /**
   * The record, from this machine or the remote; undefined where the remote has none. With `fresh` the remote is asked
   * in any case; with `aside` a record that a collection has set aside counts, too. Errors: `RECORD_INVALID`,
   * `TREE_INVALID`, `FORMAT_TOO_NEW`, those of Remote.
   */
  async read(oid: Oid, options: { fresh?: boolean; aside?: boolean } = {}): Promise<ObjectRecord | undefined> {
    const copy = options.fresh ? undefined : this.copyOf(oid);
    const record = copy ?? (await this.download(oid));
    if (record || !options.aside) return record;
    // One that comes back into use between the two looks is found by a third.
    return (await this.download(oid, asideKey(oid))) ?? this.download(oid);
  }

  /**
   * As read, but a copy on this machine counts only when the remote has the same: for records that say where chunks are
   * that will not be sent again. One request, which brings a few bytes where there is a copy that still holds.
   */
  async readConfirmed(oid: Oid): Promise<ObjectRecord | undefined> {
    const copy = this.openCopy(oid);
    if (!copy) return this.download(oid);
    const { bytes, record } = copy;
    const range = { start: bytes.length - DIGEST_BYTES, length: DIGEST_BYTES };
    try {
      // A record ends with the digest of all that comes before: what ends alike is alike.
      const end = await readContent(await this.remote.get(recordKey(oid), { range, ...this.cancel }));
      if (end.equals(bytes.subarray(range.start))) return record;
    } catch (error) {
      if (isMlvError(error, 'REMOTE_NOT_FOUND')) return undefined;
      // A record that is shorter has no such range.
      if (!isMlvError(error, 'REMOTE_PERMANENT')) throw error;
    }
    return this.download(oid);
  }

  /** Writes the record to the remote, over what is there. */
  async write(oid: Oid, bytes: Buffer): Promise<void> {
    await this.remote.put(recordKey(oid), bytesBody(bytes), this.cancel);
    this.keep(oid, bytes);
  }

  /** Drops the copy on this machine; true when there was one that this store has not itself just read or written. */
  forget(oid: Oid): boolean {
    rmSync(this.pathOf(oid), { force: true });
    if (this.seen.has(oid)) return false;
    this.seen.add(oid);
    return true;
  }

  private openCopy(oid: Oid): { bytes: Buffer; record: ObjectRecord } | undefined {
    try {
      const bytes = readFileSync(this.pathOf(oid));
      return { bytes, record: openRecord(bytes, oid, this.cache.hash) };
    } catch (error) {
      if (isMlvError(error) || systemErrorCode(error) !== undefined) return undefined;
      throw error;
    }
  }

  private async download(oid: Oid, key = recordKey(oid)): Promise<ObjectRecord | undefined> {
    let content: RemoteContent;
    try {
      content = await this.remote.get(key, this.cancel);
    } catch (error) {
      // A bucket is made by its owner, never by a push: one that is not there is a mistake.
      if (isMlvError(error, 'REMOTE_NOT_FOUND') && error.data.missing !== 'bucket') return undefined;
      throw error;
    }
    if (content.size > RECORD_MAX_BYTES) {
      await discardContent(content);
      throw new MlvError('RECORD_INVALID', `the record of ${oid} is damaged: it has ${content.size} bytes`);
    }
    const bytes = await readContent(content);
    const record = openRecord(bytes, oid, this.cache.hash);
    this.keep(oid, bytes);
    return record;
  }

  private get cancel(): { signal?: AbortSignal } {
    return this.signal ? { signal: this.signal } : {};
  }

  private keep(oid: Oid, bytes: Buffer): void {
    this.seen.add(oid);
    const path = this.pathOf(oid);
    const temporary = this.cache.temporary.next();
    try {
      writeFileSync(temporary, bytes);
      mkdirSync(dirname(path), { recursive: true });
      renameSync(temporary, path);
    } catch {
      // Only a copy: the remote has the record, and a full or read-only disk stops nothing here.
      rmSync(temporary, { force: true });
    }
  }

  private pathOf(oid: Oid): string {
    const { algorithm, hex } = splitOid(oid);
    return join(this.directory, algorithm, hex.slice(0, 2), hex);
  }
}
