import type { MlvError } from '../core/errors.js';
import type { OpenTransfer } from './open-transfer.js';
import type { FailedObject } from './roots.js';

/** What went to or came from one remote. */
export interface Transferred {
  remote: string;
  url: string;
  /** Targets of which nothing had to travel. */
  upToDate: number;
  objects: number;
  packs: number;
  /** Bytes of the objects as stored (push) or restored (fetch). */
  bytes: number;
  requests: number;
  /** Bytes over the wire, everything included. */
  bytesUp: number;
  bytesDown: number;
  seconds: number;
  failed: FailedObject[];
  /** Why this remote could not be used, or not to the end. */
  error?: MlvError;
}

/** What push and fetch say of their own work. */
export type Moved = Pick<Transferred, 'upToDate' | 'objects' | 'packs' | 'bytes' | 'failed' | 'error'>;

/** What all remotes of a command did. */
export interface TransferOutcome {
  transferred: Transferred[];
  /** Objects that are nowhere to be had (fetch), or could not be sent to some remote (push). */
  failed: FailedObject[];
  /** What is left to tell: objects that are nowhere to be had or could not be sent, remotes that failed. */
  errors: MlvError[];
}

/** Does some work with an open remote, closes it, and says what travelled and how long it took. */
export async function measured(open: OpenTransfer, work: () => Promise<Moved>): Promise<Transferred> {
  const started = performance.now();
  try {
    const { upToDate, objects, packs, bytes, failed, error } = await work();
    const seconds = Math.round(performance.now() - started) / 1000;
    const moved = { upToDate, objects, packs, bytes, ...open.traffic(), seconds, failed, ...(error && { error }) };
    return { remote: open.name, url: open.transfer.remote.url, ...moved };
  } finally {
    await open.close();
  }
}

/** The entry of a remote that could not even be opened. */
export function unopened(remote: string, error: MlvError): Transferred {
  const nothing = { upToDate: 0, objects: 0, packs: 0, bytes: 0, requests: 0, bytesUp: 0, bytesDown: 0, seconds: 0 };
  return { remote, url: '', ...nothing, failed: [], error };
}
