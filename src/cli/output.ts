import { MlvError, systemErrorCode } from '../core/errors.js';

/** Lines are collected up to about this many characters before they are written. */
const BATCH = 64 * 1024;

/**
 * Standard output or standard error. Once the reader is gone (`mlv ls | head`), everything is dropped silently and
 * `closed` is true, so that a long listing can stop early.
 */
export class Output {
  private gone = false;

  constructor(private readonly stream: NodeJS.WritableStream) {
    // The error comes to the callback of the write, too; without a listener it would end the process.
    stream.on('error', () => {});
  }

  /** True when nobody reads any more. */
  get closed(): boolean {
    return this.gone;
  }

  /** Writes and waits until the stream has taken it. Errors: `DISK_FULL`, `FILE_SYSTEM`; a closed pipe is none. */
  write(content: string | Uint8Array): Promise<void> {
    if (this.gone || content.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.stream.write(content, (error) => {
        if (!error) return resolve();
        this.gone = true;
        if (isClosedPipe(error)) resolve();
        else reject(cannotWrite(error));
      });
    });
  }

  /** Writes pieces as they come, in large batches. */
  async writeAll(pieces: Iterable<string>): Promise<void> {
    let batch = '';
    try {
      for (const piece of pieces) {
        batch += piece;
        if (batch.length < BATCH) continue;
        await this.write(batch);
        batch = '';
        if (this.gone) return;
      }
    } finally {
      await this.write(batch);
    }
  }
}

function isClosedPipe(error: unknown): boolean {
  const code = systemErrorCode(error);
  return code === 'EPIPE' || code === 'ERR_STREAM_DESTROYED' || code === 'EOF';
}

function cannotWrite(error: unknown): MlvError {
  const code = systemErrorCode(error);
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new MlvError('DISK_FULL', 'cannot write to standard output: no space is left on the disk', { cause: error });
  }
  return new MlvError('FILE_SYSTEM', `cannot write to standard output: ${code ?? String(error)}`, { cause: error });
}
