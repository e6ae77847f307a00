import { deflateChunk } from './chunk-codec.js';

/** Chunks on their way to a pack, back to back in one buffer. */
export interface ChunkBatch {
  /** The chunks' bytes; what is behind them is of no meaning. */
  bytes: Uint8Array<ArrayBuffer>;
  /** Raw length of each. */
  lengths: Uint32Array<ArrayBuffer>;
}

/** As ChunkBatch, each chunk as a pack stores it. */
export interface StoredBatch {
  bytes: Uint8Array<ArrayBuffer>;
  /** Stored length of each: the raw one for a chunk that compression does not make smaller by an eighth. */
  stored: Uint32Array<ArrayBuffer>;
}

/** Compresses chunks where that pays, in the buffer that they are in. */
export function compressBatch({ bytes, lengths }: ChunkBatch): StoredBatch {
  const stored = new Uint32Array(lengths.length);
  let from = 0;
  let to = 0;
  for (const [index, length] of lengths.entries()) {
    const raw = bytes.subarray(from, from + length);
    const deflated = deflateChunk(raw);
    if (deflated) bytes.set(deflated, to);
    else bytes.copyWithin(to, from, from + length);
    stored[index] = deflated?.length ?? length;
    from += length;
    to += deflated?.length ?? length;
  }
  return { bytes, stored };
}
