import { lstatSync } from 'node:fs';
import { isMlvError, MlvError } from '../core/errors.js';
import { inShellQuotes } from '../core/shell-quote.js';
import { isObjectError } from '../objects/object-error.js';
import type { Oid } from '../objects/oid.js';
import { type ContentState, contentStates } from '../workspace/content-state.js';
import { selectedEntry } from '../workspace/list.js';
import { loadParts } from '../workspace/part-store.js';
import { absolutePath, isWithin, nameOf, type RepositoryPath } from '../workspace/paths.js';
import {
  isDirectoryTarget,
  isPointerPath,
  loadTargets,
  pointerPathOf,
  type Target,
  type Targets,
} from '../workspace/pointers.js';
import type { Repository } from '../workspace/repository.js';
import type { WantedPart } from '../workspace/wanted-part.js';
import { type FileMemory, type FileState, gitFiles, gitInput, lineOf } from './input-files.js';
import type { RunInput } from './run-record.js';

/** The inputs of a run at one moment. */
export interface SeenInputs {
  inputs: RunInput[];
  /** One line a file of Git below the inputs that are directories: `<blob> <path>`; empty where there is none. */
  code: string;
}

export interface InputOptions {
  /** Outputs and metrics of the run: what lies inside an input directory is none of its content. */
  written: readonly RepositoryPath[];
  signal?: AbortSignal;
  /** What Git and the pointers said a moment ago, for several questions in a row. */
  memory?: InputMemory;
}

/**
 * What several runs read that are looked at one after the other: with it, Git is asked once for all of them. To be
 * forgotten as soon as anything may have written to the workspace.
 */
export interface InputMemory extends FileMemory {
  targets?: Promise<Targets>;
}

/**
 * Finds out what the paths hold: tracked data by its oid (against its pointer, too), files of Git by their blobs, anything
 * else by its oid. Tracked data inside a directory becomes an input of its own. Nothing is stored.
 * Errors: `PATH_NOT_FOUND`, `PATH_UNSUPPORTED`, `GIT_FAILED`, `FILE_SYSTEM`.
 */
export async function lookAtInputs(
  repository: Repository,
  paths: readonly RepositoryPath[],
  options: InputOptions,
): Promise<SeenInputs> {
  const { memory } = options;
  const { targets } = await rememberTargets(repository, memory);
  const wanted = [...new Set(paths)].sort();
  const parts = wanted.map((path) => partOf(repository, path, { targets, written: options.written }));
  const inGit = await filesOfGit(repository, parts, options);
  const looked = parts.flatMap((part) => [
    ...(isLookedAt(part, inGit) ? [part.path] : []),
    ...part.inside.map((target) => target.path),
  ]);
  refuseWritten(
    parts.filter((part) => part.kind === 'plain' && isLookedAt(part, inGit)),
    options.written,
  );
  refusePartial(repository, parts);
  const states = await contentStates(repository, [...new Set(looked)], options.signal);
  const inputs = parts.flatMap((part) => inputsOf(repository, part, { states, files: inGit.get(part.path) ?? [] }));
  const unique = new Map(inputs.map((input) => [input.path, input]));
  return {
    inputs: [...unique.values()].sort((left, right) => (left.path < right.path ? -1 : 1)),
    code: codeOf(parts, inGit),
  };
}

/** True for an input whose own bytes are hashed: tracked, or neither of Git nor a place that only holds tracked data. */
function isLookedAt({ path, kind, inside }: Part, inGit: ReadonlyMap<RepositoryPath, FileState[]>): boolean {
  return kind === 'tracked' || (!inGit.get(path)?.length && inside.length === 0);
}

/** A command must not be recorded as having read what is not here. */
function refusePartial(repository: Repository, parts: readonly Part[]): void {
  const wanted = loadParts(repository.layout);
  for (const { path, outer, inside } of parts) {
    for (const target of [...(outer ? [outer] : []), ...inside]) {
      const below = target === outer ? path.slice(target.path.length + 1) : '';
      refusePart(target, wanted.get(target.path), below);
    }
  }
}

/** Refuses a path below a directory that is not wanted here with all that is in it. Error: `OBJECT_MISSING`. */
export function refusePart({ path }: Target, part: WantedPart | undefined, below = ''): void {
  // Whether it is a directory is not asked: where all of one is wanted, all of a file is, too.
  if (!part || part.covers(below, true) === 'all') return;
  const whole = below === '' ? path : `${path}/${below}`;
  throw new MlvError('OBJECT_MISSING', `only a part of '${whole}' is here, and a run must name what it works on`, {
    hint: `bring all of it: mlv pull ${inShellQuotes(whole)}   (or name the parts that are here; mlv sparse list shows them)`,
    data: { path: whole },
  });
}

/** What is hashed as a whole must not hold what the run writes: it would never be the same twice. */
function refuseWritten(parts: readonly Part[], written: readonly RepositoryPath[]): void {
  for (const { path } of parts) {
    const inside = written.find((each) => isWithin(each, path));
    if (inside === undefined) continue;
    throw new MlvError(
      'USAGE',
      `'${inside}' is written by the run and lies in its input '${path}', which Git ignores`,
      {
        hint: 'name the files and directories that are read',
        data: { path, output: inside },
      },
    );
  }
}

