import { lstatSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { withLock } from '../config/lock-file.js';
import { fileSystemError, systemErrorCode } from '../core/errors.js';
import type { RepositoryLayout } from '../git/git.js';
import { absolutePath, type RepositoryPath } from './paths.js';
import type { Selection } from './pointers.js';
import { writeWholeFile } from './write-whole-file.js';

/**
 * The targets that `mlv drop` took out of this working tree and that nothing brought back since. A memory of this working
 * tree only (`mlv/dropped` in its Git directory): it may be deleted, and a damaged one counts as empty. A target that is
 * in the workspace all the same does not count.
 */
export function droppedTargets(layout: RepositoryLayout): Set<RepositoryPath> {
  const marked = read(layout).filter((path) => !lstatSync(absolutePath(layout, path), { throwIfNoEntry: false }));
  return new Set(marked);
}

/** True where a target was dropped and not asked for by name since, whatever is in its place now. Error: `FILE_SYSTEM`. */
export function wasDropped(layout: RepositoryLayout, path: RepositoryPath): boolean {
  return read(layout).includes(path);
}

/** Remembers targets as dropped. Errors: `DISK_FULL`, `FILE_SYSTEM`. */
export function markDropped(layout: RepositoryLayout, paths: readonly RepositoryPath[]): void {
  change(layout, (marked) => [...new Set([...marked, ...paths])].sort());
}

/** Forgets that targets were dropped: somebody asked for them by name. Errors: `DISK_FULL`, `FILE_SYSTEM`. */
export function unmarkDropped(layout: RepositoryLayout, paths: readonly RepositoryPath[]): void {
  const gone = new Set(paths);
  if (read(layout).some((path) => gone.has(path))) change(layout, (marked) => marked.filter((path) => !gone.has(path)));
}

/** Selections without the targets that were dropped, and the paths of those. */
export function withoutDropped(
  layout: RepositoryLayout,
  selections: readonly Selection[],
): { selections: Selection[]; dropped: RepositoryPath[] } {
  const marked = droppedTargets(layout);
  const isDropped = ({ target }: Selection): boolean => marked.has(target.path);
  return {
    selections: selections.filter((each) => !isDropped(each)),
    dropped: selections.filter(isDropped).map(({ target }) => target.path),
  };
}

function fileOf(layout: RepositoryLayout): string {
  return join(layout.gitDir, 'mlv', 'dropped');
}

function read(layout: RepositoryLayout): RepositoryPath[] {
  const path = fileOf(layout);
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return Array.isArray(value) ? value.filter((each) => typeof each === 'string' && isInside(each)) : [];
  } catch (error) {
    if (error instanceof SyntaxError || systemErrorCode(error) === 'ENOENT') return [];
    throw fileSystemError('read', path, error);
  }
}

/** What the file says is only ever compared and looked at, never written to; still no path of it leads out. */
function isInside(path: string): boolean {
  return path !== '' && !path.startsWith('/') && !path.split('/').includes('..') && !path.includes('\0');
}

function change(layout: RepositoryLayout, edit: (marked: RepositoryPath[]) => RepositoryPath[]): void {
  const path = fileOf(layout);
  withLock(`${path}.lock`, () => {
    mkdirSync(dirname(path), { recursive: true });
    writeWholeFile(path, `${JSON.stringify(edit(read(layout)))}\n`);
  });
}
