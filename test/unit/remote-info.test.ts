import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ALGORITHMS, toOid } from '../../src/objects/oid.js';
import {
  decodeRemoteInfo,
  encodeRemoteInfo,
  newRemoteInfo,
  REMOTE_INFO_MAX_BYTES,
} from '../../src/transfer/remote-info.js';
import { packKey, parsePackKey, parseRecordKey, recordKey } from '../../src/transfer/remote-layout.js';

const UUID = '3f0c2a51-9d6e-4c7b-8a12-5e4d3c2b1a09';
const URL = 's3://bucket/prefix';

function changed(change: Record<string, unknown>): Buffer {
  const value = JSON.parse(encodeRemoteInfo(newRemoteInfo(UUID, 'blake3')).toString()) as object;
  return Buffer.from(JSON.stringify({ ...value, ...change }));
}

const chunker = newRemoteInfo(UUID, 'blake3').chunker;

describe('mlv.json', () => {
  it('comes back as it was written', () => {
    for (const hash of ALGORITHMS) {
      const info = newRemoteInfo(UUID, hash);
      expect(decodeRemoteInfo(encodeRemoteInfo(info), URL)).toEqual(info);
    }
  });

  it('keeps keys that this version does not know', () => {
    const info = decodeRemoteInfo(changed({ later: { deep: [1, 2] }, note: 'x' }), URL);
    expect(info.unknown).toEqual({ later: { deep: [1, 2] }, note: 'x' });
    expect(JSON.parse(encodeRemoteInfo(info).toString())).toMatchObject({ mlv: 1, later: { deep: [1, 2] }, note: 'x' });
  });

  it.each<[string, Buffer, RegExp]>([
    ['an HTML page', Buffer.from('\n<!DOCTYPE html><html><title>Sign in</title></html>'), /HTML/],
    ['an XML error', Buffer.from('\ufeff<?xml version="1.0"?><Error/>'), /HTML or XML/],
    ['nothing', Buffer.alloc(0), /empty/],
    ['text', Buffer.from('hello'), /not JSON/],
    ['bytes', Buffer.from([0x7b, 0xff, 0xfe]), /not JSON/],
    ['a list', Buffer.from('[]'), /object/],
    ['another JSON', Buffer.from('{"name":"x"}'), /format number/],
    ['a format number of text', changed({ mlv: '1' }), /format number/],
    ['format 0', changed({ mlv: 0 }), /format number/],
    ['no repository', changed({ repository: undefined }), /repository/],
    ['a repository that is a path', changed({ repository: '../../etc' }), /repository/],
    ['no hash', changed({ hash: 5 }), /hash/],
    ['no chunker', changed({ chunker: null }), /chunker/],
    ['a chunker of text', changed({ chunker: { ...chunker, min: '8192' } }), /chunker/],
    ['a chunker that never cuts', changed({ chunker: { ...chunker, max: 2 ** 40 } }), /chunker/],
    ['no pack size', changed({ pack: {} }), /pack\.size/],
    ['packs that no chunk fits into', changed({ pack: { size: chunker.whole } }), /pack\.size/],
    ['packs larger than memory', changed({ pack: { size: 2 ** 50 } }), /pack\.size/],
    ['a large file', Buffer.alloc(REMOTE_INFO_MAX_BYTES + 1, 0x20), /not JSON/],
  ])('is refused: %s', (_what, bytes, reason) => {
    expect(() => decodeRemoteInfo(bytes, URL)).toThrow(
      expect.objectContaining({ code: 'REMOTE_MISMATCH', message: expect.stringMatching(reason) }),
    );
    expect(() => decodeRemoteInfo(bytes, URL)).toThrow(
      expect.objectContaining({ message: expect.stringContaining(URL) }),
    );
  });

  it.each<[string, Buffer]>([
    ['the format', changed({ mlv: 2, repository: 'something else' })],
    ['the hash', changed({ hash: 'blake4' })],
    ['the chunker', changed({ chunker: { name: 'gear128' } })],
  ])('of a later version says so: %s', (_what, bytes) => {
    expect(() => decodeRemoteInfo(bytes, URL)).toThrow(expect.objectContaining({ code: 'FORMAT_TOO_NEW' }));
  });
});

const hex = fc.stringMatching(/^[0-9a-f]{64}$/);

describe('keys on a remote', () => {
  it('are read back from lists', () => {
    fc.assert(
      fc.property(fc.constantFrom(...ALGORITHMS), hex, (algorithm, digits) => {
        const oid = toOid(algorithm, digits);
        expect(parsePackKey(packKey(algorithm, digits))).toEqual({ algorithm, hex: digits });
        expect(packKey(algorithm, Buffer.from(digits, 'hex'))).toBe(packKey(algorithm, digits));
        expect(parseRecordKey(recordKey(oid))).toBe(oid);
        expect(parsePackKey(recordKey(oid))).toBeUndefined();
        expect(parseRecordKey(packKey(algorithm, digits))).toBeUndefined();
      }),
    );
  });

  it.each([
    'mlv.json',
    'packs/',
    `packs/md5/aa/${'a'.repeat(64)}`,
    `packs/blake3/ab/${'a'.repeat(64)}`,
    `packs/blake3/aa/${'a'.repeat(63)}`,
    `packs/blake3/AA/${'A'.repeat(64)}`,
    `packs/blake3/aa/${'a'.repeat(64)}.tmp`,
    `x/packs/blake3/aa/${'a'.repeat(64)}`,
    `packs/blake3/aa/${'a'.repeat(64)}\n`,
  ])('are not what else may lie there: %j', (key) => {
    expect(parsePackKey(key)).toBeUndefined();
    expect(parseRecordKey(key.replace('packs', 'records'))).toBeUndefined();
  });
});
