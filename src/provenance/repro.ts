import { existsSync } from 'node:fs';
import { isMlvError, MlvError } from '../core/errors.js';
import { inShellQuotes } from '../core/shell-quote.js';
import type { FetchRoot } from '../transfer/roots.js';
import { annotateTargets } from '../workspace/annotate.js';
import { absolutePath, isWithin, type RepositoryPath } from '../workspace/paths.js';
import { loadTargets } from '../workspace/pointers.js';
import type { Repository } from '../workspace/repository.js';
import { committedMetrics } from './committed-metrics.js';
import { pipelineError, type Stage } from './pipeline-format.js';
import { type Pipeline, readBy, selectStages, upstreamOf, writtenBy } from './pipeline-graph.js';
import { executeRun, type RunTools } from './run.js';
import { runsInHistory } from './run-history.js';
import type { InputMemory } from './run-inputs.js';
import type { PreparedRun } from './run-prepare.js';
import { lackingFor, restoreRun } from './run-restore.js';
import { findRun, recallRun, type StoredRun } from './run-store.js';
import { isMissingInput, requestOf, type StageState, stageState, trackedBy } from './stage-state.js';
import { Turns } from './turns.js';

/** What became of a stage. `outdated` is what would run or be restored, with a dry run. */
export interface StageOutcome {
  stage: string;
  state: 'current' | 'restored' | 'ran' | 'failed' | 'skipped' | 'outdated';
  /** Why it was not current, or why it failed or was skipped. */
  reasons: string[];
  /** The record of the run that its outputs are of. */
  run?: string;
  /** Of its command. */
  exitCode?: number;
  /** What a commit should hold. */
  files: RepositoryPath[];
}

export interface ReproOptions {
  /** Stages to be made current, with all that they need; every one where empty. */
  stages: readonly string[];
  /** Tell what would be done, and do nothing. */
  dryRun: boolean;
  /** Run also what is current, and restore nothing. */
  force: boolean;
  /** Go on with what does not need a stage that failed. */
  keepGoing: boolean;
  /** How many commands at once. */
  jobs: number;
}

/** What repro needs of the world beside what a run does. */
export interface ReproTools extends Omit<RunTools, 'execute'> {
  execute(stage: string, ...call: Parameters<RunTools['execute']>): ReturnType<RunTools['execute']>;
  /** Brings objects from the remote into the cache; false where they are not to be had. */
  fetch(roots: readonly FetchRoot[]): Promise<boolean>;
}

export interface ReproReport {
  /** In the order in which they were looked at. */
  stages: StageOutcome[];
  /** What failed. */
  errors: MlvError[];
}

/**
 * Makes stages current, in order: what read the same before is left alone, or put back from an earlier run of anybody;
 * what did not is run. Errors: `PIPELINE_INVALID` for a dependency that nothing makes and an unknown stage, `INTERRUPTED`.
 */
export async function repro(
  repository: Repository,
  pipeline: Pipeline,
  { options, tools }: { options: ReproOptions; tools: ReproTools },
): Promise<ReproReport> {
  const stages = selectStages(pipeline, options.stages);
  await requireDependencies(repository, pipeline, stages);
  return new Repro(repository, pipeline, { options, tools }).all(stages);
}

/** What a stage reads must be there, be tracked, or be made by a stage. */
async function requireDependencies(
  repository: Repository,
  pipeline: Pipeline,
  stages: readonly Stage[],
): Promise<void> {
  const { targets } = await loadTargets(repository);
  const made = pipeline.stages.flatMap(writtenBy);
  const isKnown = (path: RepositoryPath): boolean =>
    existsSync(absolutePath(repository.layout, path)) ||
    made.some((each) => isWithin(path, each) || isWithin(each, path)) ||
    targets.some((target) => isWithin(path, target.path) || isWithin(target.path, path));
  for (const stage of stages) {
    const unknown = readBy(stage).find((path) => !isKnown(path));
    if (unknown === undefined) continue;
    throw pipelineError(`stage '${stage.name}' reads '${unknown}', which is not there, and no stage makes it`, {
      line: stage.line,
    });
  }
}

class Repro {
  private readonly outcomes = new Map<string, StageOutcome>();
  private readonly errors: MlvError[] = [];
  /** Whatever reads or writes pointers takes its turn; only commands run at once. */
  private readonly turns = new Turns();
  private stopped = false;
  /** Kept as long as nothing is written. */
  private memory: InputMemory;
  /** Ends everything when what still runs has ended. */
  private broken: unknown;

