// What processes of their own need, too: nothing here depends on the test runner.
import { join } from 'node:path';
import { silentReporter } from '../../src/core/reporter.js';
import type { ObjectCache } from '../../src/objects/cache.js';
import type { GetOptions, ListOptions, Remote, RemoteBody } from '../../src/remotes/remote.js';
import type { FetchRoot, PushRoot } from '../../src/transfer/roots.js';
import { type SessionOptions, TransferSession } from '../../src/transfer/session.js';

/** The repository id of sessions that do not say another. */
export const REPOSITORY_ID = '11111111-2222-4333-8444-555555555555';

/** A session of a cache with a remote; the notes on the remote lie in the cache unless said. */
export function openSession(
  cache: ObjectCache,
  remote: Remote,
  options: Partial<SessionOptions> = {},
): TransferSession {
  return new TransferSession({
    remote,
    name: 'origin',
    cache,
    repositoryId: REPOSITORY_ID,
    stateDirectory: join(cache.directory, 'remotes', 'origin'),
    jobs: 4,
    reporter: silentReporter,
    ...options,
  });
}

/** The root as a fetch takes it: all of it, or what is at or below a path. */
export function toFetch(root: PushRoot, below = ''): FetchRoot {
  const { oid, directory: isTree, size, path } = root;
  return { oid, directory: isTree, size, path, below };
}

/** One call of a remote, as `put packs/...`, with the range of a get. */
export interface LoggedCall {
  method: 'stat' | 'get' | 'put' | 'list' | 'delete';
  key: string;
  range?: { start: number; length: number };
  /** Bytes of a put's body, or that a get asked for. */
  bytes: number;
}

export interface Spy {
  remote: Remote;
  /** Calls in the order in which they ended well; a put is there when its bytes are. */
  log: LoggedCall[];
  /** `put packs`, `get records`, ... in the order of the log. */
  kinds(): string[];
  /** Bytes sent and bytes asked for. */
  bytes(method: 'put' | 'get', prefix?: string): number;
  clear(): void;
}

/** A remote that notes what it is asked; `before` may throw instead of letting a call through. */
export function spyOn(remote: Remote, before: (call: LoggedCall) => void | Promise<void> = () => {}): Spy {
  const log: LoggedCall[] = [];
  const through = async <T>(call: LoggedCall, run: () => Promise<T>): Promise<T> => {
    await before(call);
    const result = await run();
    log.push(call);
    return result;
  };
  const spied: Remote = {
    url: remote.url,
    stat: (key, options) => through({ method: 'stat', key, bytes: 0 }, () => remote.stat(key, options)),
    get: (key, options: GetOptions = {}) => {
      const call: LoggedCall = { method: 'get', key, bytes: options.range?.length ?? 0 };
      if (options.range) call.range = options.range;
      return through(call, async () => {
        const content = await remote.get(key, options);
        call.bytes = content.size;
        return content;
      });
    },
    put: (key, body: RemoteBody, options) =>
      through({ method: 'put', key, bytes: body.size }, () => remote.put(key, body, options)),
    list: (prefix, options: ListOptions = {}) => {
      log.push({ method: 'list', key: prefix, bytes: 0 });
      return remote.list(prefix, options);
    },
    delete: (keys, options) =>
      through({ method: 'delete', key: keys.join(' '), bytes: 0 }, () => remote.delete(keys, options)),
    close: () => remote.close(),
  };
  return {
    remote: spied,
    log,
    kinds: () => log.map(({ method, key }) => `${method} ${key.split('/')[0]}`),
    bytes: (method, prefix = '') =>
      log
        .filter((call) => call.method === method && call.key.startsWith(prefix))
        .reduce((sum, call) => sum + call.bytes, 0),
    clear: () => void log.splice(0),
  };
}
