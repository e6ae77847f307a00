import { createHash } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  fdatasyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { holdLock } from '../config/lock-file.js';
import { fileSystemError, MlvError } from '../core/errors.js';
import type { Phase, Reporter } from '../core/reporter.js';
import type { ObjectCache } from '../objects/cache.js';
import { CacheBatch } from '../objects/cache-batch.js';
import type { Hasher } from '../objects/hash.js';
import { looksLikeTree } from '../objects/tree-format.js';
import { Backoff } from '../remotes/backoff.js';
import { checkInterrupted } from '../remotes/interrupted.js';
import type { SourceState, UrlSource } from '../remotes/source-types.js';
import type { StoredContent } from '../workspace/import-target.js';

/** Unfinished downloads that nobody went on with are removed after this time. */
const FORGOTTEN_AFTER_MS = 7 * 24 * 3600 * 1000;
const READ_BYTES = 1024 * 1024;
/** No more than this is downloaded again after a kill. */
const FLUSH_BYTES = 32 * 1024 * 1024;

export interface DownloadOptions {
  reporter: Reporter;
  signal?: AbortSignal;
}

/**
 * Brings a file of somebody else's into the cache, hashed in the pass that writes it. A download that broke or was killed
 * goes on where it was, as far as the place gives parts and still has the same content; the bytes are then hashed once
 * more. Errors: those of the source, `PATH_UNSUPPORTED` for bytes that are an mlv tree, `DISK_FULL`, `FILE_SYSTEM`.
 */
export async function download(
  cache: ObjectCache,
  source: UrlSource,
  options: DownloadOptions,
): Promise<{ content: StoredContent; state: SourceState }> {
  const directory = join(cache.directory, 'imports');
  mkdirSync(directory, { recursive: true });
  removeForgotten(directory);
  const name = createHash('sha256').update(source.url).digest('hex').slice(0, 32);
  const unlock = holdLock(join(directory, `${name}.lock`));
  // Another process has it under way: this one does it again, on its own.
  const path = unlock ? join(directory, `${name}.part`) : cache.temporary.next();
  const run = new Download(cache, { source, path, ...options });
  try {
    return await run.all();
  } finally {
    run.end(unlock === undefined);
    unlock?.();
  }
}

interface Parts extends DownloadOptions {
  source: UrlSource;
  path: string;
}

class Download {
  private readonly phase: Phase;
  private readonly about: string;
  private descriptor: number | undefined;
  private hasher: Hasher;
  /** Bytes that a cut of the power leaves. */
  private flushed = 0;
  private at = 0;
  private done = false;
  private known: SourceState = {};

  constructor(
    private readonly cache: ObjectCache,
    private readonly parts: Parts,
  ) {
    this.about = `${parts.path}.json`;
    this.hasher = cache.hash.create();
    this.phase = parts.reporter.phase('Downloading');
  }

  async all(): Promise<{ content: StoredContent; state: SourceState }> {
    const { signal, source } = this.parts;
    const backoff = new Backoff(signal ? { signal } : {}, signal);
    let known = this.resume(await backoff.run(() => source.stat()));
    for (;;) {
      const before = this.at;
      try {
        known = await this.attempt(known);
        return { content: await this.store(), state: known };
      } catch (error) {
        if (this.at > before) backoff.progressed();
        await backoff.pause(error);
      }
    }
  }

  end(drop: boolean): void {
    this.phase.end();
    if (this.descriptor !== undefined) {
      if (!drop) this.flush();
      closeSync(this.descriptor);
    }
    if (!drop && !this.done) return;
    rmSync(this.parts.path, { force: true });
    rmSync(this.about, { force: true });
  }

  /** Takes up what an earlier download of the same content left. */
  private resume(now: SourceState): SourceState {
    const { path } = this.parts;
    try {
      mkdirSync(join(path, '..'), { recursive: true });
      const before = readState(this.about);
      const goesOn = isSame(before, now);
      this.known = now;
      this.descriptor = openSync(path, goesOn ? 'r+' : 'w+', 0o600);
      if (goesOn) this.hashStart(before?.flushed ?? 0);
      if (now.size !== undefined) this.phase.expect({ bytes: now.size });
      if (this.at > 0) this.phase.advance({ bytes: this.at });
    } catch (error) {
      // What cannot be opened any more is begun anew by the next try.
      rmSync(this.about, { force: true });
      throw fileSystemError('write', path, error);
    }
    return now;
  }

