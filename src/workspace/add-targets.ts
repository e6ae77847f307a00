import { lstatSync, readlinkSync, type Stats } from 'node:fs';
import { MlvError } from '../core/errors.js';
import { inShellQuotes } from '../core/shell-quote.js';
import { isGitDirectoryName } from '../objects/entry-name.js';
import { absolutePath, isWithin, nameOf, parentOf, type RepositoryPath } from './paths.js';
import { POINTER_SUFFIX, targetNameProblem } from './pointer-format.js';
import { isDirectoryTarget, isPointerPath, pointerPathOf, type Target } from './pointers.js';
import type { Repository } from './repository.js';
import { objectOfLink } from './scan-target.js';
import { namesOnDisk, WrittenNames } from './written-name.js';

/** A path that add may take. */
export interface AddTarget {
  path: RepositoryPath;
  directory: boolean;
  /** The tracked directory that it lies in: then only what it holds of this path is recorded. */
  inside?: Target;
}

/** Small files that rule how others are treated: they must be there right after a clone. */
const READ_FROM_GIT = new Set(['.gitignore', '.gitattributes', '.gitmodules', '.mlvignore']);
/** The project's settings, at the top of the working tree. */
const PROJECT_FILE = 'mlv.yaml';

/** What Git says of paths that are to be added. */
export interface AskedGit {
  /** What Git tracks at the paths or below them. */
  readonly tracked: readonly RepositoryPath[];
  /** The pointers that Git ignores, of the paths and of the directories above them. */
  readonly ignored: ReadonlySet<RepositoryPath>;
}

/** Asks Git what checkAddTargets needs of it. Errors: those of Git, for paths of which checkAddTargets says more. */
export async function askGit({ git }: Repository, paths: readonly RepositoryPath[]): Promise<AskedGit> {
  const unique = [...new Set(paths)];
  const pointers = [...new Set(unique.flatMap((path) => [path, ...parents(path)]))].map(pointerPathOf);
  const [tracked, ignored] = await Promise.all([git.trackedFiles(unique), git.ignoredPaths(pointers)]);
  return { tracked, ignored };
}

/**
 * Checks the paths that add was given against the workspace, against each other and against what mlv and Git track
 * already; `git` is what askGit gives for them. Gives them once each. Errors: `PATH_NOT_FOUND`, `PATH_UNSUPPORTED`, `TARGET_IS_POINTER`, `TARGETS_OVERLAP`,
 * `TRACKED_BY_GIT`, `PATH_OUTSIDE_REPOSITORY`.
 */
export async function checkAddTargets(
  repository: Repository,
  paths: readonly RepositoryPath[],
  { known, git }: { known: readonly Target[]; git: Promise<AskedGit> },
): Promise<AddTarget[]> {
  const unique = [...new Set(paths)].sort();
  const directories = new Map(known.filter(isDirectoryTarget).map((target) => [target.path, target]));
  const targets = unique.map((path): AddTarget => {
    const inside = parents(path).flatMap((parent) => directories.get(parent) ?? [])[0];
    return { path, directory: inspect(repository, path, inside), ...(inside && { inside }) };
  });
  checkWriting(repository, targets, known);
  checkOverlaps(targets, known);
  const { tracked, ignored } = await git;
  if (tracked.length > 0) for (const target of targets) checkGit(target, tracked);
  checkPointersVisible(ignored, targets);
  return targets;
}

/** Of a path that is tracked by another writing, there would be two pointers in Git and one file for both of them here. */
function checkWriting({ layout }: Repository, targets: readonly AddTarget[], known: readonly Target[]): void {
  const tracked = new Set(known.map(({ path }) => path));
  const disk = namesOnDisk(layout);
  const written = new WrittenNames(disk);
  for (const { path, inside } of targets) {
    if (tracked.has(path)) continue;
    const pointer = !inside && disk.exists(pointerPathOf(path)) ? written.otherwise(pointerPathOf(path)) : undefined;
    const other = pointer?.slice(0, -POINTER_SUFFIX.length) ?? written.otherwise(path);
    if (other === undefined) continue;
    throw new MlvError(
      'PATH_UNSUPPORTED',
      `'${path}' is '${other}', which this file system cannot tell from it${pointer === undefined ? '' : ', and is tracked as that'}`,
      {
        hint:
          pointer === undefined ? `name it as it is written: mlv add ${inShellQuotes(other)}` : renameHint(path, other),
        data: { path },
      },
    );
  }
}

