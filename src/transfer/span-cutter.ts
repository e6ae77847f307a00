import type { Hasher, HashFunction } from '../objects/hash.js';
import { DIGEST_BYTES } from '../objects/oid.js';
import { readFully } from '../objects/stream-copy.js';
import type { ChunkerParams } from './chunker-params.js';
import { createGearScanner, GEAR_WINDOW, SCAN_BYTES } from './gear-scan.js';

/** Bytes of a span: the chunks that begin in it are cut out of one buffer. */
export const SPAN_BYTES = 4 * 1024 * 1024;

/** The next chunks of a file. */
export interface CutBlock {
  /** The chunks, back to back from `begin` on. */
  bytes: Uint8Array<ArrayBuffer>;
  begin: number;
  /** Length of each. */
  lengths: Uint32Array<ArrayBuffer>;
  /** Digest of each, back to back. */
  digests: Uint8Array<ArrayBuffer>;
  /** Digest of the whole file: only in its last block. */
  whole?: Uint8Array<ArrayBuffer>;
}

/** A file that is cut in spans. */
export interface SpannedFile {
  descriptor: number;
  /** Bytes it must have. */
  size: number;
  hash: HashFunction;
  params: ChunkerParams;
  /** Bytes of a span; SPAN_BYTES unless said. */
  span?: number;
}

/** What a thread finds out of a span without knowing where the chunks before it end. */
export interface CutSpan {
  /** The span from `begin` on, and behind it what the last of its chunks may need. */
  bytes: Uint8Array<ArrayBuffer>;
  begin: number;
  /** Bytes from `begin` on that were read: fewer than were asked for when the file is shorter than it should be. */
  length: number;
  /** Every place where the content asks for a cut: the number of bytes from `begin` up to it, ascending. */
  places: Uint32Array<ArrayBuffer>;
  /** The chunks if one of them begins at the first place: where each begins, where the last ends, and their digests. */
  bounds: Uint32Array<ArrayBuffer>;
  digests: Uint8Array<ArrayBuffer>;
}

/** Length of the buffers that SpanCutter fills. */
export function spanBufferBytes(params: ChunkerParams, span = SPAN_BYTES): number {
  return GEAR_WINDOW + readBytes(params, span);
}

/** A span and what may belong to its last chunk, in whole inputs of the scanner. */
function readBytes({ max }: ChunkerParams, span: number): number {
  return span + Math.ceil(max / SCAN_BYTES) * SCAN_BYTES;
}

/** Bytes that a span of the file takes into its buffer, from its begin on. */
function expectedBytes({ size, params, span = SPAN_BYTES }: Omit<SpannedFile, 'descriptor'>, start: number): number {
  return Math.min(size - start, readBytes(params, span));
}

interface Stretch {
  /** Where the first chunk begins. */
  from: number;
  /** No chunk that begins here or later is asked for. */
  until: number;
  /** Where the bytes end; it must be the file's end when fewer than `max` follow on `until`. */
  end: number;
}

/** Where the chunks of a stretch end, by the places that its content asks for: those of docs/formats/chunking.md. Pure. */
function chunkEnds(places: Uint32Array, { from, until, end }: Stretch, { min, max }: ChunkerParams): number[] {
  const ends: number[] = [];
  let index = 0;
  for (let at = from; at < until; ) {
    while (index < places.length && (places[index] as number) < at + min) index++;
    at = Math.min(places[index] ?? end, at + max, end);
    ends.push(at);
  }
  return ends;
}

/**
 * Cuts spans of one file, in any order, so that several threads can do it. Where the content asks for cuts is told by the
 * 64 bytes before; which of these places are cuts depends on all before, and is decided by a ChunkChain.
 */
export class SpanCutter {
  constructor(private readonly file: SpannedFile) {}

  /** Cuts the span that begins at `start`, in a buffer of spanBufferBytes. Errors: those of the file system, as Node raises them. */
  cut(start: number, bytes: Uint8Array<ArrayBuffer>): CutSpan {
    const { span = SPAN_BYTES, params } = this.file;
    const begin = Math.min(start, GEAR_WINDOW);
    const chunks = new GuessedChunks(this.file, bytes.subarray(begin));
    if (start === 0) chunks.beginAt(0);
    const { length, places } = this.scan(start, { bytes, begin }, (found, scanned) => {
      if (found.length > 0) chunks.beginAt(Math.min(found[0] as number, span));
      // Where the last of a longer chunk is not scanned yet, its end is not known.
      chunks.cut(found, { until: Math.min(span, scanned - params.max + 1), end: scanned });
    });
    chunks.beginAt(0);
    chunks.cut(places, { until: Math.min(span, length), end: length });
    return { bytes, begin, length, places: places.slice(), ...chunks.all() };
  }

