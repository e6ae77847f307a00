import pLimit, { type LimitFunction } from 'p-limit';
import { observeBody } from './body.js';
import type { GetOptions, ListOptions, Remote, RemoteContent, RemoteEntry } from './remote.js';
import { wrap } from './wrap.js';

/**
 * The same remote with at most `concurrency` requests under way at once, over all methods. A get counts until its body
 * is read, broken, given back or aborted, so a caller that opens more bodies than that before it reads the first one
 * waits for ever. A list counts only while it waits for entries.
 */
export function withLimit(remote: Remote, concurrency: number): Remote {
  const limit = pLimit(concurrency);
  return wrap(remote, {
    stat: (key, call) => limit(() => remote.stat(key, call)),
    put: (key, body, call) => limit(() => remote.put(key, body, call)),
    delete: (keys, call) => limit(() => remote.delete(keys, call)),
    get: (key, call) => limitedGet(limit, (options) => remote.get(key, options), call),
    list: (prefix, call) => limitedList(limit, remote, { prefix, call }),
  });
}

function limitedGet(
  limit: LimitFunction,
  get: (call?: GetOptions) => Promise<RemoteContent>,
  call?: GetOptions,
): Promise<RemoteContent> {
  return new Promise((resolve, reject) => {
    const hold = async (): Promise<void> => {
      try {
        const content = await get(call);
        await new Promise<void>((release) => {
          const end = (): void => {
            call?.signal?.removeEventListener('abort', end);
            release();
          };
          // An aborted body may never be touched again.
          call?.signal?.addEventListener('abort', end);
          if (call?.signal?.aborted) end();
          resolve({ size: content.size, body: observeBody(content.body, { end }) });
        });
      } catch (error) {
        reject(error);
      }
    };
    void limit(hold);
  });
}

async function* limitedList(
  limit: LimitFunction,
  remote: Remote,
  { prefix, call }: { prefix: string; call: ListOptions | undefined },
): AsyncGenerator<RemoteEntry> {
  const iterator = remote.list(prefix, call)[Symbol.asyncIterator]();
  try {
    for (;;) {
      const result = await limit(() => iterator.next());
      if (result.done) return;
      yield result.value;
    }
  } finally {
    await iterator.return?.();
  }
}
