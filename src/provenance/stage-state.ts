import { isMlvError } from '../core/errors.js';
import { type ContentState, contentStates } from '../workspace/content-state.js';
import type { RepositoryPath } from '../workspace/paths.js';
import type { PointerRun } from '../workspace/pointer-format.js';
import type { Target } from '../workspace/pointers.js';
import type { Repository } from '../workspace/repository.js';
import type { Stage } from './pipeline-format.js';
import { type InputOptions, rememberTargets } from './run-inputs.js';
import { differencesBetween } from './run-key.js';
import { type PreparedRun, prepareRun, questionOf, type RunRequest } from './run-prepare.js';
import type { RunRecord } from './run-record.js';
import { findRun } from './run-store.js';

/** How a stage stands at this moment. */
export interface StageState {
  prepared: PreparedRun;
  /**
   * `current`: its outputs are those of its last run, and that read what is there now. `absent`: the same, but some of
   * what it made is not in the workspace, or not as it was made. `outdated`: it has to run, or be restored.
   */
  state: 'current' | 'absent' | 'outdated';
  /** Why it is not current, in words. */
  reasons: string[];
  /** The record of its last run, where there is one that its outputs agree on. */
  run?: PointerRun;
}

/**
 * The request that a stage is. A stage that has no outputs is given one: its own record as a file, `<name>.run`, so that
 * there is a pointer which tells of it.
 */
export function requestOf(stage: Stage): RunRequest {
  const { name, command, deps, params, outs, metrics, keep, env, desc, source } = stage;
  return {
    name,
    command,
    directory: '',
    ...(env && { env }),
    inputs: deps,
    params,
    outputs: outs,
    metrics,
    ...(keep && { keepOutputs: true as const }),
    ...(outs.length === 0 && { receipt: `${name}.run` }),
    ...(desc !== undefined && { desc }),
    ...(source !== undefined && { source }),
  };
}

/** What mlv tracks of a run: its outputs, or its receipt. */
export function trackedBy({ outputs, receipt }: RunRequest): readonly RepositoryPath[] {
  return receipt === undefined ? outputs : [receipt];
}

/**
 * Finds out whether a stage is up to date: what it reads is hashed, and compared with what its outputs' pointers say of the
 * run that made them. Nothing is changed. Errors: those of prepareRun.
 */
export async function stageState(
  repository: Repository,
  stage: Stage,
  options: Omit<InputOptions, 'written'> = {},
): Promise<StageState> {
  const request = requestOf(stage);
  const prepared = await prepareRun(repository, request, options);
  const paths = trackedBy(request);
  const { targets } = await rememberTargets(repository, options.memory);
  const known = new Map(targets.map((target) => [target.path, target]));
  const missing = paths.filter((path) => !known.get(path)?.pointer.run);
  if (missing.length > 0) {
    const reasons = missing.map((path) => (known.has(path) ? `${path} was made by no run` : `${path} was never made`));
    return { prepared, state: 'outdated', reasons };
  }
  const mine = paths.map((path) => known.get(path) as Target);
  const run = mine[0]?.pointer.run as PointerRun;
  if (mine.some(({ pointer }) => pointer.run?.oid !== run.oid)) {
    return { prepared, state: 'outdated', reasons: ['its outputs are of different runs'] };
  }
  const record = findRun(repository, run.oid)?.record;
  const outdated = reasonsOf(prepared, { run, record });
  if (outdated.length > 0) return { prepared, state: 'outdated', reasons: outdated, run };
  const reasons = await workspaceReasons(repository, mine, { record, signal: options.signal });
  return { prepared, state: reasons.length > 0 ? 'absent' : 'current', reasons, run };
}

function reasonsOf(
  prepared: PreparedRun,
  { run, record }: { run: PointerRun; record: RunRecord | undefined },
): string[] {
  if (record?.changed) return ['its inputs changed while it ran'];
  if (run.key === prepared.key) return [];
  if (!record) return ['something that it reads changed (what, the record of its run would tell: mlv pull)'];
  const own = new Set(record.metrics_files.map(({ path }) => path));
  const before = {
    command: record.command,
    directory: record.directory,
    ...(record.env && { env: record.env }),
    inputs: record.inputs,
    params: record.params.filter(({ path }) => !own.has(path)),
    outputs: prepared.request.receipt === undefined ? record.outputs.map(({ path }) => path) : [],
    metrics: record.metrics_files.map(({ path }) => path),
  };
  const found = differencesBetween(before, questionOf(prepared));
  return found.length > 0 ? found : ['something that it reads changed'];
}

async function workspaceReasons(
  repository: Repository,
  targets: readonly Target[],
  { record, signal }: { record: RunRecord | undefined; signal: AbortSignal | undefined },
): Promise<string[]> {
  const metrics = (record?.metrics_files ?? []).filter(({ oid }) => oid !== undefined);
  const wanted = new Map<RepositoryPath, string>([
    ...targets.map(({ path, pointer }): [RepositoryPath, string] => [path, pointer.oid]),
    ...metrics.map(({ path, oid }): [RepositoryPath, string] => [path, oid as string]),
  ]);
  const states = await contentStates(repository, [...wanted.keys()], signal);
  return [...wanted].flatMap(([path, oid]) => {
    const state: ContentState | undefined = states.get(path);
    if (!state) return [`${path} is not there`];
    return repository.cache.oid(state.digest) === oid ? [] : [`${path} was changed`];
  });
}

/** True for the error of an input that is not there. */
export function isMissingInput(error: unknown): boolean {
  return isMlvError(error, 'PATH_NOT_FOUND');
}
