import { createGearScanner, GEAR_WINDOW, SCAN_BYTES, type ScannerPreference } from './gear-scan.js';

/** How files are cut into chunks; part of a remote's `mlv.json`, since other values find nothing to share. */
export interface ChunkerParams {
  name: 'gear64';
  /** Shortest chunk in bytes (the last of a file may be shorter). */
  min: number;
  /** Mean distance of the places where content asks for a cut, in bytes: a power of two. */
  target: number;
  /** Longest chunk in bytes. */
  max: number;
  /** Files of up to that many bytes are one chunk, uncut. */
  whole: number;
}

/** The values of a new remote: those of Xet (github.com/huggingface/xet-core, spec/chunking.md), measured in docs/formats/chunking.md. */
export const DEFAULT_CHUNKER: ChunkerParams = {
  name: 'gear64',
  min: 8 * 1024,
  target: 64 * 1024,
  max: 128 * 1024,
  whole: 512 * 1024,
};

const LARGEST = 16 * 1024 * 1024;

/** What is wrong with parameters of the name `gear64`, or undefined when they can be used. */
export function chunkerParamsProblem(params: Omit<ChunkerParams, 'name'>): string | undefined {
  const { min, target, max, whole } = params;
  if (![min, target, max, whole].every((value) => Number.isSafeInteger(value) && value >= 0)) {
    return 'a size is not a whole number';
  }
  if (min < GEAR_WINDOW) return `min is below ${GEAR_WINDOW}`;
  if (2 ** Math.round(Math.log2(target)) !== target) return 'target is not a power of two';
  if (min > target || target > max || min === max) return 'min, target and max are not in order';
  if (max > LARGEST || whole > LARGEST) return `a chunk could be longer than ${LARGEST} bytes`;
  return undefined;
}

/**
 * Cuts one stream of bytes into chunks at places that its content decides: bytes inserted or removed move only the
 * cuts near them. How the stream is handed over in pieces makes no difference.
 */
export interface Chunker {
  readonly implementation: 'wasm' | 'js';
  /** Takes the next bytes; gives the lengths of the chunks that end in them, in order. */
  push(bytes: Uint8Array): number[];
  /** Ends the stream; gives the length of its last chunk, 0 when nothing is left. The chunker is then as new. */
  finish(): number;
}

/**
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
