import { GEAR_WINDOW } from './gear-scan.js';

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
