import { randomFillSync } from 'node:crypto';
import { availableParallelism, cpus } from 'node:os';
import { loadHash } from '../src/objects/hash.js';
import { DEFAULT_CHUNKER } from '../src/transfer/chunker-params.js';
import { createChunker } from './stream-chunker.js';

// How fast streams are cut into chunks, WebAssembly against JavaScript, and hashing beside it. Run: npx tsx bench/chunker.ts
const DATA = 256 * 1024 * 1024;
const PIECE = 4 * 1024 * 1024;
const ROUNDS = 5;

function speed(work: () => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    work();
    best = Math.min(best, performance.now() - start);
  }
  return DATA / 2 ** 30 / (best / 1000);
}

const data = Buffer.alloc(DATA);
randomFillSync(data);
const blake3 = await loadHash('blake3');
const rows: [string, number][] = [];

for (const implementation of ['wasm', 'js'] as const) {
  const chunker = createChunker(DEFAULT_CHUNKER, implementation);
  const cut = (): void => {
    for (let at = 0; at < DATA; at += PIECE) chunker.push(data.subarray(at, at + PIECE));
    chunker.finish();
  };
  rows.push([`cut, ${implementation}`, speed(cut)]);
}
rows.push([
  `hash chunks of 64 KiB, ${blake3.algorithm} ${blake3.implementation}`,
  speed(() => {
    for (let at = 0; at < DATA; at += 65536) blake3.digest(data.subarray(at, at + 65536));
  }),
]);

console.log(`${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores, Node ${process.version}`);
for (const [name, rate] of rows) console.log(`${name.padEnd(44)} ${rate.toFixed(2)} GiB/s`);
