import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isMlvError, type MlvError } from '../core/errors.js';
import type { ObjectCache } from '../objects/cache.js';
import type { CacheBatch } from '../objects/cache-batch.js';
import { nameOf, type RepositoryPath } from '../workspace/paths.js';
import type { Pointer } from '../workspace/pointer-format.js';
import type { ContentCollection, WantedContent } from './content-collection.js';
import { type DvcListedFile, MAX_LISTING_BYTES, parseListing } from './dvc-listing.js';
import type { DvcOutput } from './dvc-output.js';
import { hasForeignId } from './foreign-hash.js';
import { type ForeignId, foreignKey } from './foreign-id.js';
import { type SealedTree, sealFiles } from './tree-of-files.js';

/** Where DVC may have contents on this machine. */
export interface DvcPlaces {
  /** Absolute top of the working tree. */
  worktree: string;
  /** Absolute directories of DVC's caches. */
  caches: readonly string[];
}

/** Where DVC keeps a content, below its cache or remote: first as its version does, then as others do. */
export function dvcKeys({ algorithm, hex }: ForeignId, directory: boolean): string[] {
  const rest = `${hex.slice(0, 2)}/${hex.slice(2)}${directory ? '.dir' : ''}`;
  return algorithm === 'md5' ? [`files/md5/${rest}`, rest] : [rest, `files/md5/${rest}`];
}

/**
 * The contents of DVC's outputs on their way into the cache, and the pointers that come of them. Listings first, then
 * files, then trees: `takeListings`, `takeFiles`, and in between whatever a remote has of what these give back.
 */
export class DvcContents {
  private readonly listings = new Map<string, DvcListedFile[]>();
  private readonly damagedListings = new Map<string, string>();
  private readonly pointers = new Map<string, Pointer>();
  /** Listings that are damaged, or not fit to be used. */
  readonly problems = new Map<string, MlvError>();

  constructor(
    private readonly places: DvcPlaces,
    private readonly collection: ContentCollection,
  ) {}

  /** Reads the listings of directories; gives the names of those that are nowhere here. */
  takeListings(outputs: Iterable<DvcOutput>): ForeignId[] {
    const missing = new Map<string, ForeignId>();
    for (const output of outputs) {
      const { id, directory, files } = output;
      const key = foreignKey(id);
      if (!directory || this.listings.has(key) || this.problems.has(key)) continue;
      const found = this.places.caches
        .flatMap((cache) => dvcKeys(id, true).map((name) => join(cache, name)))
        .some((path) => this.putListing(id, readListing(path), path));
      if (found) continue;
      if (files) this.listings.set(key, files);
      else missing.set(key, id);
    }
    return [...missing.values()];
  }

  /** Takes the bytes of a listing that stands at a place; false where they are not what the name says. */
  putListing(id: ForeignId, bytes: Buffer | undefined, place: string): boolean {
    const key = foreignKey(id);
    if (!bytes) return false;
    if (!hasForeignId(bytes, id)) {
      this.damagedListings.set(key, place);
      return false;
    }
    try {
      this.listings.set(key, parseListing(bytes, { name: `${id.hex}.dir`, algorithm: id.algorithm }));
    } catch (error) {
      if (!isMlvError(error)) throw error;
      this.problems.set(key, error);
    }
    return true;
  }

  /** The files of a directory that DVC tracks; undefined where its listing is nowhere. */
  listingOf(id: ForeignId): readonly DvcListedFile[] | undefined {
    return this.listings.get(foreignKey(id));
  }

  /** Where something is damaged that an output needs, and has nowhere else; undefined where nothing is. */
  damagedAt(output: DvcOutput): string | undefined {
    const key = foreignKey(output.id);
    if (!output.directory) return this.collection.damagedAt(output.id);
    if (!this.listings.has(key)) return this.damagedListings.get(key);
    for (const { id } of this.listings.get(key) ?? []) {
      const place = this.collection.damagedAt(id);
      if (place !== undefined) return place;
    }
    return undefined;
  }

