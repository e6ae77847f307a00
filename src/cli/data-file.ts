import { rmSync, statSync, writeFileSync } from 'node:fs';
import type { ComparedState } from '../workspace/compare.js';
import { absolutePath, type RepositoryPath } from '../workspace/paths.js';
import { loadTargets, loadTargetsAt } from '../workspace/pointers.js';
import type { OpenRepository } from './context.js';
import { type FoundFile, findFileIn } from './find-file.js';
import type { Session } from './session.js';

/** A file as it can be read: where its bytes are, and its name in the repository. */
export interface ReadableFile {
  /** Absolute. */
  path: string;
  name: RepositoryPath;
}

/**
 * Gives a file, as a state has it, to `use`: what the workspace holds, tracked or not; what a pointer of the state says,
 * which is fetched where the cache lacks it, and verified; or what Git has. Undefined where the state has no such file.
 * Errors: `OBJECT_MISSING`, `OBJECT_CORRUPT`, `USAGE` for a directory, `REVISION_UNKNOWN`, those of a fetch and of `use`.
 */
export async function withFileAt<T>(
  session: Session,
  repository: OpenRepository,
  { name, state, use }: { name: RepositoryPath; state: ComparedState; use: (file: ReadableFile) => Promise<T> },
): Promise<T | undefined> {
  if (state.kind === 'empty') return undefined;
  if (state.kind === 'workspace' || state.kind === 'pointers') {
    const path = absolutePath(repository.layout, name);
    if (state.kind === 'workspace' && statSync(path, { throwIfNoEntry: false })?.isFile()) return use({ path, name });
    const { targets } = await loadTargets(repository);
    const found = await findFileIn(session, repository, { targets, path: name });
    return found && use(await verified(repository, found, name));
  }
  const { targets } = await loadTargetsAt(repository, state);
  const found = await findFileIn(session, repository, { targets, path: name });
  if (found) return use(await verified(repository, found, name));
  const file = (await repository.git.listFiles(state, name)).find(({ path }) => path === name);
  if (!file || file.mode === '120000') return undefined;
  const bytes = (await repository.git.readBlobs([file.blob])).get(file.blob);
  return bytes && withBytes(repository, { bytes, name, use });
}

/** An object's bytes are shown only after they were seen to be the object's. */
async function verified({ cache }: OpenRepository, { oid }: FoundFile, name: RepositoryPath): Promise<ReadableFile> {
  await cache.verify(oid);
  return { path: cache.pathOf(oid), name };
}

async function withBytes<T>(
  { cache }: OpenRepository,
  { bytes, name, use }: { bytes: Buffer; name: RepositoryPath; use: (file: ReadableFile) => Promise<T> },
): Promise<T> {
  const path = cache.temporary.next();
  try {
    writeFileSync(path, bytes, { flag: 'wx' });
    return await use({ path, name });
  } finally {
    rmSync(path, { force: true });
  }
}
