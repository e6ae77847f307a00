import { readFileSync } from 'node:fs';
import { ObjectCache } from '../../src/objects/cache.js';
import { CacheBatch } from '../../src/objects/cache-batch.js';
import { type HashFunction, loadHash } from '../../src/objects/hash.js';
import { type Algorithm, digestOf, type Oid, toOid } from '../../src/objects/oid.js';
import { decodeTree, encodeTree, KIND, type TreeEntry } from '../../src/objects/tree-format.js';
import { type Remote, readContent } from '../../src/remotes/remote.js';
import type { ChunkerParams } from '../../src/transfer/chunker-params.js';
import type { PackTable } from '../../src/transfer/pack-format.js';
import { verifyPack } from '../../src/transfer/pack-verify.js';
import type { ChunkCursor } from '../../src/transfer/record-cursor.js';
import { type ObjectRecord, openRecord } from '../../src/transfer/record-reader.js';
import { encodeRemoteInfo, newRemoteInfo } from '../../src/transfer/remote-info.js';
import { parsePackKey, parseRecordKey, REMOTE_INFO_KEY, recordKey } from '../../src/transfer/remote-layout.js';
import type { PushRoot } from '../../src/transfer/roots.js';
import { temporaryDirectory } from './temporary-directory.js';
import { REPOSITORY_ID } from './transfer-session.js';

export * from './transfer-session.js';

/** An entry of a directory to be stored: a file, an executable, a link, a sub-directory. */
export type Spec = Buffer | string | { executable: Buffer } | { link: string } | Directory;
export interface Directory {
  entries: Record<string, Spec>;
}

/** A directory of these entries. */
export function directory(entries: Record<string, Spec> = {}): Directory {
  return { entries };
}

/** An empty cache, in a temporary directory unless one is given. */
export async function openCache(
  algorithm: Algorithm = 'blake3',
  at = temporaryDirectory('cache'),
): Promise<ObjectCache> {
  return new ObjectCache(at, await loadHash(algorithm));
}

/** Puts a file or a directory into the cache and gives the root to push. */
export async function store(
  cache: ObjectCache,
  spec: Spec,
  { path = 'data', predecessors = [] }: { path?: string; predecessors?: readonly Oid[] } = {},
): Promise<PushRoot> {
  const batch = new CacheBatch(cache);
  const { digest, size } = storeIn(cache, batch, spec);
  await batch.commit();
  return { oid: cache.oid(digest), directory: isDirectory(spec), size, path, predecessors };
}

/** Every file, link and directory below a root by path, read from the cache and verified; what is missing says so. */
export function contents(cache: ObjectCache, root: Pick<PushRoot, 'oid' | 'directory'>): Record<string, string> {
  const found: Record<string, string> = Object.create(null);
  if (root.directory) describe(cache, { oid: root.oid, path: '', found });
  else found[''] = contentOf(cache, root.oid, 'file');
  return found;
}

/** The oids of every object that the cache holds, each read and verified. */
export async function verifiedObjects(cache: ObjectCache): Promise<Oid[]> {
  const oids: Oid[] = [];
  for (const { oid } of cache.list()) {
    await cache.verify(oid);
    oids.push(oid);
  }
  return oids;
}

/** The keys on a remote below a prefix, in order. */
export async function keysOf(remote: Remote, prefix = ''): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of remote.list(prefix)) keys.push(key);
  return keys;
}

export async function bytesAt(remote: Remote, key: string): Promise<Buffer> {
  return Buffer.from(await readContent(await remote.get(key)));
}

/** Replaces what is at a key. */
export async function overwrite(remote: Remote, key: string, bytes: Uint8Array): Promise<void> {
  await remote.put(key, { size: bytes.length, open: () => bytes });
}

/** Flips the bits of one byte of what is at a key; a negative place counts from the end. */
export async function flipByte(remote: Remote, key: string, place: number): Promise<void> {
  const bytes = await bytesAt(remote, key);
  const at = place < 0 ? bytes.length + place : place;
  bytes[at] = (bytes[at] as number) ^ 0xff;
  await overwrite(remote, key, bytes);
}

/** Copies everything on one remote to another. */
export async function copyKeys(from: Remote, to: Remote): Promise<void> {
  await Promise.all((await keysOf(from)).map(async (key) => overwrite(to, key, await bytesAt(from, key))));
}

/** Small sizes for everything, so that a little data makes many chunks and packs. */
export const SMALL_CHUNKER: ChunkerParams = { name: 'gear64', min: 256, target: 1024, max: 4096, whole: 8192 };
export const SMALL_PACK_BYTES = 256 * 1024;

/** Makes the remote one of the test repository's with small chunks and packs. */
export async function makeSmallRemote(remote: Remote, algorithm: Algorithm = 'blake3'): Promise<void> {
  const info = { ...newRemoteInfo(REPOSITORY_ID, algorithm), chunker: SMALL_CHUNKER, pack: { size: SMALL_PACK_BYTES } };
  await overwrite(remote, REMOTE_INFO_KEY, encodeRemoteInfo(info));
}