  /** Every content of the outputs once, and where it may be; `current` are those of which the workspace may have it. */
  wanted(outputs: Iterable<DvcOutput>, current: Iterable<DvcOutput>): WantedContent[] {
    const wanted = new Map<string, WantedContent>();
    const own: WantedContent[] = [];
    const add = (id: ForeignId, path?: RepositoryPath): void => {
      const key = foreignKey(id);
      const place = path === undefined ? undefined : join(this.places.worktree, path);
      // Of one name, DVC before 3.0 may have had several contents: what a file has is what it keeps.
      if (place !== undefined && id.algorithm === 'md5-dos2unix') {
        own.push({ id, places: this.cachePlaces(id), own: { key: ownKey(id, path as string), place } });
        wanted.set(key, { id, places: this.cachePlaces(id) });
      } else if (!wanted.has(key)) {
        wanted.set(key, { id, places: [...(place === undefined ? [] : [place]), ...this.cachePlaces(id)] });
      }
    };
    for (const output of current) this.eachFile(output, add, true);
    for (const output of outputs) this.eachFile(output, add, false);
    return [...own, ...wanted.values()];
  }

  /** The pointer of an output, after everything was taken; undefined where a content of it could not be had. */
  pointerOf(output: DvcOutput): Pointer | undefined {
    return this.pointers.get(keyOf(output));
  }

  /** Makes trees and pointers of what is there now. The batch is committed by the caller. */
  seal(outputs: Iterable<DvcOutput>, { cache, batch }: { cache: ObjectCache; batch: CacheBatch }): void {
    const store = (bytes: Buffer): Buffer => {
      const digest = cache.hash.digest(bytes);
      batch.addBytes(bytes, digest.toString('hex'));
      return digest;
    };
    for (const output of outputs) {
      const key = keyOf(output);
      if (this.pointers.has(key)) continue;
      const path = nameOf(output.path);
      if (!output.directory) {
        const content = this.collection.get(output.id, ownKey(output.id, output.path));
        if (!content) continue;
        const pointer: Pointer = { path, oid: cache.oid(content.digest), size: content.size };
        if (output.executable) pointer.executable = true;
        this.pointers.set(key, pointer);
        continue;
      }
      const tree = this.sealTree(output, store);
      if (tree) this.pointers.set(key, { path, oid: cache.oid(tree.digest), size: tree.size, files: tree.files });
    }
  }

  private sealTree(output: DvcOutput, store: (bytes: Buffer) => Buffer): SealedTree | undefined {
    const files = this.listings.get(foreignKey(output.id));
    if (!files) return undefined;
    const placed = files.map(({ path, id }) => {
      const content = this.collection.get(id, ownKey(id, `${output.path}/${path}`));
      return content && { path, content, executable: false };
    });
    const there = placed.filter((each) => each !== undefined);
    return there.length === placed.length ? sealFiles(there, store) : undefined;
  }

  private eachFile(output: DvcOutput, visit: (id: ForeignId, path?: string) => void, named: boolean): void {
    const at = (path: string): string | undefined => (named ? path : undefined);
    if (!output.directory) visit(output.id, at(output.path));
    else
      for (const { path, id } of this.listings.get(foreignKey(output.id)) ?? [])
        visit(id, at(`${output.path}/${path}`));
  }

  private cachePlaces(id: ForeignId): string[] {
    return this.places.caches.flatMap((cache) => dvcKeys(id, false).map((key) => join(cache, key)));
  }
}

function keyOf({ path, id, executable }: DvcOutput): string {
  return `${foreignKey(id)}\0${executable ? 'x' : ''}\0${path}`;
}

function ownKey(id: ForeignId, path: RepositoryPath): string {
  return `${foreignKey(id)}\0${path}`;
}

function readListing(path: string): Buffer | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat?.isFile() || stat.size > MAX_LISTING_BYTES) return undefined;
  return readFileSync(path);
}
