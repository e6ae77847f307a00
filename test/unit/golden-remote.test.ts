import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { isMlvError } from '../../src/core/errors.js';
import { type HashFunction, loadHash } from '../../src/objects/hash.js';
import { decodeTree } from '../../src/objects/tree-format.js';
import { chunkContent } from '../../src/transfer/chunk-codec.js';
import { parsePackTable } from '../../src/transfer/pack-format.js';
import { verifyPack } from '../../src/transfer/pack-verify.js';
import { openRecord } from '../../src/transfer/record-reader.js';
import { decodeRemoteInfo } from '../../src/transfer/remote-info.js';
import { type GoldenRemote, goldenRemote } from '../helpers/golden.js';

let hash: HashFunction;
let golden: GoldenRemote;

const RECORDS = ['inline', 'chunks', 'deflate', 'tree'] as const;
const FILES = ['tree', 'pack', 'pack-deflate', ...RECORDS.map((kind) => `record-${kind}`), 'mlv.json'];

function committed(name: string): Buffer {
  return readFileSync(new URL(`../../fixtures/golden/${name}`, import.meta.url));
}

/** Runs `read` on the bytes with each byte changed in turn; gives the offsets at which no MlvError of the codes came. */
function undetected(bytes: Buffer, codes: string[], read: (damaged: Buffer) => unknown): number[] {
  const missed: number[] = [];
  for (let at = 0; at < bytes.length; at++) {
    for (const change of [0x01, 0x80, 0xff]) {
      const damaged = Buffer.from(bytes);
      damaged[at] = damaged[at]! ^ change;
      try {
        read(damaged);
        missed.push(at);
      } catch (error) {
        if (!isMlvError(error) || !codes.includes(error.code)) missed.push(at);
      }
    }
  }
  return missed;
}

beforeAll(async () => {
  hash = await loadHash('blake3');
  golden = goldenRemote(hash);
});

describe('the golden files', () => {
  it.each(FILES)('%s is what this version writes', (name) => {
    expect(golden.files.get(name)?.toString('hex')).toBe(committed(name).toString('hex'));
  });

  it('have the keys of a remote', () => {
    expect(JSON.parse(committed('keys.json').toString())).toEqual(Object.fromEntries(golden.keys));
  });

  it('rebuild the file of the chunk record out of the pack', () => {
    const record = openRecord(committed('record-chunks'), golden.oids.chunks, hash);
    const pack = committed('pack');
    if (record.kind !== 'chunks') throw new Error(`it is ${record.kind}`);
    const parts: Buffer[] = [];
    for (const cursor = record.chunks(); cursor.next(); ) {
      expect(cursor.pack.equals(golden.packDigest)).toBe(true);
      const part = pack.subarray(cursor.offset, cursor.offset + cursor.length);
      expect(hash.digest(part).equals(cursor.digest)).toBe(true);
      parts.push(part);
    }
    expect(Buffer.concat(parts).equals(golden.content)).toBe(true);
    expect(record.size).toBe(golden.content.length);
  });

  it('rebuild the file of the record that names a compressed chunk', () => {
    const record = openRecord(committed('record-deflate'), golden.oids.deflate, hash);
    if (record.kind !== 'chunks') throw new Error(`it is ${record.kind}`);
    const cursor = record.chunks();
    expect([cursor.next(), cursor.length, cursor.stored]).toEqual([true, 400, 11]);
    const stored = committed('pack-deflate').subarray(cursor.offset, cursor.offset + cursor.stored);
    expect(chunkContent(stored, cursor.length).equals(golden.repeated)).toBe(true);
  });

  it('locate the files of the tree record in the pack', () => {
    const record = openRecord(committed('record-tree'), golden.oids.tree, hash);
    const pack = committed('pack');
    if (record.kind !== 'tree') throw new Error(`it is ${record.kind}`);
    const seen: string[] = [];
    for (const cursor = record.entries(); cursor.next(); ) {
      const parts: Buffer[] = [];
      while (cursor.chunks.next()) {
        parts.push(pack.subarray(cursor.chunks.offset, cursor.chunks.offset + cursor.chunks.length));
      }
      if (cursor.location === 'chunks')
        expect(hash.digest(Buffer.concat(parts)).equals(cursor.entry.digest)).toBe(true);
      seen.push(`${cursor.entry.name} ${cursor.location} ${parts.length}`);
    }
    expect(seen).toEqual([
      'both chunks 2',
      'empty chunks 0',
      'latest none 0',
      'own own 0',
      'run.sh chunks 1',
      'sub none 0',
      'überraschung 🎁\n chunks 1',
    ]);
    expect(decodeTree(record.tree)).toEqual(decodeTree(committed('tree')));
  });

  it('are read as they were written', () => {
    const inline = openRecord(committed('record-inline'), golden.oids.inline, hash);
    expect(inline).toMatchObject({ kind: 'inline', content: { length: 200 } });
    expect(verifyPack(committed('pack'), golden.packDigest, hash).count).toBe(3);
    expect(verifyPack(committed('pack-deflate'), golden.packDeflateDigest, hash).count).toBe(2);
    expect(decodeRemoteInfo(committed('mlv.json'), 'here')).toMatchObject({
      repository: '00000000-0000-4000-8000-000000000001',
      hash: 'blake3',
      chunker: { name: 'gear64', min: 8192, target: 65536, max: 131072, whole: 524288 },
      pack: { size: 16 * 1024 * 1024 },
    });
  });
});