interface Found {
  states: ReadonlyMap<RepositoryPath, ContentState>;
  files: readonly FileState[];
}

function inputsOf(repository: Repository, part: Part, { states, files }: Found): RunInput[] {
  const inside = part.inside.map((target) =>
    contentInput(repository, { ...part, path: target.path, outer: target }, states),
  );
  if (part.kind !== 'tracked' && files.length > 0) return [gitInput(repository, part.path, files), ...inside];
  return inside.length > 0 ? inside : [contentInput(repository, part, states)];
}

function contentInput(
  repository: Repository,
  { path, outer }: Part,
  states: ReadonlyMap<RepositoryPath, ContentState>,
): RunInput {
  const state = states.get(path);
  if (!state) throw notThere(path);
  const oid = repository.cache.oid(state.digest);
  const { size, files } = state;
  return {
    path,
    kind: outer ? 'tracked' : 'plain',
    oid,
    size,
    ...(files !== undefined && { files }),
    ...(outer && outer.path !== path && { within: outer.path }),
    ...(outer && differing(pointerOid(repository, outer, path), oid)),
  };
}

/** What the pointer says of a path; undefined where it says nothing, or its listing is not in the cache. */
function pointerOid(repository: Repository, target: Target, path: RepositoryPath): Oid | undefined {
  if (target.path === path) return target.pointer.oid;
  try {
    const entry = selectedEntry(repository, { target, below: path.slice(target.path.length + 1) });
    return entry.kind === 'link' ? undefined : repository.cache.oid(entry.digest);
  } catch (error) {
    if (isObjectError(error) || isMlvError(error, 'PATH_NOT_FOUND')) return undefined;
    throw error;
  }
}

function differing(pointer: Oid | undefined, oid: Oid): { pointer?: Oid } {
  return pointer === undefined || pointer === oid ? {} : { pointer };
}

function codeOf(parts: readonly Part[], inGit: ReadonlyMap<RepositoryPath, FileState[]>): string {
  const lines = parts.flatMap(({ path }) =>
    (inGit.get(path) ?? []).filter((file) => file.path !== path).map((file) => lineOf(file)),
  );
  return [...new Set(lines)].sort().join('');
}

interface Part {
  path: RepositoryPath;
  kind: RunInput['kind'];
  /** The target that it is, or lies in. */
  outer?: Target;
  /** Targets inside it. */
  inside: Target[];
}

function partOf(
  repository: Repository,
  path: RepositoryPath,
  { targets, written }: { targets: readonly Target[]; written: readonly RepositoryPath[] },
): Part {
  const outer = targets.find(
    (target) => target.path === path || (isDirectoryTarget(target) && isWithin(path, target.path)),
  );
  if (outer) return { path, kind: 'tracked', outer, inside: [] };
  if (path !== '' && !lstatSync(absolutePath(repository.layout, path), { throwIfNoEntry: false })) throw notThere(path);
  const inside = targets.filter((target) => isWithin(target.path, path) && !isWritten(target.path, written));
  return { path, kind: 'plain', inside };
}

/** By input, the files below it that Git has or would take, with their blobs: what this run writes is left out. */
async function filesOfGit(
  repository: Repository,
  parts: readonly Part[],
  { written, memory }: InputOptions,
): Promise<Map<RepositoryPath, FileState[]>> {
  const asked = parts.filter(({ kind }) => kind !== 'tracked').map(({ path }) => path);
  const pointers = new Set(parts.flatMap(({ inside }) => inside.map(({ path }) => pointerPathOf(path))));
  const own = new Set(written.map(pointerPathOf));
  const isContent = ({ path }: FileState): boolean =>
    !pointers.has(path) && !own.has(path) && nameOf(path) !== '.gitignore' && !isWritten(path, written);
  const files = (await gitFiles(repository, asked, memory)).filter(isContent);
  return new Map(asked.map((path) => [path, files.filter((file) => isWithin(file.path, path))]));
}

/** The targets of the working tree, from memory where there is one. Errors as loadTargets. */
export function rememberTargets(repository: Repository, memory?: InputMemory): Promise<Targets> {
  if (!memory) return loadTargets(repository);
  memory.targets ??= loadTargets(repository);
  return memory.targets;
}

function isWritten(path: RepositoryPath, written: readonly RepositoryPath[]): boolean {
  return written.some((each) => isWithin(path, each) || (isPointerPath(path) && path === pointerPathOf(each)));
}

function notThere(path: RepositoryPath): MlvError {
  return new MlvError('PATH_NOT_FOUND', `the input '${path}' is not there`, {
    hint: `check the spelling; where it is tracked: mlv pull ${inShellQuotes(path)}`,
    data: { path },
  });
}

/** What the inputs hold that changed since; `after` is null for one that is gone. */
export function changesOf(
  before: readonly RunInput[],
  after: readonly RunInput[],
): { path: RepositoryPath; before: string; after: string | null }[] {
  const now = new Map(after.map(({ path, oid }) => [path, oid]));
  return before
    .filter(({ path, oid }) => now.get(path) !== oid)
    .map(({ path, oid }) => ({ path, before: oid, after: now.get(path) ?? null }));
}
