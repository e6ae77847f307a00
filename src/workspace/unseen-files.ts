import { MlvError } from '../core/errors.js';
import { inShellQuotes } from '../core/shell-quote.js';
import type { CacheBatch } from '../objects/cache-batch.js';
import { isObjectError } from '../objects/object-error.js';
import { digestOf } from '../objects/oid.js';
import { entryAt } from '../objects/tree-diff.js';
import { KIND, TreeReader } from '../objects/tree-format.js';
import { completeBlock } from './absent-entries.js';
import { placeOf } from './add-inside.js';
import type { DirectoryBlock } from './directory-block.js';
import { wasDropped } from './dropped.js';
import { mayBePartial } from './part-begin.js';
import { childOf, type RepositoryPath } from './paths.js';
import type { Target } from './pointers.js';
import type { Repository } from './repository.js';
import { WantedPart } from './wanted-part.js';
import { cacheLoader } from './workspace-trees.js';

interface Store {
  repository: Repository;
  /** Knows what the cache has. */
  batch: CacheBatch;
}

/** A walk of a tracked directory. */
interface Sides {
  root: DirectoryBlock;
  /** Digest of the tree that the workspace came from. */
  base: Buffer | undefined;
}

/** A listing without entries. */
const NOTHING = Buffer.alloc(0);

/**
 * After a pull of a part, or a `git pull` without `mlv pull`, the workspace lacks files that nobody removed. The new
 * pointer would leave them out for everybody. What was here once has its object in the cache, and is in the tree that the
 * workspace came from where that is known: a fetch, another working tree and a shared cache bring objects of files that
 * never were here. Nothing of what was dropped was removed since. `root` is completed: it holds what is not wanted here. Error: `OBJECT_MISSING`.
 */
export function refuseUnseen(store: Store, { path, pointer }: Target, { root, base }: Sides): void {
  if (pointer.files === undefined) return;
  const digest = digestOf(pointer.oid);
  const known = base?.equals(digest) ?? false;
  const { repository } = store;
  const nothing = !base && wasDropped(repository.layout, path) ? NOTHING : undefined;
  const former = base && !known ? readListing(repository, base) : nothing;
  refuse(store, { digest, path, block: root, known, former });
}

/** As refuseUnseen, for the path `below` of a target, of which `part` is wanted here; `root` is as it was walked. */
export function refuseUnseenInside(
  store: Store,
  target: Target,
  { below, root, base, part }: Sides & { below: string; part: WantedPart | undefined },
): void {
  const { block, at } = placeOf(root, { path: below, target });
  const child = block.children.get(at);
  if (!child) return;
  const whole = digestOf(target.pointer.oid);
  const load = cacheLoader(store.repository.cache);
  const entry = entryAt(whole, below, load);
  if (entry?.kind !== 'tree') return;
  const wanted = part ?? (mayBePartial(store.repository, target) ? WantedPart.nothing : undefined);
  const { digest } = entry;
  const completed = wanted ? completeBlock(child, { digest, part: wanted, load, below }).root : child;
  const known = base?.equals(whole) ?? false;
  const former = base && !known ? formerListing(store.repository, base, below) : undefined;
  refuse(store, { digest, path: `${target.path}/${below}`, block: completed, known, former });
}

/** A tree of the pointer, beside what is here at its path; `known` where the workspace came from this tree. */
interface Place {
  digest: Buffer;
  path: RepositoryPath;
  block: DirectoryBlock | undefined;
  known: boolean;
  /** The other listing that the workspace came from at this path, empty where it had none; undefined where none is known. */
  former: Buffer | undefined;
}

function refuse(store: Store, at: Place): void {
  const unseen: RepositoryPath[] = [];
  findUnseen(store, at, unseen);
  if (unseen.length > 0) throw notFetched(at.path, unseen);
}

function findUnseen(store: Store, place: Place, unseen: RepositoryPath[]): void {
  const { digest, path, block, known } = place;
  if (block?.unchanged && block.treeDigest.equals(digest)) return;
  const listing = readListing(store.repository, digest);
  if (!listing) {
    // A directory that came from this tree is all there was, even where the cache was lost since.
    if (!block || !known) unseen.push(path);
    return;
  }
  const former = place.former && entriesOf(place.former);
  const positions = new Map(block?.names.map((name, position) => [name, position]));
  const reader = new TreeReader(listing);
  while (reader.next()) {
    const position = positions.get(reader.name);
    const child = childOf(path, reader.name);
    if (reader.kind === KIND.tree) {
      const inner = position === undefined ? undefined : block?.children.get(position);
      if (position !== undefined && !inner) continue;
      const digest = Buffer.from(reader.digest);
      findUnseen(
        store,
        { digest, path: child, block: inner, known, former: below(store, former, reader.name) },
        unseen,
      );
    } else if (reader.kind !== KIND.link && position === undefined) {
      const wasHere = former?.has(reader.name) ?? true;
      if (!wasHere || !store.batch.holds(reader.digest.toString('hex'), reader.size)) unseen.push(child);
    }
  }
}

/** The names of a listing, with the digests of directories. */
function entriesOf(listing: Buffer): Map<string, Buffer | undefined> {
  const entries = new Map<string, Buffer | undefined>();
  if (listing.length === 0) return entries;
  const reader = new TreeReader(listing);
  while (reader.next()) entries.set(reader.name, reader.kind === KIND.tree ? Buffer.from(reader.digest) : undefined);
  return entries;
}

/** The listing that the workspace came from in a directory of another; as `Place.former`. */
function below(
  { repository }: Store,
  former: Map<string, Buffer | undefined> | undefined,
  name: string,
): Buffer | undefined {
  if (!former) return undefined;
  const digest = former.get(name);
  return digest ? readListing(repository, digest) : NOTHING;
}

/** As below, for a path of several names; `base` is the digest of the whole. */
function formerListing(repository: Repository, base: Buffer, path: string): Buffer | undefined {
  try {
    const entry = entryAt(base, path, cacheLoader(repository.cache));
    return entry?.kind === 'tree' ? readListing(repository, entry.digest) : NOTHING;
  } catch (error) {
    if (isObjectError(error)) return undefined;
    throw error;
  }
}

/** The bytes of a tree, where the cache has them undamaged. */
function readListing({ cache }: Repository, digest: Buffer): Buffer | undefined {
  try {
    return cacheLoader(cache)(digest);
  } catch (error) {
    if (isObjectError(error)) return undefined;
    throw error;
  }
}

function notFetched(path: RepositoryPath, paths: RepositoryPath[]): MlvError {
  const message = `'${path}' was not added: its pointer names files that were never brought here, and a new one would leave them out`;
  return new MlvError('OBJECT_MISSING', message, {
    hint: `get them first, which keeps your changes: mlv pull ${inShellQuotes(path)}   (to leave them out: mlv rm --keep ${inShellQuotes(path)} && mlv add ${inShellQuotes(path)})`,
    data: { path, paths },
  });
}
