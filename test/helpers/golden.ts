import { createHash } from 'node:crypto';
import type { HashFunction } from '../../src/objects/hash.js';
import { type Oid, toOid } from '../../src/objects/oid.js';
import { encodeTree } from '../../src/objects/tree-format.js';
import { PackBuilder } from '../../src/transfer/pack-builder.js';
import { ChunksRecordWriter, encodeInlineRecord, TreeRecordWriter } from '../../src/transfer/record-writer.js';
import { encodeRemoteInfo, newRemoteInfo } from '../../src/transfer/remote-info.js';
import { packKey, REMOTE_INFO_KEY, recordKey } from '../../src/transfer/remote-layout.js';

/** A small remote built from fixed input: one of each kind of file that a remote holds. */
export interface GoldenRemote {
  /** File name in fixtures/golden to its bytes. */
  files: Map<string, Buffer>;
  /** File name to the key it has on a remote; none for the tree, which travels inside its record. */
  keys: Map<string, string>;
  oids: { inline: Oid; chunks: Oid; deflate: Oid; tree: Oid };
  /** The bytes of the objects that record-chunks and record-deflate describe. */
  content: Buffer;
  repeated: Buffer;
  packDigest: Buffer;
  packDeflateDigest: Buffer;
}

/** Bytes that anybody can make again: the SHA-256 of `<label>:0`, `<label>:1`, ... one after the other. */
function fixedBytes(label: string, length: number): Buffer {
  const blocks: Buffer[] = [];
  for (let index = 0; index * 32 < length; index++) {
    blocks.push(createHash('sha256').update(`${label}:${index}`).digest());
  }
  return Buffer.concat(blocks).subarray(0, length);
}

/** Builds the golden files. `hash` is that of blake3. */
export function goldenRemote(hash: HashFunction): GoldenRemote {
  const parts = { one: fixedBytes('one', 300), two: fixedBytes('two', 77), three: fixedBytes('three', 130) };
  const builder = new PackBuilder({ capacity: 4096 });
  const placed = Object.values(parts).map((bytes) => {
    const digest = hash.digest(bytes);
    return { digest, length: bytes.length, offset: builder.add(digest, bytes) };
  });
  const pack = builder.finish(hash);
  const packs = { pack: pack.digest };
  const [one, two, three] = placed.map((chunk) => ({ ...chunk, ...packs }));
  if (!one || !two || !three) throw new Error('three chunks were added');

  const content = Buffer.concat([parts.one, parts.two, parts.one]);
  const chunks = new ChunksRecordWriter();
  for (const chunk of [one, two, one]) chunks.add(chunk);

  const own = fixedBytes('own', 1000);
  const both = Buffer.concat([parts.two, parts.three]);
  const tree = encodeTree([
    { kind: 'file', name: 'both', size: both.length, digest: hash.digest(both) },
    { kind: 'file', name: 'empty', size: 0, digest: hash.digest(Buffer.alloc(0)) },
    { kind: 'link', name: 'latest', target: 'both' },
    { kind: 'file', name: 'own', size: own.length, digest: hash.digest(own) },
    { kind: 'executable', name: 'run.sh', size: three.length, digest: three.digest },
    { kind: 'tree', name: 'sub', size: 12345, files: 6, digest: hash.digest(Buffer.from('sub')) },
    { kind: 'file', name: 'überraschung 🎁\n', size: one.length, digest: one.digest },
  ]);
  const locations = new TreeRecordWriter(tree);
  while (locations.next()) {
    if (locations.entry.name === 'both') locations.chunked([two, three]);
    else if (locations.entry.name === 'own') locations.own();
    else locations.packed(locations.entry.name === 'run.sh' ? three : one);
  }

  // A stream that is written here and not made: every version of zlib makes another one.
  const repeated = Buffer.from('mlv '.repeat(100));
  const stream = Buffer.from('cbcd2953c81dc583060300', 'hex');
  const repeatedDigest = hash.digest(repeated);
  const deflatePack = new PackBuilder({ capacity: 4096 });
  deflatePack.add(two.digest, parts.two);
  const offset = deflatePack.add(repeatedDigest, stream, repeated.length);
  const packDeflate = deflatePack.finish(hash);
  const deflateRecord = new ChunksRecordWriter();
  const place = { pack: packDeflate.digest, offset, deflated: stream.length };
  deflateRecord.add({ digest: repeatedDigest, length: repeated.length, ...place });

  const small = fixedBytes('small', 200);
  const oids = {
    inline: toOid('blake3', hash.digest(small)),
    chunks: toOid('blake3', hash.digest(content)),
    deflate: toOid('blake3', repeatedDigest),
    tree: toOid('blake3', hash.digest(tree)),
  };
  const info = newRemoteInfo('00000000-0000-4000-8000-000000000001', 'blake3');
  return {
    files: new Map([
      ['tree', tree],
      ['pack', pack.bytes],
      ['pack-deflate', packDeflate.bytes],
      ['record-inline', encodeInlineRecord(small, hash)],
      ['record-chunks', chunks.finish(hash)],
      ['record-deflate', deflateRecord.finish(hash)],
      ['record-tree', locations.finish(hash)],
      ['mlv.json', encodeRemoteInfo(info)],
    ]),
    keys: new Map([
      ['pack', packKey('blake3', pack.digest)],
      ['pack-deflate', packKey('blake3', packDeflate.digest)],
      ['record-inline', recordKey(oids.inline)],
      ['record-chunks', recordKey(oids.chunks)],
      ['record-deflate', recordKey(oids.deflate)],
      ['record-tree', recordKey(oids.tree)],
      ['mlv.json', REMOTE_INFO_KEY],
    ]),
    oids,
    content,
    repeated,
    packDigest: pack.digest,
    packDeflateDigest: packDeflate.digest,
  };
}
