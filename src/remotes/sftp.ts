import type { Stats } from 'ssh2';
import { isMlvError, type MlvError } from '../core/errors.js';
import { openBody } from './body.js';
import { directoryMissing } from './directory-errors.js';
import { checkInterrupted } from './interrupted.js';
import { beginAttempt, checkRange, rangeBeyondEnd } from './keys.js';
import type {
  CredentialSource,
  GetOptions,
  ListOptions,
  PutOptions,
  Remote,
  RemoteBody,
  RemoteContent,
  RemoteEntry,
} from './remote.js';
import { type Attempt, keyMissing, type Operation, remoteError } from './remote-error.js';
import { duringAttempt, isMissing, STATUS, serverFull, sftpError, statusOf } from './sftp-errors.js';
import type { SftpOptions } from './sftp-options.js';
import { type Lease, SftpPool } from './sftp-pool.js';
import type { SftpSession } from './sftp-session.js';
import { PipelinedReader, writeNewFile } from './sftp-transfer.js';
import { walkSftp } from './sftp-walk.js';
import { prepareDirectories, publishFile, removeStaleFiles, temporaryFile } from './sftp-write.js';
import { connectSftp, prepareAccess } from './ssh-connect.js';
import type { SshAccess } from './ssh-errors.js';
import { untilAborted } from './until-aborted.js';

/** Opens a directory on a machine that is reached by SSH. Nothing is looked up and nobody is connected to yet. */
export function openSftpRemote(options: SftpOptions): Remote {
  return new SftpRemote(options);
}

/**
 * A remote in a directory behind SSH. Each key is a file, written in `<base>/tmp/`, flushed and renamed where the
 * server can do these, so that a killed writer leaves nothing under a key. The first put creates the base when its
 * parent exists.
 */
class SftpRemote implements Remote {
  readonly url: string;
  private readonly base: string;
  private readonly pool: SftpPool;
  private access: Promise<SshAccess> | undefined;
  private prepared: Promise<void> | undefined;

  constructor(private readonly options: SftpOptions) {
    this.url = options.url;
    this.base = options.path;
    this.pool = new SftpPool(async () => connectSftp(await this.loadAccess()));
  }

  async stat(key: string, { signal }: { signal?: AbortSignal } = {}): Promise<RemoteEntry | undefined> {
    const attempt = this.begin('stat', key, signal);
    return this.work(attempt, signal, async (session) => {
      const found = await this.look(session, attempt, session.stat(this.pathOf(key)));
      return found?.isFile() ? { key, size: found.size, modified: found.mtime * 1000 } : undefined;
    });
  }

  async get(key: string, { range, signal }: GetOptions = {}): Promise<RemoteContent> {
    const attempt = this.begin('get', key, signal);
    checkRange(attempt, range);
    const lease = await this.lease(attempt, signal);
    try {
      const { handle, found } = await untilAborted(this.openFile(lease.session, attempt), signal);
      const { size } = found;
      if (range && range.start + range.length > size) {
        lease.session.close(handle).catch(() => undefined);
        throw rangeBeyondEnd(attempt, range, { size });
      }
      const wanted = range ?? { start: 0, length: size };
      const reader = new PipelinedReader(lease.session, handle, { range: wanted, signal, onEnd: lease.release });
      return { size: wanted.length, body: translated(reader, (error) => sftpError(attempt, error)) };
    } catch (error) {
      lease.release();
      throw sftpError(attempt, error);
    }
  }

  async put(
    key: string,
    body: RemoteBody,
    { ifAbsent = false, signal }: PutOptions = {},
  ): Promise<'created' | 'exists'> {
    const attempt = this.begin('put', key, signal);
    return this.work(attempt, signal, async (session) => {
      if (ifAbsent && (await this.look(session, undefined, session.stat(this.pathOf(key))))) return 'exists';
      await this.prepare(session, attempt);
      const temporary = temporaryFile(this.base);
      try {
        await writeNewFile(session, temporary, { content: openBody(body, attempt), signal });
        const result = await publishFile(session, temporary, { base: this.base, key, ifAbsent });
        if (result === 'exists') session.remove(temporary).catch(() => undefined);
        return result;
      } catch (error) {
        const full = statusOf(error) === STATUS.failure && (await session.isFull(this.base));
        await session.remove(temporary).catch(() => undefined);
        // What was prepared may have been removed meanwhile.
        this.prepared = undefined;
        if (full) throw serverFull(attempt, error);
        throw error;
      }
    });
  }

  async *list(prefix: string, options: ListOptions = {}): AsyncGenerator<RemoteEntry> {
    const attempt: Attempt = { operation: 'list', url: this.url, key: prefix };
    checkInterrupted(options.signal);
    const { signal } = options;
    const use = <T>(work: (session: SftpSession) => Promise<T>) => this.work(attempt, signal, work);
    try {
      await use((session) => this.requireBase(session, attempt));
      yield* walkSftp({ ...options, use, base: this.base, prefix });
      // A file system that was unmounted on the way would otherwise look like the end of the list.
      await use((session) => this.requireBase(session, attempt));
    } catch (error) {
      throw sftpError(attempt, error);
    }
  }

