import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { fileSystemError, isMlvError, MlvError } from '../../core/errors.js';
import { redactUrl } from '../../core/redact.js';
import type { Phase } from '../../core/reporter.js';
import type { ObjectCache } from '../../objects/cache.js';
import { CacheBatch } from '../../objects/cache-batch.js';
import { compareNames } from '../../objects/entry-name.js';
import type { Oid } from '../../objects/oid.js';
import { hashStream } from '../../objects/stream-copy.js';
import { encodeTree, looksLikeTree, TREE_MAGIC, type TreeEntry } from '../../objects/tree-format.js';
import type { ArtifactPlace } from './plan.js';
import type { ArtifactFile, MlflowStore } from './store.js';
import { checkName, sourceInvalid } from './values.js';

const LEVELS = 64;
const FILES = 1_000_000;

/** The artifacts of a version as a directory object. */
export interface TakenArtifacts {
  oid: Oid;
  size: number;
  files: number;
  /** Every file, and where it came from, for the proof. */
  proofs: ArtifactProof[];
}

/** A file that was taken, and what is needed to look at it again. */
export interface ArtifactProof {
  artifacts: string;
  /** Below `artifacts`. */
  path: string;
  digest: Buffer;
  size: number;
}

interface Folder {
  files: Map<string, { digest: Buffer; size: number }>;
  folders: Map<string, Folder>;
}

/**
 * Brings the artifacts of one version into the cache, as one directory, which is empty where there are none. Everything is on
 * the disk when it returns. Errors: `OBJECT_MISSING`, `FOREIGN_INVALID`, `REMOTE_*`, `DISK_FULL`, `FILE_SYSTEM`.
 */
export async function takeArtifacts(
  { store, cache }: { store: MlflowStore; cache: ObjectCache },
  places: readonly ArtifactPlace[],
  options: { phase: Phase; signal: AbortSignal },
): Promise<TakenArtifacts> {
  const intake = new Intake(store, cache, options);
  try {
    return await intake.all(places);
  } finally {
    intake.end();
  }
}

/** Stores a text that was made of a store's answers as one file object. Errors: `DISK_FULL`, `FILE_SYSTEM`. */
export async function storeText(cache: ObjectCache, text: string): Promise<{ oid: Oid; size: number }> {
  const bytes = Buffer.from(text, 'utf8');
  const digest = cache.hash.digest(bytes);
  const batch = new CacheBatch(cache);
  try {
    batch.addBytes(bytes, digest.toString('hex'));
    await batch.commit();
    return { oid: cache.oid(digest), size: bytes.length };
  } finally {
    batch.abandon();
  }
}

class Intake {
  private readonly batch: CacheBatch;
  private readonly proofs: ArtifactProof[] = [];

  constructor(
    private readonly store: MlflowStore,
    private readonly cache: ObjectCache,
    private readonly options: { phase: Phase; signal: AbortSignal },
  ) {
    this.batch = new CacheBatch(cache);
  }

  end(): void {
    this.batch.abandon();
  }

  async all(places: readonly ArtifactPlace[]): Promise<TakenArtifacts> {
    const root = newFolder();
    for (const { from, below, optional } of places) {
      const folder = below === '' ? root : inner(root, below);
      try {
        await this.take(from, '', folder, 0);
      } catch (error) {
        if (!(optional && isMlvError(error, 'OBJECT_MISSING') && error.data.absent === true)) throw error;
      }
    }
    const { digest, size, files } = this.seal(root);
    await this.batch.commit();
    return { oid: this.cache.oid(digest), size, files, proofs: this.proofs };
  }

  private async take(from: string, below: string, folder: Folder, level: number): Promise<void> {
    if (level > LEVELS)
      throw sourceInvalid(`the artifacts at '${from}' are nested more than ${LEVELS} directories deep`);
    const entries = await this.store.list(from, below);
    if (!entries) {
      const name = checkName(from.slice(from.lastIndexOf('/') + 1));
      return this.file({ from, below: '', name, size: undefined }, folder);
    }
    for (const entry of entries) {
      const name = checkName(entry.name);
      const path = below === '' ? name : `${below}/${name}`;
      if (entry.directory) await this.take(from, path, inner(folder, name), level + 1);
      else await this.file({ from, below: path, name, size: entry.size }, folder);
    }
  }

  private async file(
    { from, below, name, size }: { from: string; below: string; name: string; size: number | undefined },
    folder: Folder,
  ): Promise<void> {
    if (folder.files.has(name) || folder.folders.has(name)) throw sourceInvalid(`'${name}' is in '${from}' twice`);
    if (this.proofs.length >= FILES) throw sourceInvalid(`the artifacts at '${from}' are more than ${FILES} files`);
    const found = await this.store.open(from, below);
    const taken = 'path' in found ? await this.copy(found.path) : await this.receive(found.body);
    const expected = 'path' in found ? size : (found.size ?? size);
    if (expected !== undefined && expected !== taken.size) {
      throw new MlvError('REMOTE_TRANSIENT', `'${below}' of '${from}' came with ${taken.size} of ${expected} bytes`, {
        hint: 'run the same command again; what came is not thrown away',
      });
    }
    folder.files.set(name, taken);
    this.proofs.push({ artifacts: from, path: below, ...taken });
    this.options.phase.advance({ items: 1 });
    if (this.batch.full) await this.batch.commit();
  }

