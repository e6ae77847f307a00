import { createHash } from 'node:crypto';
import { loadHash } from '../../src/objects/hash.js';
import { toOid } from '../../src/objects/oid.js';
import { TreeWriter } from '../../src/objects/tree-format.js';
import { openRecord } from '../../src/transfer/record-reader.js';
import { TreeRecordWriter } from '../../src/transfer/record-writer.js';

// Run as a process of its own: writes and reads the record of a tree of a million files, and prints what that took.
const FILES = 1_000_000;
const FILES_A_PACK = 160;

function fixedDigest(label: string): Buffer {
  return createHash('sha256').update(label).digest();
}

function writeRecord(): { record: Buffer; tree: Buffer } {
  const writer = new TreeWriter(64 * FILES);
  const digest = Buffer.alloc(32);
  for (let index = 0; index < FILES; index++) {
    digest.writeUInt32BE(index, 0);
    writer.addFile(`image-${String(index).padStart(8, '0')}.png`, false, 100_000, digest);
  }
  const tree = writer.finish();
  const locations = new TreeRecordWriter(tree);
  let pack: Buffer = Buffer.alloc(0);
  for (let index = 0; locations.next(); index++) {
    if (index % FILES_A_PACK === 0) pack = fixedDigest(`pack ${index}`);
    locations.packed({ pack, offset: 8 + (index % FILES_A_PACK) * 100_000 });
  }
  return { record: locations.finish(hash), tree };
}

const hash = await loadHash('blake3');
const before = process.resourceUsage().maxRSS;
const { record, tree } = writeRecord();
const opened = openRecord(record, toOid('blake3', hash.digest(tree)), hash);
if (opened.kind !== 'tree') throw new Error(`it is ${opened.kind}`);
let files = 0;
let bytes = 0;
for (const cursor = opened.entries(); cursor.next(); ) {
  files++;
  while (cursor.chunks.next()) bytes += cursor.chunks.length;
}
const mebibytes = Math.round((process.resourceUsage().maxRSS - before) / 1024);
process.stdout.write(JSON.stringify({ files, bytes, record: record.length, packs: opened.packs.count, mebibytes }));