  /**
   * Reads a span piece by piece, each scanned while it is in the processor's cache; `onPiece` gets all places so far, which
   * are valid during the call, and the bytes that were scanned.
   */
  private scan(
    start: number,
    { bytes, begin }: { bytes: Uint8Array; begin: number },
    onPiece: (places: Uint32Array<ArrayBuffer>, scanned: number) => void,
  ): Pick<CutSpan, 'length' | 'places'> {
    const { descriptor, params } = this.file;
    const scanner = createGearScanner(Math.round(Math.log2(params.target)));
    const places = new Places();
    scanner.scan(bytes.subarray(0, readFully(descriptor, bytes.subarray(0, begin), start - begin)));
    const wanted = expectedBytes(this.file, start);
    let length = 0;
    while (length < wanted) {
      const piece = bytes.subarray(begin + length, begin + Math.min(length + SCAN_BYTES, wanted));
      const read = readFully(descriptor, piece, start + length);
      places.add(scanner.scan(piece.subarray(0, read)), length);
      length += read;
      if (read < piece.length) break;
      onPiece(places.all(), length);
    }
    return { length, places: places.all() };
  }
}

/**
 * The chunks of a span if one of them begins at its first place, hashed while their bytes are in the processor's cache:
 * as soon as enough is scanned to know where they end.
 */
class GuessedChunks {
  private readonly bounds: number[] = [];
  private readonly digests: Buffer[] = [];
  /** Places before the next chunk. */
  private passed = 0;

  constructor(
    private readonly file: Pick<SpannedFile, 'hash' | 'params'>,
    private readonly bytes: Uint8Array,
  ) {}

  /** Says where the first chunk begins; it is as was said first. */
  beginAt(first: number): void {
    if (this.bounds.length === 0) this.bounds.push(first);
  }

  /** Takes the chunks that begin before `until`: see chunkEnds. Nothing while it is not known where the first begins. */
  cut(places: Uint32Array, { until, end }: Omit<Stretch, 'from'>): void {
    const { hash, params } = this.file;
    let from = this.bounds.at(-1);
    if (from === undefined) return;
    while (this.passed < places.length && (places[this.passed] as number) < from) this.passed++;
    for (const next of chunkEnds(places.subarray(this.passed), { from, until, end }, params)) {
      this.digests.push(hash.digest(this.bytes.subarray(from, next)));
      this.bounds.push(next);
      from = next;
    }
  }

  /** What was taken, in order. */
  all(): Pick<CutSpan, 'bounds' | 'digests'> {
    const digests = new Uint8Array(this.digests.length * DIGEST_BYTES);
    for (const [index, digest] of this.digests.entries()) digests.set(digest, index * DIGEST_BYTES);
    return { bounds: Uint32Array.from(this.bounds), digests };
  }
}

/** Places as they are found: few in most content, one a byte in the worst. */
class Places {
  private list = new Uint32Array(256);
  private count = 0;

  add(found: Uint32Array, offset: number): void {
    if (this.count + found.length > this.list.length) {
      const longer = new Uint32Array(2 * (this.count + found.length));
      longer.set(this.list.subarray(0, this.count));
      this.list = longer;
    }
    for (let index = 0; index < found.length; index++) this.list[this.count++] = (found[index] as number) + offset;
  }

  /** All so far: a view. */
  all(): Uint32Array<ArrayBuffer> {
    return this.list.subarray(0, this.count);
  }
}

/**
 * Joins the spans of a file, in order, to its chunks: those of one pass over the whole. A chunk that the thread did not
 * guess, one or two a span, gets its digest here; so does the whole file.
 */
export class ChunkChain {
  private readonly whole: Hasher;
  /** Where the next span begins, and the next chunk. */
  private start = 0;
  private next = 0;

  constructor(private readonly file: Omit<SpannedFile, 'descriptor'>) {
    this.whole = file.hash.create();
  }

  /** The chunks that begin in the next span; undefined for a span that is not what the file's size promises. */
  join({ bytes, begin, length, places, bounds, digests }: CutSpan): CutBlock | undefined {
    const { size, hash, params, span = SPAN_BYTES } = this.file;
    if (length !== expectedBytes(this.file, this.start)) return undefined;
    const own = Math.min(span, length);
    this.whole.update(bytes.subarray(begin, begin + own));
    const from = this.next - this.start;
    const ends = chunkEnds(places, { from, until: own, end: length }, params);
    const block = {
      bytes,
      begin: begin + from,
      lengths: new Uint32Array(ends.length),
      digests: new Uint8Array(ends.length * DIGEST_BYTES),
    };
    let at = from;
    let guessed = 0;
    for (const [index, end] of ends.entries()) {
      while (guessed < bounds.length && (bounds[guessed] as number) < at) guessed++;
      const known = bounds[guessed] === at && bounds[guessed + 1] === end;
      const digest = known
        ? digests.subarray(guessed * DIGEST_BYTES, (guessed + 1) * DIGEST_BYTES)
        : hash.digest(bytes.subarray(begin + at, begin + end));
      block.digests.set(digest, index * DIGEST_BYTES);
      block.lengths[index] = end - at;
      at = end;
    }
    this.next = this.start + at;
    this.start += own;
    return this.start < size ? block : { ...block, whole: new Uint8Array(this.whole.digest()) };
  }
}