/** How what is tracked by another writing gets the one that is wanted. */
function renameHint(path: RepositoryPath, tracked: RepositoryPath): string {
  const between = inShellQuotes(`${tracked}-`);
  return `name it so: mlv add ${inShellQuotes(tracked)}; to rename it: mlv mv ${inShellQuotes(tracked)} ${between} && mlv mv ${between} ${inShellQuotes(path)}`;
}

/**
 * Checks a path that is to become a target and where nothing is yet. Errors: `PATH_UNSUPPORTED`, `TARGET_IS_POINTER`,
 * `TRACKED_BY_GIT`.
 */
export async function checkNewTarget(repository: Repository, target: AddTarget): Promise<void> {
  checkPlace(repository, target.path);
  const { tracked, ignored } = await askGit(repository, [target.path]);
  checkGit(target, tracked);
  checkPointersVisible(ignored, [target]);
}

/** A pointer that Git ignores would never be committed, and mlv would not find it itself. */
function checkPointersVisible(ignored: ReadonlySet<RepositoryPath>, targets: readonly AddTarget[]): void {
  const pointers = targets.map(({ path, inside }) => pointerPathOf(inside?.path ?? path));
  const first = pointers.find((pointer) => ignored.has(pointer));
  if (first === undefined) return;
  throw new MlvError('PATH_UNSUPPORTED', `'${first}', the pointer, is ignored by Git and could not be committed`, {
    hint: `change the rule that ignores it: git check-ignore -v -- ${inShellQuotes(first)}`,
    data: { path: first },
  });
}

/** True for a directory. What lies in a tracked one is looked at by the walk, which knows its rules. */
function inspect(repository: Repository, path: RepositoryPath, inside?: Target): boolean {
  if (inside) refuseLink(repository, path);
  else checkPlace(repository, path);
  const stat = lstatSync(absolutePath(repository.layout, path), { throwIfNoEntry: false });
  if (!stat) {
    const hint = inside ? `to take it out of '${inside.path}': mlv rm ${inShellQuotes(path)}` : 'check the spelling';
    throw new MlvError('PATH_NOT_FOUND', `'${path}' is not there`, { hint, data: { path } });
  }
  return inside ? stat.isDirectory() : checkKind(repository, path, stat);
}

/** Refuses a path with a symbolic link among the directories above it. Error: `PATH_UNSUPPORTED`. */
export function refuseLink(repository: Repository, path: RepositoryPath): void {
  const link = linkOnTheWay(repository, parentOf(path));
  if (link !== undefined) throw unsupported(path, `'${link}' is a symbolic link; name the path it leads to`);
}

/**
 * Checks the name of a target, and that no link is among the directories above it, whether or not it is there. Errors:
 * `PATH_UNSUPPORTED`, `TARGET_IS_POINTER`.
 */
export function checkPlace(repository: Repository, path: RepositoryPath): void {
  if (path === '') {
    throw new MlvError('PATH_UNSUPPORTED', 'the top of the repository cannot be tracked as a whole', {
      hint: 'name the files and directories: mlv add data/ model.pkl',
    });
  }
  if (isPointerPath(path) || path.endsWith('.mlv')) {
    throw new MlvError(
      'TARGET_IS_POINTER',
      `'${path}' is a pointer file (or has a pointer's name); pointers belong in Git`,
      {
        hint: `add what it stands for: mlv add ${inShellQuotes(path.slice(0, -4))}`,
        data: { path },
      },
    );
  }
  if (isGitDirectoryName(nameOf(path))) throw unsupported(path, "it stands for Git's own directory");
  if (READ_FROM_GIT.has(nameOf(path)) || path === PROJECT_FILE)
    throw unsupported(path, 'Git and mlv read it themselves; it belongs in Git');
  const problem = targetNameProblem(nameOf(path));
  if (problem) throw unsupported(path, `its name ${problem}`);
  refuseLink(repository, path);
  const inner = parents(path).find((parent) => holdsRepository(repository, parent));
  if (inner === undefined) return;
  throw new MlvError(
    'PATH_OUTSIDE_REPOSITORY',
    `'${path}' cannot be tracked here: '${inner}' is a repository of its own (a submodule or a clone)`,
    {
      hint: `use mlv in that one: mlv -C ${inShellQuotes(inner)} add ${inShellQuotes(path.slice(inner.length + 1))}`,
      data: { path, repository: inner },
    },
  );
}

