import { MlvError } from '../../core/errors.js';
import { readPipeline } from '../../provenance/pipeline-format.js';
import { buildPipeline } from '../../provenance/pipeline-graph.js';
import { type ReproReport, type ReproTools, repro } from '../../provenance/repro.js';
import type { FetchRoot } from '../../transfer/roots.js';
import { type OpenRepository, openRepository } from '../context.js';
import { gitAddCommand, isOwnFile } from '../git-hint.js';
import { alignColumns } from '../render/table.js';
import { runTools } from '../run-tools.js';
import type { Session } from '../session.js';
import { type Result, textOption, type VerbInput } from '../verb.js';

/** `mlv repro`: see its declaration. Errors: `USAGE`, `PIPELINE_INVALID`, those of repro. */
export async function run(session: Session, input: VerbInput): Promise<Result> {
  const repository = await openRepository(session);
  const { options, args } = input;
  const jobs = readJobs(textOption(options.jobs));
  const pipeline = buildPipeline(readPipeline(repository.layout.worktree));
  if (pipeline.stages.length === 0) throw noStages();
  const dryRun = options.dryRun === true;
  const report = await repro(repository, pipeline, {
    options: { stages: args, dryRun, force: options.force === true, keepGoing: options.keepGoing === true, jobs },
    tools: toolsFor(session, repository, { input, jobs }),
  });
  return {
    ...(dryRun ? { text: lines(report) } : { done: lines(report) }),
    notes: await next(repository, report),
    json: { dryRun, stages: report.stages },
    errors: report.errors,
  };
}

function readJobs(text = '1'): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new MlvError('USAGE', `'${text}' is not a number of jobs`, { hint: 'write it as --jobs 4' });
}

function noStages(): MlvError {
  return new MlvError('PIPELINE_INVALID', 'mlv.yaml has no stages', {
    hint: 'docs/pipelines.md shows how they are written; a single command is recorded with: mlv run',
  });
}

function toolsFor(
  session: Session,
  repository: OpenRepository,
  { input, jobs }: { input: VerbInput; jobs: number },
): ReproTools {
  const plain = runTools(session, repository, input);
  // The output of commands that run at once would be in pieces otherwise.
  const named = (stage: string) => (line: string) => {
    (session.globals.json ? process.stderr : process.stdout).write(`${stage} | ${line}\n`);
  };
  return {
    ...plain,
    execute: (stage, ...call) => {
      const tools = jobs > 1 ? runTools(session, repository, { ...input, output: named(stage) }) : plain;
      return tools.execute(...call);
    },
    fetch: (roots) => fetch(session, repository, roots),
  };
}

/** True where everything came; without a remote, nothing does. */
async function fetch(session: Session, repository: OpenRepository, roots: readonly FetchRoot[]): Promise<boolean> {
  const { config } = repository;
  const name = config.core.remote;
  if (name === undefined || !config.remotes.has(name)) return false;
  const { openTransfer } = await import('../open-transfer.js');
  const { fetchObjects } = await import('../../transfer/fetch.js');
  const open = await openTransfer(session, repository, name);
  try {
    const { failed } = await fetchObjects(open.transfer, roots);
    return failed.length === 0;
  } finally {
    await open.close();
  }
}

function lines({ stages }: ReproReport): string[] {
  const rows = stages.map(({ stage, state, reasons }) => [
    state === 'outdated' ? 'out of date' : state,
    stage,
    reasons.length > 0 ? `(${reasons.join(', ')})` : '',
  ]);
  return alignColumns(rows, ['left', 'left', 'left']);
}

async function next(repository: OpenRepository, { stages }: ReproReport): Promise<string[]> {
  const all = [...new Set(stages.flatMap((each) => each.files))].sort();
  // Of metrics nobody but the user knows whether they are to be committed.
  const files = repository.settings.stage ? all.filter((file) => !isOwnFile(file)) : all;
  if (files.length === 0) return [];
  const command = await gitAddCommand(repository, files);
  return command === undefined ? [] : ['To record it in Git:', `  ${command}`];
}
