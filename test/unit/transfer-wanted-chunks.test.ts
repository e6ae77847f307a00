import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { type HashFunction, loadHash } from '../../src/objects/hash.js';
import { type ChunkRows, ChunkTable } from '../../src/transfer/chunk-table.js';
import { MOST_CHUNK_BYTES, PACK_BYTES_LIMITS, PACK_HEADER_BYTES } from '../../src/transfer/pack-format.js';
import { planRanges } from '../../src/transfer/range-plan.js';
import { openRecord } from '../../src/transfer/record-reader.js';
import { ChunksRecordWriter, type PlacedChunk } from '../../src/transfer/record-writer.js';
import { WantedChunks } from '../../src/transfer/wanted-chunks.js';

let hash: HashFunction;
beforeAll(async () => {
  hash = await loadHash('blake3');
});

const digests = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes));
const packs = Array.from({ length: 3 }, (_, index) => Buffer.alloc(32, index + 1));

const chunks: fc.Arbitrary<PlacedChunk> = fc
  .record({
    digest: digests,
    length: fc.integer({ min: 2, max: MOST_CHUNK_BYTES }),
    pack: fc.constantFrom(...packs),
    offset: fc.integer({ min: PACK_HEADER_BYTES, max: PACK_BYTES_LIMITS.most }),
    share: fc.option(fc.double({ min: 0, max: 0.9, noNaN: true })),
  })
  .map(({ share, ...chunk }) => {
    const deflated = share === null ? undefined : Math.max(1, Math.floor(chunk.length * share));
    return { ...chunk, deflated };
  });
const files = fc.array(fc.array(chunks, { minLength: 1, maxLength: 15 }), { maxLength: 6 });

function added(table: ChunkTable, file: readonly PlacedChunk[]): ReturnType<ChunkTable['add']> {
  const writer = new ChunksRecordWriter();
  for (const chunk of file) writer.add(chunk);
  const record = openRecord(writer.finish(hash), `blake3:${'0'.repeat(64)}`, hash);
  if (record.kind !== 'chunks') throw new Error('the record is of another kind');
  return table.add(record.chunks(), table.numbersOf(record.packs));
}

function rowsOf(table: ChunkTable, file: readonly PlacedChunk[]): ChunkRows {
  const rows = added(table, file);
  if ('offset' in rows) throw new Error('a chunk is impossible');
  return rows;
}

describe('a table of chunks', () => {
  it('gives back what records say, file by file', () => {
    fc.assert(
      fc.property(files, (list) => {
        const table = new ChunkTable();
        const all = list.map((file) => rowsOf(table, file));
        for (const [number, { file, first, count }] of all.entries()) {
          expect(file).toBe(number);
          let at = 0;
          const found = Array.from({ length: count }, (_, index) => first + index).map((row) => {
            expect([table.file(row), table.at(row)]).toEqual([number, at]);
            at += table.length(row);
            const [length, stored] = [table.length(row), table.stored(row)];
            const deflated = stored === length ? undefined : stored;
            const pack = Buffer.from(table.pack(row), 'hex');
            return { digest: Buffer.from(table.digest(row)), length, pack, offset: table.offset(row), deflated };
          });
          expect(found).toEqual(list[number]);
        }
      }),
    );
  });

  it('takes nothing of a file with a chunk that no pack can hold', () => {
    const chunk = { digest: Buffer.alloc(32), length: 10, pack: packs[0] as Buffer, offset: 8, deflated: undefined };
    const table = new ChunkTable();
    const large = { ...chunk, length: MOST_CHUNK_BYTES + 1 };
    expect(added(table, [chunk, large])).toEqual({ length: MOST_CHUNK_BYTES + 1, offset: 8 });
    const far = { ...chunk, offset: 2 ** 40 };
    expect(added(table, [chunk, far])).toEqual({ length: 10, offset: 2 ** 40 });
    expect(table.count).toBe(0);
    expect(added(table, [chunk])).toEqual({ file: 0, first: 0, count: 1 });
  });
});

describe('wanted chunks of a table', () => {
  it('are asked for as the same stretches told as objects are, but for those that were taken', () => {
    fc.assert(
      fc.property(files, fc.func(fc.boolean()), (list, isTaken) => {
        const table = new ChunkTable();
        const all = list.map((file) => rowsOf(table, file));
        const rows = Array.from({ length: table.count }, (_, row) => row);
        const taken = new Set(rows.filter((row) => isTaken(row)));
        const wanted = new WantedChunks<string>(table);
        for (const each of all) wanted.want(`file ${each.file}`, each, taken);
        const left = rows.filter((row) => !taken.has(row));
        const objects = left.map((row) => ({
          pack: table.pack(row),
          offset: table.offset(row),
          length: table.stored(row),
          use: {
            file: `file ${table.file(row)}`,
            at: table.at(row),
            digest: table.digest(row),
            length: table.length(row),
          },
        }));
        expect(wanted.plan().map((request) => wanted.request(request))).toEqual(planRanges(objects));
        expect(wanted.bytes(() => true)).toBe(left.reduce((sum, row) => sum + table.length(row), 0));
        expect(wanted.bytes((file) => file === 'file 0')).toBe(
          left.reduce((sum, row) => sum + (table.file(row) === 0 ? table.length(row) : 0), 0),
        );
      }),
    );
  });
});
