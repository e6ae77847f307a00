import type { Attributes, Client, FileEntryWithStats, SFTPWrapper, Stats } from 'ssh2';

type Done<T> = (error: Error | null | undefined, value: T) => void;

/** An open file on the server. */
export type Handle = Buffer;

const LITTLE_SPACE_BYTES = 64 * 1024;

/** What statvfs says. */
interface Space {
  f_frsize: number;
  f_bavail: number;
  f_files: number;
  f_favail: number;
}

/** One SFTP channel over one SSH connection, with promises. Errors: the server's, with its status as `code`. */
export class SftpSession {
  private readonly pending = new Set<(error: Error) => void>();
  private lost: Error | undefined;

  constructor(
    private readonly client: Client,
    private readonly sftp: SFTPWrapper,
  ) {
    client.on('error', (error) => this.lose(error));
    client.on('close', () => this.lose());
    sftp.on('error', (error: Error) => this.lose(error));
    sftp.on('close', () => this.lose());
    sftp.on('end', () => this.lose());
  }

  get alive(): boolean {
    return this.lost === undefined;
  }

  end(): void {
    this.client.end();
    this.lose();
  }

  stat(path: string): Promise<Stats> {
    return this.call((done) => this.sftp.stat(path, done));
  }

  list(path: string): Promise<FileEntryWithStats[]> {
    return this.call((done) => this.sftp.readdir(path, done));
  }

  open(path: string, flags: 'r' | 'wx'): Promise<Handle> {
    return this.call((done) => this.sftp.open(path, flags, done));
  }

  close(handle: Handle): Promise<void> {
    return this.call((done) => this.sftp.close(handle, (error) => done(error, undefined)));
  }

  /** Fills the buffer from a position on; gives fewer bytes only at the end of the file. */
  async read(handle: Handle, buffer: Buffer, position: number): Promise<number> {
    let filled = 0;
    while (filled < buffer.length) {
      const count = await this.call<number>((done) =>
        this.sftp.read(handle, buffer, filled, buffer.length - filled, position + filled, done),
      );
      if (count === 0) break;
      filled += count;
    }
    return filled;
  }

  write(handle: Handle, bytes: Buffer, position: number): Promise<void> {
    return this.call((done) =>
      this.sftp.write(handle, bytes, 0, bytes.length, position, (error) => done(error, undefined)),
    );
  }

  makeDirectory(path: string): Promise<void> {
    return this.call((done) => this.sftp.mkdir(path, {} as Attributes, (error) => done(error, undefined)));
  }

  remove(path: string): Promise<void> {
    return this.call((done) => this.sftp.unlink(path, (error) => done(error, undefined)));
  }

  /** Renames to a name that must be free. */
  rename(from: string, to: string): Promise<void> {
    return this.call((done) => this.sftp.rename(from, to, (error) => done(error, undefined)));
  }

  /** Renames as POSIX does, over what is there; false where the server cannot. */
  replace(from: string, to: string): Promise<boolean> {
    return this.extension((done) => this.sftp.ext_openssh_rename(from, to, (error) => done(error)));
  }

  /** Flushes a file to the server's disk; false where the server cannot. */
  flush(handle: Handle): Promise<boolean> {
    return this.extension((done) => this.sftp.ext_openssh_fsync(handle, (error) => done(error)));
  }

  /** True when the file system of a path is known to have no room left for a request. */
  async isFull(path: string): Promise<boolean> {
    let free: Space | undefined;
    const asked = await this.extension((done) =>
      this.sftp.ext_openssh_statvfs(path, (error, space: unknown) => {
        free = space as Space | undefined;
        done(error);
      }),
    ).catch(() => false);
    if (!asked || free === undefined) return false;
    // A file system without inodes says 0 of 0.
    const noInode = free.f_files > 0 && free.f_favail === 0;
    return noInode || free.f_bavail * free.f_frsize < LITTLE_SPACE_BYTES;
  }

  private async extension(start: (done: (error: Error | null | undefined) => void) => void): Promise<boolean> {
    try {
      await this.call<undefined>((done) => start((error) => done(error, undefined)));
      return true;
    } catch (error) {
      if (error instanceof NotOffered) return false;
      throw error;
    }
  }

  private call<T>(start: (done: Done<T>) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.lost) return reject(this.lost);
      this.pending.add(reject);
      try {
        start((error, value) => {
          this.pending.delete(reject);
          if (error) reject(this.lost ?? error);
          else resolve(value);
        });
      } catch (cause) {
        // Only extensions that the server did not announce fail before they are sent.
        this.pending.delete(reject);
        reject(new NotOffered(cause));
      }
    });
  }

  private lose(cause?: Error): void {
    this.lost ??= connectionLost(cause);
    for (const reject of this.pending) reject(this.lost);
    this.pending.clear();
  }
}

class NotOffered extends Error {
  constructor(cause: unknown) {
    super('the server does not offer this', { cause });
  }
}

/** The error of a connection that ended, with the code of the socket's own failure where it had one. */
function connectionLost(cause?: Error): Error {
  const code = (cause as NodeJS.ErrnoException | undefined)?.code;
  return Object.assign(new Error('the connection ended', { cause }), {
    code: typeof code === 'string' ? code : 'ECONNRESET',
  });
}
