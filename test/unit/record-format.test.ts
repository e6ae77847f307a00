import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { writeVarint } from '../../src/core/varint.js';
import { type HashFunction, loadHash } from '../../src/objects/hash.js';
import { type Oid, toOid } from '../../src/objects/oid.js';
import { encodeTree, type TreeEntry } from '../../src/objects/tree-format.js';
import { openRecord } from '../../src/transfer/record-reader.js';
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

const MAGIC = Buffer.from('mlvrecd\x01', 'latin1');
const A = Buffer.alloc(32, 0xaa);
const B = Buffer.alloc(32, 0xbb);
const OID: Oid = toOid('blake3', A);
const TOO_LARGE = Number.MAX_SAFE_INTEGER;

const digests = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes));
const packs = fc.constantFrom(A, B, Buffer.alloc(32, 1), Buffer.alloc(32, 2));
const chunks: fc.Arbitrary<PlacedChunk> = fc
  .record({
    digest: digests,
    length: fc.integer({ min: 1, max: 2 ** 40 }),
    pack: packs,
    offset: fc.integer({ min: 8, max: 2 ** 40 }),
    deflated: fc.constantFrom(undefined, 1, 1000),
  })
  .map((chunk) => ({ ...chunk, length: chunk.length + (chunk.deflated ?? 0) }));

/** Bytes from numbers (as varints) and buffers. */
function body(...parts: (number | Buffer)[]): Buffer {
  return Buffer.concat(
    parts.map((part) => {
      if (typeof part !== 'number') return part;
      const bytes = Buffer.alloc(8);
      return bytes.subarray(0, writeVarint(bytes, part, 0));
    }),
  );
}

/** A record with a right digest around whatever is in it. */
function seal(kind: string, content: Buffer, magic = MAGIC): Buffer {
  const record = Buffer.concat([magic, Buffer.from(kind, 'latin1'), content]);
  return Buffer.concat([record, hash.digest(record)]);
}

function walkChunks(bytes: Buffer, oid = OID): PlacedChunk[] {
  const record = openRecord(bytes, oid, hash);
  if (record.kind !== 'chunks') throw new Error(`it is ${record.kind}`);
  const result: PlacedChunk[] = [];
  for (const cursor = record.chunks(); cursor.next(); ) {
    const { digest, length, pack, offset, deflated } = cursor;
    result.push({ digest, length, pack, offset, deflated });
  }
  return result;
}

describe('an inline record', () => {
  it('gives back its bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), (content) => {
        const oid = toOid('blake3', hash.digest(content));
        const record = openRecord(encodeInlineRecord(content, hash), oid, hash);
        expect(record.kind === 'inline' && record.content.equals(content)).toBe(true);
      }),
    );
  });

  it('of another object is refused', () => {
    const record = encodeInlineRecord(Buffer.from('other'), hash);
    expect(() => openRecord(record, OID, hash)).toThrow(
      expect.objectContaining({ code: 'RECORD_INVALID', message: expect.stringContaining(OID) }),
    );
  });
});

