import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMlvError, MlvError } from '../core/errors.js';
import type { Reporter } from '../core/reporter.js';
import type { ObjectCache } from '../objects/cache.js';
import { bytesBody, type Remote, type RemoteContent } from '../remotes/remote.js';
import { RecordStore } from './record-store.js';
import {
  decodeRemoteInfo,
  encodeRemoteInfo,
  newRemoteInfo,
  REMOTE_INFO_MAX_BYTES,
  type RemoteInfo,
} from './remote-info.js';
import { REMOTE_INFO_KEY } from './remote-layout.js';

export interface SessionOptions {
  /** Wrapped by the caller with retry, limit and meter. */
  remote: Remote;
  /** What the user calls the remote. */
  name: string;
  cache: ObjectCache;
  /** The repository's id, from mlv.yaml. */
  repositoryId: string;
  /** Directory of this machine's notes on this one remote; may be deleted at any time. */
  stateDirectory: string;
  /** Requests under way at once. */
  jobs: number;
  reporter: Reporter;
  /** Compress what is pushed where that pays. */
  compress?: boolean;
  signal?: AbortSignal;
}

/** What a look at a remote's `mlv.json` found. */
export type InfoState =
  | { kind: 'missing' }
  | { kind: 'damaged'; message: string }
  | { kind: 'there'; info: RemoteInfo };

/** One remote, open for transfers with one cache. */
export class TransferSession {
  readonly remote: Remote;
  readonly cache: ObjectCache;
  readonly records: RecordStore;
  private info: Promise<RemoteInfo> | undefined;
  private asked: Promise<RemoteInfo | undefined> | undefined;

  constructor(readonly options: SessionOptions) {
    this.remote = options.remote;
    this.cache = options.cache;
    this.records = new RecordStore(
      options.remote,
      options.cache,
      join(options.stateDirectory, 'records'),
      options.signal,
    );
  }

  /** `{ signal }` for calls of the remote. */
  get cancel(): { signal?: AbortSignal } {
    return this.options.signal ? { signal: this.options.signal } : {};
  }

  /**
   * What the remote says of itself, or undefined for a remote that nothing was pushed to yet.
   * Errors: `REMOTE_MISMATCH` when it names its objects by another algorithm or is no mlv remote, those of Remote.
   */
  async readInfo(): Promise<RemoteInfo | undefined> {
    const bytes = await this.infoBytes();
    if (!bytes) return undefined;
    const info = decodeRemoteInfo(bytes, this.remote.url);
    this.checkHash(info);
    return info;
  }

  /** As readInfo, once: ensureInfo, expectInfo and confirmRepository then take that answer. */
  askInfo(): Promise<RemoteInfo | undefined> {
    this.asked ??= this.readInfo();
    return this.asked;
  }

  /**
   * As readInfo, for a check of the remote: bytes that are no `mlv.json` are a finding. Errors: `REMOTE_MISMATCH` for a
   * remote of another repository or algorithm, `FORMAT_TOO_NEW`, those of Remote.
   */
  async inspectInfo(): Promise<InfoState> {
    const bytes = await this.infoBytes();
    if (!bytes) return { kind: 'missing' };
    let info: RemoteInfo;
    try {
      info = decodeRemoteInfo(bytes, this.remote.url);
    } catch (error) {
      if (isMlvError(error, 'REMOTE_MISMATCH')) return { kind: 'damaged', message: error.message };
      throw error;
    }
    this.checkHash(info);
    return { kind: 'there', info: this.checkRepository(info) };
  }

  /** Writes what this repository says of its remotes over what is there: for a repair of a damaged `mlv.json`. */
  async renewInfo(): Promise<void> {
    await this.remote.put(REMOTE_INFO_KEY, bytesBody(encodeRemoteInfo(this.newInfo())), this.cancel);
  }

  /** What the remote says of itself, or would say after a first push. Errors: those of ensureInfo. */
  async expectInfo(): Promise<RemoteInfo> {
    const existing = await this.askedInfo();
    return existing ? this.checkRepository(existing) : this.newInfo();
  }

