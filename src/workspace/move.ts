import { lstatSync, renameSync, rmSync } from 'node:fs';
import { fileSystemError, MlvError } from '../core/errors.js';
import { inShellQuotes } from '../core/shell-quote.js';
import { checkNewTarget } from './add-targets.js';
import { ignoreInGit, stageIgnoreFiles, unignoreInGit } from './git-ignore-file.js';
import { changeParts, loadParts } from './part-store.js';
import {
  absolutePath,
  childOf,
  ensureRealDirectory,
  isWithin,
  nameOf,
  parentOf,
  type RepositoryPath,
} from './paths.js';
import { formatPointer, POINTER_SUFFIX } from './pointer-format.js';
import { writeTextFile } from './pointer-write.js';
import { isDirectoryTarget, isPointerPath, loadTargets, pointerPathOf, type Target, wholeTarget } from './pointers.js';
import type { Repository } from './repository.js';
import { isOneOnDisk, namesOnDisk } from './written-name.js';

export interface MoveOptions {
  /** Record the move in Git's index. */
  stage?: boolean;
}

/**
 * Moves a target with its pointer and ignore line; into `to` where that is a directory that is not tracked itself.
 * Gives the new path. Errors: `PATH_NOT_TRACKED`, `TARGET_EXISTS`, `TARGETS_OVERLAP`, `TARGET_IS_POINTER`,
 * `PATH_UNSUPPORTED`, `TRACKED_BY_GIT`, and a pointer's own where it is broken.
 */
export async function move(
  repository: Repository,
  from: RepositoryPath,
  to: RepositoryPath,
  options: MoveOptions = {},
): Promise<RepositoryPath> {
  const { targets, problems } = await loadTargets(repository);
  const target = wholeTarget(targets, from, problems);
  const destination = destinationOf(repository, target, to);
  checkDestination(repository, target, destination, targets);
  await checkNewTarget(repository, { path: destination, directory: isDirectoryTarget(target) });
  moveOne(repository, target, destination);
  if (options.stage ?? repository.settings.stage) {
    await repository.git.unstage([pointerPathOf(target.path)]);
    await repository.git.stage([pointerPathOf(destination)]);
    await stageIgnoreFiles(repository, [target.path, destination]);
  }
  return destination;
}

function destinationOf(repository: Repository, target: Target, to: RepositoryPath): RepositoryPath {
  const plain = isPointerPath(to) && !lstat(repository, to) ? to.slice(0, -POINTER_SUFFIX.length) : to;
  if (isOneOnDisk(namesOnDisk(repository.layout), target.path, plain)) return plain;
  return lstat(repository, plain)?.isDirectory() ? childOf(plain, nameOf(target.path)) : plain;
}

function checkDestination(
  repository: Repository,
  target: Target,
  to: RepositoryPath,
  targets: readonly Target[],
): void {
  if (lstat(repository, to) || lstat(repository, pointerPathOf(to))) {
    throw new MlvError('TARGET_EXISTS', `'${to}' is there already`, {
      hint: isOneOnDisk(namesOnDisk(repository.layout), target.path, to)
        ? `by a name between: mlv mv ${inShellQuotes(target.path)} ${inShellQuotes(`${to}-`)} && mlv mv ${inShellQuotes(`${to}-`)} ${inShellQuotes(to)}`
        : movedAlready(repository, target, to)
          ? `where you moved it there yourself: mlv add ${inShellQuotes(to)} && mlv rm ${inShellQuotes(target.path)}`
          : 'choose another name, or remove it first',
      data: { path: to },
    });
  }
  const outer = targets.find((each) => isDirectoryTarget(each) && isWithin(to, each.path));
  if (outer) {
    throw new MlvError('TARGETS_OVERLAP', `'${to}' lies inside the tracked directory '${outer.path}'`, {
      hint: `to make it part of that directory, move the file itself and run: mlv add ${inShellQuotes(outer.path)}`,
      data: { path: target.path },
    });
  }
}

/** True where the workspace has something at the new name only. */
function movedAlready(repository: Repository, { path }: Target, to: RepositoryPath): boolean {
  return (
    lstat(repository, path) === undefined &&
    lstat(repository, to) !== undefined &&
    !lstat(repository, pointerPathOf(to))
  );
}

/** The pointer is written first and the old one removed last, so that a kill in between leaves at least one. */
function moveOne(repository: Repository, target: Target, to: RepositoryPath): void {
  const { layout, index } = repository;
  ensureRealDirectory(layout, parentOf(to));
  ignoreInGit(repository, [to]);
  writeTextFile(layout, pointerPathOf(to), formatPointer({ ...target.pointer, path: nameOf(to) }, target.text));
  try {
    if (lstat(repository, target.path)) renameSync(absolutePath(layout, target.path), absolutePath(layout, to));
  } catch (error) {
    rmSync(absolutePath(layout, pointerPathOf(to)), { force: true });
    unignoreInGit(repository, [to]);
    throw fileSystemError('move', absolutePath(layout, target.path), error);
  }
  rmSync(absolutePath(layout, pointerPathOf(target.path)), { force: true });
  unignoreInGit(repository, [target.path]);
  if (!isDirectoryTarget(target)) return;
  const known = index.load(target.path);
  if (known) index.save(to, known);
  index.forget(target.path);
  const part = loadParts(layout).get(target.path);
  if (part) changeParts(layout, [target.path, to], (_, directory) => (directory === to ? part : undefined));
}

function lstat(repository: Repository, path: RepositoryPath): ReturnType<typeof lstatSync> {
  return lstatSync(absolutePath(repository.layout, path), { throwIfNoEntry: false });
}
