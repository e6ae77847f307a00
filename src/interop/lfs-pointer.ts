import type { ForeignId } from './foreign-id.js';

/** A pointer of Git LFS, as its specification has it (git-lfs/docs/spec.md, version 1). */
export interface LfsPointer {
  /** SHA-256 of the object on the server. */
  oid: string;
  /** Bytes of the object. */
  size: number;
  /** Names of extensions that changed the content on its way to the server, in the order in which they did. */
  extensions: string[];
  /** SHA-256 of the file as the user has it; another one than `oid` where extensions changed it. */
  original: string;
}

/** No pointer is longer: longer files are never looked at. */
export const MAX_LFS_POINTER = 1024;

const VERSIONS = new Set([
  'https://git-lfs.github.com/spec/v1',
  'https://hawser.github.com/spec/v1',
  'http://git-media.io/v/2',
]);
const OID = /^sha256:([0-9a-f]{64})$/;
const EXTENSION = /^ext-(\d)-(\S+)$/;

/** Reads a pointer; undefined for anything that is none. */
export function parseLfsPointer(bytes: Buffer): LfsPointer | undefined {
  if (bytes.length > MAX_LFS_POINTER || !bytes.subarray(0, 8).equals(Buffer.from('version '))) return undefined;
  const lines = bytes.toString('utf8').trimEnd().split('\n');
  const pairs = lines.map((line) => line.replace(/\r$/, '').split(' '));
  if (pairs.some((pair) => pair.length !== 2)) return undefined;
  const [first, ...rest] = pairs as [string, string][];
  if (!first || !VERSIONS.has(first[1])) return undefined;
  const values = new Map(rest);
  const oid = OID.exec(values.get('oid') ?? '')?.[1];
  const size = values.get('size') ?? '';
  if (oid === undefined || !/^\d{1,16}$/.test(size) || values.size !== rest.length) return undefined;
  const extensions = readExtensions(rest);
  if (!extensions) return undefined;
  return {
    oid,
    size: Number(size),
    extensions: extensions.map(({ name }) => name),
    original: extensions[0]?.oid ?? oid,
  };
}

/** Undefined where there is a line that the specification has not. */
function readExtensions(lines: readonly [string, string][]): { name: string; oid: string }[] | undefined {
  const found: { priority: number; name: string; oid: string }[] = [];
  for (const [key, value] of lines) {
    if (key === 'oid' || key === 'size') continue;
    const match = EXTENSION.exec(key);
    const oid = OID.exec(value)?.[1];
    if (!match || oid === undefined) return undefined;
    found.push({ priority: Number(match[1]), name: match[2] as string, oid });
  }
  return found.sort((left, right) => left.priority - right.priority);
}

/** The name of the content that the user has. */
export function contentId({ original }: LfsPointer): ForeignId {
  return { algorithm: 'sha256', hex: original };
}

/** Where an object lies below `lfs/objects`. */
export function lfsObjectPath(oid: string): string {
  return `${oid.slice(0, 2)}/${oid.slice(2, 4)}/${oid}`;
}
