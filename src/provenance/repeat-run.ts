import { lstatSync, rmSync } from 'node:fs';
import { fileSystemError, MlvError } from '../core/errors.js';
import { contentStates } from '../workspace/content-state.js';
import { absolutePath, ensureRealDirectory, isWithin, parentOf, type RepositoryPath } from '../workspace/paths.js';
import type { Repository } from '../workspace/repository.js';
import type { Metrics } from './parse-metrics.js';
import { withRecordedVariables } from './probe-variables.js';
import type { ComparedOutput } from './reproduction.js';
import type { RunTools } from './run.js';
import { differencesBetween } from './run-key.js';
import { readFigures } from './run-metrics.js';
import { prepareRun, questionOf, type RunRequest, writtenPaths } from './run-prepare.js';
import { isSafePath, type RunRecord } from './run-record.js';

/** What came of a run the second time. */
export interface RepeatedRun {
  outputs: Omit<ComparedOutput, 'artifact'>[];
  metrics: Metrics;
}

/** The request that a record is of: the same command on the same paths. */
export function requestOfRecord(record: RunRecord): RunRequest {
  const { name, command, directory, env, inputs, outputs, metrics_files } = record;
  const own = new Set(metrics_files.map(({ path }) => path));
  const receipt = `${name}.run`;
  return {
    ...(name !== undefined && { name }),
    command,
    directory,
    ...(env && { env }),
    inputs: inputs.map(({ path }) => path),
    params: record.params.filter(({ path }) => !own.has(path)).map(({ path, keys = [] }) => ({ path, keys })),
    outputs: outputs.map(({ path }) => path),
    metrics: metrics_files.map(({ path }) => path),
    ...(outputs.length === 0 && name !== undefined && isSafePath(receipt) && { receipt }),
  };
}

/**
 * In what the inputs of a recorded run are other than they were, in words; nothing where the run can be repeated. What
 * lies at or below `remade` was made again meanwhile, and may differ. Errors: those of prepareRun.
 */
export async function inputDifferences(
  repository: Repository,
  record: RunRecord,
  remade: readonly RepositoryPath[] = [],
): Promise<string[]> {
  requireSafePaths(record);
  const request = requestOfRecord(record);
  const isFixed = (path: RepositoryPath): boolean =>
    !remade.some((each) => isWithin(path, each) || isWithin(each, path));
  const inputs = record.inputs.filter(({ path }) => isFixed(path));
  const params = record.params.filter(({ path }) => request.params.some((each) => each.path === path));
  const there = { ...request, inputs: inputs.map(({ path }) => path) };
  const gone = [...there.inputs, ...request.params.map(({ path }) => path)].filter(
    (path) => !isThere(repository, path),
  );
  if (gone.length > 0) return gone.map((path) => `'${path}' is neither in Git nor in mlv`);
  const now = questionOf(await prepareRun(repository, there));
  const { outputs, metrics, ...same } = now;
  return differencesBetween({ ...same, inputs, params, outputs, metrics }, now);
}

/** Anybody may have written the record: what it makes mlv look at stays inside the repository. */
function requireSafePaths({ inputs, params }: RunRecord): void {
  const unsafe = [...inputs, ...params].find(({ path }) => path !== '' && !isSafePath(path));
  if (unsafe === undefined) return;
  throw new MlvError('RECORD_INVALID', `the record of the run names '${unsafe.path}', which is no path inside it`, {
    data: { path: unsafe.path },
  });
}

function isThere({ layout }: Repository, path: RepositoryPath): boolean {
  return lstatSync(absolutePath(layout, path), { throwIfNoEntry: false }) !== undefined;
}

/**
 * Runs the command of a record again in a working tree that is there for nothing else, and compares what it writes with
 * what is recorded. What stands at its outputs before is removed. Nothing is recorded or stored. Errors: `RUN_FAILED` for
 * a command that fails or does not write its outputs, `INTERRUPTED`, `POINTER_UNSAFE` for an output behind a link, those of
 * readFigures.
 */
export async function repeatRun(
  repository: Repository,
  record: RunRecord,
  tools: Pick<RunTools, 'env' | 'execute' | 'signal'>,
): Promise<RepeatedRun> {
  const { layout } = repository;
  const request = requestOfRecord(record);
  clear(repository, writtenPaths(request));
  ensureRealDirectory(layout, record.directory);
  const cwd = absolutePath(layout, record.directory);
  const { variables = {} } = record.environment;
  const env = { ...withRecordedVariables(tools.env, variables), ...record.env, PWD: cwd };
  const { exitCode, interrupted } = await tools.execute(record.command, { cwd, env });
  if (interrupted) throw new MlvError('INTERRUPTED', 'interrupted');
  if (exitCode !== 0) throw failed(record, `it ended with exit code ${exitCode}`, { exitCode });
  const states = await contentStates(repository, request.outputs, tools.signal);
  const outputs = record.outputs.map(({ path, oid: before, executable }) => {
    const state = states.get(path);
    if (!state) throw failed(record, `it did not write its output '${path}'`, { path });
    const after = repository.cache.oid(state.digest);
    return { path, before, after, same: after === before && (state.executable ?? false) === (executable ?? false) };
  });
  return { outputs, metrics: (await readFigures(repository, request.metrics)).metrics };
}

function clear({ layout }: Repository, paths: readonly RepositoryPath[]): void {
  for (const path of paths) {
    ensureRealDirectory(layout, parentOf(path));
    const absolute = absolutePath(layout, path);
    try {
      rmSync(absolute, { recursive: true, force: true });
    } catch (error) {
      throw fileSystemError('remove', absolute, error);
    }
  }
}

function failed({ name, command }: RunRecord, reason: string, data: Record<string, unknown>): MlvError {
  const shown = typeof command === 'string' ? command : command.join(' ');
  return new MlvError('RUN_FAILED', `cannot reproduce: the command '${shown}' was run again, and ${reason}`, {
    hint: 'what it printed stands above; --keep leaves the directory for a look; no verdict was recorded',
    data: { ...(name !== undefined && { stage: name }), ...data },
  });
}
