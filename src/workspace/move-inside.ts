import { lstatSync, renameSync } from 'node:fs';
import { fileSystemError, MlvError } from '../core/errors.js';
import { CacheBatch } from '../objects/cache-batch.js';
import { entryNameProblem } from '../objects/entry-name.js';
import { digestOf } from '../objects/oid.js';
import { entryAt, type TreeLoader, walkTree } from '../objects/tree-diff.js';
import type { TreeEdit } from '../objects/tree-edit.js';
import { linkStaysInside, type TreeEntry } from '../objects/tree-format.js';
import { refuseLink } from './add-targets.js';
import { type EditedTarget, editTargets, type TargetEdit } from './edit-targets.js';
import { changeParts, loadParts } from './part-store.js';
import { absolutePath, ensureRealDirectory, isWithin, nameOf, parentOf, type RepositoryPath } from './paths.js';
import type { Target } from './pointers.js';
import { entryInside } from './remove-inside.js';
import type { Repository } from './repository.js';
import { WantedPart } from './wanted-part.js';
import { cacheLoader } from './workspace-trees.js';

/** A path of a tracked directory; `below` is empty for the directory itself. */
export interface PlaceInside {
  target: Target;
  below: string;
}

/** What a move did. */
export interface MovedInside {
  /** Where it is now, a repository path. */
  path: RepositoryPath;
  targets: EditedTarget[];
}

/**
 * Moves a file or directory inside a tracked directory, or to another one: in the trees, and in the workspace as far as it
 * is here, changes that were not added included. Into `to` where that is a directory. What was moved in the workspace
 * already is moved in the trees only. Errors: `PATH_NOT_FOUND`, `TARGET_EXISTS`, `PATH_UNSUPPORTED`, those of editTargets.
 */
export async function moveInside(repository: Repository, from: PlaceInside, to: PlaceInside): Promise<MovedInside> {
  const load = cacheLoader(repository.cache);
  const entry = entryInside(repository, from.target, from.below);
  const destination = destinationOf(repository, to, nameOf(from.below));
  const source = pathOf(from);
  const path = pathOf(destination);
  checkDestination({ from, to: destination, entry, load });
  for (const each of [source, path]) refuseLink(repository, each);
  const here = isThere(repository, source);
  if (here && isThere(repository, path)) throw exists(path);
  if (here) rename(repository, source, path);
  try {
    carryPart(repository, from, { ...destination, here: isThere(repository, path) });
    const targets = await edit(repository, editsOf(from, destination));
    return { path, targets };
  } catch (error) {
    if (here) rename(repository, path, source);
    throw error;
  }
}

function editsOf(from: PlaceInside, to: PlaceInside): TargetEdit[] {
  const taken = (target: Target, load: TreeLoader): TreeEntry => {
    const entry = entryAt(digestOf(target.pointer.oid), from.below, load);
    if (entry) return entry;
    throw new MlvError('PATH_NOT_FOUND', `'${pathOf(from)}' was taken away meanwhile`, {
      data: { path: pathOf(from) },
    });
  };
  const remove: TreeEdit = { path: from.below, entry: undefined };
  if (from.target.path === to.target.path) {
    const edits: TargetEdit['edits'] = ({ target, load }) => {
      refuseTaken(target, to.below, load);
      return [remove, { path: to.below, entry: taken(target, load) }];
    };
    return [{ path: from.target.path, edits }];
  }
  // What is moved is what the first of the two was asked for last.
  let entry: TreeEntry | undefined;
  return [
    {
      path: from.target.path,
      edits: ({ target, load }) => {
        entry = taken(target, load);
        return [remove];
      },
    },
    {
      path: to.target.path,
      edits: ({ target, load }) => {
        refuseTaken(target, to.below, load);
        return [{ path: to.below, entry }];
      },
    },
  ];
}

async function edit(repository: Repository, edits: readonly TargetEdit[]): Promise<EditedTarget[]> {
  const batch = new CacheBatch(repository.cache);
  try {
    return await editTargets(repository, edits, batch);
  } finally {
    batch.abandon();
  }
}