describe('a chunks record', () => {
  it('gives back its chunks and the size of the file', () => {
    fc.assert(
      fc.property(fc.array(chunks, { maxLength: 40 }), (list) => {
        const writer = new ChunksRecordWriter();
        for (const chunk of list) writer.add(chunk);
        const record = writer.finish(hash);
        expect(walkChunks(record)).toEqual(list);
        expect(openRecord(record, OID, hash)).toMatchObject({
          size: list.reduce((sum, chunk) => sum + chunk.length, 0),
          packs: { count: new Set(list.map((chunk) => chunk.pack)).size },
        });
      }),
    );
  });

  it('can be walked twice', () => {
    const writer = new ChunksRecordWriter();
    writer.add({ digest: A, length: 5, pack: B, offset: 8 });
    const record = openRecord(writer.finish(hash), OID, hash);
    if (record.kind !== 'chunks') throw new Error(`it is ${record.kind}`);
    for (let round = 0; round < 2; round++) {
      const cursor = record.chunks();
      expect([cursor.next(), cursor.length, cursor.next()]).toEqual([true, 5, false]);
    }
  });

  const chunk = (length: number, pack: number, offset: number): Buffer =>
    body(A, length, pack, offset, Buffer.from([0]));

  it.each<[string, () => Buffer]>([
    ['chunks that do not add up', () => body(4, 1, A, 1, chunk(3, 0, 8))],
    ['chunks that add up to more', () => body(4, 1, A, 2, chunk(3, 0, 8), chunk(2, 0, 11))],
    ['no chunk for bytes', () => body(4, 0, 0)],
    ['a chunk of no bytes', () => body(3, 1, A, 2, chunk(3, 0, 8), chunk(0, 0, 11))],
    ['a pack that is not listed', () => body(3, 1, A, 1, chunk(3, 1, 8))],
    ['a pack that is not used', () => body(3, 2, A, B, 1, chunk(3, 0, 8))],
    ['a pack that is listed twice', () => body(6, 2, A, A, 2, chunk(3, 0, 8), chunk(3, 1, 8))],
    ['packs out of order', () => body(6, 2, A, B, 2, chunk(3, 1, 8), chunk(3, 0, 8))],
    ['a chunk in the header of a pack', () => body(3, 1, A, 1, chunk(3, 0, 7))],
    ['a chunk behind all numbers', () => body(3, 1, A, 1, chunk(3, 0, TOO_LARGE - 1))],
    ['a compressed chunk of no bytes', () => body(3, 1, A, 1, A, 3, 0, 8, Buffer.from([1]), 0)],
    ['a compressed chunk that is not shorter', () => body(3, 1, A, 1, A, 3, 0, 8, Buffer.from([1]), 3)],
    ['a compressed chunk behind all numbers', () => body(9, 1, A, 1, A, 9, 0, TOO_LARGE - 1, Buffer.from([1]), 3)],
    ['more packs than bytes', () => body(3, TOO_LARGE, A, 1, chunk(3, 0, 8))],
    ['more chunks than bytes', () => body(TOO_LARGE, 1, A, TOO_LARGE, chunk(3, 0, 8))],
    ['bytes behind the end', () => body(3, 1, A, 1, chunk(3, 0, 8), 0)],
    ['an end in a chunk', () => body(3, 1, A, 1, A, 3, 0)],
  ])('from elsewhere is refused: %s', (_what, make) => {
    expect(() => openRecord(seal('c', make()), OID, hash)).toThrow(expect.objectContaining({ code: 'RECORD_INVALID' }));
  });
});

interface Located {
  entry: TreeEntry;
  location: 'none' | 'own' | PlacedChunk[];
}

const names = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,8}$/), { maxLength: 25 }).map((list) => list.sort());

/** An entry and its location; a file of one chunk has the chunk's digest and length. */
const located: fc.Arbitrary<(name: string) => Located> = fc.oneof(
  fc.constant((name: string): Located => ({ entry: { kind: 'link', name, target: 'x' }, location: 'none' })),
  digests.map(
    (digest) =>
      (name: string): Located => ({ entry: { kind: 'tree', name, size: 5, files: 1, digest }, location: 'none' }),
  ),
  digests.map(
    (digest) =>
      (name: string): Located => ({ entry: { kind: 'file', name, size: 9, digest }, location: 'own' }),
  ),
  digests.map(
    (digest) =>
      (name: string): Located => ({ entry: { kind: 'file', name, size: 0, digest }, location: [] }),
  ),
  chunks.map(
    (one) =>
      (name: string): Located => ({
        entry: { kind: 'executable', name, size: one.length, digest: one.digest },
        location: [one],
      }),
  ),
  fc.tuple(digests, fc.array(chunks, { minLength: 2, maxLength: 5 })).map(
    ([digest, list]) =>
      (name: string): Located => ({
        entry: { kind: 'file', name, size: list.reduce((sum, chunk) => sum + chunk.length, 0), digest },
        location: list,
      }),
  ),
);

const listings = names.chain((list) => fc.tuple(...list.map((name) => located.map((make) => make(name)))));

function writeTreeRecord(list: readonly Located[]): { record: Buffer; oid: Oid; tree: Buffer } {
  const tree = encodeTree(list.map(({ entry }) => entry));
  const locations = new Map(list.map(({ entry, location }) => [entry.name, location]));
  const writer = new TreeRecordWriter(tree);
  while (writer.next()) {
    const location = locations.get(writer.entry.name);
    if (!Array.isArray(location)) writer.own();
    else if (location.length === 1) writer.packed(location[0]!);
    else writer.chunked(location);
  }
  return { record: writer.finish(hash), oid: toOid('blake3', hash.digest(tree)), tree };
}

