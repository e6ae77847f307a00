import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { loadHash } from '../src/objects/hash.js';
import { createChunker } from './stream-chunker.js';

// How many bytes of a new version travel, by chunk size. Run: npx tsx bench/dedup.ts DIRECTORY (made by dedup_inputs.py)
const TARGETS = [16, 32, 64, 128, 256].map((kibibytes) => kibibytes * 1024);
const BUFFER_BYTES = 8 * 1024 * 1024;
/** What a chunk costs in a record and in a pack's table: digest, lengths, place. */
const RECORD_BYTES_A_CHUNK = 43;
const TABLE_BYTES_A_CHUNK = 39;

const hash = await loadHash('blake3');

/** Digest and length of every chunk of a file, cut as a remote of that target would. */
function chunksOf(path: string, target: number): [string, number][] {
  const chunker = createChunker({ name: 'gear64', min: target / 8, target, max: target * 2, whole: 0 });
  const result: [string, number][] = [];
  const buffer = Buffer.alloc(BUFFER_BYTES + target * 2);
  const file = openSync(path, 'r');
  let kept = 0;
  for (;;) {
    const count = readSync(file, buffer, kept, BUFFER_BYTES, null);
    const lengths = count > 0 ? chunker.push(buffer.subarray(kept, kept + count)) : [chunker.finish()];
    let at = 0;
    for (const length of lengths) {
      if (length > 0) result.push([hash.digest(buffer.subarray(at, at + length)).toString('latin1'), length]);
      at += length;
    }
    if (count === 0) break;
    buffer.copyWithin(0, at, kept + count);
    kept += count - at;
  }
  closeSync(file);
  return result;
}

/** Share of the new version's bytes that travel: its new chunks, what their table says, and the whole new record. */
function travels(directory: string, target: number): { share: number; record: number } {
  const known = new Set(chunksOf(join(directory, 'old'), target).map(([digest]) => digest));
  const chunks = chunksOf(join(directory, 'new'), target);
  let bytes = 0;
  for (const [digest, length] of chunks) {
    if (known.has(digest)) continue;
    known.add(digest);
    bytes += length + TABLE_BYTES_A_CHUNK;
  }
  const record = chunks.length * RECORD_BYTES_A_CHUNK;
  const size = statSync(join(directory, 'new')).size;
  return { share: (bytes + record) / size, record: record / size };
}

const root = process.argv[2];
if (root === undefined) throw new Error('usage: npx tsx bench/dedup.ts DIRECTORY');
const percent = (share: number): string => `${(share * 100).toFixed(2)} %`;
console.log(`| edit | size | ${TARGETS.map((target) => `${target / 1024} KiB`).join(' | ')} |`);
console.log(`| --- | ---: |${' ---: |'.repeat(TARGETS.length)}`);
let records: number[] = [];
for (const name of readdirSync(root)) {
  const results = TARGETS.map((target) => travels(join(root, name), target));
  records = results.map((result) => result.record);
  const size = `${(statSync(join(root, name, 'new')).size / 2 ** 20).toFixed(1)} MiB`;
  console.log(`| ${name} | ${size} | ${results.map((result) => percent(result.share)).join(' | ')} |`);
}
console.log(`| of which the record | | ${records.map(percent).join(' | ')} |`);
