import { ByteReader } from '../core/varint.js';
import type { HashFunction } from '../objects/hash.js';
import { DIGEST_BYTES } from '../objects/oid.js';
import { KIND } from '../objects/tree-format.js';
import { DirectoryBlock } from './directory-block.js';
import { HEAD_BYTES, INVALID, MAGIC, STAT_FIELDS, splitNames } from './index-layout.js';

const NO_DIGEST = Buffer.alloc(DIGEST_BYTES);

/** What the stat index keeps of one target. */
export interface IndexedTarget {
  /** Digest of the object that the workspace was last brought to, or added as; undefined when never. */
  base: Buffer | undefined;
  block: DirectoryBlock;
}

/**
 * The bytes of an index file: magic, base digest, blocks depth first, and the hash of all of it, so that a damaged
 * index is dropped rather than believed. Private to one machine: numbers are in its own byte order.
 */
export function encodeIndex(target: IndexedTarget, hash: HashFunction): Buffer[] {
  const parts: Buffer[] = [MAGIC, target.base ?? NO_DIGEST];
  appendBlock(target.block, parts);
  const hasher = hash.create();
  for (const part of parts) hasher.update(part);
  parts.push(hasher.digest());
  return parts;
}

function appendBlock(block: DirectoryBlock, parts: Buffer[]): void {
  const count = block.length;
  const names = Buffer.from(block.names.join('\0'), 'utf8');
  const targets = Buffer.from([...block.targets.values()].join('\0'), 'utf8');
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32LE(count, 0);
  head.writeUInt32LE(names.length, 4);
  head.writeUInt32LE(targets.length, 8);
  head.writeDoubleLE(block.size, 16);
  head.writeDoubleLE(block.files, 24);
  parts.push(head, block.treeDigest, names, targets);
  parts.push(Buffer.from(block.kinds.buffer, block.kinds.byteOffset, count));
  parts.push(Buffer.from(block.stats.buffer, block.stats.byteOffset, count * STAT_FIELDS * 8));
  parts.push(block.digests.subarray(0, count * DIGEST_BYTES));
  for (let index = 0; index < count; index++) {
    const child = block.children.get(index);
    if (child) appendBlock(child, parts);
  }
}

/** Reads what encodeIndex wrote; undefined for anything else, damaged bytes included. */
export function decodeIndex(bytes: Buffer, hash: HashFunction): IndexedTarget | undefined {
  if (bytes.length < MAGIC.length + 2 * DIGEST_BYTES || !bytes.subarray(0, MAGIC.length).equals(MAGIC))
    return undefined;
  const body = bytes.subarray(0, bytes.length - DIGEST_BYTES);
  if (!hash.digest(body).equals(bytes.subarray(body.length))) return undefined;
  const reader = new ByteReader(body, INVALID, MAGIC.length);
  const base = reader.take(DIGEST_BYTES);
  return { base: base.equals(NO_DIGEST) ? undefined : Buffer.from(base), block: readBlock(reader) };
}

function readBlock(reader: ByteReader): DirectoryBlock {
  const head = reader.take(HEAD_BYTES);
  const count = head.readUInt32LE(0);
  const treeDigest = Buffer.from(reader.take(DIGEST_BYTES));
  const names = splitNames(reader.take(head.readUInt32LE(4)), count);
  const targets = reader.take(head.readUInt32LE(8));
  const block = new DirectoryBlock(names);
  block.kinds.set(reader.take(count));
  reader.take(count * STAT_FIELDS * 8).copy(Buffer.from(block.stats.buffer));
  reader.take(count * DIGEST_BYTES).copy(block.digests);
  block.treeDigest = treeDigest;
  block.size = head.readDoubleLE(16);
  block.files = head.readDoubleLE(24);
  readDetails(block, targets, reader);
  return block;
}

function readDetails(block: DirectoryBlock, targetBytes: Buffer, reader: ByteReader): void {
  const targets = targetBytes.toString('utf8').split('\0')[Symbol.iterator]();
  for (let index = 0; index < block.length; index++) {
    if (block.kinds[index] === KIND.link) block.targets.set(index, targets.next().value as string);
    else if (block.kinds[index] === KIND.tree) block.children.set(index, readBlock(reader));
  }
}
