import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileSystemError, isMlvError, MlvError, systemErrorCode } from '../core/errors.js';
import { CacheBatch } from '../objects/cache-batch.js';
import { letGroupRead, makeCacheDirectory } from '../objects/group-directory.js';
import { isObjectError } from '../objects/object-error.js';
import { digestOf, isOid, type Oid } from '../objects/oid.js';
import { decodeTree, encodeTree, type TreeEntry } from '../objects/tree-format.js';
import type { PointerRun } from '../workspace/pointer-format.js';
import type { Repository } from '../workspace/repository.js';
import { formatRunRecord, parseRunRecord, RECORD_FILE, type RunRecord } from './run-record.js';

/** A record, and where it is. */
export interface StoredRun {
  run: PointerRun;
  record: RunRecord;
  /** The files beside the record, by name. */
  files: ReadonlyMap<string, Oid>;
}

/**
 * Stores a record and the files beside it as one directory object; everything is on the disk when it returns.
 * Errors: `DISK_FULL`, `FILE_SYSTEM`.
 */
export async function storeRun(
  { cache, hash }: Repository,
  record: RunRecord,
  files: ReadonlyMap<string, Buffer>,
): Promise<StoredRun> {
  const batch = new CacheBatch(cache);
  try {
    const all = new Map([...files, [RECORD_FILE, formatRunRecord(record)]]);
    const entries: TreeEntry[] = [];
    for (const name of [...all.keys()].sort()) {
      const bytes = all.get(name) as Buffer;
      const digest = hash.digest(bytes);
      batch.addBytes(bytes, digest.toString('hex'));
      entries.push({ kind: 'file', name, size: bytes.length, digest });
    }
    const tree = encodeTree(entries);
    const digest = hash.digest(tree);
    batch.addBytes(tree, digest.toString('hex'));
    await batch.commit();
    const size = [...all.values()].reduce((sum, bytes) => sum + bytes.length, 0);
    const run = { oid: cache.oid(digest), size, files: all.size, key: record.key };
    return { run, record, files: filesOf(cache, entries) };
  } finally {
    batch.abandon();
  }
}

/**
 * Reads a record out of the cache, everything verified. Errors: `OBJECT_MISSING`, `OBJECT_CORRUPT`, `TREE_INVALID`,
 * `RECORD_INVALID`, `FORMAT_TOO_NEW`.
 */
export function readRun({ cache }: Repository, oid: Oid): StoredRun {
  const entries = decodeTree(cache.read(oid));
  const files = filesOf(cache, entries);
  const place = `object ${oid}`;
  const recordOid = files.get(RECORD_FILE);
  if (recordOid === undefined) {
    throw new MlvError('RECORD_INVALID', `${place} is not the record of a run: it has no ${RECORD_FILE}`);
  }
  const record = parseRunRecord(cache.read(recordOid), place);
  const size = entries.reduce((sum, entry) => sum + (entry.kind === 'link' ? 0 : entry.size), 0);
  return { run: { oid, size, files: entries.length, key: record.key }, record, files };
}

function filesOf(cache: Repository['cache'], entries: readonly TreeEntry[]): Map<string, Oid> {
  return new Map(
    entries.flatMap((entry) => (entry.kind === 'file' ? [[entry.name, cache.oid(entry.digest)] as const] : [])),
  );
}

/** As readRun; undefined for a record that is not here or cannot be used. Errors: `FORMAT_TOO_NEW`, `FILE_SYSTEM`. */
export function findRun(repository: Repository, oid: Oid): StoredRun | undefined {
  try {
    return readRun(repository, oid);
  } catch (error) {
    if (isObjectError(error) || isMlvError(error, 'RECORD_INVALID')) return undefined;
    throw error;
  }
}

/**
 * Notes which record answers a key, for the next time that the same is to be run. It is a memory of this clone only, and
 * never trusted: who recalls a run reads its record. Errors: `DISK_FULL`, `FILE_SYSTEM`.
 */
export function rememberRun({ cache }: Repository, run: PointerRun): void {
  const path = notePath(cache.directory, run.key);
  const temporary = cache.temporary.next();
  try {
    makeCacheDirectory(dirname(path));
    writeFileSync(temporary, `${run.oid}\n`, { flag: 'wx' });
    letGroupRead(temporary);
    renameSync(temporary, path);
  } catch (error) {
    throw fileSystemError('write', path, error);
  }
}

/** The record that was noted for a key, where it is in the cache and has that key. */
export function recallRun(repository: Repository, key: string): StoredRun | undefined {
  const path = notePath(repository.cache.directory, key);
  let text: string;
  try {
    text = readFileSync(path, 'utf8').trim();
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw fileSystemError('read', path, error);
  }
  if (!isOid(text) || !hasAlgorithm(repository, text)) return undefined;
  const found = findRun(repository, text);
  return found?.record.key === key ? found : undefined;
}

function hasAlgorithm({ hash }: Repository, oid: Oid): boolean {
  return oid.startsWith(`${hash.algorithm}:`) && digestOf(oid).length > 0;
}

function notePath(directory: string, key: string): string {
  return join(directory, 'runs', key.slice(0, 2), key.slice(2));
}