/**
 * Checks, by the formats alone, that every record on the remote has all it names: packs that are whole and hold its
 * chunks, and records of sub-trees and large files.
 */
export async function expectClosed(remote: Remote, hash: HashFunction): Promise<void> {
  const keys = new Set(await keysOf(remote));
  const tables = new Map<string, PackTable>();
  for (const key of keys) {
    const pack = parsePackKey(key);
    if (pack) tables.set(pack.hex, verifyPack(await bytesAt(remote, key), Buffer.from(pack.hex, 'hex'), hash));
  }
  for (const key of keys) {
    const oid = parseRecordKey(key);
    if (oid) expectRecordClosed(openRecord(await bytesAt(remote, key), oid, hash), { keys, tables, hash, key });
  }
}

function expectRecordClosed(
  record: ObjectRecord,
  at: { keys: ReadonlySet<string>; tables: ReadonlyMap<string, PackTable>; hash: HashFunction; key: string },
): void {
  if (record.kind === 'inline') return;
  const needRecord = (digest: Buffer): void => {
    const key = recordKey(toOid(at.hash.algorithm, digest));
    if (!at.keys.has(key)) throw new Error(`${at.key} names ${key}, which is not there`);
  };
  const needChunks = (cursor: ChunkCursor): void => {
    while (cursor.next()) {
      const table = at.tables.get(cursor.pack.toString('hex'));
      const entry = [...(table?.entries() ?? [])].find(({ offset }) => offset === cursor.offset);
      if (!entry?.digest.equals(cursor.digest) || entry.length !== cursor.length || entry.stored !== cursor.stored)
        throw new Error(`${at.key} names a chunk that is not there`);
    }
  };
  if (record.kind === 'chunks') {
    needChunks(record.chunks());
    return;
  }
  const cursor = record.entries();
  while (cursor.next()) {
    if (cursor.location === 'own' || cursor.entry.kind === KIND.tree) needRecord(cursor.entry.digest);
    else needChunks(cursor.chunks);
  }
}

function isDirectory(spec: Spec): spec is Directory {
  return typeof spec === 'object' && 'entries' in spec && !Buffer.isBuffer(spec);
}

interface Stored {
  digest: Buffer;
  size: number;
  files: number;
}

function storeIn(cache: ObjectCache, batch: CacheBatch, spec: Spec): Stored {
  if (isDirectory(spec)) return storeDirectory(cache, batch, spec);
  if (typeof spec === 'object' && 'link' in spec) throw new Error('a link is no object');
  const bytes = Buffer.isBuffer(spec) ? spec : typeof spec === 'string' ? Buffer.from(spec) : spec.executable;
  const digest = cache.hash.digest(bytes);
  batch.addBytes(bytes, digest.toString('hex'));
  return { digest, size: bytes.length, files: 1 };
}

function storeDirectory(cache: ObjectCache, batch: CacheBatch, { entries }: Directory): Stored {
  let size = 0;
  let files = 0;
  const names = Object.keys(entries).sort((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)));
  const listing = names.map((name): TreeEntry => {
    const spec = entries[name] as Spec;
    if (typeof spec === 'object' && 'link' in spec) {
      files++;
      return { kind: 'link', name, target: spec.link };
    }
    const stored = storeIn(cache, batch, spec);
    size += stored.size;
    files += stored.files;
    if (isDirectory(spec)) return { kind: 'tree', name, ...stored };
    const kind = typeof spec === 'object' && 'executable' in spec ? 'executable' : 'file';
    return { kind, name, size: stored.size, digest: stored.digest };
  });
  const bytes = Buffer.from(encodeTree(listing));
  const digest = cache.hash.digest(bytes);
  batch.addBytes(bytes, digest.toString('hex'));
  return { digest, size, files };
}

function describe(cache: ObjectCache, at: { oid: Oid; path: string; found: Record<string, string> }): void {
  const { oid, path, found } = at;
  if (!cache.has(oid)) {
    found[`${path}/`] = 'missing';
    return;
  }
  for (const entry of decodeTree(cache.read(oid))) {
    const below = path === '' ? entry.name : `${path}/${entry.name}`;
    if (entry.kind === 'link') found[below] = `link -> ${entry.target}`;
    else if (entry.kind === 'tree') {
      found[below] = 'directory';
      describe(cache, { oid: cache.oid(entry.digest), path: below, found });
    } else found[below] = contentOf(cache, cache.oid(entry.digest), entry.kind, entry.size);
  }
}

function contentOf(cache: ObjectCache, oid: Oid, kind: string, size?: number): string {
  if (!cache.has(oid, size)) return 'missing';
  const right = cache.hash.digest(readFileSync(cache.pathOf(oid))).equals(digestOf(oid));
  return `${kind} ${right ? oid : 'damaged'}`;
}
