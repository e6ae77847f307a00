import { lstatSync } from 'node:fs';
import { MlvError } from '../core/errors.js';
import { checkNewTarget, checkOverlaps } from '../workspace/add-targets.js';
import { loadParts } from '../workspace/part-store.js';
import { absolutePath, ensureRealDirectory, isWithin, parentOf, type RepositoryPath } from '../workspace/paths.js';
import { isDirectoryTarget, loadTargets, selectTargets, type Target } from '../workspace/pointers.js';
import type { Repository } from '../workspace/repository.js';
import { unprotect } from '../workspace/unprotect.js';
import { type InputOptions, lookAtInputs, refusePart, type SeenInputs } from './run-inputs.js';
import { type RunQuestion, runKey } from './run-key.js';
import { type ParamsChoice, readRunParams } from './run-metrics.js';
import type { RunParams } from './run-record.js';

/** A command that is to be run, what it reads and what it writes. */
export interface RunRequest {
  name?: string;
  /** Program and arguments; text is given to the shell. */
  command: string | readonly string[];
  /** Where it runs. */
  directory: RepositoryPath;
  /** Environment variables besides those of the user. */
  env?: Record<string, string>;
  inputs: readonly RepositoryPath[];
  params: readonly ParamsChoice[];
  /** What mlv tracks afterwards. */
  outputs: readonly RepositoryPath[];
  /** Files of figures, which stay with Git. */
  metrics: readonly RepositoryPath[];
  /** Where there are no outputs: a path at which the record itself is kept as one, for its pointer to tell of the run. */
  receipt?: RepositoryPath;
  /** Its command begins with the outputs as they are; otherwise they are taken away before. */
  keepOutputs?: true;
  desc?: string;
  /** Where the data came from. */
  source?: unknown;
}

/** A request, with what its inputs hold at this moment. */
export interface PreparedRun {
  request: RunRequest;
  seen: SeenInputs;
  params: RunParams[];
  /** See runKey. */
  key: string;
}

/**
 * Looks at what a run would read. Nothing is changed. Errors: those of lookAtInputs, `PARAMS_INVALID`, `USAGE` for paths
 * that are read and written.
 */
export async function prepareRun(
  repository: Repository,
  request: RunRequest,
  options: Omit<InputOptions, 'written'> = {},
): Promise<PreparedRun> {
  const written = writtenPaths(request);
  refuseReadAndWritten(request.inputs, written);
  const seen = await lookAtInputs(repository, request.inputs, { written, ...options });
  const params = await readRunParams(repository, request.params);
  const prepared = { request, seen, params };
  return { ...prepared, key: runKey(questionOf(prepared), repository.hash) };
}

/** Every path that a run writes: outputs, metrics, and the receipt where one is asked for. Pure. */
export function writtenPaths({ outputs, metrics, receipt }: RunRequest): RepositoryPath[] {
  return [...outputs, ...metrics, ...(receipt === undefined ? [] : [receipt])];
}

/** What a prepared run asks, for its key and for a comparison with what was asked before. */
export function questionOf({ request, seen, params }: Omit<PreparedRun, 'key'>): RunQuestion {
  const { command, directory, env, outputs, metrics } = request;
  return {
    command: typeof command === 'string' ? command : [...command],
    directory,
    ...(env && { env }),
    inputs: seen.inputs,
    params,
    outputs,
    metrics,
  };
}

function refuseReadAndWritten(inputs: readonly RepositoryPath[], written: readonly RepositoryPath[]): void {
  for (const path of written) {
    const input = inputs.find((each) => isWithin(each, path));
    if (input === undefined) continue;
    throw new MlvError('USAGE', `'${input}' is an input of the run and written by it ('${path}')`, {
      hint: 'what a run changes cannot be what it was made from: write to another path',
      data: { path: input },
    });
  }
}

/**
 * Makes sure before the command runs that its outputs can be tracked afterwards, that their directories are there, and
 * that they share no bytes with the cache. Errors: those of checkNewTarget, `TARGETS_OVERLAP`, `FILE_SYSTEM`.
 */
export async function makeWritable(repository: Repository, request: RunRequest): Promise<void> {
  const { metrics, receipt } = request;
  const outputs = receipt === undefined ? request.outputs : [receipt];
  const { targets } = await loadTargets(repository);
  const known = new Map(targets.map((target) => [target.path, target]));
  checkOverlaps(
    outputs.map((path) => ({ path, directory: !known.has(path) })),
    targets,
  );
  const parts = loadParts(repository.layout);
  for (const path of outputs) {
    const target = known.get(path);
    if (target) refusePart(target, parts.get(path));
    if (!known.has(path)) await checkNewTarget(repository, { path, directory: isDirectory(repository, path) });
  }
  for (const path of [...outputs, ...metrics]) ensureRealDirectory(repository.layout, parentOf(path));
  const linked = outputs.filter((path) => isAsTracked(repository, known.get(path)));
  if (request.keepOutputs && linked.length > 0) await unprotect(repository, selectTargets(targets, linked));
}

/** True for a target that is in the workspace, and is the file or directory that its pointer says. */
function isAsTracked({ layout }: Repository, target: Target | undefined): boolean {
  const stat = target && lstatSync(absolutePath(layout, target.path), { throwIfNoEntry: false });
  return stat !== undefined && target !== undefined && stat.isDirectory() === isDirectoryTarget(target);
}

function isDirectory({ layout }: Repository, path: RepositoryPath): boolean {
  return lstatSync(absolutePath(layout, path), { throwIfNoEntry: false })?.isDirectory() ?? false;
}
