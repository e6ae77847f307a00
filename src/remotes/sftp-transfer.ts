import { checkInterrupted } from './interrupted.js';
import type { ByteRange } from './remote.js';
import type { Handle, SftpSession } from './sftp-session.js';
import { untilAborted } from './until-aborted.js';

/** What every server takes in one request. */
const REQUEST_BYTES = 32 * 1024;
/** Requests of one file under way at once: 2 MiB, so that a round trip of 50 ms still leaves 40 MiB a second. */
const REQUESTS_AT_ONCE = 64;

/**
 * The bytes of a range of an open file, read ahead. The file is closed when the range is read, the iterator returned,
 * or the signal aborted; `onEnd` is called once then.
 */
export class PipelinedReader implements AsyncIterator<Uint8Array> {
  private readonly queue: Promise<Buffer>[] = [];
  private readonly end: number;
  private asked: number;
  private ended = false;

  constructor(
    private readonly session: SftpSession,
    private readonly handle: Handle,
    private readonly options: { range: ByteRange; signal: AbortSignal | undefined; onEnd: () => void },
  ) {
    const { range, signal } = options;
    this.asked = range.start;
    this.end = range.start + range.length;
    signal?.addEventListener('abort', this.finish);
  }

  /** Errors: the server's; a file that is shorter than its range is the error of a connection that ended. */
  async next(): Promise<IteratorResult<Uint8Array>> {
    try {
      checkInterrupted(this.options.signal);
      this.ask();
      const part = await untilAborted(this.queue.shift(), this.options.signal);
      if (part) return { done: false, value: part };
    } catch (error) {
      this.finish();
      throw error;
    }
    this.finish();
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    this.finish();
    return { done: true, value: undefined };
  }

  private ask(): void {
    while (!this.ended && this.asked < this.end && this.queue.length < REQUESTS_AT_ONCE) {
      const buffer = Buffer.allocUnsafe(Math.min(REQUEST_BYTES, this.end - this.asked));
      const part = this.read(buffer, this.asked);
      // What fails while nobody waits for it fails again when somebody does.
      part.catch(() => undefined);
      this.queue.push(part);
      this.asked += buffer.length;
    }
  }

  private async read(buffer: Buffer, position: number): Promise<Buffer> {
    const count = await this.session.read(this.handle, buffer, position);
    if (count === buffer.length) return buffer;
    throw Object.assign(new Error('the file is shorter than it was'), { code: 'ECONNABORTED' });
  }

  private readonly finish = (): void => {
    if (this.ended) return;
    this.ended = true;
    this.options.signal?.removeEventListener('abort', this.finish);
    this.session.close(this.handle).catch(() => undefined);
    this.options.onEnd();
  };
}

/** Writes bytes into a new file and flushes it where the server can. Leaves what it wrote behind when it fails. */
export async function writeNewFile(
  session: SftpSession,
  path: string,
  options: { content: Uint8Array | AsyncIterable<Uint8Array>; signal: AbortSignal | undefined },
): Promise<void> {
  const { content, signal } = options;
  const handle = await untilAborted(session.open(path, 'wx'), signal);
  try {
    await writeParts(session, handle, { parts: content instanceof Uint8Array ? [content] : content, signal });
    await session.flush(handle);
  } finally {
    await session.close(handle);
  }
}

async function writeParts(
  session: SftpSession,
  handle: Handle,
  { parts, signal }: { parts: Iterable<Uint8Array> | AsyncIterable<Uint8Array>; signal: AbortSignal | undefined },
): Promise<void> {
  const underWay: Promise<void>[] = [];
  let position = 0;
  for await (const part of parts) {
    const bytes = Buffer.from(part.buffer, part.byteOffset, part.byteLength);
    for (let start = 0; start < bytes.length; start += REQUEST_BYTES) {
      if (underWay.length >= REQUESTS_AT_ONCE) await untilAborted(underWay.shift(), signal);
      checkInterrupted(signal);
      // The bytes are copied before this returns, so the source may use its buffer again.
      const written = session.write(handle, bytes.subarray(start, start + REQUEST_BYTES), position + start);
      written.catch(() => undefined);
      underWay.push(written);
    }
    position += bytes.length;
  }
  await untilAborted(Promise.all(underWay), signal);
}
