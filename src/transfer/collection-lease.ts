import { randomUUID } from 'node:crypto';
import { MlvError } from '../core/errors.js';
import { bytesBody, type Remote, type RemoteEntry } from '../remotes/remote.js';
import { CLOCK_PREFIX, LEASE_PREFIX } from './collection-layout.js';

/** Without a sign of life for that long, by the remote's clock, a lease is over: its holder was killed. */
export const LEASE_MS = 15 * 60 * 1000;
/** Requests of the holder between two signs of life. */
const STEPS = 256;
/** Remotes tell times to the second in one place and finer in another. */
const CLOCK_RESOLUTION_MS = 1000;

interface Cancel {
  signal?: AbortSignal;
}

/**
 * The right to be the one collection of a remote, or the one copy to it. Pushes and pulls need none and do not wait for
 * it. What makes collections safe is not this alone: it only keeps two of them from undoing each other's work.
 */
export class CollectionLease {
  private steps = 0;
  private last: number;

  private constructor(
    private readonly remote: Remote,
    private readonly key: string,
    /** The remote's own time when the lease was taken, in milliseconds since the epoch. */
    readonly taken: number,
    private readonly options: Cancel,
  ) {
    this.last = taken;
  }

  /** Takes the lease. Errors: `REMOTE_BUSY` while another process holds it, those of Remote. */
  static async take(remote: Remote, options: Cancel = {}): Promise<CollectionLease> {
    const key = `${LEASE_PREFIX}${randomUUID()}`;
    const taken = await stamp(remote, key, options);
    if (taken === undefined) throw lost(remote);
    const lease = new CollectionLease(remote, key, taken, options);
    try {
      const over: string[] = [];
      for await (const entry of remote.list(LEASE_PREFIX, options)) {
        if (entry.key === key) continue;
        if (lease.taken - entry.modified < LEASE_MS) throw busy(remote, entry);
        over.push(entry.key);
      }
      await remote.delete(over, options);
      return lease;
    } catch (error) {
      await lease.release();
      throw error;
    }
  }

  /** To be called once a request: a sign of life now and then. Errors as `check`. */
  async step(): Promise<void> {
    this.steps++;
    if (this.steps % STEPS === 0) await this.check();
  }

  /** Gives a sign of life, and proves that there was no long silence. Errors: `REMOTE_BUSY`, those of Remote. */
  async check(): Promise<void> {
    const now = await stamp(this.remote, this.key, this.options);
    // Who comes after so long a silence may have taken the lease over, and have ended already.
    if (now === undefined || now - this.last >= LEASE_MS - CLOCK_RESOLUTION_MS) throw lost(this.remote);
    this.last = now;
  }

  /** Gives the lease back, at the end whatever happened. Never fails: what is not given back ends by itself. */
  async release(): Promise<void> {
    await this.remote.delete([this.key]).catch(() => {});
  }
}

const CONTENT = Buffer.from('lease\n');

/** The remote's own time in milliseconds since the epoch, told by a file that is written and deleted again. */
export async function remoteNow(remote: Remote, options: Cancel = {}): Promise<number> {
  const key = `${CLOCK_PREFIX}${randomUUID()}`;
  try {
    const now = await stamp(remote, key, options);
    if (now !== undefined) return now;
  } finally {
    await remote.delete([key], options);
  }
  throw new MlvError('REMOTE_PERMANENT', `the remote ${remote.url} does not keep what was just written`, {
    data: { url: remote.url, key },
  });
}

async function stamp(remote: Remote, key: string, options: Cancel): Promise<number | undefined> {
  await remote.put(key, bytesBody(CONTENT), options);
  return (await remote.stat(key, options))?.modified;
}

function busy(remote: Remote, entry: RemoteEntry): MlvError {
  const since = new Date(entry.modified).toISOString();
  return new MlvError(
    'REMOTE_BUSY',
    `another collection of ${remote.url}, or a copy to it, gave a sign of life at ${since}`,
    {
      hint: `run this again when it has ended; where it was killed, that is ${LEASE_MS / 60_000} minutes after its last sign of life`,
      data: { url: remote.url, key: entry.key, since },
    },
  );
}

function lost(remote: Remote): MlvError {
  return new MlvError(
    'REMOTE_BUSY',
    `this process paused for so long that another one took its place at ${remote.url}`,
    {
      hint: 'nothing is lost: run it again when the other has ended',
      data: { url: remote.url },
    },
  );
}