function holdsRepository(repository: Repository, path: RepositoryPath): boolean {
  return lstatSync(`${absolutePath(repository.layout, path)}/.git`, { throwIfNoEntry: false }) !== undefined;
}

/** The first directory of a path that is a symbolic link. */
function linkOnTheWay(repository: Repository, path: RepositoryPath): RepositoryPath | undefined {
  if (path === '') return undefined;
  const above = linkOnTheWay(repository, parentOf(path));
  if (above !== undefined) return above;
  return lstatSync(absolutePath(repository.layout, path), { throwIfNoEntry: false })?.isSymbolicLink()
    ? path
    : undefined;
}

function checkKind(repository: Repository, path: RepositoryPath, stat: Stats): boolean {
  if (path.includes('\ufffd')) throw unsupported(path, 'its name is not valid UTF-8');
  if (stat.isDirectory()) return true;
  if (stat.isFile()) return false;
  if (!stat.isSymbolicLink()) throw unsupported(path, 'it is neither a file nor a directory');
  if (objectOfLink(repository)(readlinkSync(absolutePath(repository.layout, path))) !== undefined) return false;
  throw unsupported(path, 'it is a symbolic link; track what it points to, or keep the link in Git');
}

function unsupported(path: RepositoryPath, reason: string): MlvError {
  return new MlvError('PATH_UNSUPPORTED', `'${path}' cannot be tracked: ${reason}`, { data: { path } });
}

/**
 * Refuses targets that lie in one another, around what is tracked, or in it where that was not found out before. Looks up the directories above each path, so
 * that the cost grows with the number of paths and not with its square. Error: `TARGETS_OVERLAP`.
 */
export function checkOverlaps(targets: readonly AddTarget[], known: readonly Target[]): void {
  const named = new Set(targets.map(({ path }) => path));
  const directories = new Set(known.filter(isDirectoryTarget).map(({ path }) => path));
  const above = new Map(known.flatMap(({ path }) => parents(path).map((parent) => [parent, path])));
  for (const { path, directory, inside } of targets) {
    const outer = parents(path).find((parent) => named.has(parent));
    if (outer !== undefined) {
      throw overlap(
        path,
        `it lies inside '${outer}', which was named too`,
        `name only one of them: mlv add ${inShellQuotes(outer)}`,
      );
    }
    const tracked = parents(path).find((parent) => directories.has(parent));
    if (tracked !== undefined && !inside) {
      throw overlap(
        path,
        `it lies inside the tracked directory '${tracked}'`,
        `record the directory's new state: mlv add ${inShellQuotes(tracked)}`,
      );
    }
    const inner = directory ? above.get(path) : undefined;
    if (inner !== undefined) {
      throw overlap(
        path,
        `'${inner}' inside it is tracked on its own`,
        `stop tracking that first: mlv rm --keep ${inShellQuotes(inner)}`,
      );
    }
  }
}

function parents(path: RepositoryPath): RepositoryPath[] {
  const parent = parentOf(path);
  return parent === '' ? [] : [parent, ...parents(parent)];
}

function overlap(path: RepositoryPath, reason: string, hint: string): MlvError {
  return new MlvError('TARGETS_OVERLAP', `'${path}' cannot be added: ${reason}`, { hint, data: { path } });
}

function checkGit(target: AddTarget, tracked: readonly RepositoryPath[]): void {
  const inGit = tracked.filter((file) => isWithin(file, target.path) && file !== pointerPathOf(target.path));
  const first = inGit[0];
  if (first === undefined) return;
  if (target.directory && first === target.path)
    throw unsupported(first, 'it is a submodule, which Git tracks as a whole');
  const more = inGit.length > 1 ? ` and ${inGit.length - 1} more` : '';
  const message = target.directory
    ? `'${target.path}' holds files that Git tracks already ('${first}'${more})`
    : `'${target.path}' is tracked by Git already`;
  throw new MlvError('TRACKED_BY_GIT', message, {
    hint: `take it out of Git's index, which keeps your files: git rm ${target.directory ? '-r ' : ''}--cached -- ${inShellQuotes(target.path)}`,
    data: { path: target.path, files: inGit.slice(0, 100) },
  });
}
