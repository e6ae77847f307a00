import type { HashFunction } from '../objects/hash.js';
import { DIGEST_BYTES } from '../objects/oid.js';
import { KIND, TreeReader } from '../objects/tree-format.js';
import { ByteWriter } from './byte-writer.js';
import { CODEC } from './chunk-codec.js';
import { LOCATION, RECORD_KIND, RECORD_MAGIC } from './record-format.js';

/** Where one chunk's bytes are on a remote. */
export interface ChunkPlace {
  /** Digest that names the pack. */
  pack: Buffer;
  /** Where the chunk begins in the pack. */
  offset: number;
  /** Bytes it takes in the pack where it is compressed; absent for a chunk that is stored as it is. */
  deflated?: number | undefined;
}

/** One chunk of a file, and where it is. */
export interface PlacedChunk extends ChunkPlace {
  /** Digest of the chunk's raw bytes. */
  digest: Buffer;
  /** Raw bytes. */
  length: number;
}

/** The record of an object whose bytes are in the record itself. */
export function encodeInlineRecord(content: Uint8Array, hash: HashFunction): Buffer {
  const head = new ByteWriter();
  head.varint(content.length);
  return sealRecord(RECORD_KIND.inline, [head.view(), content], hash);
}

/** Builds the record of a file out of its chunks, in the order of the file. */
export class ChunksRecordWriter {
  private readonly packs = new PackListWriter();
  private readonly body = new ByteWriter();
  private count = 0;
  /** Bytes of the file so far. */
  size = 0;

  add(chunk: PlacedChunk): void {
    writeChunk(this.body, this.packs, chunk);
    this.size += chunk.length;
    this.count++;
  }

  /** The record. The writer is not used afterwards. */
  finish(hash: HashFunction): Buffer {
    const size = new ByteWriter();
    size.varint(this.size);
    const count = new ByteWriter();
    count.varint(this.count);
    return sealRecord(RECORD_KIND.chunks, [size.view(), ...this.packs.parts(), count.view(), this.body.view()], hash);
  }
}

/**
 * Builds the record of a tree: `next()` moves to each file with content in the tree's order, and for each the caller
 * says once where it is: `own()`, `packed()` or `chunked()`. Throws a RangeError for a caller that does not.
 */
export class TreeRecordWriter {
  /** The entry that `next()` moved to. */
  readonly entry: TreeReader;
  private readonly packs = new PackListWriter();
  private readonly body: ByteWriter;
  private pending = false;
  private done = false;

  /** `tree` is the complete canonical bytes of the tree. Error: `TREE_INVALID`. */
  constructor(private readonly tree: Buffer) {
    this.entry = new TreeReader(tree);
    this.body = new ByteWriter(tree.length >>> 3);
  }

  /** Moves to the next file that is not empty; false when all are located. Error: `TREE_INVALID`. */
  next(): boolean {
    if (this.pending) throw new RangeError('the file before has no location yet');
    while (this.entry.next()) {
      if (this.entry.kind !== KIND.file && this.entry.kind !== KIND.executable) continue;
      if (this.entry.size > 0) {
        this.pending = true;
        return true;
      }
      this.body.varint(LOCATION.empty);
    }
    this.done = true;
    return false;
  }

  /** The current file has a record of its own. */
  own(): void {
    this.take();
    this.body.varint(LOCATION.own);
  }

  /** The current file is one chunk, at that place. */
  packed(place: ChunkPlace): void {
    this.take();
    this.body.varint(LOCATION.packed);
    writePlace(this.body, this.packs, place);
  }

  /** The current file is these chunks (two or more), whose lengths add up to its size. */
  chunked(chunks: readonly PlacedChunk[]): void {
    const size = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    if (chunks.length < 2 || size !== this.entry.size) throw new RangeError('the chunks are not those of the file');
    this.take();
    this.body.varint(chunks.length + 1);
    for (const chunk of chunks) writeChunk(this.body, this.packs, chunk);
  }

  /** The record. The writer is not used afterwards. */
  finish(hash: HashFunction): Buffer {
    if (!this.done) throw new RangeError('not every file of the tree is located');
    const head = new ByteWriter();
    head.varint(this.tree.length);
    return sealRecord(RECORD_KIND.tree, [head.view(), this.tree, ...this.packs.parts(), this.body.view()], hash);
  }

  private take(): void {
    if (!this.pending) throw new RangeError('there is no file to locate');
    this.pending = false;
  }
}

/** The packs that a record names, in the order of their first use. */
class PackListWriter {
  private readonly digests = new ByteWriter();
  private readonly indexes = new Map<string, number>();
  private last: { digest: Buffer; index: number } | undefined;

  index(digest: Buffer): number {
    if (this.last?.digest.equals(digest)) return this.last.index;
    if (digest.length !== DIGEST_BYTES) throw new RangeError(`a digest has ${DIGEST_BYTES} bytes`);
    const key = digest.toString('latin1');
    let index = this.indexes.get(key);
    if (index === undefined) {
      index = this.indexes.size;
      this.indexes.set(key, index);
      this.digests.bytes(digest);
    }
    this.last = { digest, index };
    return index;
  }

  parts(): Buffer[] {
    const count = new ByteWriter();
    count.varint(this.indexes.size);
    return [count.view(), this.digests.view()];
  }
}

function writeChunk(body: ByteWriter, packs: PackListWriter, chunk: PlacedChunk): void {
  if (chunk.length < 1) throw new RangeError('a chunk is never empty');
  if (chunk.digest.length !== DIGEST_BYTES) throw new RangeError(`a digest has ${DIGEST_BYTES} bytes`);
  body.bytes(chunk.digest);
  body.varint(chunk.length);
  writePlace(body, packs, chunk);
}

function writePlace(body: ByteWriter, packs: PackListWriter, place: ChunkPlace): void {
  body.varint(packs.index(place.pack));
  body.varint(place.offset);
  if (place.deflated === undefined) body.byte(CODEC.stored);
  else {
    body.byte(CODEC.deflate);
    body.varint(place.deflated);
  }
}

function sealRecord(kind: number, parts: readonly Uint8Array[], hash: HashFunction): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, RECORD_MAGIC.length + 1);
  const record = Buffer.allocUnsafeSlow(length + DIGEST_BYTES);
  let at = RECORD_MAGIC.copy(record);
  record[at++] = kind;
  for (const part of parts) {
    record.set(part, at);
    at += part.length;
  }
  hash.digest(record.subarray(0, length)).copy(record, length);
  return record;
}
