import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { MlvError, systemErrorCode } from '../core/errors.js';
import { tooNew } from './format-version.js';

/**
 * How a chunk's bytes are stored; the values are the bytes of the format. `deflate` is a raw deflate stream (RFC 1951): what
 * every language can read without a package. The choice is measured in docs/formats/pack.md.
 */
export const CODEC = { stored: 0, deflate: 1 } as const;

/** Smallest share of a chunk's bytes that compression must save. */
export const LEAST_SAVING = 1 / 8;

/** Shorter chunks are stored as they are: their entries and the calls would cost what is saved. */
const SHORTEST_BYTES = 256;

/** Bytes that are looked at to guess whether a chunk can be made smaller: blocks spread over it. */
export const SAMPLE_BLOCKS = 4;
export const SAMPLE_BLOCK_BYTES = 1024;

/**
 * Bits a byte, by the frequencies of the sample's bytes, above which a chunk is not tried. Images, archives and random
 * bytes have 7.9, 32-bit weights 7.3 (7 % could be saved); text, numbers and 16-bit weights have less than 7.2.
 */
export const MOST_BITS = 7.2;

/** Chunks of a file in a row that promise nothing before most are not looked at, and one in how many then still is. */
export const DULL_CHUNKS = 16;
export const LOOKED_AT = 8;

/** How often each byte occurs in a sample: one array for all samples, because a push takes one of each small file. */
const COUNTS = new Uint16Array(256);

/** `n · log2(n)` for each count that can be. */
const COUNT_BITS = Float64Array.from({ length: SAMPLE_BLOCKS * SAMPLE_BLOCK_BYTES + 1 }, (_, n) =>
  n === 0 ? 0 : n * Math.log2(n),
);

/** Raises `FORMAT_TOO_NEW` unless this version knows the codec; `what` is the pack or record it was read from. */
export function requireKnownCodec(codec: number, what: string): void {
  if (codec !== CODEC.stored && codec !== CODEC.deflate) throw tooNew(`${what} stores a chunk with codec ${codec}`);
}

/** True when chunks of those lengths can be what a codec makes of them: raw bytes as they are, or fewer. Pure. */
export function areLengthsPossible(codec: number, stored: number, length: number): boolean {
  if (codec === CODEC.stored) return stored === length && length > 0;
  return stored > 0 && stored < length;
}

/** True when a look at some of the bytes promises that compression pays: microseconds, whatever the length. Pure. */
export function isWorthCompressing(bytes: Uint8Array): boolean {
  if (bytes.length < SHORTEST_BYTES) return false;
  COUNTS.fill(0);
  const length = Math.min(SAMPLE_BLOCK_BYTES, Math.floor(bytes.length / SAMPLE_BLOCKS));
  const apart = Math.floor((bytes.length - length) / (SAMPLE_BLOCKS - 1));
  for (let block = 0; block < SAMPLE_BLOCKS; block++) {
    const end = block * apart + length;
    for (let at = block * apart; at < end; at++) (COUNTS[bytes[at] as number] as number)++;
  }
  const total = SAMPLE_BLOCKS * length;
  let weighted = 0;
  for (let value = 0; value < COUNTS.length; value++) weighted += COUNT_BITS[COUNTS[value] as number] as number;
  return Math.log2(total) - weighted / total < MOST_BITS;
}

/**
 * Guesses for the chunks of one file, in order, whether compression pays. Where many in a row do not promise it, only some
 * of the next are looked at, until one does: a file that cannot be made smaller is seldom so in one part alone.
 */
export class CompressionGuess {
  private dull = 0;

  /** As isWorthCompressing, of the file's next chunk; false without a look for most chunks behind many dull ones. */
  promises(bytes: Uint8Array): boolean {
    const unseen = this.dull >= DULL_CHUNKS && this.dull % LOOKED_AT !== 0;
    const promising = !unseen && isWorthCompressing(bytes);
    this.dull = promising ? 0 : this.dull + 1;
    return promising;
  }
}

/** The chunk as a deflate stream, or undefined where that saves less than an eighth. Pure. */
export function deflateChunk(bytes: Uint8Array): Buffer | undefined {
  const most = Math.floor(bytes.length * (1 - LEAST_SAVING));
  try {
    const stored = deflateRawSync(bytes, {
      level: 1,
      chunkSize: Math.max(64, most),
      maxOutputLength: Math.max(1, most),
    });
    return stored.length <= most ? stored : undefined;
  } catch (error) {
    if (systemErrorCode(error) === 'ERR_BUFFER_TOO_LARGE') return undefined;
    throw error;
  }
}

/**
 * The raw bytes of a deflated chunk, which are `length` bytes: never more is taken into memory, whatever the stream says.
 * Error: `PACK_INVALID` for a stream that is none, or is longer or shorter.
 */
export function inflateChunk(stored: Uint8Array, length: number): Buffer {
  let raw: Buffer;
  try {
    raw = inflateRawSync(stored, { chunkSize: Math.max(64, length), maxOutputLength: length });
  } catch (cause) {
    if (systemErrorCode(cause) === undefined) throw cause;
    throw new MlvError('PACK_INVALID', `a compressed chunk is damaged: it is not ${length} bytes`, { cause });
  }
  if (raw.length === length) return raw;
  throw new MlvError('PACK_INVALID', `a compressed chunk is damaged: it is ${raw.length} bytes instead of ${length}`);
}

/** The raw bytes of a chunk as it is stored: a view of them where they are stored as they are. Error: `PACK_INVALID`. */
export function chunkContent(stored: Buffer, length: number): Buffer {
  return stored.length === length ? stored : inflateChunk(stored, length);
}
