import { MlvError } from '../core/errors.js';

/** Hash algorithms an object can be named by; both give 32 bytes. */
export const ALGORITHMS = ['blake3', 'sha256'] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

/** Length of a digest in bytes, for every algorithm. */
export const DIGEST_BYTES = 32;

/** Content address of an object: `<algorithm>:<64 lower-case hex digits>`. */
export type Oid = `${Algorithm}:${string}`;

const OID = /^(blake3|sha256):([0-9a-f]{64})$/;

/** True when `text` is a well-formed oid. */
export function isOid(text: unknown): text is Oid {
  return typeof text === 'string' && OID.test(text);
}

/** Joins an algorithm and a 32-byte digest (bytes or hex) to an oid. */
export function toOid(algorithm: Algorithm, digest: Buffer | string): Oid {
  return `${algorithm}:${typeof digest === 'string' ? digest : digest.toString('hex')}`;
}

/** The parts of an oid. Error: `OBJECT_CORRUPT` for text that is none. */
export function splitOid(oid: Oid): { algorithm: Algorithm; hex: string } {
  const match = OID.exec(oid);
  if (!match) throw new MlvError('OBJECT_CORRUPT', `'${oid}' is not an object id`);
  return { algorithm: match[1] as Algorithm, hex: match[2] as string };
}

/** The 32 raw bytes of an oid. */
export function digestOf(oid: Oid): Buffer {
  return Buffer.from(splitOid(oid).hex, 'hex');
}
