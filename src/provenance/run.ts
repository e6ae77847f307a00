import { lstatSync } from 'node:fs';
import { MlvError } from '../core/errors.js';
import type { Reporter } from '../core/reporter.js';
import { inShellQuotes } from '../core/shell-quote.js';
import { type AddedTarget, type AddResult, add } from '../workspace/add.js';
import { absolutePath, type RepositoryPath } from '../workspace/paths.js';
import { writeTextFile } from '../workspace/pointer-write.js';
import type { Repository } from '../workspace/repository.js';
import { type Environment, hostClass } from './environment.js';
import { whileWriting } from './output-locks.js';
import { type OutputsBefore, takeOutputs } from './outputs-before.js';
import type { CommandEnding } from './run-command.js';
import { changesOf, lookAtInputs } from './run-inputs.js';
import { type RunFigures, readFigures, readRunParams } from './run-metrics.js';
import { makeWritable, type PreparedRun, type RunRequest, writtenPaths } from './run-prepare.js';
import {
  CODE_FILE,
  DIFFERENCE_FILE,
  formatRunRecord,
  type RunOutput,
  type RunParams,
  type RunRecord,
} from './run-record.js';
import { rememberRun, type StoredRun, storeRun } from './run-store.js';
import { seedsOf } from './seeds.js';

/** What a run needs of the world. */
export interface RunTools {
  /** The environment of the user. */
  env: NodeJS.ProcessEnv;
  /** Runs the command, passing its output on. Errors as runCommand. */
  execute(command: string | readonly string[], where: { cwd: string; env: NodeJS.ProcessEnv }): Promise<CommandEnding>;
  /** Finds out about the machine, while the command runs. */
  probe(where: { cwd: string; env: NodeJS.ProcessEnv }): Promise<Environment>;
  now(): Date;
  reporter: Reporter;
  signal?: AbortSignal;
  /** As for add: stage pointers in Git. */
  stage?: boolean;
}

/** What came of a run. */
export interface RunOutcome extends CommandEnding {
  /** The record; absent where the command failed or was interrupted, and then nothing was recorded. */
  stored?: StoredRun;
  /** What add did with the outputs. */
  added: AddResult;
}

const NOTHING: AddResult = { targets: [], files: [], staged: false };

/**
 * Runs a command, and where it ends well, records what it read and adds what it wrote: the contents first, then the
 * record, the pointers that name it last, so that whatever happens in between, no pointer says what is not so. A command
 * that fails or is interrupted leaves everything as it left it. Errors: `RUN_FAILED` where another process writes the
 * same at this moment; those of makeWritable and runCommand; after the command `RUN_FAILED` for an output that is not
 * there or was not written, those of takeOutputs, readFigures and add.
 */
export function executeRun(repository: Repository, prepared: PreparedRun, tools: RunTools): Promise<RunOutcome> {
  return whileWriting(repository, writtenPaths(prepared.request), () => execute(repository, prepared, tools));
}

async function execute(repository: Repository, prepared: PreparedRun, tools: RunTools): Promise<RunOutcome> {
  const { request } = prepared;
  warnOfDifferences(prepared, tools.reporter);
  await makeWritable(repository, request);
  const before = await codeState(repository);
  const outputs = await takeOutputs(repository, request, tools);
  try {
    const outcome = await runAndRecord(repository, prepared, { tools, before, outputs });
    if (outcome.stored) outputs.drop();
    else outputs.putBack();
    return outcome;
  } catch (error) {
    outputs.putBack();
    throw error;
  }
}

async function runAndRecord(
  repository: Repository,
  prepared: PreparedRun,
  { tools, before, outputs }: { tools: RunTools; before: CodeState; outputs: OutputsBefore },
): Promise<RunOutcome> {
  const { request } = prepared;
  const cwd = absolutePath(repository.layout, request.directory);
  const env = { ...tools.env, ...request.env, PWD: cwd };
  const started = tools.now();
  const probing = tools.probe({ cwd, env });
  const ending = await tools.execute(request.command, { cwd, env });
  const ended = tools.now();
  if (ending.exitCode !== 0 || ending.interrupted) return { ...ending, added: NOTHING };
  requireOutputs(repository, request.outputs);
  outputs.requireWritten();
  const figures = await readFigures(repository, request.metrics);
  const changed = await changesMeanwhile(repository, prepared, tools);
  const environment = await probing;
  const partial = { prepared, before, figures, changed, environment, started, ended };
  let stored: StoredRun | undefined;
  const record = async (made: RunOutput[]): Promise<StoredRun> => {
    stored = await storeRun(repository, recordOf(repository, { ...partial, outputs: made }), filesOf(partial));
    return stored;
  };
  const added = await addOutputs(repository, { request, record, tools, anew: outputs.anew });
  if (!stored) throw new RangeError('a run was added without a record');
  // What was made of changing inputs answers no question.
  if (changed.length === 0) rememberRun(repository, stored.run);
  return { ...ending, stored, added };
}

function warnOfDifferences({ seen }: PreparedRun, reporter: Reporter): void {
  for (const { path, pointer, within } of seen.inputs) {
    if (pointer === undefined) continue;
    const keep = `to keep it: mlv add ${inShellQuotes(within ?? path)}`;
    reporter.warn(`the input '${path}' is not what its pointer says; what is there now is recorded (${keep})`);
  }
}

interface Recording {
  request: RunRequest;
  record: (outputs: RunOutput[]) => Promise<StoredRun>;
  tools: RunTools;
  /** See OutputsBefore. */
  anew: readonly RepositoryPath[];
}

