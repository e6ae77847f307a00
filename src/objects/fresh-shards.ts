import { chmodSync, readdirSync, renameSync, rmdirSync, rmSync, statSync } from 'node:fs';
import type { ObjectCache } from './cache.js';
import { GROUP_MODE, isForGroup, makeCacheDirectory } from './group-directory.js';

/** Objects of one shard on their way: a folder among the temporary files, in which they have the names they are to have. */
export interface ShardFolder {
  /** The first two hex digits of the objects in it. */
  prefix: string;
  path: string;
  /** Names of the objects in it. */
  names: string[];
}

/**
 * The shards (`objects/<algorithm>/ab`) that a cache did not have when a batch began. What belongs to such a shard is
 * written into a folder among the temporary files, and the folder gets its name by one rename instead of one an object.
 * Who else makes the same shard meanwhile keeps his: the objects are then moved into it one by one.
 */
export class FreshShards {
  private readonly open = new Map<string, ShardFolder>();
  /** Folders that a commit took, and gave back without a name. */
  private unnamed: ShardFolder[] = [];
  /** Shards that are there by now, or soon. */
  private readonly taken = new Set<string>();
  private objects = 0;

  private constructor(
    private readonly cache: ObjectCache,
    /** Shards that were there from the beginning. */
    private readonly former: ReadonlySet<string>,
  ) {}

  /**
   * Looks which shards there are. Undefined where a folder that is made among the temporary files would have another group or
   * other rights than one made in its place, or could not be moved there. System errors pass.
   */
  static begin(cache: ObjectCache): FreshShards | undefined {
    makeCacheDirectory(cache.temporary.directory);
    makeCacheDirectory(cache.shardsDirectory);
    const from = statSync(cache.temporary.directory);
    const to = statSync(cache.shardsDirectory);
    const differing = (from.mode ^ to.mode) & GROUP_MODE;
    if (from.dev !== to.dev || from.gid !== to.gid || differing !== 0) return undefined;
    return new FreshShards(cache, new Set(readdirSync(cache.shardsDirectory)));
  }

  /** How many objects have no name yet. */
  get count(): number {
    return this.objects;
  }

  /** True where the cache had no object of that shard when the batch began: a look for this one can be spared. */
  isFresh(hex: string): boolean {
    return !this.former.has(hex.slice(0, 2));
  }

  /** Where to write the object; undefined where its shard is there. Error: `FILE_SYSTEM`. */
  pathFor(hex: string): string | undefined {
    const prefix = hex.slice(0, 2);
    let folder = this.open.get(prefix);
    if (folder === undefined) {
      if (this.former.has(prefix) || this.taken.has(prefix)) return undefined;
      folder = { prefix, path: this.cache.temporary.nextDirectory(), names: [] };
      this.open.set(prefix, folder);
    }
    return `${folder.path}/${hex.slice(2)}`;
  }

  /** Notes that the object was written whole to `pathFor`. */
  written(hex: string): void {
    this.open.get(hex.slice(0, 2))?.names.push(hex.slice(2));
    this.objects++;
  }

  /** What there is to flush and to name from now on; objects that come later are not written into these folders. */
  take(): ShardFolder[] {
    const folders = [...this.unnamed, ...this.open.values()];
    for (const prefix of this.open.keys()) this.taken.add(prefix);
    this.unnamed = [];
    this.open.clear();
    this.objects = 0;
    return folders;
  }

  /** Takes back what got no name. */
  giveBack(folders: readonly ShardFolder[]): void {
    this.unnamed.push(...folders);
    for (const { names } of folders) this.objects += names.length;
  }

  /** Drops everything without a name. System errors pass. */
  drop(): void {
    for (const { path } of this.take()) rmSync(path, { recursive: true, force: true });
    this.taken.clear();
  }
}

/** Absolute paths of the objects in folders, where they are now: below the cache's `tmp/`. */
export function pathsIn(folders: readonly ShardFolder[]): string[] {
  const paths: string[] = [];
  for (const { path, names } of folders) for (const name of names) paths.push(`${path}/${name}`);
  return paths;
}

/**
 * Gives the objects of a folder, which are flushed, their names; those that have one are out of `names` when a system error
 * passes.
 */
export function nameShard(cache: ObjectCache, folder: ShardFolder): void {
  const { path, prefix, names } = folder;
  // A umask that keeps files from the group would make objects that only their maker can read.
  if ((process.umask() & 0o040) !== 0 && isForGroup(path))
    for (const name of names) chmodSync(`${path}/${name}`, 0o440);
  const shard = `${cache.shardsDirectory}/${prefix}`;
  try {
    renameSync(path, shard);
    return;
  } catch {
    // Somebody made the shard meanwhile, or folders cannot be moved here: what is wrong besides, the next calls say.
  }
  makeCacheDirectory(shard);
  for (let name = names.at(-1); name !== undefined; name = names.at(-1)) {
    renameSync(`${path}/${name}`, `${shard}/${name}`);
    names.pop();
  }
  rmdirSync(path);
}
