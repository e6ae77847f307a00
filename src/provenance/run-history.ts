import type { RepositoryPath } from '../workspace/paths.js';
import { type PointerRun, parsePointer } from '../workspace/pointer-format.js';
import { pointerPathOf } from '../workspace/pointers.js';
import type { Repository } from '../workspace/repository.js';

/** Versions of each pointer that are looked at. */
const VERSIONS = 1000;

/**
 * The runs that pointers of the paths tell of in any branch or tag, here or of a Git remote as last fetched, by key: what
 * anybody ever ran and committed. Two Git processes, whatever the number of versions. Error: `GIT_FAILED`.
 */
export async function runsInHistory(
  repository: Repository,
  paths: readonly RepositoryPath[],
): Promise<Map<string, PointerRun>> {
  const { git } = repository;
  const refs = await git.refs({ branches: true, tags: true, remoteBranches: true });
  const head = await git.head();
  const revisions = [...new Set([...(head === undefined ? [] : [head]), ...refs.map(({ commit }) => commit)])];
  const runs = new Map<string, PointerRun>();
  if (revisions.length === 0 || paths.length === 0) return runs;
  const versions = await git.pathHistory(paths.map(pointerPathOf), { revisions, limit: VERSIONS });
  const blobs = await git.readBlobs([...new Set([...versions.values()].flat())]);
  for (const [file, names] of versions) {
    // Newest first: the newest run of a key is the one to be taken.
    for (const name of names) {
      const run = runOf(blobs.get(name), file);
      if (run && !runs.has(run.key)) runs.set(run.key, run);
    }
  }
  return runs;
}

function runOf(bytes: Buffer | undefined, file: string): PointerRun | undefined {
  try {
    return bytes && parsePointer(bytes.toString('utf8'), file).run;
  } catch {
    // A pointer of the past that cannot be read tells of no run.
    return undefined;
  }
}
