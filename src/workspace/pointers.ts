import { lstatSync } from 'node:fs';
import { MlvError } from '../core/errors.js';
import { inShellQuotes } from '../core/shell-quote.js';
import type { GitSource, RepositoryLayout } from '../git/git.js';
import { absolutePath, childOf, isWithin, nameOf, parentOf, type RepositoryPath } from './paths.js';
import { POINTER_SUFFIX, type Pointer, parsePointer } from './pointer-format.js';
import type { Repository } from './repository.js';
import { readTextFile, type TextFile } from './text-file.js';
import type { WantedPart } from './wanted-part.js';

/** Enough to see that something is too long for a pointer. */
const READ_LIMIT = 1024 * 1024;

/** A file or directory that a pointer names. */
export interface Target {
  /** The tracked file or directory. */
  path: RepositoryPath;
  pointer: Pointer;
  /** The pointer's text as it stands. */
  text: string;
}

/** Targets that could be read, and the errors of pointers that could not. */
export interface Targets {
  targets: Target[];
  problems: MlvError[];
}

/** True when the target is a directory. */
export function isDirectoryTarget(target: { pointer: Pointer }): boolean {
  return target.pointer.files !== undefined;
}

/** The pointer of a tracked path. */
export function pointerPathOf(path: RepositoryPath): RepositoryPath {
  return `${path}${POINTER_SUFFIX}`;
}

/** All targets of the working tree, in the order of their paths; pointers that Git lists but that are gone are left out. */
export async function loadTargets(repository: Repository): Promise<Targets> {
  const result: Targets = { targets: [], problems: [] };
  const isReal = realDirectories(repository.layout);
  for (const file of await repository.git.listWorkspaceFiles(POINTER_SUFFIX)) {
    if (!isPointerPath(file) || !isReal(parentOf(file))) continue;
    const found = readPointerFile(repository.layout, file);
    if (found && 'link' in found) result.problems.push(linkForPointer(file));
    else if (found) collect(file, found.text, result);
  }
  return result;
}

/**
 * Answers whether a directory is reached without a symbolic link. Git's index goes on naming pointers below a directory
 * that became a link, and what lies behind it is not this repository's.
 */
function realDirectories(layout: RepositoryLayout): (directory: RepositoryPath) => boolean {
  const known = new Map<RepositoryPath, boolean>([['', true]]);
  const isReal = (directory: RepositoryPath): boolean => {
    let real = known.get(directory);
    if (real === undefined) {
      const stat = isReal(parentOf(directory))
        ? lstatSync(absolutePath(layout, directory), { throwIfNoEntry: false })
        : undefined;
      real = stat?.isDirectory() ?? false;
      known.set(directory, real);
    }
    return real;
  };
  return isReal;
}

function linkForPointer(file: RepositoryPath): MlvError {
  return new MlvError('POINTER_UNSAFE', `'${file}' is a symbolic link where a pointer is a file; it is not followed`, {
    hint: `restore the pointer, or remove the link: rm ${inShellQuotes(file)}`,
    data: { path: file },
  });
}

/** All targets of a commit or of Git's index, in the order of their paths. */
export async function loadTargetsAt(repository: Repository, source: GitSource): Promise<Targets> {
  const files = (await repository.git.listFiles(source, POINTER_SUFFIX)).filter(
    (file) => isPointerPath(file.path) && file.mode !== '120000',
  );
  const blobs = await repository.git.readBlobs([...new Set(files.map((file) => file.blob))]);
  const result: Targets = { targets: [], problems: [] };
  for (const file of files) {
    const bytes = blobs.get(file.blob);
    if (bytes) collect(file.path, bytes.toString('utf8'), result);
  }
  return result;
}

/** The target that the text of a pointer file names. Errors as parsePointer. */
export function parseTarget(file: RepositoryPath, text: string): Target {
  const pointer = parsePointer(text, file);
  return { path: childOf(parentOf(file), pointer.path), pointer, text };
}

/** As parseTarget, of a blob; undefined where there is none, or it is no pointer. */
export function targetOfBlob(file: RepositoryPath, blob: Buffer | undefined): Target | undefined {
  try {
    return blob && parseTarget(file, blob.toString('utf8'));
  } catch (error) {
    if (error instanceof MlvError) return undefined;
    throw error;
  }
}

function collect(file: RepositoryPath, text: string, into: Targets): void {
  try {
    into.targets.push(parseTarget(file, text));
  } catch (error) {
    if (!(error instanceof MlvError)) throw error;
    into.problems.push(error);
  }
}

/** True for a file name that a pointer can have: something before the suffix. */
export function isPointerPath(path: RepositoryPath): boolean {
  return path.endsWith(POINTER_SUFFIX) && nameOf(path).length > POINTER_SUFFIX.length;
}

/**
 * The text of a pointer file, or undefined where there is none. Of a link, which is never followed, the text that Git has
 * for it: where it leads. Error: `FILE_SYSTEM`.
 */
export function readPointerText(layout: RepositoryLayout, file: RepositoryPath): string | undefined {
  const found = readPointerFile(layout, file);
  return found && ('link' in found ? found.link : found.text);
}

function readPointerFile(layout: RepositoryLayout, file: RepositoryPath): TextFile | undefined {
  return readTextFile(absolutePath(layout, file), READ_LIMIT);
}

/** A target, whole or a path below a tracked directory, that a command was asked for. */
export interface Selection {
  target: Target;
  /** Path below the tracked directory, `/`-separated; empty for the whole target. */
  below: string;
  /** Of a whole directory, only what is in this part; everything when absent. */
  part?: WantedPart;
}

