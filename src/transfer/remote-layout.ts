import { ALGORITHMS, type Algorithm, isOid, type Oid, splitOid, toOid } from '../objects/oid.js';

/** Key of the file that says what a remote is. */
export const REMOTE_INFO_KEY = 'mlv.json';

/** Where all packs and all records are; below them one level by algorithm, one by the first two hex digits. */
export const PACKS_PREFIX = 'packs/';
export const RECORDS_PREFIX = 'records/';

const PACK_KEY = new RegExp(`^packs/(${ALGORITHMS.join('|')})/([0-9a-f]{2})/(\\2[0-9a-f]{62})$`);
const RECORD_KEY = new RegExp(`^records/(${ALGORITHMS.join('|')})/([0-9a-f]{2})/(\\2[0-9a-f]{62})$`);

/** Key of the pack whose bytes have that digest (64 lower-case hex digits, or the 32 bytes). */
export function packKey(algorithm: Algorithm, digest: string | Buffer): string {
  const hex = typeof digest === 'string' ? digest : digest.toString('hex');
  return `${PACKS_PREFIX}${algorithm}/${hex.slice(0, 2)}/${hex}`;
}

/** Key of the record of that object. Error: `OBJECT_CORRUPT` for text that is no oid. */
export function recordKey(oid: Oid): string {
  const { algorithm, hex } = splitOid(oid);
  return `${RECORDS_PREFIX}${algorithm}/${hex.slice(0, 2)}/${hex}`;
}

/** What a pack's key names; undefined for any other key, such as a file that a user put there. */
export function parsePackKey(key: string): { algorithm: Algorithm; hex: string } | undefined {
  const match = PACK_KEY.exec(key);
  return match ? { algorithm: match[1] as Algorithm, hex: match[3] as string } : undefined;
}

/** The object that a record's key names; undefined for any other key. */
export function parseRecordKey(key: string): Oid | undefined {
  const match = RECORD_KEY.exec(key);
  if (!match) return undefined;
  const oid = toOid(match[1] as Algorithm, match[3] as string);
  return isOid(oid) ? oid : undefined;
}