  /**
   * As readInfo, before the first write of a session: a remote that is empty is made one of this repository's.
   * Error: `REMOTE_MISMATCH` also for a remote of another repository, because a collection of one would delete the
   * objects of the other.
   */
  ensureInfo(): Promise<RemoteInfo> {
    this.info ??= this.claim();
    return this.info;
  }

  /**
   * Makes sure that a remote which has what was asked for is this repository's: one request, and none once this clone has
   * noted it. Error: `REMOTE_MISMATCH`.
   */
  async confirmRepository(): Promise<void> {
    if (noteOf(this.notePath) === this.options.repositoryId) return;
    const info = await this.askedInfo();
    if (info) this.checkRepository(info);
  }

  private askedInfo(): Promise<RemoteInfo | undefined> {
    return this.asked ?? this.readInfo();
  }

  private get notePath(): string {
    return join(this.options.stateDirectory, 'repository');
  }

  private async infoBytes(): Promise<Buffer | undefined> {
    try {
      return await readStart(await this.remote.get(REMOTE_INFO_KEY, this.cancel), REMOTE_INFO_MAX_BYTES + 1);
    } catch (error) {
      if (isMlvError(error, 'REMOTE_NOT_FOUND')) return undefined;
      throw error;
    }
  }

  private async claim(): Promise<RemoteInfo> {
    const existing = await this.askedInfo();
    if (existing) return this.checkRepository(existing);
    const mine = this.newInfo();
    await this.remote.put(REMOTE_INFO_KEY, bytesBody(encodeRemoteInfo(mine)), { ifAbsent: true, ...this.cancel });
    // Somebody else may have been first, and not every server refuses the second: what is there now counts.
    const stored = await this.readInfo();
    if (stored) return this.checkRepository(stored);
    throw new MlvError(
      'REMOTE_PERMANENT',
      `the remote '${this.options.name}' (${this.remote.url}) does not have the mlv.json that it took`,
      {
        hint: 'check that the credentials may read what they write, and that no proxy answers for the server; then push again',
        data: { remote: this.options.name, url: this.remote.url, key: REMOTE_INFO_KEY },
      },
    );
  }

  private newInfo(): RemoteInfo {
    return newRemoteInfo(this.options.repositoryId, this.cache.hash.algorithm);
  }

  private checkRepository(info: RemoteInfo): RemoteInfo {
    if (info.repository === this.options.repositoryId) {
      this.note(info.repository);
      return info;
    }
    throw new MlvError(
      'REMOTE_MISMATCH',
      `remote '${this.options.name}' (${this.remote.url}) belongs to another repository`,
      {
        hint: `give each repository a prefix or directory of its own: mlv remote add <name> ${this.remote.url}/<repository>`,
        data: { remote: this.options.name, url: this.remote.url, repository: info.repository },
      },
    );
  }

  private note(repository: string): void {
    try {
      mkdirSync(this.options.stateDirectory, { recursive: true });
      writeFileSync(this.notePath, repository);
    } catch {
      // Only a shortcut: where it cannot be written, the remote is asked again.
    }
  }

  private checkHash(info: RemoteInfo): void {
    if (info.hash === this.cache.hash.algorithm) return;
    throw new MlvError(
      'REMOTE_MISMATCH',
      `remote '${this.options.name}' (${this.remote.url}) names its objects by ${info.hash}, this repository by ${this.cache.hash.algorithm}`,
      {
        hint: 'use a remote of this repository: mlv remote list',
        data: { remote: this.options.name, url: this.remote.url },
      },
    );
  }
}

function noteOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** The first bytes of a content, all of it when it is not longer; the rest is not read. */
async function readStart(content: RemoteContent, length: number): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let count = 0;
  for await (const part of content.body) {
    parts.push(part);
    count += part.length;
    if (count >= length) break;
  }
  return Buffer.concat(parts).subarray(0, length);
}