describe('one changed byte', () => {
  it.each(['pack', 'pack-deflate'])('is found in any place of a pack: %s', (name) => {
    const digest = hash.digest(committed(name));
    expect(undetected(committed(name), ['PACK_INVALID'], (damaged) => verifyPack(damaged, digest, hash))).toEqual([]);
  });

  it('is found in any place of a pack by those who do not know its digest', () => {
    const read = (damaged: Buffer): unknown => verifyPack(damaged, hash.digest(damaged), hash);
    expect(undetected(committed('pack'), ['PACK_INVALID', 'FORMAT_TOO_NEW'], read)).toEqual([]);
  });

  it.each(RECORDS)('is found in any place of a record: %s', (kind) => {
    const read = (damaged: Buffer): unknown => openRecord(damaged, golden.oids[kind], hash);
    expect(undetected(committed(`record-${kind}`), ['RECORD_INVALID'], read)).toEqual([]);
  });

  it('names the chunk that it is in', () => {
    const pack = committed('pack');
    for (const entry of parsePackTable(pack, { name: 'golden', size: pack.length }).entries()) {
      const damaged = Buffer.from(pack);
      const last = entry.offset + entry.length - 1;
      damaged[last] = damaged[last]! ^ 1;
      expect(() => verifyPack(damaged, golden.packDigest, hash)).toThrow(
        expect.objectContaining({
          code: 'PACK_INVALID',
          data: { pack: golden.packDigest.toString('hex'), chunk: entry.digest.toString('hex'), offset: entry.offset },
        }),
      );
    }
  });
});

describe('a file that ends too early or goes on', () => {
  it('is found in a pack', () => {
    const pack = committed('pack');
    for (let length = 0; length < pack.length; length++) {
      expect(() => verifyPack(pack.subarray(0, length), golden.packDigest, hash)).toThrow(
        expect.objectContaining({ code: 'PACK_INVALID' }),
      );
    }
    expect(() => verifyPack(Buffer.concat([pack, pack]), golden.packDigest, hash)).toThrow(
      expect.objectContaining({ code: 'PACK_INVALID' }),
    );
  });

  it.each(RECORDS)('is found in a record: %s', (kind) => {
    const record = committed(`record-${kind}`);
    for (let length = 0; length < record.length; length++) {
      expect(() => openRecord(record.subarray(0, length), golden.oids[kind], hash)).toThrow(
        expect.objectContaining({ code: 'RECORD_INVALID' }),
      );
    }
    expect(() => openRecord(Buffer.concat([record, Buffer.alloc(1)]), golden.oids[kind], hash)).toThrow(
      expect.objectContaining({ code: 'RECORD_INVALID' }),
    );
  });
});
