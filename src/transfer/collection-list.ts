import { type Algorithm, splitOid } from '../objects/oid.js';
import type { Remote } from '../remotes/remote.js';
import { ASIDE_PREFIX, CLOCK_PREFIX, parseAsideKey } from './collection-layout.js';
import type { ListedPack, ListedRecord } from './collection-plan.js';
import { PACKS_PREFIX, parsePackKey, parseRecordKey, RECORDS_PREFIX } from './remote-layout.js';

/** What lies on a remote; keys that are not mlv's, or of another algorithm, are left out. */
export interface RemoteListing {
  records: ListedRecord[];
  aside: ListedRecord[];
  packs: ListedPack[];
}

export interface ListOptions {
  remote: Remote;
  algorithm: Algorithm;
  signal?: AbortSignal;
  /** Called for each entry. */
  onEntry?: () => void;
}

/**
 * Lists a remote. The order matters: a record that is not in the list was written after the list was begun, and every
 * pack that it names is either in the list of packs, which comes later, or newer still. Errors: those of Remote.
 */
export async function listRemote(options: ListOptions): Promise<RemoteListing> {
  const aside = await listRecords(options, ASIDE_PREFIX);
  const records = await listRecords(options, RECORDS_PREFIX);
  const packs: ListedPack[] = [];
  for await (const { key, size, modified } of list(options, PACKS_PREFIX)) {
    const parsed = parsePackKey(key);
    if (parsed?.algorithm === options.algorithm) packs.push({ name: parsed.hex, size, modified });
  }
  return { records, aside, packs };
}

/** Keys of files that were written to see the clock, by runs that were killed. Errors: those of Remote. */
export async function listClocks(options: Pick<ListOptions, 'remote' | 'signal'>): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of list(options, CLOCK_PREFIX)) keys.push(key);
  return keys;
}

async function listRecords(options: ListOptions, prefix: string): Promise<ListedRecord[]> {
  const records: ListedRecord[] = [];
  for await (const { key, size, modified } of list(options, prefix)) {
    const oid = prefix === ASIDE_PREFIX ? parseAsideKey(key) : parseRecordKey(key);
    if (oid && splitOid(oid).algorithm === options.algorithm) records.push({ oid, size, modified });
  }
  return records;
}

async function* list({ remote, signal, onEntry }: Pick<ListOptions, 'remote' | 'signal' | 'onEntry'>, prefix: string) {
  for await (const entry of remote.list(prefix, signal ? { signal } : {})) {
    onEntry?.();
    yield entry;
  }
}