  constructor(
    private readonly repository: Repository,
    private readonly pipeline: Pipeline,
    private readonly job: { options: ReproOptions; tools: ReproTools },
  ) {
    this.memory = this.newMemory();
  }

  /** For what no stage makes: what a stage makes is none of Git's. */
  private newMemory(): InputMemory {
    const outs = this.pipeline.stages.flatMap((stage) => stage.outs);
    const deps = new Set(this.pipeline.stages.flatMap((stage) => stage.deps));
    return { paths: [...deps].filter((path) => !outs.some((out) => isWithin(path, out))) };
  }

  async all(stages: readonly Stage[]): Promise<ReproReport> {
    const { jobs } = this.job.options;
    const waiting = [...stages];
    const running = new Map<string, Promise<void>>();
    while (waiting.length > 0 || running.size > 0) {
      const ready = this.stopped ? -1 : waiting.findIndex(({ name }) => this.isReady(name));
      if (ready >= 0 && running.size < jobs) {
        const [stage] = waiting.splice(ready, 1) as [Stage];
        running.set(
          stage.name,
          this.one(stage).finally(() => running.delete(stage.name)),
        );
      } else if (running.size > 0) await Promise.race(running.values());
      else break;
    }
    if (this.broken !== undefined) throw this.broken;
    for (const { name } of waiting) this.skip(name, ['another stage failed']);
    return { stages: [...this.outcomes.values()], errors: this.errors };
  }

  private isReady(name: string): boolean {
    return upstreamOf(this.pipeline, name).every((each) => this.outcomes.has(each));
  }

  private async one(stage: Stage): Promise<void> {
    const failed = upstreamOf(this.pipeline, stage.name).find((each) =>
      ['failed', 'skipped'].includes(this.outcomes.get(each)?.state ?? ''),
    );
    if (failed !== undefined) return this.skip(stage.name, [`it needs stage ${failed}`]);
    const end = await this.turns.begin();
    try {
      const outcome = this.job.options.dryRun ? await this.foretell(stage) : await this.make(stage);
      const files = [
        ...new Set([
          ...(outcome.files ?? []),
          ...(await this.annotate(stage, outcome)),
          ...(await this.metricsOf(stage, outcome)),
        ]),
      ].sort();
      this.outcomes.set(stage.name, { stage: stage.name, ...outcome, files });
      if (outcome.state === 'failed') this.fail(stage, outcome);
    } catch (error) {
      if (!isMlvError(error) || error.code === 'INTERRUPTED') {
        this.broken ??= error;
        this.stopped = true;
        return;
      }
      const told = new MlvError(error.code, `stage '${stage.name}': ${error.message}`, {
        ...(error.hint !== undefined && { hint: error.hint }),
        data: { ...error.data, stage: stage.name },
        cause: error,
      });
      this.outcomes.set(stage.name, { stage: stage.name, state: 'failed', reasons: [error.message], files: [] });
      this.errors.push(told);
      if (!this.job.options.keepGoing) this.stopped = true;
    } finally {
      end();
    }
  }

  /** What the stage says of the origin of its outputs, also when only that changed: it is no reason to run anything. */
  private async annotate({ annotation, ...stage }: Stage, { state }: Outcome): Promise<RepositoryPath[]> {
    if (!annotation || this.job.options.dryRun || !['current', 'ran', 'restored'].includes(state)) return [];
    const made = new Set(trackedBy(requestOf(stage)));
    const { targets } = await loadTargets(this.repository);
    const change = { set: annotation, ...(this.job.tools.stage !== undefined && { stage: this.job.tools.stage }) };
    return annotateTargets(
      this.repository,
      targets.filter(({ path }) => made.has(path)),
      change,
    );
  }

  private skip(stage: string, reasons: string[]): void {
    this.outcomes.set(stage, { stage, state: 'skipped', reasons, files: [] });
  }

  private fail(stage: Stage, { exitCode, reasons }: Outcome): void {
    this.errors.push(
      new MlvError('RUN_FAILED', `stage '${stage.name}' failed: ${reasons.join(', ')}; nothing of it was recorded`, {
        hint: 'mend it and run mlv repro again: what is done is not done twice',
        data: { stage: stage.name, line: stage.line, ...(exitCode !== undefined && { exitCode }) },
      }),
    );
    if (!this.job.options.keepGoing) this.stopped = true;
  }

  private async foretell(stage: Stage): Promise<Outcome> {
    const pending = upstreamOf(this.pipeline, stage.name).filter(
      (each) => this.outcomes.get(each)?.state === 'outdated',
    );
    if (pending.length > 0) return { state: 'outdated', reasons: pending.map((each) => `it reads what ${each} makes`) };
    const found = await this.look(stage);
    if (this.job.options.force) return { state: 'outdated', reasons: ['--force'] };
    return { state: found.state === 'current' ? 'current' : 'outdated', reasons: found.reasons, ...runOf(found) };
  }

