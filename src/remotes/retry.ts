import { MlvError } from '../core/errors.js';
import { Backoff, type RetryOptions } from './backoff.js';
import type { GetOptions, ListOptions, Remote, RemoteContent, RemoteEntry } from './remote.js';
import { remoteError } from './remote-error.js';
import { wrap } from './wrap.js';

export type { RetryOptions } from './backoff.js';

/**
 * The same remote, with `REMOTE_TRANSIENT` failures tried again. A get whose body breaks goes on from the byte that is
 * missing, a list from the entry after the last; what arrives in between resets the count of attempts. When a put with
 * `ifAbsent` was stored but its answer lost, the second try gives `exists`.
 * Errors: those of the remote; the last failure's message says how often it was tried.
 */
export function withRetry(remote: Remote, options: RetryOptions = {}): Remote {
  const backoff = (signal: AbortSignal | undefined): Backoff => new Backoff(options, signal);
  return wrap(remote, {
    stat: (key, call) => backoff(call?.signal).run(() => remote.stat(key, call)),
    put: (key, body, call) => backoff(call?.signal).run(() => remote.put(key, body, call)),
    delete: (keys, call) => backoff(call?.signal).run(() => remote.delete(keys, call)),
    list: (prefix, call) => resumingList(remote, backoff(call?.signal), { prefix, call: call ?? {} }),
    // What came to nothing is asked of `get`, which tries again.
    getBy: async (carrier, key, call) => (await remote.getBy?.(carrier, key, call)) ?? false,
    get: async (key, call = {}) => {
      const failures = backoff(call.signal);
      const content = await failures.run(() => remote.get(key, call));
      const { size } = content;
      const source = new ResumingSource({ remote, key, call, failures }, content);
      return { size, body: { [Symbol.asyncIterator]: () => source } };
    },
  });
}

interface Reading {
  remote: Remote;
  key: string;
  call: GetOptions;
  failures: Backoff;
}

/** The iterator of a body that asks for the rest of it when it breaks. */
class ResumingSource implements AsyncIterator<Uint8Array> {
  private iterator: AsyncIterator<Uint8Array>;
  private readonly size: number;
  private received = 0;

  constructor(
    private readonly reading: Reading,
    content: RemoteContent,
  ) {
    this.size = content.size;
    this.iterator = content.body[Symbol.asyncIterator]();
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    for (;;) {
      try {
        const result = await this.iterator.next();
        if (result.done) {
          if (this.received < this.size) throw this.endedEarly();
          return result;
        }
        this.received += result.value.byteLength;
        this.reading.failures.progressed();
        return result;
      } catch (error) {
        // Every byte is there: only the end of the connection was lost.
        if (this.received >= this.size && error instanceof MlvError && error.code === 'REMOTE_TRANSIENT') {
          return { done: true, value: undefined };
        }
        await this.reading.failures.pause(error);
        await this.reopen();
      }
    }
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    await this.iterator.return?.();
    return { done: true, value: undefined };
  }

  private async reopen(): Promise<void> {
    const { remote, key, call, failures } = this.reading;
    const start = (call.range?.start ?? 0) + this.received;
    const range = { start, length: this.size - this.received };
    const content = await failures.run(() => remote.get(key, { ...call, range }));
    this.iterator = content.body[Symbol.asyncIterator]();
  }

  private endedEarly(): MlvError {
    const { remote, key } = this.reading;
    const reason = `it ended ${this.size - this.received} bytes early`;
    return remoteError({ operation: 'get', url: remote.url, key }, { code: 'REMOTE_TRANSIENT', reason });
  }
}

async function* resumingList(
  remote: Remote,
  failures: Backoff,
  { prefix, call }: { prefix: string; call: ListOptions },
): AsyncGenerator<RemoteEntry> {
  let { startAfter } = call;
  for (;;) {
    try {
      for await (const entry of remote.list(prefix, startAfter === undefined ? call : { ...call, startAfter })) {
        startAfter = entry.key;
        failures.progressed();
        yield entry;
      }
      return;
    } catch (error) {
      await failures.pause(error);
    }
  }
}