  private async copy(path: string): Promise<{ digest: Buffer; size: number }> {
    const { phase, signal } = this.options;
    const taken = await this.batch.addFile(path, { onBytes: (bytes) => phase.advance({ bytes }), signal });
    const descriptor = openSync(path, 'r');
    try {
      refuseTree(firstBytes(descriptor), path);
    } finally {
      closeSync(descriptor);
    }
    return taken;
  }

  private async receive(body: AsyncIterable<Uint8Array>): Promise<{ digest: Buffer; size: number }> {
    const temporary = this.cache.temporary.next();
    const hasher = this.cache.hash.create();
    let head = Buffer.alloc(0);
    let size = 0;
    try {
      const descriptor = openSync(temporary, 'wx', 0o444);
      try {
        for await (const part of body) {
          hasher.update(part);
          if (head.length < TREE_MAGIC.length) head = Buffer.concat([head, part]).subarray(0, TREE_MAGIC.length);
          for (let at = 0; at < part.byteLength; ) at += writeSync(descriptor, part, at, part.byteLength - at);
          size += part.byteLength;
          this.options.phase.advance({ bytes: part.byteLength });
        }
      } finally {
        closeSync(descriptor);
      }
    } catch (error) {
      throw fileSystemError('write to the cache', temporary, error);
    }
    refuseTree(head, temporary);
    const digest = hasher.digest();
    // Two writers of one object are no harm: both bring the same bytes.
    this.batch.stage(temporary, digest.toString('hex'), size);
    return { digest, size };
  }

  private seal(folder: Folder): { digest: Buffer; size: number; files: number } {
    const entries: TreeEntry[] = [...folder.files].map(([name, each]) => ({ kind: 'file', name, ...each }));
    for (const [name, below] of folder.folders) entries.push({ kind: 'tree', name, ...this.seal(below) });
    entries.sort((left, right) => compareNames(left.name, right.name));
    const bytes = encodeTree(entries);
    const digest = this.cache.hash.digest(bytes);
    this.batch.addBytes(bytes, digest.toString('hex'));
    let [size, files] = [0, 0];
    for (const entry of entries) {
      size += entry.kind === 'link' ? 0 : entry.size;
      files += entry.kind === 'tree' ? entry.files : 1;
    }
    return { digest, size, files };
  }
}

/**
 * Reads every artifact again where it came from, and in the cache, and compares both with what was taken: that the copy is
 * what is there, and that nobody changed it meanwhile. Gives how much was compared. Errors: `OBJECT_CORRUPT`, those of
 * `takeArtifacts`.
 */
export async function proveArtifacts(
  { store, cache }: { store: MlflowStore; cache: ObjectCache },
  proofs: readonly ArtifactProof[],
  { phase, signal }: { phase: Phase; signal: AbortSignal },
): Promise<{ files: number; bytes: number }> {
  let bytes = 0;
  const verified = new Set<Oid>();
  for (const { artifacts, path, digest, size } of proofs) {
    signal.throwIfAborted();
    const oid = cache.oid(digest);
    if (!verified.has(oid)) await cache.verify(oid);
    verified.add(oid);
    const found = await digestOf(await store.open(artifacts, path), cache, signal);
    if (!found.equals(digest)) {
      throw new MlvError(
        'OBJECT_CORRUPT',
        `'${path}' of '${redactUrl(artifacts)}' is not what was taken: it has changed`,
        {
          hint: 'import it again when nobody writes to it; nothing was registered',
          data: { path, oid },
        },
      );
    }
    phase.advance({ items: 1, bytes: size });
    bytes += size;
  }
  return { files: proofs.length, bytes };
}

async function digestOf(file: ArtifactFile, { hash }: ObjectCache, signal: AbortSignal): Promise<Buffer> {
  if ('body' in file) {
    const hasher = hash.create();
    for await (const part of file.body) hasher.update(part);
    return hasher.digest();
  }
  const descriptor = openSync(file.path, 'r');
  try {
    return (await hashStream(descriptor, { hash, signal })).digest;
  } finally {
    closeSync(descriptor);
  }
}

function firstBytes(descriptor: number): Buffer {
  const buffer = Buffer.alloc(TREE_MAGIC.length);
  return buffer.subarray(0, readSync(descriptor, buffer, 0, buffer.length, 0));
}

/** Such a file would share a tree's record on every remote. */
function refuseTree(head: Buffer, path: string): void {
  if (!looksLikeTree(head)) return;
  throw new MlvError('PATH_UNSUPPORTED', `'${path}' has the bytes of one of mlv's own directory listings`, {
    hint: 'pack it, for example with zip',
    data: { path },
  });
}

function newFolder(): Folder {
  return { files: new Map(), folders: new Map() };
}

function inner(folder: Folder, name: string): Folder {
  if (folder.files.has(name)) throw sourceInvalid(`'${name}' is a file and a directory`);
  const there = folder.folders.get(name) ?? newFolder();
  folder.folders.set(name, there);
  return there;
}
