import { ByteReader, varintLength } from '../core/varint.js';
import { DIGEST_BYTES } from '../objects/oid.js';
import { ByteWriter } from './byte-writer.js';
import { areLengthsPossible, CODEC, requireKnownCodec } from './chunk-codec.js';
import { magicVersion, tooNew } from './format-version.js';

/** First and last bytes of every pack: the format's name and number. Documented in docs/formats/pack.md. */
export const PACK_MAGIC = Buffer.from('mlvpack\x01', 'latin1');

/** Where a pack's first chunk begins. */
export const PACK_HEADER_BYTES = PACK_MAGIC.length;

/** Length of a pack's fixed end: length of the table, number of chunks, magic. */
export const PACK_FOOTER_BYTES = 4 + 4 + PACK_MAGIC.length;

/** Size of a new remote's packs in bytes. */
export const DEFAULT_PACK_BYTES = 16 * 1024 * 1024;

/** Least and most bytes a pack may have by a remote's configuration. */
export const PACK_BYTES_LIMITS = { least: 64 * 1024, most: 1024 * 1024 * 1024 } as const;

/** Most bytes of a chunk, whatever a remote's configuration says: what one check of a digest takes into memory. */
export const MOST_CHUNK_BYTES = 16 * 1024 * 1024;

/** Bytes of the shortest entry in a table of contents. */
const SHORTEST_ENTRY = DIGEST_BYTES + 3;

/** Bytes that one chunk takes in a pack's table of contents: `stored` in the pack, `length` raw. */
export function tableEntryBytes(stored: number, length = stored): number {
  return DIGEST_BYTES + 1 + varintLength(stored) + varintLength(length);
}

/** Bytes of a pack that holds a single chunk of `length` bytes: the least pack size that takes it. */
export function loneChunkPackBytes(length: number): number {
  return PACK_HEADER_BYTES + length + tableEntryBytes(length) + PACK_FOOTER_BYTES;
}

/** One chunk as a pack's table of contents lists it. */
export interface PackEntry {
  /** Digest of the chunk's raw bytes. */
  digest: Buffer;
  /** Where its stored bytes begin in the pack. */
  offset: number;
  /** Bytes in the pack: fewer than `length` where the chunk is compressed, otherwise as many. */
  stored: number;
  /** Raw bytes. */
  length: number;
}

/** A pack's table of contents, in the order of the chunks in the pack. */
export class PackTable {
  /** Number of chunks. */
  readonly count: number;
  private readonly offsets: Float64Array;

  /** `digests` holds the digests back to back; `stored` and `lengths` the stored and the raw length of each chunk. */
  constructor(
    private readonly digests: Buffer,
    private readonly stored: Float64Array,
    private readonly lengths: Float64Array,
  ) {
    this.count = lengths.length;
    this.offsets = new Float64Array(this.count);
    let offset = PACK_HEADER_BYTES;
    for (let index = 0; index < this.count; index++) {
      this.offsets[index] = offset;
      offset += stored[index] as number;
    }
  }

  /** The chunk at `index` (0 to count - 1); its digest is a view, not a copy. */
  entry(index: number): PackEntry {
    return {
      digest: this.digests.subarray(index * DIGEST_BYTES, (index + 1) * DIGEST_BYTES),
      offset: this.offsets[index] as number,
      stored: this.stored[index] as number,
      length: this.lengths[index] as number,
    };
  }

  /** All chunks in order. */
  *entries(): Generator<PackEntry> {
    for (let index = 0; index < this.count; index++) yield this.entry(index);
  }
}

interface PackFooter {
  tableBytes: number;
  count: number;
}

/** Bytes at a pack's end that hold its whole table of contents, told by its last PACK_FOOTER_BYTES bytes. Error: `PACK_INVALID`. */
export function packTailBytes(lastBytes: Buffer, pack: PackIdentity): number {
  return readFooter(lastBytes, pack).tableBytes + PACK_FOOTER_BYTES;
}

/** What a pack is called in messages, and how long it is as a whole. */
export interface PackIdentity {
  /** Name for messages: its key or the hex of its digest. */
  name: string;
  /** Bytes of the whole pack, as the remote tells them. */
  size: number;
}

