import type { Oid } from '../objects/oid.js';
import { parseRecordKey, recordKey } from './remote-layout.js';

/** Everything on a remote that collections write; it alone may change. Documented in docs/formats/remote.md. */
const COLLECTION_PREFIX = 'gc/';

/** What a push must know of collections: marks, epochs, leases. */
export const LOG_PREFIX = `${COLLECTION_PREFIX}log/`;
export const MARKS_PREFIX = `${LOG_PREFIX}marks-`;
export const EPOCH_PREFIX = `${LOG_PREFIX}epoch-`;
export const LEASE_PREFIX = `${LOG_PREFIX}lease-`;

/** Files that are written only to see the remote's clock. */
export const CLOCK_PREFIX = `${COLLECTION_PREFIX}clock-`;

/** Records that were taken out of use, under their own keys: until their grace is over they can be put back. */
export const ASIDE_PREFIX = `${COLLECTION_PREFIX}aside/`;

/** Where the record of an object lies once it is set aside. */
export function asideKey(oid: Oid): string {
  return `${ASIDE_PREFIX}${recordKey(oid)}`;
}

/** The object whose record lies there, set aside; undefined for any other key. */
export function parseAsideKey(key: string): Oid | undefined {
  return key.startsWith(ASIDE_PREFIX) ? parseRecordKey(key.slice(ASIDE_PREFIX.length)) : undefined;
}
