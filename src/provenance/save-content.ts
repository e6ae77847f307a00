import type { Reporter } from '../core/reporter.js';
import { CacheBatch } from '../objects/cache-batch.js';
import type { Oid } from '../objects/oid.js';
import { add } from '../workspace/add.js';
import { Completeness } from '../workspace/completeness.js';
import { type ContentState, contentStates } from '../workspace/content-state.js';
import { absolutePath, type RepositoryPath } from '../workspace/paths.js';
import type { Repository } from '../workspace/repository.js';

interface SaveTools {
  reporter: Reporter;
  signal?: AbortSignal;
}

/**
 * Stores content of outputs that is in no object yet, before it is replaced, and tells of it. `pointers` has pointers name
 * it, too. Errors: those of add.
 */
export async function saveOutputs(
  repository: Repository,
  paths: readonly RepositoryPath[],
  { reporter, signal, pointers }: SaveTools & { pointers: boolean },
): Promise<void> {
  const unsaved = await unsavedOf(repository, paths, signal);
  if (unsaved.length === 0) return;
  const { targets } = await add(repository, unsaved, {
    stage: false,
    storeOnly: !pointers,
    ...(signal && { signal }),
  });
  for (const { path, pointer } of targets) reporter.warn(keptAs(path, pointer.oid));
}

/** The same for files that mlv does not track. Errors: those of CacheBatch. */
export async function saveFiles(
  repository: Repository,
  paths: readonly RepositoryPath[],
  { reporter, signal }: SaveTools,
): Promise<void> {
  const { cache, layout } = repository;
  const batch = new CacheBatch(cache);
  try {
    for (const path of await unsavedOf(repository, paths, signal)) {
      const { digest } = await batch.addFile(absolutePath(layout, path));
      await batch.commit();
      reporter.warn(keptAs(path, cache.oid(digest)));
    }
  } finally {
    batch.abandon();
  }
}

async function unsavedOf(
  repository: Repository,
  paths: readonly RepositoryPath[],
  signal: AbortSignal | undefined,
): Promise<RepositoryPath[]> {
  const { cache } = repository;
  const states = await contentStates(repository, paths, signal);
  const completeness = new Completeness(cache, `${cache.directory}/complete`);
  const isUnsaved = ({ digest, files: count, size }: ContentState): boolean =>
    completeness.missing(cache.oid(digest), count !== undefined, size).objects > 0;
  return [...states].filter(([, state]) => isUnsaved(state)).map(([path]) => path);
}

function keptAs(path: RepositoryPath, oid: Oid): string {
  return `'${path}' held content that was in no object; it is kept in the cache as ${oid}`;
}
