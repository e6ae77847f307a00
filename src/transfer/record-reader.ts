import { ByteReader } from '../core/varint.js';
import type { HashFunction } from '../objects/hash.js';
import { DIGEST_BYTES, digestOf, type Oid } from '../objects/oid.js';
import { magicVersion, tooNew } from './format-version.js';
import { ChunkCursor, PackList, TreeRecordCursor } from './record-cursor.js';
import { RECORD_KIND, RECORD_MAGIC } from './record-format.js';

/** Least length of a record. */
const SHORTEST_RECORD = RECORD_MAGIC.length + 1 + DIGEST_BYTES;

/** The part of a record that is read next. */
interface Section {
  /** The record without its digest. */
  bytes: Buffer;
  at: number;
  /** The record, for messages. */
  what: string;
}

/** How to rebuild an object: what its record says, checked as far as a record can be without the packs. */
export type ObjectRecord = InlineRecord | ChunksRecord | TreeRecord;

/** The object's bytes themselves, of the right digest. */
export interface InlineRecord {
  kind: 'inline';
  content: Buffer;
}

/** A file as a list of chunks. */
export interface ChunksRecord {
  kind: 'chunks';
  /** Bytes of the file. */
  size: number;
  packs: PackList;
  /** Walks the chunks in the order of the file. */
  chunks(): ChunkCursor;
}

/** A tree's listing, of the right digest, and where the files in it are. */
export interface TreeRecord {
  kind: 'tree';
  /** The canonical bytes of the tree. */
  tree: Buffer;
  packs: PackList;
  /** Walks the entries in the order of the tree. */
  entries(): TreeRecordCursor;
}

/**
 * Opens the record of the object `oid` and checks all of it, so that what the cursors give needs no further look: the
 * record's own digest, every number, and that inline bytes and listings are those of `oid`. (That a chunk list
 * rebuilds `oid` is known only when it is rebuilt.) The result is views of `bytes`. Errors: `RECORD_INVALID`, naming the
 * object; `TREE_INVALID`; `FORMAT_TOO_NEW` for what a later version wrote.
 */
export function openRecord(bytes: Buffer, oid: Oid, hash: HashFunction): ObjectRecord {
  const what = `the record of ${oid}`;
  const reader = new ByteReader(bytes, { code: 'RECORD_INVALID', what: `${what} is damaged` });
  if (bytes.length < SHORTEST_RECORD) reader.fail('it is too short');
  const end = bytes.length - DIGEST_BYTES;
  if (!hash.digest(bytes.subarray(0, end)).equals(bytes.subarray(end))) reader.fail('its bytes do not have its digest');
  const version = magicVersion(bytes, RECORD_MAGIC);
  if (version === undefined) reader.fail('it does not begin like a record');
  if (version !== 1) throw tooNew(`${what} has format ${version}`);
  const section: Section = { bytes: bytes.subarray(0, end), at: RECORD_MAGIC.length + 1, what };
  const kind = bytes[RECORD_MAGIC.length] as number;
  if (kind === RECORD_KIND.chunks) return openChunks(section);
  if (kind === RECORD_KIND.inline) return openInline(section, (content) => isObject(content, oid, hash));
  if (kind === RECORD_KIND.tree) return openTree(section, (tree) => isObject(tree, oid, hash));
  throw tooNew(`${what} has kind ${kind}`);
}

function isObject(content: Buffer, oid: Oid, hash: HashFunction): boolean {
  return hash.digest(content).equals(digestOf(oid));
}

function openInline(section: Section, check: (content: Buffer) => boolean): InlineRecord {
  const reader = sectionReader(section);
  const content = reader.take(reader.varint());
  if (reader.remaining > 0) reader.fail('there is more behind its end');
  if (!check(content)) reader.fail('its content is that of another object');
  return { kind: 'inline', content };
}

function openChunks(section: Section): ChunksRecord {
  const reader = sectionReader(section);
  const size = reader.varint();
  const packs = new PackList(reader);
  const count = reader.varint();
  const body = { ...section, at: reader.offset };
  const chunks = (): ChunkCursor => {
    const cursor = new ChunkCursor(sectionReader(body), packs, section.what);
    cursor.begin(count, size);
    return cursor;
  };
  const trial = chunks();
  while (trial.next());
  trial.end();
  return { kind: 'chunks', size, packs, chunks };
}

function openTree(section: Section, check: (tree: Buffer) => boolean): TreeRecord {
  const reader = sectionReader(section);
  const tree = reader.take(reader.varint());
  if (!check(tree)) reader.fail('its listing is that of another tree');
  const packs = new PackList(reader);
  const body = { ...section, at: reader.offset };
  const entries = (): TreeRecordCursor =>
    new TreeRecordCursor(tree, new ChunkCursor(sectionReader(body), packs, section.what));
  const trial = entries();
  while (trial.next());
  return { kind: 'tree', tree, packs, entries };
}

function sectionReader(section: Section): ByteReader {
  return new ByteReader(section.bytes, { code: 'RECORD_INVALID', what: `${section.what} is damaged` }, section.at);
}
