import { isMlvError } from '../core/errors.js';
import { isOid, type Oid } from '../objects/oid.js';
import type { RepositoryPath } from './paths.js';
import { parsePointer } from './pointer-format.js';
import { pointerPathOf } from './pointers.js';
import type { Repository } from './repository.js';

/**
 * The oids that pointers had in the commits reachable from HEAD, from the revisions and from what is being merged, newest
 * first and each once; those of `limit` commits a path. Errors: those of Git.
 */
export async function pointerHistory(
  repository: Repository,
  paths: readonly RepositoryPath[],
  { revisions, limit }: { revisions: readonly string[]; limit: number },
): Promise<Map<RepositoryPath, Oid[]>> {
  const result = new Map<RepositoryPath, Oid[]>();
  if (paths.length === 0) return result;
  const others = [...revisions, ...repository.git.incoming()];
  const files = await fromHead(repository, others, (from) =>
    repository.git.pathHistory(paths.map(pointerPathOf), { revisions: from, limit }),
  );
  const blobs = await repository.git.readBlobs([...new Set([...files.values()].flat())]);
  for (const path of paths) {
    const oids = (files.get(pointerPathOf(path)) ?? []).map((blob) => oidOf(blobs.get(blob), pointerPathOf(path)));
    result.set(path, [...new Set(oids.filter(isOid))]);
  }
  return result;
}

/** Asks from HEAD on, and before the first commit without it: HEAD is there so often that no process finds out first. */
async function fromHead<T>(
  { git }: Repository,
  others: readonly string[],
  ask: (from: readonly string[]) => Promise<T>,
): Promise<T> {
  try {
    return await ask([...new Set(['HEAD', ...others])]);
  } catch (error) {
    if (!isMlvError(error, 'REVISION_UNKNOWN') || (await git.head()) !== undefined) throw error;
    return ask([...new Set(others)]);
  }
}

function oidOf(bytes: Buffer | undefined, file: RepositoryPath): Oid | undefined {
  try {
    return bytes && parsePointer(bytes.toString('utf8'), file).oid;
  } catch {
    // A pointer of the past that cannot be read names nothing that could be re-used.
    return undefined;
  }
}