  async delete(keys: readonly string[], { signal }: { signal?: AbortSignal } = {}): Promise<void> {
    const attempts = keys.map((key) => this.begin('delete', key, signal));
    const queue = attempts[Symbol.iterator]();
    const remover = async (): Promise<void> => {
      for (const attempt of queue) {
        checkInterrupted(signal);
        await this.work(attempt, signal, (session) =>
          this.look(session, attempt, session.remove(this.pathOf(attempt.key ?? ''))),
        );
      }
    };
    await Promise.all(Array.from({ length: DELETES_AT_ONCE }, remover));
  }

  close(): Promise<void> {
    return this.pool.close();
  }

  async describeCredentials(): Promise<CredentialSource> {
    const { identities } = await this.loadAccess();
    return { name: identities.list.map(({ name }) => name).join(' or ') };
  }

  private begin(operation: Operation, key: string, signal: AbortSignal | undefined): Attempt {
    return beginAttempt({ operation, url: this.url, key }, signal);
  }

  private pathOf(key: string): string {
    return `${this.base}/${key}`;
  }

  private loadAccess(): Promise<SshAccess> {
    this.access ??= prepareAccess(this.options);
    return this.access;
  }

  private async lease(attempt: Attempt, signal: AbortSignal | undefined): Promise<Lease> {
    const acquired = this.pool.acquire();
    try {
      return await untilAborted(acquired, signal);
    } catch (error) {
      acquired.then(
        ({ release }) => release(),
        () => undefined,
      );
      throw isMlvError(error) ? duringAttempt(attempt, error) : sftpError(attempt, error);
    }
  }

  private async work<T>(
    attempt: Attempt,
    signal: AbortSignal | undefined,
    work: (session: SftpSession) => Promise<T>,
  ): Promise<T> {
    const { session, release } = await this.lease(attempt, signal);
    try {
      return await untilAborted(work(session), signal);
    } catch (error) {
      throw sftpError(attempt, error);
    } finally {
      release();
    }
  }

  /** Opens a file and looks at it in one round trip. */
  private async openFile(session: SftpSession, attempt: Attempt): Promise<{ handle: Buffer; found: Stats }> {
    const path = this.pathOf(attempt.key ?? '');
    const [opened, looked] = await Promise.allSettled([session.open(path, 'r'), session.stat(path)]);
    if (looked.status === 'fulfilled' && opened.status === 'fulfilled' && looked.value.isFile()) {
      return { handle: opened.value, found: looked.value };
    }
    if (opened.status === 'fulfilled') session.close(opened.value).catch(() => undefined);
    if (looked.status === 'fulfilled' && !looked.value.isFile()) throw keyMissing(attempt);
    const failed = looked.status === 'rejected' ? looked.reason : opened.status === 'rejected' && opened.reason;
    await this.look(session, attempt, Promise.reject(failed));
    throw keyMissing(attempt, failed);
  }

  /** Undefined for what is not there; with an attempt, only where the base itself is. */
  private async look<T>(session: SftpSession, attempt: Attempt | undefined, found: Promise<T>): Promise<T | undefined> {
    try {
      return await found;
    } catch (error) {
      if (!isMissing(error)) throw error;
      if (attempt) await this.requireBase(session, attempt);
      return undefined;
    }
  }

  private async requireBase(session: SftpSession, attempt: Attempt): Promise<void> {
    const found = await this.look(session, undefined, session.stat(this.base));
    if (!found) throw directoryMissing(attempt);
    if (!found.isDirectory()) throw remoteError(attempt, { code: 'REMOTE_PERMANENT', reason: 'it is not a directory' });
  }

  private async prepare(session: SftpSession, attempt: Attempt): Promise<void> {
    this.prepared ??= prepareDirectories(session, this.base).then(() =>
      removeStaleFiles(session, this.base, Date.now()),
    );
    try {
      await this.prepared;
    } catch (error) {
      this.prepared = undefined;
      throw isMissing(error) ? directoryMissing(attempt, error) : error;
    }
  }
}

const DELETES_AT_ONCE = 16;

function translated(
  reader: AsyncIterator<Uint8Array>,
  translate: (error: unknown) => MlvError,
): AsyncIterable<Uint8Array> {
  const next = (): Promise<IteratorResult<Uint8Array>> =>
    reader.next().catch((error: unknown) => {
      throw translate(error);
    });
  const end = async (): Promise<IteratorResult<Uint8Array>> => {
    await reader.return?.();
    return { done: true, value: undefined };
  };
  return { [Symbol.asyncIterator]: () => ({ next, return: end }) };
}