  private hashStart(length: number): void {
    const descriptor = this.descriptor as number;
    while (this.at < length) {
      checkInterrupted(this.parts.signal);
      const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, length - this.at));
      const read = readSync(descriptor, buffer, 0, buffer.length, this.at);
      if (read === 0) break;
      this.hasher.update(buffer.subarray(0, read));
      this.at += read;
    }
    ftruncateSync(descriptor, this.at);
    this.flushed = this.at;
  }

  private flush(): void {
    fdatasyncSync(this.descriptor as number);
    this.flushed = this.at;
    writeFileSync(this.about, JSON.stringify({ ...this.known, flushed: this.flushed }));
  }

  private async attempt(known: SourceState): Promise<SourceState> {
    const { source, signal } = this.parts;
    if (known.size !== undefined && this.at === known.size && this.at > 0) return known;
    const { state, start, body } = await source.read(this.at);
    if (start !== this.at || !isSame(known, state)) {
      if (start > 0) {
        // A part of another content: the whole is asked for.
        await body[Symbol.asyncIterator]().return?.();
        this.restart(state);
        return this.attempt(state);
      }
      this.restart(state);
    }
    for await (const bytes of body) {
      checkInterrupted(signal);
      this.take(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    }
    if (state.size !== undefined && this.at !== state.size) {
      throw new MlvError('REMOTE_TRANSIENT', `${source.url} gave ${this.at} of ${state.size} bytes`);
    }
    return state;
  }

  private restart(state: SourceState): void {
    const { path } = this.parts;
    if (this.descriptor !== undefined) closeSync(this.descriptor);
    rmSync(this.about, { force: true });
    this.descriptor = openSync(path, 'w+', 0o600);
    this.known = state;
    this.flushed = 0;
    this.hasher = this.cache.hash.create();
    this.at = 0;
  }

  private take(bytes: Buffer): void {
    if (this.at === 0 && looksLikeTree(bytes)) {
      throw new MlvError('PATH_UNSUPPORTED', `${this.parts.source.url} is an mlv tree, which would be taken for one`);
    }
    try {
      for (let at = 0; at < bytes.length; )
        at += writeSync(this.descriptor as number, bytes, at, bytes.length - at, this.at + at);
    } catch (error) {
      throw fileSystemError('write', this.parts.path, error);
    }
    this.hasher.update(bytes);
    this.at += bytes.length;
    this.phase.advance({ bytes: bytes.length });
    if (this.at - this.flushed >= FLUSH_BYTES) this.flush();
  }

  private async store(): Promise<StoredContent> {
    const digest = this.hasher.digest();
    const hex = digest.toString('hex');
    const size = this.at;
    closeSync(this.descriptor as number);
    this.descriptor = undefined;
    const batch = new CacheBatch(this.cache);
    try {
      if (!batch.holds(hex, size)) {
        const temporary = this.cache.temporary.next();
        chmodSync(this.parts.path, 0o444);
        renameSync(this.parts.path, temporary);
        batch.stage(temporary, hex, size);
        await batch.commit();
      }
    } finally {
      batch.abandon();
    }
    this.done = true;
    return { oid: this.cache.oid(digest), size };
  }
}

/** True where both are surely the same content: one name that the server gives it, or size and time. */
function isSame(before: SourceState | undefined, now: SourceState): boolean {
  if (!before || before.size !== now.size) return false;
  if (before.version !== undefined || now.version !== undefined) return before.version === now.version;
  const weak = [before.etag, now.etag].some((etag) => etag?.startsWith('W/'));
  if ((before.etag !== undefined || now.etag !== undefined) && !weak) return before.etag === now.etag;
  return before.size !== undefined && before.modified !== undefined && before.modified === now.modified;
}

function readState(path: string): (SourceState & { flushed?: number }) | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof value !== 'object' || value === null) return undefined;
    const { flushed } = value as { flushed?: unknown };
    return Number.isSafeInteger(flushed) ? (value as SourceState & { flushed: number }) : undefined;
  } catch {
    return undefined;
  }
}

function removeForgotten(directory: string): void {
  for (const name of readdirSync(directory)) {
    const stat = statSync(join(directory, name), { throwIfNoEntry: false });
    if (stat && Date.now() - stat.mtimeMs > FORGOTTEN_AFTER_MS) rmSync(join(directory, name), { force: true });
  }
}