async function addOutputs(repository: Repository, { request, record, tools, anew }: Recording): Promise<AddResult> {
  const { outputs, receipt } = request;
  const { reporter, signal, stage } = tools;
  const options = { reporter, ...(signal && { signal }), ...(stage !== undefined && { stage }) };
  if (outputs.length > 0) {
    return add(repository, outputs, {
      ...options,
      anew,
      recordRun: async (targets) => (await record(targets.map(outputOf))).run,
    });
  }
  const stored = await record([]);
  if (receipt === undefined) return NOTHING;
  writeTextFile(repository.layout, receipt, formatRunRecord(stored.record).toString('utf8'));
  return add(repository, [receipt], { ...options, recordRun: async () => stored.run });
}

function outputOf({ path, pointer: { oid, size, files, executable } }: AddedTarget): RunOutput {
  return {
    path,
    oid,
    size,
    ...(files !== undefined && { files }),
    ...(executable && { executable: true as const }),
  };
}

interface CodeState {
  commit: string | undefined;
  difference: Awaited<ReturnType<Repository['git']['workingDifference']>>;
}

async function codeState({ git, cache }: Repository): Promise<CodeState> {
  return { commit: await git.head(), difference: await git.workingDifference(cache.temporary.next()) };
}

function requireOutputs({ layout }: Repository, outputs: readonly RepositoryPath[]): void {
  const missing = outputs.filter((path) => !lstatSync(absolutePath(layout, path), { throwIfNoEntry: false }));
  if (missing.length === 0) return;
  const more = missing.length > 1 ? ` and ${missing.length - 1} more` : '';
  throw new MlvError('RUN_FAILED', `the command ended well, but did not write its output '${missing[0]}'${more}`, {
    hint: 'check the name; nothing was recorded',
    data: { paths: missing },
  });
}

/** Inputs and parameters that are other than before the command ran; said at once. */
async function changesMeanwhile(
  repository: Repository,
  { request, seen, params }: PreparedRun,
  { reporter, signal }: RunTools,
): Promise<NonNullable<RunRecord['changed']>> {
  const written = writtenPaths(request);
  const after = await lookAgain(() => lookAtInputs(repository, request.inputs, { written, ...(signal && { signal }) }));
  const paramsAfter = await lookAgain(() => readRunParams(repository, request.params));
  const changed = changesOf(seen.inputs, after?.inputs ?? []);
  const digest = (values: RunParams | undefined): string | null =>
    values ? repository.cache.oid(repository.hash.digest(Buffer.from(JSON.stringify(values.values)))) : null;
  for (const [at, each] of params.entries()) {
    const [was, is] = [digest(each), digest(paramsAfter?.[at])];
    if (was !== is) changed.push({ path: each.path, before: was as string, after: is });
  }
  for (const { path, after: now } of changed) {
    const what = now === null ? 'was removed' : 'was changed';
    reporter.warn(
      `the input '${path}' ${what} while the command ran: what came of it may be of either; it is recorded`,
    );
  }
  return changed;
}

/** Undefined where what was there before cannot be read any more. */
async function lookAgain<T>(look: () => Promise<T>): Promise<T | undefined> {
  try {
    return await look();
  } catch (error) {
    if (error instanceof MlvError && CHANGED_CODES.has(error.code)) return undefined;
    throw error;
  }
}

const CHANGED_CODES = new Set(['PATH_NOT_FOUND', 'PARAMS_INVALID', 'FILE_CHANGED_WHILE_READ']);

interface Parts {
  prepared: PreparedRun;
  before: CodeState;
  figures: RunFigures;
  changed: NonNullable<RunRecord['changed']>;
  environment: Environment;
  started: Date;
  ended: Date;
}

function recordOf(repository: Repository, parts: Parts & { outputs: RunOutput[] }): RunRecord {
  const { prepared, before, figures, changed, environment } = parts;
  const { request, seen, params, key } = prepared;
  const { commit, difference } = before;
  const { name, command, directory, env, desc, source } = request;
  return {
    mlv_run: 1,
    ...(name !== undefined && { name }),
    key,
    command: typeof command === 'string' ? command : [...command],
    directory,
    ...(env && { env }),
    ...(desc !== undefined && { desc }),
    ...(source !== undefined && { source }),
    started: parts.started.toISOString(),
    ended: parts.ended.toISOString(),
    ...(commit !== undefined && { commit }),
    dirty: difference !== undefined,
    ...(difference && {
      difference: {
        patch: difference.patch !== undefined,
        files: difference.paths.length,
        ...(difference.leftOut.length > 0 && { left_out: difference.leftOut }),
      },
    }),
    inputs: seen.inputs,
    ...(changed.length > 0 && { changed }),
    outputs: parts.outputs,
    params: [...params, ...figures.logged],
    seeds: seedsOf([...params, ...figures.logged], environment),
    metrics: figures.metrics,
    metrics_files: figures.files.map(({ path, bytes }) => {
      if (!bytes) return { path };
      return { path, oid: repository.cache.oid(repository.hash.digest(bytes)), size: bytes.length };
    }),
    host: hostClass(environment),
    environment,
  };
}

function filesOf({ prepared, before, figures }: Parts): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  if (prepared.seen.code !== '') files.set(CODE_FILE, Buffer.from(prepared.seen.code, 'utf8'));
  if (before.difference?.patch) files.set(DIFFERENCE_FILE, before.difference.patch);
  for (const [at, { bytes }] of figures.files.entries()) if (bytes) files.set(`metrics-${at + 1}`, bytes);
  return files;
}
