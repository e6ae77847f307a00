import { constants } from 'node:fs';
import { type FileHandle, open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemErrorCode } from '../core/errors.js';
import { openBody } from './body.js';
import { directoryError, directoryMissing } from './directory-errors.js';
import { walkDirectory } from './directory-walk.js';
import { prepareBase, publish, removeStale, temporaryPath, writeFlushed } from './directory-write.js';
import { checkInterrupted } from './interrupted.js';
import { beginAttempt, checkRange, rangeBeyondEnd } from './keys.js';
import type {
  ByteRange,
  GetOptions,
  ListOptions,
  PutOptions,
  Remote,
  RemoteBody,
  RemoteContent,
  RemoteEntry,
} from './remote.js';
import { type Attempt, keyMissing, type Operation, remoteError } from './remote-error.js';

const READ_BYTES = 256 * 1024;

export interface DirectoryRemoteOptions {
  /** Milliseconds since the epoch; decides what in `tmp/` is old enough to go. */
  now?: () => number;
}

/**
 * A remote in a directory: a local disk, a mounted NFS or SMB share, a FUSE mount. Each key is a file. A file is
 * written in `<base>/tmp/`, flushed and renamed, so that a killed writer leaves nothing under a key. The first put
 * creates the base when its parent exists.
 */
export class DirectoryRemote implements Remote {
  readonly url: string;
  private cleaned = false;
  private readonly now: () => number;

  /** @param base absolute path; a symbolic link is followed. */
  constructor(
    private readonly base: string,
    options: DirectoryRemoteOptions = {},
  ) {
    this.url = base;
    this.now = options.now ?? Date.now;
  }

  async stat(key: string, options: { signal?: AbortSignal } = {}): Promise<RemoteEntry | undefined> {
    const attempt = this.begin('stat', key, options.signal);
    return this.translate(attempt, async () => {
      const found = await this.look(attempt, stat(join(this.base, key)));
      return found?.isFile() ? { key, size: found.size, modified: found.mtimeMs } : undefined;
    });
  }

  async get(key: string, options: GetOptions = {}): Promise<RemoteContent> {
    const attempt = this.begin('get', key, options.signal);
    const { range, signal } = options;
    checkRange(attempt, range);
    return this.translate(attempt, async () => {
      const found = await this.look(attempt, stat(join(this.base, key)));
      if (!found?.isFile()) throw keyMissing(attempt);
      if (range && range.start + range.length > found.size) throw rangeBeyondEnd(attempt, range, { size: found.size });
      const wanted = range ?? { start: 0, length: found.size };
      // The file is opened when the first byte is asked for: a body that nobody reads holds nothing.
      return { size: wanted.length, body: this.read(attempt, wanted, signal) };
    });
  }

  async put(key: string, body: RemoteBody, options: PutOptions = {}): Promise<'created' | 'exists'> {
    const attempt = this.begin('put', key, options.signal);
    const { ifAbsent = false, signal } = options;
    const target = join(this.base, key);
    return this.translate(attempt, async () => {
      if (ifAbsent && (await this.look(undefined, stat(target)))) return 'exists';
      await this.prepare(attempt);
      const temporary = temporaryPath(this.base);
      try {
        await writeFlushed(temporary, openBody(body, attempt), signal);
        return await publish(temporary, target, { base: this.base, ifAbsent });
      } finally {
        await rm(temporary, { force: true }).catch(() => undefined);
      }
    });
  }

  async *list(prefix: string, options: ListOptions = {}): AsyncGenerator<RemoteEntry> {
    const attempt: Attempt = { operation: 'list', url: this.url, key: prefix };
    checkInterrupted(options.signal);
    try {
      await this.requireBase(attempt);
      yield* walkDirectory(this.base, prefix, options);
      // A file system that was unmounted on the way would otherwise look like the end of the list.
      await this.requireBase(attempt);
    } catch (error) {
      throw directoryError(attempt, error);
    }
  }

  async delete(keys: readonly string[], options: { signal?: AbortSignal } = {}): Promise<void> {
    for (const key of keys) this.begin('delete', key, options.signal);
    for (const key of keys) {
      const attempt = this.begin('delete', key, options.signal);
      await this.translate(attempt, () => this.look(attempt, rm(join(this.base, key))));
    }
  }

  async close(): Promise<void> {}

  private begin(operation: Operation, key: string, signal: AbortSignal | undefined): Attempt {
    return beginAttempt({ operation, url: this.url, key }, signal);
  }

  private async translate<T>(attempt: Attempt, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw directoryError(attempt, error);
    }
  }

  /** Undefined for what is not there; with an attempt, only where the base itself is. */
  private async look<T>(attempt: Attempt | undefined, found: Promise<T>): Promise<T | undefined> {
    try {
      return await found;
    } catch (error) {
      const code = systemErrorCode(error);
      if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error;
      if (attempt) await this.requireBase(attempt);
      return undefined;
    }
  }

  private async requireBase(attempt: Attempt): Promise<void> {
    const found = await this.look(undefined, stat(this.base));
    if (!found) throw directoryMissing(attempt);
    if (!found.isDirectory()) throw remoteError(attempt, { code: 'REMOTE_PERMANENT', reason: 'it is not a directory' });
  }

  private async prepare(attempt: Attempt): Promise<void> {
    try {
      await prepareBase(this.base);
    } catch (error) {
      throw systemErrorCode(error) === 'ENOENT' ? directoryMissing(attempt, error) : error;
    }
    if (this.cleaned) return;
    this.cleaned = true;
    await removeStale(this.base, this.now());
  }

  private async *read(attempt: Attempt, range: ByteRange, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
    let handle: FileHandle | undefined;
    try {
      handle = await open(join(this.base, attempt.key ?? ''), constants.O_RDONLY);
      yield* readRange(handle, range, { attempt, signal });
    } catch (error) {
      throw systemErrorCode(error) === 'ENOENT' ? keyMissing(attempt, error) : directoryError(attempt, error);
    } finally {
      await handle?.close();
    }
  }
}

async function* readRange(
  handle: FileHandle,
  range: ByteRange,
  context: { attempt: Attempt; signal: AbortSignal | undefined },
): AsyncGenerator<Uint8Array> {
  const end = range.start + range.length;
  for (let position = range.start; position < end; ) {
    checkInterrupted(context.signal);
    const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, end - position));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) {
      const reason = `it ended ${end - position} bytes early`;
      throw remoteError(context.attempt, { code: 'REMOTE_TRANSIENT', reason });
    }
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}