describe('a tree record', () => {
  it('gives back the listing and every location', () => {
    fc.assert(
      fc.property(listings, (list) => {
        const { record, oid, tree } = writeTreeRecord(list);
        const opened = openRecord(record, oid, hash);
        if (opened.kind !== 'tree') throw new Error(`it is ${opened.kind}`);
        expect(opened.tree.equals(tree)).toBe(true);
        const seen: [string, Located['location']][] = [];
        for (const cursor = opened.entries(); cursor.next(); ) {
          const parts: PlacedChunk[] = [];
          while (cursor.chunks.next()) {
            const { digest, length, pack, offset, deflated } = cursor.chunks;
            parts.push({ digest, length, pack, offset, deflated });
          }
          seen.push([cursor.entry.name, cursor.location === 'chunks' ? parts : cursor.location]);
        }
        expect(seen).toEqual(list.map(({ entry, location }) => [entry.name, location]));
      }),
    );
  });

  it('passes over chunks that nobody looks at', () => {
    fc.assert(
      fc.property(listings, (list) => {
        const { record, oid } = writeTreeRecord(list);
        const opened = openRecord(record, oid, hash);
        if (opened.kind !== 'tree') throw new Error(`it is ${opened.kind}`);
        const seen: string[] = [];
        for (const cursor = opened.entries(); cursor.next(); ) seen.push(cursor.entry.name);
        expect(seen).toEqual(list.map(({ entry }) => entry.name));
      }),
    );
  });

  it('holds its caller to one location for every file', () => {
    const tree = encodeTree([{ kind: 'file', name: 'a', size: 5, digest: A }]);
    const place = { pack: B, offset: 8 };
    expect(() => new TreeRecordWriter(tree).own()).toThrow(RangeError);
    expect(() => new TreeRecordWriter(tree).finish(hash)).toThrow(RangeError);
    const writer = new TreeRecordWriter(tree);
    expect(writer.next()).toBe(true);
    expect(() => writer.next()).toThrow(RangeError);
    expect(() => writer.chunked([{ digest: A, length: 5, ...place }])).toThrow(RangeError);
    expect(() => writer.chunked([A, B].map((digest) => ({ digest, length: 3, ...place })))).toThrow(RangeError);
    writer.packed(place);
    expect(() => writer.packed(place)).toThrow(RangeError);
    expect(writer.next()).toBe(false);
  });

  const PLACE = body(0, 8, 0);
  it.each<[string, (...files: Buffer[]) => Buffer]>([
    ['an empty file that has bytes', (tree) => body(tree.length, tree, 0, 1)],
    ['no location', (tree) => body(tree.length, tree, 0)],
    ['one location too many', (tree) => body(tree.length, tree, 1, B, 2, PLACE, 0)],
    ['chunks that do not add up', (tree) => body(tree.length, tree, 1, B, 3, A, 2, PLACE, A, 2, PLACE)],
    ['a million chunks', (tree) => body(tree.length, tree, 1, B, 1_000_000, A, 2, PLACE)],
    ['a pack for nobody', (tree) => body(tree.length, tree, 1, B, 0)],
    ['another tree', () => body(8, Buffer.from('mlvtree\x01'), 0)],
  ])('from elsewhere is refused: %s', (_what, make) => {
    const tree = encodeTree([{ kind: 'file', name: 'a', size: 5, digest: A }]);
    const oid = toOid('blake3', hash.digest(tree));
    expect(() => openRecord(seal('t', make(tree)), oid, hash)).toThrow(
      expect.objectContaining({ code: 'RECORD_INVALID' }),
    );
  });

  it('with a listing that is no tree is refused though its digest is right', () => {
    const tree = Buffer.from('mlvtree\x01?', 'latin1');
    const oid = toOid('blake3', hash.digest(tree));
    expect(() => openRecord(seal('t', body(tree.length, tree, 0)), oid, hash)).toThrow(
      expect.objectContaining({ code: 'TREE_INVALID' }),
    );
  });
});

describe('a record of a later version', () => {
  it('says so', () => {
    const codec = body(3, 1, A, 1, A, 3, 0, 8, Buffer.from([2]), 2);
    const later = [
      seal('c', codec),
      seal('z', Buffer.alloc(0)),
      seal('i', body(0), Buffer.from('mlvrecd\x02', 'latin1')),
    ];
    for (const record of later) {
      expect(() => openRecord(record, OID, hash)).toThrow(expect.objectContaining({ code: 'FORMAT_TOO_NEW' }));
    }
  });

  it('is not what a file of another kind is', () => {
    expect(() => openRecord(seal('i', body(0), Buffer.from('mlvtree\x01', 'latin1')), OID, hash)).toThrow(
      expect.objectContaining({ code: 'RECORD_INVALID' }),
    );
  });
});

describe('whatever bytes a record has', () => {
  it('its reader raises nothing but its own errors', () => {
    const contents = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.array(fc.nat(4), { maxLength: 200 }).map((list) => Uint8Array.from(list)),
    );
    fc.assert(
      fc.property(fc.constantFrom('i', 'c', 't'), contents, (kind, content) => {
        try {
          openRecord(seal(kind, Buffer.from(content)), OID, hash);
        } catch (error) {
          expect(error).toMatchObject({
            code: expect.stringMatching(/^(RECORD_INVALID|TREE_INVALID|FORMAT_TOO_NEW)$/),
          });
        }
      }),
      { numRuns: 1000 },
    );
  });
});