/**
 * Reads a table of contents from the last bytes of a pack (packTailBytes of them suffice, more do no harm).
 * Everything is checked against the pack's size before anything is allocated from it. Errors: `PACK_INVALID`;
 * `FORMAT_TOO_NEW` for a codec of a later version.
 */
export function parsePackTable(tail: Buffer, pack: PackIdentity): PackTable {
  const what = `pack ${pack.name}`;
  const { tableBytes, count } = readFooter(tail, pack);
  const tableEnd = tail.length - PACK_FOOTER_BYTES;
  const reader = new ByteReader(tail.subarray(0, tableEnd), packFailure(pack), tableEnd - tableBytes);
  if (reader.offset < 0) reader.fail('its table of contents was not read in full');
  const digests = Buffer.allocUnsafeSlow(count * DIGEST_BYTES);
  const storedLengths = new Float64Array(count);
  const lengths = new Float64Array(count);
  let total = 0;
  for (let index = 0; index < count; index++) {
    reader.take(DIGEST_BYTES).copy(digests, index * DIGEST_BYTES);
    const codec = reader.byte();
    requireKnownCodec(codec, what);
    const stored = reader.varint();
    const length = reader.varint();
    if (!areLengthsPossible(codec, stored, length)) reader.fail('a chunk has impossible lengths');
    if (codec === CODEC.deflate && length > MOST_CHUNK_BYTES) reader.fail('a compressed chunk is too long');
    storedLengths[index] = stored;
    lengths[index] = length;
    total += stored;
  }
  if (reader.remaining > 0) reader.fail('its table of contents is longer than its chunks need');
  if (total !== pack.size - PACK_HEADER_BYTES - tableBytes - PACK_FOOTER_BYTES) {
    reader.fail('its chunks do not fill it');
  }
  return new PackTable(digests, storedLengths, lengths);
}

function readFooter(tail: Buffer, pack: PackIdentity): PackFooter {
  const reader = new ByteReader(tail, packFailure(pack), tail.length);
  if (pack.size < PACK_HEADER_BYTES + PACK_FOOTER_BYTES || tail.length < PACK_FOOTER_BYTES || tail.length > pack.size) {
    reader.fail('it is too short');
  }
  const footer = tail.subarray(-PACK_FOOTER_BYTES);
  const version = magicVersion(footer.subarray(8), PACK_MAGIC);
  if (version === undefined) reader.fail('it does not end like a pack');
  if (version !== 1) throw tooNew(`pack ${pack.name} has format ${version}`);
  const tableBytes = footer.readUInt32LE(0);
  const count = footer.readUInt32LE(4);
  if (
    tableBytes > pack.size - PACK_HEADER_BYTES - PACK_FOOTER_BYTES ||
    count === 0 ||
    count * SHORTEST_ENTRY > tableBytes
  ) {
    reader.fail('the length of its table of contents is impossible');
  }
  return { tableBytes, count };
}

function packFailure(pack: PackIdentity): { code: 'PACK_INVALID'; what: string } {
  return { code: 'PACK_INVALID', what: `pack ${pack.name} is damaged` };
}

/** Writes a table of contents entry by entry, and then the footer. */
export class PackTableWriter {
  private readonly writer = new ByteWriter();
  count = 0;

  /** Bytes of the table so far, without the footer. */
  get length(): number {
    return this.writer.length;
  }

  /** Lists a chunk of `length` bytes that takes `stored` in the pack: fewer when it is compressed. */
  add(digest: Buffer, stored: number, length = stored): void {
    this.writer.bytes(digest);
    this.writer.byte(stored === length ? CODEC.stored : CODEC.deflate);
    this.writer.varint(stored);
    this.writer.varint(length);
    this.count++;
  }

  /** Writes table and footer at `offset` of `target`; gives the offset behind them. */
  finish(target: Buffer, offset: number): number {
    let at = offset + this.writer.view().copy(target, offset);
    at = target.writeUInt32LE(this.length, at);
    at = target.writeUInt32LE(this.count, at);
    return at + PACK_MAGIC.copy(target, at);
  }
}
