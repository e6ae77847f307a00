import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { varintLength, writeVarint } from '../../src/core/varint.js';
import { type HashFunction, loadHash } from '../../src/objects/hash.js';
import { chunkContent, deflateChunk } from '../../src/transfer/chunk-codec.js';
import { PackBuilder } from '../../src/transfer/pack-builder.js';
import {
  loneChunkPackBytes,
  PACK_FOOTER_BYTES,
  PACK_MAGIC,
  packTailBytes,
  parsePackTable,
} from '../../src/transfer/pack-format.js';
import { verifyPack } from '../../src/transfer/pack-verify.js';

let hash: HashFunction;
beforeAll(async () => {
  hash = await loadHash('blake3');
});

const chunk = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 300 }),
  fc.tuple(fc.nat(255), fc.integer({ min: 1, max: 3000 })).map(([byte, length]) => Buffer.alloc(length, byte)),
);
const chunkLists = fc.array(chunk, { minLength: 1, maxLength: 40 });

/** A pack of chunks, each compressed where that makes it smaller. */
function build(chunks: readonly Uint8Array[], capacity = 256 * 1024) {
  const builder = new PackBuilder({ capacity });
  const offsets = chunks.map((each) => builder.add(hash.digest(each), deflateChunk(each) ?? each, each.length));
  return { ...builder.finish(hash), offsets };
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(varintLength(value));
  writeVarint(bytes, value, 0);
  return bytes;
}

/** A pack of the given parts, right or wrong. */
function assemble(parts: {
  payload?: Buffer;
  table: Buffer;
  tableBytes?: number;
  count: number;
  magic?: Buffer;
}): Buffer {
  const footer = Buffer.alloc(8);
  footer.writeUInt32LE(parts.tableBytes ?? parts.table.length, 0);
  footer.writeUInt32LE(parts.count, 4);
  return Buffer.concat([PACK_MAGIC, parts.payload ?? Buffer.alloc(0), parts.table, footer, parts.magic ?? PACK_MAGIC]);
}

function tableRow(digest: Buffer, stored: number, options: { codec?: number; raw?: number } = {}): Buffer {
  return Buffer.concat([digest, Buffer.from([options.codec ?? 0]), number(stored), number(options.raw ?? stored)]);
}

function parse(pack: Buffer): unknown {
  return parsePackTable(pack, { name: 'p', size: pack.length });
}

describe('a pack', () => {
  it('gives back every chunk, by its table of contents', () => {
    fc.assert(
      fc.property(chunkLists, (chunks) => {
        const { digest, bytes, count, offsets } = build(chunks);
        const table = verifyPack(bytes, digest, hash);
        expect([table.count, count]).toEqual([chunks.length, chunks.length]);
        for (const [index, entry] of [...table.entries()].entries()) {
          expect(entry.offset).toBe(offsets[index]);
          const stored = bytes.subarray(entry.offset, entry.offset + entry.stored);
          expect(chunkContent(stored, entry.length).equals(chunks[index]!)).toBe(true);
          expect(entry.digest.equals(hash.digest(chunks[index]!))).toBe(true);
        }
      }),
    );
  });

  it('is described by its tail alone', () => {
    fc.assert(
      fc.property(chunkLists, fc.nat(500), (chunks, more) => {
        const { bytes } = build(chunks);
        const identity = { name: 'p', size: bytes.length };
        const needed = packTailBytes(bytes.subarray(-PACK_FOOTER_BYTES), identity);
        const tail = bytes.subarray(Math.max(0, bytes.length - needed - more));
        expect([...parsePackTable(tail, identity).entries()]).toEqual([...parsePackTable(bytes, identity).entries()]);
        const short = bytes.subarray(bytes.length - needed + 1);
        expect(() => parsePackTable(short, identity)).toThrow(expect.objectContaining({ code: 'PACK_INVALID' }));
      }),
    );
  });

  it('never gets longer than its capacity, and takes every chunk that fits', () => {
    fc.assert(
      fc.property(chunkLists, fc.integer({ min: 60, max: 3000 }), (chunks, capacity) => {
        const builder = new PackBuilder({ capacity });
        for (const chunk of chunks) {
          const fits = builder.fits(chunk.length);
          if (builder.count === 0) expect(fits).toBe(loneChunkPackBytes(chunk.length) <= capacity);
          if (fits) builder.add(hash.digest(chunk), chunk);
          else expect(() => builder.add(hash.digest(chunk), chunk)).toThrow(RangeError);
        }
        if (builder.count === 0) return;
        const size = builder.size;
        const { bytes } = builder.finish(hash);
        expect(bytes.length).toBe(size);
        expect(bytes.length).toBeLessThanOrEqual(capacity);
      }),
    );
  });

  it('is built in the buffer that it is given', () => {
    const buffer = Buffer.alloc(1000);
    const builder = new PackBuilder({ capacity: 1000, buffer });
    builder.add(hash.digest(Buffer.from('a')), Buffer.from('a'));
    expect(builder.finish(hash).bytes.buffer).toBe(buffer.buffer);
    expect(() => new PackBuilder({ capacity: 1001, buffer })).toThrow(RangeError);
  });

  it('holds no empty chunk, no chunk without a digest, and is never empty', () => {
    const builder = new PackBuilder({ capacity: 1000 });
    expect(() => builder.add(hash.digest(Buffer.alloc(0)), Buffer.alloc(0))).toThrow(RangeError);
    expect(() => builder.add(Buffer.alloc(31), Buffer.from('a'))).toThrow(RangeError);
    expect(() => builder.finish(hash)).toThrow(RangeError);
  });
});

