import { isMlvError } from '../core/errors.js';
import { digestOf } from '../objects/oid.js';
import { KIND, TreeReader } from '../objects/tree-format.js';
import type { RepositoryPath } from '../workspace/paths.js';
import { directoryAbove, isDirectoryTarget, type Target } from '../workspace/pointers.js';
import { cacheLoader } from '../workspace/workspace-trees.js';
import type { OpenRepository } from './context.js';
import { getListings } from './listings.js';
import type { Session } from './session.js';

/** Names below a directory, each with those below it. */
interface Names extends Map<string, Names> {}

/**
 * Gets the directory listings that the cache lacks on the way to some paths, from their tracked directories down, and
 * nothing else. Where that does not work a note says why, and the caller finds them missing. Errors: those of getListings,
 * `OBJECT_CORRUPT`, `TREE_INVALID`.
 */
export async function getListingsOnTheWay(
  session: Session,
  repository: OpenRepository,
  { targets, paths }: { targets: readonly Target[]; paths: readonly RepositoryPath[] },
): Promise<void> {
  const directories = new Map(targets.filter(isDirectoryTarget).map((target) => [target.path, target]));
  const wanted = new Map<Target, Names>();
  for (const path of paths) {
    const target = directories.get(path) ?? directoryAbove(targets, path);
    if (!target) continue;
    let at: Names = wanted.get(target) ?? new Map();
    wanted.set(target, at);
    for (const name of path
      .slice(target.path.length + 1)
      .split('/')
      .filter(Boolean)) {
      const below: Names = at.get(name) ?? new Map();
      at.set(name, below);
      at = below;
    }
  }
  for (const [target, names] of wanted) {
    const way = new Way(session, repository, target);
    await way.through(digestOf(target.pointer.oid), { names, below: '' });
  }
}

/** The directories of one target on the way to some paths; each listing is read once. */
class Way {
  constructor(
    private readonly session: Session,
    private readonly repository: OpenRepository,
    private readonly target: Target,
  ) {}

  async through(digest: Buffer, { names, below }: { names: Names; below: string }): Promise<void> {
    const bytes = this.cached(digest) ?? (await this.fetched(digest, below));
    if (!bytes || names.size === 0) return;
    const reader = new TreeReader(bytes);
    while (reader.next()) {
      const inner = reader.kind === KIND.tree ? names.get(reader.name) : undefined;
      if (!inner) continue;
      const at = below === '' ? reader.name : `${below}/${reader.name}`;
      await this.through(Buffer.from(reader.digest), { names: inner, below: at });
    }
  }

  private cached(digest: Buffer): Buffer | undefined {
    try {
      return cacheLoader(this.repository.cache)(digest);
    } catch (error) {
      if (isMlvError(error, 'OBJECT_MISSING')) return undefined;
      throw error;
    }
  }

  private async fetched(digest: Buffer, below: string): Promise<Buffer | undefined> {
    const selections = [{ target: this.target, below }];
    await getListings(this.session, this.repository, { selections, recursive: false });
    return this.cached(digest);
  }
}
