import { openBody } from './body.js';
import { checkInterrupted } from './interrupted.js';
import { beginAttempt, checkRange, comesAfter, rangeBeyondEnd } from './keys.js';
import type { GetOptions, ListOptions, PutOptions, Remote, RemoteBody, RemoteContent, RemoteEntry } from './remote.js';
import { type Attempt, keyMissing, type Operation } from './remote-error.js';

interface Stored {
  bytes: Buffer;
  modified: number;
}

export interface MemoryRemoteOptions {
  /** For messages; `memory:` by default. */
  url?: string;
  /** The remote's clock, in milliseconds since the epoch. */
  now?: () => number;
}

/** A remote that lives as long as the process, for tests. */
export class MemoryRemote implements Remote {
  readonly url: string;
  private readonly stored = new Map<string, Stored>();
  private readonly now: () => number;

  constructor(options: MemoryRemoteOptions = {}) {
    this.url = options.url ?? 'memory:';
    this.now = options.now ?? Date.now;
  }

  async stat(key: string, options: { signal?: AbortSignal } = {}): Promise<RemoteEntry | undefined> {
    this.begin('stat', key, options.signal);
    const found = this.stored.get(key);
    return found && { key, size: found.bytes.length, modified: found.modified };
  }

  async get(key: string, options: GetOptions = {}): Promise<RemoteContent> {
    const attempt = this.begin('get', key, options.signal);
    const { range } = options;
    checkRange(attempt, range);
    const found = this.stored.get(key);
    if (!found) throw keyMissing(attempt);
    const size = found.bytes.length;
    if (range && range.start + range.length > size) throw rangeBeyondEnd(attempt, range, { size });
    const bytes = range ? found.bytes.subarray(range.start, range.start + range.length) : found.bytes;
    return { size: bytes.length, body: parts(bytes, options.signal) };
  }

  async put(key: string, body: RemoteBody, options: PutOptions = {}): Promise<'created' | 'exists'> {
    const attempt = this.begin('put', key, options.signal);
    if (options.ifAbsent && this.stored.has(key)) return 'exists';
    const opened = openBody(body, attempt);
    const bytes = opened instanceof Uint8Array ? Buffer.from(opened) : await collect(opened, options.signal);
    if (options.ifAbsent && this.stored.has(key)) return 'exists';
    this.stored.set(key, { bytes, modified: this.now() });
    return 'created';
  }

  async *list(prefix: string, options: ListOptions = {}): AsyncGenerator<RemoteEntry> {
    const { startAfter } = options;
    const keys = [...this.stored.keys()].filter((key) => key.startsWith(prefix)).sort();
    for (const key of keys) {
      checkInterrupted(options.signal);
      const found = this.stored.get(key);
      if (!found || (startAfter !== undefined && !comesAfter(key, startAfter))) continue;
      yield { key, size: found.bytes.length, modified: found.modified };
    }
  }

  async delete(keys: readonly string[], options: { signal?: AbortSignal } = {}): Promise<void> {
    for (const key of keys) this.begin('delete', key, options.signal);
    for (const key of keys) this.stored.delete(key);
  }

  async close(): Promise<void> {}

  private begin(operation: Operation, key: string, signal: AbortSignal | undefined): Attempt {
    return beginAttempt({ operation, url: this.url, key }, signal);
  }
}

const PART_BYTES = 64 * 1024;

function parts(bytes: Buffer, signal: AbortSignal | undefined): AsyncIterable<Uint8Array> {
  async function* generate(): AsyncGenerator<Uint8Array> {
    for (let start = 0; start < bytes.length; start += PART_BYTES) {
      checkInterrupted(signal);
      yield bytes.subarray(start, start + PART_BYTES);
    }
  }
  return generate();
}

async function collect(body: AsyncIterable<Uint8Array>, signal: AbortSignal | undefined): Promise<Buffer> {
  const collected: Uint8Array[] = [];
  for await (const part of body) {
    checkInterrupted(signal);
    collected.push(Uint8Array.from(part));
  }
  return Buffer.concat(collected);
}
