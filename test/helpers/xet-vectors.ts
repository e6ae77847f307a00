/**
 * Test vectors of Xet's chunker: data of the unit tests of huggingface/xet-core
 * (xet_data/src/deduplication/chunking.rs, Apache-2.0), for min 8 KiB, target 64 KiB, max 128 KiB. Ends of chunks.
 */

/** Ends for `randomBytes(1_000_000, 0n)`. */
export const XET_RANDOM = [
  84493, 134421, 144853, 243318, 271793, 336457, 467529, 494581, 582000, 596735, 616815, 653164, 678202, 724510, 815591,
  827760, 958832, 991092, 1000000,
];

/** Ends for a million bytes of the value 59. */
export const XET_CONSTANT = [131072, 262144, 393216, 524288, 655360, 786432, 917504, 1000000];

/** Ends for `triggeringBytes(65536, padding)`: a selection with those where cuts fall next to the shortest length. */
export const XET_TRIGGERING = [
  { padding: 0, ends: [8256, 16448, 24640, 32832, 41024, 49216, 57408, 65536] },
  { padding: 1, ends: [8320, 16576, 24832, 33088, 41344, 49600, 57856, 65536] },
  { padding: 12, ends: [8324, 16584, 24844, 33104, 41364, 49624, 57884, 65536] },
  { padding: 17, ends: [8329, 16594, 24859, 33124, 41389, 49654, 57919, 65536] },
  { padding: 24, ends: [8272, 16480, 24688, 32896, 41104, 49312, 57520, 65536] },
  { padding: 29, ends: [8228, 16549, 24870, 33191, 41512, 49833, 58154, 65536] },
  { padding: 38, ends: [8198, 16498, 24798, 33098, 41398, 49698, 57998, 65536] },
  { padding: 45, ends: [8195, 16499, 24803, 33107, 41411, 49715, 58019, 65536] },
  { padding: 53, ends: [8209, 16535, 24861, 33187, 41513, 49839, 58165, 65536] },
  { padding: 61, ends: [8380, 16696, 25012, 33328, 41644, 49960, 58276, 65536] },
  { padding: 67, ends: [8254, 16639, 25024, 33409, 41794, 50179, 58564, 65536] },
];

const PATTERN = [
  154, 52, 42, 34, 159, 75, 126, 224, 70, 236, 12, 196, 79, 236, 178, 124, 127, 50, 99, 178, 44, 176, 174, 126, 250,
  235, 205, 174, 252, 122, 35, 10, 20, 101, 214, 69, 193, 8, 115, 105, 158, 228, 120, 111, 136, 162, 198, 251, 211, 183,
  253, 252, 164, 147, 63, 16, 186, 162, 117, 23, 170, 36, 205, 187, 174, 76, 210, 174, 211, 175, 12, 173, 145, 59, 2,
  70, 222, 181, 159, 227, 182, 156, 189, 51, 226, 106, 24, 50, 183, 157, 140, 10, 8, 23, 212, 70, 10, 234, 23, 33, 219,
  254, 39, 236, 70, 49, 191, 116, 9, 115, 15, 101, 26, 159, 165, 220, 15, 170, 56, 125, 92, 163, 94, 235, 38, 40, 49,
  81,
];

/** A pattern that asks for a cut, followed by zeros, again and again. */
export function triggeringBytes(length: number, padding: number): Buffer {
  return Buffer.alloc(length, Buffer.concat([Buffer.from(PATTERN), Buffer.alloc(padding)]));
}

/** Pseudo-random bytes from SplitMix64 (prng.di.unimi.it/splitmix64.c, public domain), little-endian words. */
export function randomBytes(length: number, seed: bigint): Buffer {
  const bytes = Buffer.alloc(Math.ceil(length / 8) * 8);
  let state = seed;
  for (let at = 0; at < bytes.length; at += 8) {
    state = BigInt.asUintN(64, state + 0x9e3779b97f4a7c15n);
    let word = BigInt.asUintN(64, (state ^ (state >> 30n)) * 0xbf58476d1ce4e5b9n);
    word = BigInt.asUintN(64, (word ^ (word >> 27n)) * 0x94d049bb133111ebn);
    bytes.writeBigUInt64LE(word ^ (word >> 31n), at);
  }
  return bytes.subarray(0, length);
}