  private async make(stage: Stage): Promise<Outcome> {
    const { force } = this.job.options;
    const { reporter } = this.job.tools;
    const found = await this.look(stage);
    if (!force) {
      if (found.state === 'current') return { state: 'current', reasons: [], ...runOf(found) };
      const stored = await this.earlier(stage, found);
      if (stored) {
        reporter.note(`${stage.name}: restored from an earlier run (${found.reasons.join(', ')})`);
        const files = await restoreRun(this.repository, { stored, request: requestOf(stage) }, this.job.tools);
        this.memory = this.newMemory();
        return { state: 'restored', reasons: found.reasons, run: stored.run.oid, files };
      }
    }
    const reasons = force ? ['--force'] : found.reasons;
    reporter.note(`${stage.name}: running (${reasons.join(', ')})`);
    return this.run(stage, found.prepared, reasons);
  }

  private async look(stage: Stage): Promise<StageState> {
    try {
      const { signal } = this.job.tools;
      return await stageState(this.repository, stage, { memory: this.memory, ...(signal && { signal }) });
    } catch (error) {
      if (!isMissingInput(error)) throw error;
      const { path } = (error as MlvError).data;
      throw new MlvError('PATH_NOT_FOUND', `it reads '${path}', which is not there`, {
        hint: `where it is tracked: mlv pull ${inShellQuotes(String(path))}; otherwise make it, or mend line ${stage.line} of mlv.yaml`,
        data: { path, line: stage.line },
      });
    }
  }

  /** What the command, or an earlier run, wrote of metrics, as far as a commit should hold it. */
  private async metricsOf(stage: Stage, { state }: Outcome): Promise<readonly RepositoryPath[]> {
    if (this.job.options.dryRun || !['ran', 'restored'].includes(state)) return [];
    return committedMetrics(this.repository.git, requestOf(stage).metrics);
  }

  private async run(stage: Stage, prepared: PreparedRun, reasons: string[]): Promise<Outcome> {
    const { tools } = this.job;
    const forget = (): void => {
      this.memory = this.newMemory();
    };
    const outcome = await executeRun(this.repository, prepared, {
      ...tools,
      // Others look meanwhile, at what this one may be writing.
      execute: (...call) => this.turns.pause(() => tools.execute(stage.name, ...call)).finally(forget),
    });
    forget();
    const { exitCode, interrupted, stored, added } = outcome;
    if (stored) return { state: 'ran', reasons, run: stored.run.oid, exitCode, files: added.files };
    if (interrupted) {
      tools.reporter.warn(`${stage.name}: the command was interrupted (${interrupted}); nothing of it was recorded`);
      throw new MlvError('INTERRUPTED', 'interrupted');
    }
    return { state: 'failed', reasons: [`exit code ${exitCode}`], exitCode };
  }

  /** A run of anybody that did the same, with everything in the cache that it made. */
  private async earlier(stage: Stage, { prepared, run, state }: StageState): Promise<StoredRun | undefined> {
    const { key } = prepared;
    const known =
      (state === 'absent' && run ? findRun(this.repository, run.oid) : undefined) ?? recallRun(this.repository, key);
    const stored = known ?? (await this.fromHistory(stage, key));
    if (!stored || stored.record.key !== key || stored.record.changed) return undefined;
    const request = requestOf(stage);
    const lacking = lackingFor(this.repository, stored, request);
    if (!lacking) return undefined;
    if (lacking.length > 0 && !(await this.job.tools.fetch(lacking))) return undefined;
    return lackingFor(this.repository, stored, request)?.length === 0 ? stored : undefined;
  }

  private async fromHistory(stage: Stage, key: string): Promise<StoredRun | undefined> {
    const run = (await runsInHistory(this.repository, trackedBy(requestOf(stage)))).get(key);
    if (!run) return undefined;
    const here = findRun(this.repository, run.oid);
    if (here) return here;
    const root = { oid: run.oid, directory: true, size: run.size, path: `record of ${stage.name}`, below: '' };
    return (await this.job.tools.fetch([root])) ? findRun(this.repository, run.oid) : undefined;
  }
}

type Outcome = Omit<StageOutcome, 'stage' | 'files'> & { files?: RepositoryPath[] };

function runOf({ run }: StageState): { run?: string } {
  return run === undefined ? {} : { run: run.oid };
}
