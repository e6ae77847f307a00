import { MlvError } from '../../core/errors.js';
import { committedMetrics } from '../../provenance/committed-metrics.js';
import { splitParamsSource } from '../../provenance/parse-params.js';
import { executeRun, type RunOutcome } from '../../provenance/run.js';
import { type PreparedRun, prepareRun, type RunRequest } from '../../provenance/run-prepare.js';
import { type RepositoryPath, toRepositoryPath } from '../../workspace/paths.js';
import { type OpenRepository, openRepository } from '../context.js';
import { gitAddCommand } from '../git-hint.js';
import { displayer, toPaths } from '../operands.js';
import { formatBytes } from '../render/units.js';
import { runTools } from '../run-tools.js';
import type { Session } from '../session.js';
import { type OptionValue, type Result, textOption, type VerbInput } from '../verb.js';

/** `mlv run`: see its declaration. Errors: those of prepareRun and executeRun. */
export async function run(session: Session, input: VerbInput): Promise<Result> {
  const repository = await openRepository(session);
  const request = requestOf(repository, input);
  const prepared = await prepareRun(repository, request, { signal: session.signal });
  const outcome = await executeRun(repository, prepared, runTools(session, repository, input));
  const { interrupted, stored } = outcome;
  const metrics = stored ? await committedMetrics(repository.git, request.metrics) : [];
  if (!outcome.stored) session.reporter.warn(`${failure(outcome)}; nothing was recorded`);
  return {
    notes: outcome.stored ? await recorded(repository, outcome, metrics) : [],
    json: documentOf(prepared, outcome, metrics),
    exitCode: outcome.exitCode === 0 && interrupted ? 130 : outcome.exitCode,
  };
}

function requestOf(repository: OpenRepository, { args, options, afterSeparator }: VerbInput): RunRequest {
  if (afterSeparator !== undefined && afterSeparator !== args.length) {
    const word = args[0] as string;
    throw new MlvError('USAGE', `'${word}' stands before the -- and is no option`, {
      hint: 'the command stands behind --: mlv run -o model.pkl -- python train.py',
    });
  }
  const name = textOption(options.name);
  const desc = textOption(options.desc);
  return {
    ...(name !== undefined && { name }),
    ...(desc !== undefined && { desc }),
    command: args,
    keepOutputs: true,
    directory: repository.layout.prefix,
    inputs: toPaths(repository, list(options.input)),
    params: list(options.params).map((argument) => {
      const { path, keys } = splitParamsSource(argument);
      return { path: toRepositoryPath(repository.layout, path), keys };
    }),
    outputs: toPaths(repository, list(options.output)),
    metrics: toPaths(repository, list(options.metrics)),
  };
}

function list(value: OptionValue): readonly string[] {
  return Array.isArray(value) ? value : [];
}

function failure({ exitCode, interrupted }: RunOutcome): string {
  return interrupted ? `the command was interrupted (${interrupted})` : `the command ended with exit code ${exitCode}`;
}

async function recorded(
  repository: OpenRepository,
  { stored, added }: RunOutcome,
  metrics: readonly RepositoryPath[],
): Promise<string[]> {
  if (!stored) return [];
  const show = displayer(repository);
  const lines = added.targets.map(
    ({ path, pointer, state }) => `${state} ${show(path, pointer.files !== undefined)} (${formatBytes(pointer.size)})`,
  );
  const command = await gitAddCommand(repository, [...(added.staged ? [] : added.files), ...metrics]);
  return [
    ...lines,
    `recorded as ${stored.run.oid}`,
    ...(added.targets.length > 0
      ? []
      : ['No pointer names it: it stays in this clone. With -o for what the run writes, it travels.']),
    ...(command === undefined ? [] : ['To record it in Git:', `  ${command}`]),
  ];
}

function documentOf(
  { key, seen }: PreparedRun,
  { exitCode, stored, added, interrupted }: RunOutcome,
  metrics: readonly RepositoryPath[],
) {
  return {
    exitCode,
    ...(interrupted && { interrupted }),
    key,
    recorded: stored?.run.oid ?? null,
    inputs: seen.inputs,
    changed: stored?.record.changed ?? [],
    outputs: stored?.record.outputs ?? [],
    metrics: stored?.record.metrics ?? {},
    files: [...new Set([...added.files, ...metrics])].sort(),
    staged: added.staged,
  };
}