function destinationOf(repository: Repository, to: PlaceInside, name: string): PlaceInside {
  const entry = entryAt(digestOf(to.target.pointer.oid), to.below, cacheLoader(repository.cache));
  const into = { ...to, below: to.below === '' ? name : `${to.below}/${name}` };
  if (entry?.kind === 'tree') return into;
  const absolute = absolutePath(repository.layout, pathOf(to));
  return lstatSync(absolute, { throwIfNoEntry: false })?.isDirectory() && !entry ? into : to;
}

function checkDestination({
  from,
  to,
  entry,
  load,
}: {
  from: PlaceInside;
  to: PlaceInside;
  entry: TreeEntry;
  load: TreeLoader;
}): void {
  const path = pathOf(to);
  if (isWithin(path, pathOf(from))) {
    throw new MlvError('PATH_UNSUPPORTED', `'${pathOf(from)}' cannot be moved to '${path}', which is in it`, {
      hint: 'choose another place',
      data: { path },
    });
  }
  const problem = to.below
    .split('/')
    .map((name) => entryNameProblem(Buffer.from(name, 'utf8')))
    .find(Boolean);
  if (problem) throw new MlvError('PATH_UNSUPPORTED', `'${path}' cannot be tracked: ${problem}`, { data: { path } });
  refuseTaken(to.target, to.below, load);
  checkLinks(entry, { from: from.below, to: to.below, load });
}

function refuseTaken(target: Target, below: string, load: TreeLoader): void {
  if (entryAt(digestOf(target.pointer.oid), below, load)) throw exists(`${target.path}/${below}`);
}

/** A relative link must stay inside the tracked directory from its new place, too. */
function checkLinks(entry: TreeEntry, { from, to, load }: { from: string; to: string; load: TreeLoader }): void {
  const depth = (path: string): number => path.split('/').length;
  const check = (path: string, target: string): void => {
    if (linkStaysInside(path.split('/').slice(0, -1), target)) return;
    throw new MlvError('PATH_UNSUPPORTED', `'${path}' would be a link to '${target}', outside the tracked directory`, {
      hint: 'take the link away first, or choose a place as deep as it is now',
      data: { path },
    });
  };
  if (entry.kind === 'link') check(to, entry.target);
  if (entry.kind !== 'tree' || depth(to) >= depth(from)) return;
  for (const each of walkTree(entry.digest, load)) {
    if (each.entry.kind === 'link') check(`${to}/${each.path}`, each.entry.target);
  }
}

function exists(path: RepositoryPath): MlvError {
  return new MlvError('TARGET_EXISTS', `'${path}' is there already`, {
    hint: 'choose another name, or remove it first',
    data: { path },
  });
}

/** What is not here where it was is not wanted where it goes; what is here, is. */
function carryPart(repository: Repository, from: PlaceInside, to: PlaceInside & { here: boolean }): void {
  const { layout } = repository;
  const source = loadParts(layout).get(from.target.path);
  if (from.target.path === to.target.path) {
    if (source) changeParts(layout, [from.target.path], (part) => part?.moved(from.below, to.below));
    return;
  }
  const wanted = to.here && (!source || source.covers(from.below, true) === 'all');
  const whole = loadParts(layout).has(to.target.path) || isThere(repository, to.target.path);
  if (!whole) return;
  changeParts(layout, [to.target.path], (part) =>
    wanted ? part?.with(to.below) : (part ?? WantedPart.everything).except(to.below),
  );
}

function rename({ layout }: Repository, from: RepositoryPath, to: RepositoryPath): void {
  ensureRealDirectory(layout, parentOf(to));
  try {
    renameSync(absolutePath(layout, from), absolutePath(layout, to));
  } catch (error) {
    throw fileSystemError('move', absolutePath(layout, from), error);
  }
}

function isThere({ layout }: Repository, path: RepositoryPath): boolean {
  return lstatSync(absolutePath(layout, path), { throwIfNoEntry: false }) !== undefined;
}

function pathOf({ target, below }: PlaceInside): RepositoryPath {
  return below === '' ? target.path : `${target.path}/${below}`;
}