/**
 * The targets that the paths name: a tracked path, its pointer, a directory that holds targets, or a path below a
 * tracked directory. All targets when no path is given. A path that names none raises the problem of the broken pointer
 * it names where that is among `problems`, and `PATH_NOT_TRACKED` otherwise. The arrays must not be changed afterwards.
 */
export function selectTargets(
  targets: readonly Target[],
  paths: readonly RepositoryPath[],
  problems: readonly MlvError[] = [],
): Selection[] {
  if (paths.length === 0) return targets.map((target) => ({ target, below: '' }));
  const lookup = lookupOf(targets);
  const chosen = new Map<string, Selection>();
  for (const path of paths) {
    const found = matching(lookup, path);
    if (found.length === 0) throw problemOf(path, problems) ?? notTracked(path);
    for (const selection of found) chosen.set(`${selection.target.path}\0${selection.below}`, selection);
  }
  return withoutCovered([...chosen.values()]);
}

/**
 * The target that a path or its pointer names. Errors: `PATH_NOT_TRACKED`, also for a path inside a directory; that of a
 * broken pointer among `problems` where the path names it. The targets must not be changed afterwards.
 */
export function wholeTarget(
  targets: readonly Target[],
  path: RepositoryPath,
  problems: readonly MlvError[] = [],
): Target {
  const lookup = lookupOf(targets);
  const target = lookup.targets.get(path) ?? lookup.pointers.get(path);
  if (target) return target;
  const above = [...upwards(parentOf(path))].find((each) => lookup.directories.has(each));
  if (above === undefined) throw problemOf(path, problems) ?? notTracked(path);
  throw new MlvError(
    'PATH_NOT_TRACKED',
    `'${path}' is not tracked on its own; it belongs to the tracked directory '${above}'`,
    {
      hint: `name the directory: '${above}'`,
      data: { path },
    },
  );
}

/** The tracked directory that a path lies in, without being one itself. The targets must not be changed afterwards. */
export function directoryAbove(targets: readonly Target[], path: RepositoryPath): Target | undefined {
  const lookup = lookupOf(targets);
  if (path === '' || lookup.targets.has(path) || lookup.pointers.has(path)) return undefined;
  for (const above of upwards(parentOf(path))) {
    const target = lookup.directories.get(above);
    if (target) return target;
  }
  return undefined;
}

/** The problem of the pointer that a path names, that lies below it, or whose target it lies in. */
function problemOf(path: RepositoryPath, problems: readonly MlvError[]): MlvError | undefined {
  return problems.find(({ data }) => {
    const pointer = String(data.path ?? '');
    if (pointer === pointerPathOf(path) || isWithin(pointer, path)) return true;
    return isPointerPath(pointer) && isWithin(path, pointer.slice(0, -POINTER_SUFFIX.length));
  });
}

/** Targets by what names them, so that the cost of a selection grows with the paths and not with their product. */
interface Lookup {
  /** By the target's own path and by every directory above it, the top included. */
  within: Map<RepositoryPath, Target[]>;
  targets: Map<RepositoryPath, Target>;
  pointers: Map<RepositoryPath, Target>;
  directories: Map<RepositoryPath, Target>;
}

const lookups = new WeakMap<readonly Target[], Lookup>();

function lookupOf(targets: readonly Target[]): Lookup {
  const known = lookups.get(targets);
  if (known) return known;
  const made: Lookup = { within: new Map(), targets: new Map(), pointers: new Map(), directories: new Map() };
  for (const target of targets) {
    made.targets.set(target.path, target);
    made.pointers.set(pointerPathOf(target.path), target);
    if (isDirectoryTarget(target)) made.directories.set(target.path, target);
    for (const path of upwards(target.path)) {
      const there = made.within.get(path);
      if (there) there.push(target);
      else made.within.set(path, [target]);
    }
  }
  lookups.set(targets, made);
  return made;
}

/** The path, every directory above it, and the top. */
function* upwards(path: RepositoryPath): Generator<RepositoryPath> {
  for (let each = path; each !== ''; each = parentOf(each)) yield each;
  yield '';
}

function matching(lookup: Lookup, path: RepositoryPath): Selection[] {
  const found = (lookup.within.get(path) ?? []).map((target) => ({ target, below: '' }));
  const pointed = lookup.pointers.get(path);
  if (pointed) found.push({ target: pointed, below: '' });
  for (const above of upwards(parentOf(path))) {
    const target = path === '' ? undefined : lookup.directories.get(above);
    if (target && target !== pointed) found.push({ target, below: path.slice(above.length + 1) });
  }
  return found;
}

function withoutCovered(selections: readonly Selection[]): Selection[] {
  const chosen = new Map<Target, Set<string>>();
  for (const { target, below } of selections) chosen.set(target, (chosen.get(target) ?? new Set()).add(below));
  return selections.filter(({ target, below }) => {
    if (below === '') return true;
    const others = chosen.get(target) as Set<string>;
    return ![...upwards(parentOf(below))].some((above) => others.has(above));
  });
}

/** The error for a path that mlv does not track. */
export function notTracked(path: RepositoryPath): MlvError {
  return new MlvError('PATH_NOT_TRACKED', `'${path || '.'}' is not tracked by mlv, nor does it hold anything that is`, {
    hint: `track it: mlv add ${inShellQuotes(path)}   (mlv ls shows what is tracked)`,
    data: { path },
  });
}