describe('a pack from elsewhere', () => {
  const digest = Buffer.alloc(32, 7);
  const payload = Buffer.from('abc');
  const row = (codec: number, raw: number): Buffer => tableRow(digest, 3, { codec, raw });

  it('is read when it is right', () => {
    expect(parse(assemble({ payload, table: tableRow(digest, 3), count: 1 }))).toMatchObject({ count: 1 });
  });

  it.each([
    ['nothing', () => Buffer.alloc(0)],
    ['no end', () => PACK_MAGIC],
    [
      'another end',
      () => assemble({ payload, table: tableRow(digest, 3), count: 1, magic: Buffer.from('mlvtree\x01') }),
    ],
    ['no chunk', () => assemble({ table: Buffer.alloc(0), count: 0 })],
    ['four billion chunks', () => assemble({ payload, table: tableRow(digest, 3), count: 0xffffffff })],
    [
      'a table of four gigabytes',
      () => assemble({ payload, table: tableRow(digest, 3), tableBytes: 0xffffffff, count: 1 }),
    ],
    [
      'a table that goes on',
      () => assemble({ payload, table: Buffer.concat([tableRow(digest, 3), number(0)]), count: 1 }),
    ],
    ['a table cut short', () => assemble({ payload, table: tableRow(digest, 3).subarray(1), count: 1 })],
    ['a chunk of no bytes', () => assemble({ table: tableRow(digest, 0), count: 1 })],
    ['a stored chunk of two lengths', () => assemble({ payload, table: tableRow(digest, 3, { raw: 4 }), count: 1 })],
    ['a compressed chunk as long as the raw one', () => assemble({ payload, table: row(1, 3), count: 1 })],
    ['a compressed chunk longer than the raw one', () => assemble({ payload, table: row(1, 2), count: 1 })],
    ['a compressed chunk of a gigabyte', () => assemble({ payload, table: row(1, 2 ** 30), count: 1 })],
    ['chunks longer than it', () => assemble({ payload, table: tableRow(digest, 2 ** 52), count: 1 })],
    ['bytes of no chunk', () => assemble({ payload, table: tableRow(digest, 2), count: 1 })],
    [
      'a long way to write a number',
      () => assemble({ payload, table: Buffer.concat([digest, Buffer.from([0, 0x83, 0, 3])]), count: 1 }),
    ],
  ])('is refused: %s', (_what, make) => {
    expect(() => parse(make())).toThrow(expect.objectContaining({ code: 'PACK_INVALID' }));
  });

  it('says that it is of a later version', () => {
    const codec = assemble({ payload, table: tableRow(digest, 3, { codec: 2, raw: 9 }), count: 1 });
    const format = assemble({ payload, table: tableRow(digest, 3), count: 1, magic: Buffer.from('mlvpack\x02') });
    for (const pack of [codec, format]) {
      expect(() => parse(pack)).toThrow(expect.objectContaining({ code: 'FORMAT_TOO_NEW' }));
      expect(() => verifyPack(pack, hash.digest(pack), hash)).toThrow(
        expect.objectContaining({ code: 'FORMAT_TOO_NEW' }),
      );
    }
  });

  it('is damaged, and not of a later version, when its own digest does not fit', () => {
    const pack = assemble({ payload, table: tableRow(digest, 3, { codec: 2, raw: 9 }), count: 1 });
    expect(() => verifyPack(pack, digest, hash)).toThrow(expect.objectContaining({ code: 'PACK_INVALID' }));
  });

  it('raises nothing but its own errors, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(300), fc.nat(5), (table, tableBytes, count) => {
        try {
          parse(assemble({ payload, table: Buffer.from(table), tableBytes, count }));
        } catch (error) {
          expect(error).toMatchObject({ code: expect.stringMatching(/^(PACK_INVALID|FORMAT_TOO_NEW)$/) });
        }
      }),
      { numRuns: 500 },
    );
  });
});
