import type { ByteReader } from '../core/varint.js';
import { DIGEST_BYTES } from '../objects/oid.js';
import { KIND, TreeReader } from '../objects/tree-format.js';
import { areLengthsPossible, CODEC, requireKnownCodec } from './chunk-codec.js';
import { PACK_HEADER_BYTES } from './pack-format.js';
import { LOCATION } from './record-format.js';

const NO_BYTES = Buffer.alloc(0);

/** The packs that a record's chunks are in. */
export class PackList {
  /** Number of packs. */
  readonly count: number;
  private readonly digests: Buffer;

  /** Reads the list where `reader` stands. */
  constructor(reader: ByteReader) {
    this.count = reader.varint();
    // The count comes from outside: what it claims must be there before anything is made of it.
    if (this.count > reader.remaining / DIGEST_BYTES) reader.fail('its list of packs is longer than the record');
    this.digests = reader.take(this.count * DIGEST_BYTES);
    const names = new Set<string>();
    for (let index = 0; index < this.count; index++) names.add(this.digest(index).toString('latin1'));
    if (names.size !== this.count) reader.fail('a pack is listed twice');
  }

  /** Digest of the pack at `index` (0 to count - 1): a view, not a copy. */
  digest(index: number): Buffer {
    return this.digests.subarray(index * DIGEST_BYTES, (index + 1) * DIGEST_BYTES);
  }
}

/**
 * Walks chunks without an object a chunk: `next()` moves on, the fields describe the chunk it stands on. Everything is
 * validated on the way. Errors: those of the reader, and `FORMAT_TOO_NEW`.
 */
export class ChunkCursor {
  /** Digest of the chunk's raw bytes: a view, not a copy. */
  digest: Buffer = NO_BYTES;
  /** Raw bytes. */
  length = 0;
  /** Bytes in the pack: fewer than `length` where the chunk is compressed, otherwise as many. */
  stored = 0;
  /** Index of its pack in the record's list. */
  packIndex = 0;
  /** Where it begins in its pack. */
  offset = 0;
  private lone = false;
  private chunksLeft = 0;
  private bytesLeft = 0;
  private packsSeen = 0;

  /** `what` is the record, for messages. */
  constructor(
    readonly reader: ByteReader,
    readonly packs: PackList,
    private readonly what: string,
  ) {}

  /** Digest of the current chunk's pack: a view, not a copy. */
  get pack(): Buffer {
    return this.packs.digest(this.packIndex);
  }

  /** As `stored` where the chunk is compressed, otherwise undefined. */
  get deflated(): number | undefined {
    return this.stored === this.length ? undefined : this.stored;
  }

  /** Moves to the next chunk of the current file; false behind its last. */
  next(): boolean {
    if (this.chunksLeft === 0) return false;
    this.chunksLeft--;
    if (!this.lone) {
      this.digest = this.reader.take(DIGEST_BYTES);
      this.length = this.reader.varint();
    }
    if (this.length === 0 || this.length > this.bytesLeft) this.reader.fail('a chunk has an impossible length');
    this.bytesLeft -= this.length;
    if (this.chunksLeft === 0 && this.bytesLeft > 0) this.reader.fail('its chunks do not add up to the size');
    this.readPlace();
    return true;
  }

  /** Goes to a file of `count` chunks that stand in the record one by one, together `size` bytes. */
  begin(count: number, size: number): void {
    if (count === 0 && size > 0) this.reader.fail('its chunks do not add up to the size');
    this.lone = false;
    this.chunksLeft = count;
    this.bytesLeft = size;
  }

  /** Goes to a file that is one chunk, whose digest and size the tree says. */
  beginLone(digest: Buffer, size: number): void {
    this.begin(1, size);
    this.lone = true;
    this.digest = digest;
    this.length = size;
  }

  /** Checks, behind the last file, that nothing is left over. */
  end(): void {
    if (this.reader.remaining > 0) this.reader.fail('there is more behind its end');
    if (this.packsSeen !== this.packs.count) this.reader.fail('a pack is listed and not used');
  }

  private readPlace(): void {
    const reader = this.reader;
    this.packIndex = reader.varint();
    if (this.packIndex >= this.packs.count) reader.fail('a chunk is in a pack that is not listed');
    if (this.packIndex > this.packsSeen) reader.fail('packs are not in the order of their first use');
    if (this.packIndex === this.packsSeen) this.packsSeen++;
    this.offset = reader.varint();
    const codec = reader.byte();
    requireKnownCodec(codec, this.what);
    this.stored = codec === CODEC.stored ? this.length : reader.varint();
    if (!areLengthsPossible(codec, this.stored, this.length)) reader.fail('a chunk has an impossible stored length');
    if (this.offset < PACK_HEADER_BYTES || !Number.isSafeInteger(this.offset + this.stored)) {
      reader.fail('a chunk begins where none can');
    }
  }
}

/** Where a tree's record says an entry is: `none` for links and sub-trees, `own` for a record of its own. */
export type EntryLocation = 'none' | 'own' | 'chunks';

/**
 * Walks a tree and the locations of its files side by side, in the tree's order. `next()` moves to the next entry,
 * whatever its kind; chunks that the caller did not look at are passed over.
 */
export class TreeRecordCursor {
  /** The current entry. */
  readonly entry: TreeReader;
  location: EntryLocation = 'none';

  /** `chunks` walks the chunks of the current entry: none unless `location` is `chunks`, and none for an empty file. */
  constructor(
    tree: Buffer,
    readonly chunks: ChunkCursor,
  ) {
    this.entry = new TreeReader(tree);
  }

  /** Moves to the next entry; false at the end. */
  next(): boolean {
    while (this.chunks.next());
    this.location = 'none';
    if (!this.entry.next()) {
      this.chunks.end();
      return false;
    }
    if (this.entry.kind === KIND.file || this.entry.kind === KIND.executable) this.locate();
    return true;
  }

  private locate(): void {
    const tag = this.chunks.reader.varint();
    if (tag === LOCATION.own) {
      this.location = 'own';
      return;
    }
    this.location = 'chunks';
    if (tag === LOCATION.empty) this.chunks.begin(0, this.entry.size);
    else if (tag === LOCATION.packed) this.chunks.beginLone(this.entry.digest, this.entry.size);
    else this.chunks.begin(tag - 1, this.entry.size);
  }
}
