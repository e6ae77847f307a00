import type { Remote, RemoteEntry } from '../../src/remotes/remote.js';
import { wrap } from '../../src/remotes/wrap.js';
import { keysOf } from './transfer.js';

/** The time that passes at a place whose clock no test can move: what is there looks so much older. */
export class Aging {
  private readonly ages = new Map<string, number>();

  /** Lets milliseconds pass for everything that is on the remote. */
  async pass(remote: Remote, milliseconds: number): Promise<void> {
    for (const key of await keysOf(remote)) this.ages.set(key, (this.ages.get(key) ?? 0) + milliseconds);
  }

  /** The remote as somebody sees it who lives in that time. What is written is new again. */
  seenThrough(remote: Remote): Remote {
    const older = (entry: RemoteEntry): RemoteEntry => ({
      ...entry,
      modified: entry.modified - (this.ages.get(entry.key) ?? 0),
    });
    return wrap(remote, {
      get: (key, options) => remote.get(key, options),
      delete: (keys, options) => remote.delete(keys, options),
      put: async (key, body, options) => {
        const result = await remote.put(key, body, options);
        this.ages.delete(key);
        return result;
      },
      stat: async (key, options) => {
        const entry = await remote.stat(key, options);
        return entry && older(entry);
      },
      async *list(prefix, options) {
        for await (const entry of remote.list(prefix, options)) yield older(entry);
      },
    });
  }
}
