import { MlvError } from '../../src/core/errors.js';
import type { GetOptions, ListOptions, Remote, RemoteContent, RemoteEntry } from '../../src/remotes/remote.js';

/** The error of a remote that is worth another try. */
export function transient(data: Record<string, unknown> = {}): MlvError {
  return new MlvError('REMOTE_TRANSIENT', 'the remote is busy', { data });
}

/** A call that reached the remote below: the method, and what matters of its arguments. */
export type Call = [method: string, ...details: unknown[]];

/**
 * A remote over another one that fails on cue. `failures` answer the calls in turn: an error makes the call fail, a
 * number lets a get give that many bytes (a list that many entries) before it breaks, undefined lets it be.
 */
export function faulty(remote: Remote, failures: (MlvError | number | undefined)[]): { remote: Remote; calls: Call[] } {
  const calls: Call[] = [];
  const next = (call: Call): number | undefined => {
    calls.push(call);
    const failure = failures.shift();
    if (failure instanceof MlvError) throw failure;
    return failure;
  };
  return {
    calls,
    remote: {
      url: remote.url,
      async stat(key, options) {
        next(['stat', key]);
        return remote.stat(key, options);
      },
      async get(key, options: GetOptions = {}) {
        const breaksAfter = next(['get', key, options.range]);
        const content = await remote.get(key, options);
        return breaksAfter === undefined ? content : { ...content, body: breaking(content, breaksAfter) };
      },
      async put(key, body, options) {
        next(['put', key]);
        return remote.put(key, body, options);
      },
      async *list(prefix, options: ListOptions = {}): AsyncGenerator<RemoteEntry> {
        let left = next(['list', prefix, options.startAfter]) ?? Number.POSITIVE_INFINITY;
        for await (const entry of remote.list(prefix, options)) {
          if (left-- === 0) throw transient();
          yield entry;
        }
      },
      async delete(keys, options) {
        next(['delete', ...keys]);
        return remote.delete(keys, options);
      },
      close: () => remote.close(),
    },
  };
}

async function* breaking(content: RemoteContent, after: number): AsyncGenerator<Uint8Array> {
  let left = after;
  for await (const part of content.body) {
    if (part.byteLength > left) {
      if (left > 0) yield part.subarray(0, left);
      throw transient();
    }
    left -= part.byteLength;
    yield part;
  }
}
