import { type ChunkerParams, chunkerParamsProblem } from '../src/transfer/chunker-params.js';
import { createGearScanner, SCAN_BYTES, type ScannerPreference } from '../src/transfer/gear-scan.js';

/**
 * Cuts one stream of bytes into chunks at places that its content decides: bytes inserted or removed move only the
 * cuts near them. How the stream is handed over in pieces makes no difference.
 */
interface Chunker {
  readonly implementation: 'wasm' | 'js';
  /** Takes the next bytes; gives the lengths of the chunks that end in them, in order. */
  push(bytes: Uint8Array): number[];
  /** Ends the stream; gives the length of its last chunk, 0 when nothing is left. The chunker is then as new. */
  finish(): number;
}

/**
 * One pass over a stream, byte after byte: what the spans of `transfer/span-cutter.ts` are compared with, and what is measured.
 * A chunker for files above `params.whole`. The cuts are those of Xet's published algorithm for the same min, target
 * and max. Throws a RangeError for parameters that chunkerParamsProblem complains of.
 */
export function createChunker(params: ChunkerParams, preference: ScannerPreference = 'auto'): Chunker {
  const problem = chunkerParamsProblem(params);
  if (problem !== undefined) throw new RangeError(problem);
  const { min, max } = params;
  // Its hash runs on across cuts: a chunk is never shorter than the hash looks back.
  const scanner = createGearScanner(Math.round(Math.log2(params.target)), preference);
  let size = 0;

  function cutSlice(slice: Uint8Array, lengths: number[]): void {
    const found = scanner.scan(slice);
    let at = 0;
    for (let index = 0; index <= found.length; index++) {
      const place = found[index] ?? slice.length;
      size += place - at;
      at = place;
      for (; size >= max; size -= max) lengths.push(max);
      if (index === found.length || size < min) continue;
      lengths.push(size);
      size = 0;
    }
  }

  return {
    implementation: scanner.implementation,
    push: (bytes) => {
      const lengths: number[] = [];
      for (let from = 0; from < bytes.length; from += SCAN_BYTES) {
        cutSlice(bytes.subarray(from, from + SCAN_BYTES), lengths);
      }
      return lengths;
    },
    finish: () => {
      const last = size;
      size = 0;
      return last;
    },
  };
}
