// Run as a process of its own: pushes or fetches roots with a directory remote, slowed down if asked, and tells its
// parent of every put that is done and of the most memory that it had.
import { ObjectCache } from '../../src/objects/cache.js';
import { loadHash } from '../../src/objects/hash.js';
import { DirectoryRemote } from '../../src/remotes/directory.js';
import { fetchObjects } from '../../src/transfer/fetch.js';
import { push } from '../../src/transfer/push.js';
import type { PushRoot } from '../../src/transfer/roots.js';
import { openSession, spyOn, toFetch } from './transfer-session.js';

export interface TransferJob {
  verb: 'push' | 'fetch';
  /** Directories. */
  cache: string;
  remote: string;
  roots: PushRoot[];
  jobs?: number;
  /** How long each put and get takes longer than it has to, in milliseconds. */
  delay?: number;
  /** The get after so many is never answered: the process waits there, with all that it has done so far. */
  hangAfterGets?: number;
}

export type TransferMessage = { put: string } | { done: { failed: unknown[] }; rss: number };

const job = JSON.parse(process.argv[2] ?? '') as TransferJob;
const tell = (message: TransferMessage): void => void process.send?.(message);
let rss = 0;
const watch = setInterval(() => {
  rss = Math.max(rss, process.memoryUsage.rss());
}, 20);

let gets = 0;
const spy = spyOn(new DirectoryRemote(job.remote), ({ method }) => {
  if (method === 'get' && gets++ === job.hangAfterGets) return new Promise(() => {});
  return new Promise((resolve) => setTimeout(resolve, job.delay ?? 0));
});
const told: typeof spy.remote = {
  ...spy.remote,
  put: async (key, body, options) => {
    const result = await spy.remote.put(key, body, options);
    tell({ put: key });
    return result;
  },
};
const cache = new ObjectCache(job.cache, await loadHash('blake3'));
const session = openSession(cache, told, { jobs: job.jobs ?? 4 });
const { failed } = await (job.verb === 'push'
  ? push(session, job.roots)
  : fetchObjects(
      session,
      job.roots.map((root) => toFetch(root)),
    ));
clearInterval(watch);
tell({ done: { failed }, rss: Math.max(rss, process.memoryUsage.rss()) });
process.disconnect?.();
