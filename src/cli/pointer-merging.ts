import { isMlvError, MlvError } from '../core/errors.js';
import { CacheBatch } from '../objects/cache-batch.js';
import type { RepositoryPath } from '../workspace/paths.js';
import {
  type MergedPointer,
  mergePointers,
  type PointerConflict,
  type PointerSides,
  type Winner,
} from '../workspace/pointer-merge.js';
import { cacheLoader } from '../workspace/workspace-trees.js';
import type { OpenRepository } from './context.js';
import { getListings } from './listings.js';
import { quotePath } from './render/quote.js';
import { formatBytes, formatCount } from './render/units.js';
import type { Session } from './session.js';

/** Conflicts that a terminal is shown. */
const SHOWN_CONFLICTS = 20;

/** What is to be merged at a target's path. */
export interface PointerMergeRequest {
  path: RepositoryPath;
  /** What the merged pointer names. */
  name: string;
  sides: PointerSides;
  choose: (conflict: PointerConflict) => Winner;
}

/**
 * Merges a pointer, with the directory listings that the cache lacks brought from their remote; new trees are in the cache
 * when it returns. Errors: `OBJECT_MISSING` for a listing that is not to be had, `OBJECT_CORRUPT`, `TREE_INVALID`.
 */
export async function mergeHere(
  session: Session,
  repository: OpenRepository,
  request: PointerMergeRequest,
): Promise<MergedPointer> {
  const batch = new CacheBatch(repository.cache);
  const merge = (): MergedPointer =>
    mergePointers(request.sides, request.name, {
      hash: repository.hash,
      load: cacheLoader(repository.cache),
      store: (digest, bytes) => batch.addBytes(bytes, digest.toString('hex')),
      choose: request.choose,
    });
  try {
    const merged = await withListings(session, repository, { request, merge });
    await batch.commit();
    return merged;
  } finally {
    batch.abandon();
  }
}

async function withListings(
  session: Session,
  repository: OpenRepository,
  { request, merge }: { request: PointerMergeRequest; merge: () => MergedPointer },
): Promise<MergedPointer> {
  try {
    return merge();
  } catch (error) {
    if (!isMlvError(error, 'OBJECT_MISSING')) throw error;
  }
  const { path, sides } = request;
  const targets = [sides.base, sides.ours, sides.theirs].filter((side) => side !== undefined);
  const selections = targets.map(({ pointer, text }) => ({ target: { path, pointer, text }, below: '' }));
  await getListings(session, repository, { selections, recursive: true });
  try {
    return merge();
  } catch (error) {
    if (!isMlvError(error, 'OBJECT_MISSING')) throw error;
    throw new MlvError(
      'OBJECT_MISSING',
      `${quotePath(path)} cannot be merged: a listing of it is not in the cache, nor to be had`,
      {
        hint: 'whoever has it must push it (mlv push); then: mlv resolve-conflict',
        data: { ...error.data, path },
        cause: error,
      },
    );
  }
}

/** What a conflict is, in a line for people; `show` turns a repository path into what is printed. */
function conflictLine(
  target: RepositoryPath,
  { path, kind, key, ours, theirs }: PointerConflict,
  show: (path: RepositoryPath) => string,
): string {
  if (kind === 'key') return `key '${key}' of ${show(`${target}.mlv`)}: changed on both sides`;
  const where = show(path === '' ? target : `${target}/${path}`);
  const sizes = `${sizeOf(ours)} here, ${sizeOf(theirs)} there`;
  const words: Record<typeof kind, string> = {
    'both-modified': `changed on both sides (${sizes})`,
    'both-added': `added on both sides (${sizes})`,
    'deleted-by-ours': `deleted here, changed there`,
    'deleted-by-theirs': `changed here, deleted there`,
    type: `${kindOf(ours)} here, ${kindOf(theirs)} there`,
  };
  return `${where}: ${words[kind]}`;
}

/** As conflictLine, of many: the first of them, and how many more there are. */
export function conflictLines(
  target: RepositoryPath,
  conflicts: readonly PointerConflict[],
  { show, all = false }: { show: (path: RepositoryPath) => string; all?: boolean },
): string[] {
  const shown = all ? conflicts : conflicts.slice(0, SHOWN_CONFLICTS);
  const more = conflicts.length - shown.length;
  return [
    ...shown.map((conflict) => `  ${conflictLine(target, conflict, show)}`),
    ...(more > 0 ? [`  and ${formatCount(more, 'more', 'more')} (mlv resolve-conflict --all ${show(target)})`] : []),
  ];
}

function sizeOf(side: PointerConflict['ours']): string {
  return side?.kind === 'link' ? 'link' : formatBytes(side?.size ?? 0);
}

function kindOf(side: PointerConflict['ours']): string {
  return side?.kind === 'tree' ? 'directory' : side?.kind === 'link' ? 'link' : 'file';
}
