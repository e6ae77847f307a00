import { beforeAll, describe, expect, it } from 'vitest';
import { type HashFunction, loadHash } from '../../src/objects/hash.js';
import { toOid } from '../../src/objects/oid.js';
import { encodeTree } from '../../src/objects/tree-format.js';
import { KnownPlaces } from '../../src/transfer/known-places.js';
import { type ObjectRecord, openRecord } from '../../src/transfer/record-reader.js';
import {
  ChunksRecordWriter,
  encodeInlineRecord,
  type PlacedChunk,
  TreeRecordWriter,
} from '../../src/transfer/record-writer.js';

let hash: HashFunction;
beforeAll(async () => {
  hash = await loadHash('blake3');
});

const GOOD = Buffer.alloc(32, 1);
const LOST = Buffer.alloc(32, 2);
const digest = (text: string): Buffer => hash.digest(Buffer.from(text));
const chunk = (text: string, pack: Buffer, offset: number): PlacedChunk => ({
  digest: digest(text),
  length: 600_000,
  pack,
  offset,
});

function chunksRecord(chunks: PlacedChunk[]): ObjectRecord {
  const writer = new ChunksRecordWriter();
  for (const each of chunks) writer.add(each);
  return openRecord(writer.finish(hash), toOid('blake3', digest('file')), hash);
}

/** A tree with a small file, one of two chunks, one with a record of its own, an empty one, a link and a sub-tree. */
function treeRecord(): ObjectRecord {
  const tree = encodeTree([
    { kind: 'file', name: 'empty', size: 0, digest: digest('') },
    { kind: 'file', name: 'large', size: 9_000_000, digest: digest('large') },
    { kind: 'link', name: 'link', target: 'small' },
    { kind: 'executable', name: 'middle', size: 1_200_000, digest: digest('middle') },
    { kind: 'file', name: 'small', size: 5, digest: digest('small') },
    { kind: 'tree', name: 'sub', size: 0, files: 0, digest: digest('sub') },
  ]);
  const writer = new TreeRecordWriter(tree);
  while (writer.next()) {
    if (writer.entry.size === 5) writer.packed({ pack: GOOD, offset: 100 });
    else if (writer.entry.size === 9_000_000) writer.own();
    else writer.chunked([chunk('one', GOOD, 200), chunk('two', LOST, 300)]);
  }
  return openRecord(writer.finish(hash), toOid('blake3', hash.digest(tree)), hash);
}

describe('KnownPlaces', () => {
  it('knows what records tell: chunks of files, and small and middle files of trees', () => {
    const places = new KnownPlaces();
    places.addRecord(chunksRecord([chunk('a', GOOD, 8), chunk('b', LOST, 9)]));
    places.addRecord(treeRecord());
    places.addRecord(openRecord(encodeInlineRecord(Buffer.from('x'), hash), toOid('blake3', digest('x')), hash));
    expect(places.chunk(digest('a'))).toMatchObject({ pack: GOOD, offset: 8 });
    expect(places.chunk(digest('b'))).toMatchObject({ pack: LOST, offset: 9 });
    expect(places.chunk(digest('small'))).toMatchObject({ pack: GOOD, offset: 100 });
    expect(places.file(digest('middle'))).toMatchObject([{ offset: 200 }, { offset: 300 }]);
    expect(places.chunk(digest('two'))).toMatchObject({ pack: LOST, offset: 300 });
    for (const unknown of ['', 'large', 'sub', 'x', 'middle']) expect(places.chunk(digest(unknown))).toBeUndefined();
    expect(places.file(digest('large'))).toBeUndefined();
    expect(places.size).toBe(5);
  });

  it('takes nothing from lost packs, nor files of which a chunk is lost', () => {
    const places = new KnownPlaces((pack) => pack.equals(LOST));
    places.addRecord(chunksRecord([chunk('a', GOOD, 8), chunk('b', LOST, 9)]));
    places.addRecord(treeRecord());
    expect(places.chunk(digest('a'))).toBeDefined();
    expect(places.chunk(digest('b'))).toBeUndefined();
    expect(places.file(digest('middle'))).toBeUndefined();
    expect(places.chunk(digest('one'))).toBeDefined();
    expect(places.chunk(digest('two'))).toBeUndefined();
  });

  it('keeps digests and places when the record they came from is overwritten', () => {
    const writer = new ChunksRecordWriter();
    writer.add(chunk('a', GOOD, 8));
    const bytes = writer.finish(hash);
    const places = new KnownPlaces();
    places.addRecord(openRecord(bytes, toOid('blake3', digest('file')), hash));
    bytes.fill(0);
    expect(places.chunk(digest('a'))).toMatchObject({ pack: GOOD });
  });
});
