import { ByteReader } from '../core/varint.js';
import { DIGEST_BYTES } from '../objects/oid.js';
import { KIND } from '../objects/tree-format.js';

/** What an index file begins with. */
export const MAGIC = Buffer.from('mlvindx\x01', 'latin1');
/** Before each block: count, lengths of names and targets, size and files. */
export const HEAD_BYTES = 40;
/** Numbers a stat leaves in a block, an entry: size, modification and change time (ms since the epoch), inode. */
export const STAT_FIELDS = 4;
/** Says what is wrong with an index that cannot be read. */
export const INVALID = { code: 'FILE_SYSTEM', what: 'the stat index is damaged' } as const;

/** The hash at the end of an index file's bytes: tells one version of an index from any other. */
export function sealOf(bytes: Buffer): Buffer {
  return bytes.subarray(Math.max(0, bytes.length - DIGEST_BYTES));
}

/** Where in an index file one directory is: views of its bytes. */
export interface LocatedBlock {
  /** Below the tracked directory; empty for itself. */
  path: string;
  count: number;
  /** Names, each but the last followed by NUL. */
  names: Buffer;
  kinds: Buffer;
  /** Numbers as DirectoryBlock has them; aligned to nothing. */
  stats: Buffer;
}

/** The directories of an index file in the order in which decodeIndex reads them. Bytes that decodeIndex takes only. */
export function locateBlocks(bytes: Buffer): LocatedBlock[] {
  const reader = new ByteReader(bytes.subarray(0, bytes.length - DIGEST_BYTES), INVALID, MAGIC.length + DIGEST_BYTES);
  const blocks: LocatedBlock[] = [];
  locateBlock(reader, '', blocks);
  return blocks;
}

function locateBlock(reader: ByteReader, path: string, into: LocatedBlock[]): void {
  const head = reader.take(HEAD_BYTES);
  const count = head.readUInt32LE(0);
  reader.take(DIGEST_BYTES);
  const names = reader.take(head.readUInt32LE(4));
  reader.take(head.readUInt32LE(8));
  const kinds = reader.take(count);
  const stats = reader.take(count * STAT_FIELDS * 8);
  reader.take(count * DIGEST_BYTES);
  into.push({ path, count, names, kinds, stats });
  if (!kinds.includes(KIND.tree)) return;
  for (const [at, name] of splitNames(names, count).entries()) {
    if (kinds[at] === KIND.tree) locateBlock(reader, path === '' ? name : `${path}/${name}`, into);
  }
}

/** The names of a block's entries, which lie in the index as UTF-8 with a NUL between them. Pure. */
export function splitNames(bytes: Buffer, count: number): string[] {
  return count === 0 ? [] : bytes.toString('utf8').split('\0');
}
