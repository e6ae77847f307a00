import { randomUUID } from 'node:crypto';
import { isMlvError, MlvError } from '../core/errors.js';
import { bytesBody, type Remote, type RemoteEntry, readContent } from '../remotes/remote.js';
import { EPOCH_PREFIX, LEASE_PREFIX, LOG_PREFIX, MARKS_PREFIX } from './collection-layout.js';
import { tooNew } from './format-version.js';

const FORMAT = 1;
const PACK_NAME = /^[0-9a-f]{64}$/;

/** Packs that one collection found unused, and when by the remote's own clock. */
export interface CollectionMarks {
  key: string;
  /** Milliseconds since the epoch. */
  marked: number;
  /** Names of packs: 64 hex digits each. */
  packs: string[];
}

/** What collections have written down for others. */
export interface CollectionLog {
  marks: CollectionMarks[];
  /** Keys of marks that are damaged. */
  damaged: string[];
  /** Changes with every collection that takes something away; empty before the first. */
  epoch: string;
  /** Changes with the marks and with the epoch. */
  state: string;
}

interface Cancel {
  signal?: AbortSignal;
}

/**
 * What collections have written on a remote: one list, and one get for each file of marks, of which there are none most
 * of the time. A remote that is not there has none. Errors: those of Remote, `FORMAT_TOO_NEW`.
 */
export async function readLog(remote: Remote, options: Cancel = {}): Promise<CollectionLog> {
  const entries = await listLog(remote, options);
  const log: CollectionLog = { marks: [], damaged: [], epoch: epochOf(entries), state: stateOf(entries) };
  for (const { key, modified } of entries.filter((entry) => entry.key.startsWith(MARKS_PREFIX))) {
    try {
      const packs = decodeMarks(await readContent(await remote.get(key, options)), `${remote.url} (${key})`);
      if (packs) log.marks.push({ key, marked: modified, packs });
      else log.damaged.push(key);
    } catch (error) {
      // The collection that they belong to has ended since the list was made.
      if (!isMlvError(error, 'REMOTE_NOT_FOUND')) throw error;
    }
  }
  return log;
}

/** `state` of the log as it is now: one list. Errors: those of Remote. */
export async function readLogState(remote: Remote, options: Cancel = {}): Promise<string> {
  return stateOf(await listLog(remote, options));
}

async function listLog(remote: Remote, options: Cancel): Promise<RemoteEntry[]> {
  const entries: RemoteEntry[] = [];
  try {
    for await (const entry of remote.list(LOG_PREFIX, options)) entries.push(entry);
  } catch (error) {
    // A directory that is not there yet has nothing; the first push makes it.
    if (!isMlvError(error, 'REMOTE_NOT_FOUND') || error.data.missing !== 'directory') throw error;
  }
  return entries;
}

function stateOf(entries: readonly RemoteEntry[]): string {
  const keys = entries.map(({ key }) => key).filter((key) => !key.startsWith(LEASE_PREFIX));
  return keys.sort().join('\n');
}

function epochOf(entries: readonly RemoteEntry[]): string {
  const keys = entries.map(({ key }) => key).filter((key) => key.startsWith(EPOCH_PREFIX));
  return keys.sort().join('\n');
}

/** Names of all packs that are marked. Error: `REMOTE_MISMATCH` where marks are damaged, so that it cannot be told. */
export function markedPacks(log: CollectionLog, remote: Remote): ReadonlySet<string> {
  const [damaged] = log.damaged;
  if (damaged === undefined) return new Set(log.marks.flatMap(({ packs }) => packs));
  throw new MlvError('REMOTE_MISMATCH', `the marks of a collection at ${remote.url} (${damaged}) are damaged`, {
    hint: 'mlv gc --remote --yes takes them away and marks anew',
    data: { url: remote.url, key: damaged },
  });
}

/** Marks packs (names of 64 hex digits): from now on no push relies on them. */
export async function writeMarks(remote: Remote, packs: readonly string[], options: Cancel = {}): Promise<void> {
  const body = Buffer.from(`${JSON.stringify({ mlv: FORMAT, packs })}\n`);
  await remote.put(`${MARKS_PREFIX}${randomUUID()}.json`, bytesBody(body), options);
}

/** Begins a new epoch: what machines keep of this remote's records is out of date from now on. */
export async function beginEpoch(remote: Remote, options: Cancel = {}): Promise<void> {
  const before = (await listLog(remote, options)).map(({ key }) => key).filter((key) => key.startsWith(EPOCH_PREFIX));
  await remote.put(`${EPOCH_PREFIX}${randomUUID()}`, bytesBody(Buffer.from('epoch\n')), options);
  await remote.delete(before, options);
}

/** The packs that a file of marks names, or undefined for one that is damaged. Error: `FORMAT_TOO_NEW`. */
function decodeMarks(bytes: Buffer, what: string): string[] | undefined {
  let value: { mlv?: unknown; packs?: unknown } | null;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
  if (typeof value?.mlv === 'number' && value.mlv > FORMAT)
    throw tooNew(`the collection at ${what} has format ${value.mlv}`);
  const packs = value?.mlv === FORMAT && Array.isArray(value.packs) ? (value.packs as unknown[]) : undefined;
  const all = packs?.every((each): each is string => typeof each === 'string' && PACK_NAME.test(each));
  return all ? (packs as string[]) : undefined;
}
