import { delimiter, join } from 'node:path';
import { MlvError } from '../core/errors.js';
import type { Environment } from '../provenance/environment.js';
import { inputDifferences, repeatRun } from '../provenance/repeat-run.js';
import {
  type ComparedMetric,
  type ComparedOutput,
  findingsOf,
  type Verdict,
  verdictOf,
} from '../provenance/reproduction.js';
import type { RunTools } from '../provenance/run.js';
import { DIFFERENCE_FILE, type RunRecord } from '../provenance/run-record.js';
import type { StoredRun } from '../provenance/run-store.js';
import type { Tolerances } from '../provenance/tolerance.js';
import { flatEnvironment } from '../registry/compare.js';
import type { Manifest } from '../registry/manifest.js';
import { isWithin } from '../workspace/paths.js';
import { type OpenRepository, openRepository } from './context.js';
import { environmentError, type MadeEnvironment, makeEnvironment } from './make-environment.js';
import { Remade } from './remade.js';
import { escapeControls } from './render/quote.js';
import { type ReproductionPlan, reproductionPlan } from './reproduction-plan.js';
import { type Restored, type RestoreOptions, restoreVersion, withoutTies } from './restored-version.js';
import { runTools } from './run-tools.js';
import type { Session } from './session.js';
import { takeAway } from './temporary-tree.js';
import type { VerbInput } from './verb.js';

/** What to reproduce, where and how. */
export interface ReproductionRequest {
  restored: Restored;
  manifest: Manifest;
  /** Path of the linked working tree that is made for it. */
  directory: string;
  /** The whole chain, and not only the runs that made the artifacts. */
  all: boolean;
  tolerances: Tolerances;
  /** Options of the verb for the Python environment that is made for it; undefined: the one that is there is taken. */
  environment: VerbInput['options'] | undefined;
}

/** What came of it. */
export interface Reproduction {
  verdict: Verdict;
  runs: { oid: string; name?: string; command: string }[];
  outputs: ComparedOutput[];
  metrics: ComparedMetric[];
  /** Facts of the environment that are other than recorded: `python`, `package numpy`, … */
  environment: { name: string; before: string | null; after: string | null }[];
  /** All that in lines, for the history. */
  found: string[];
  /** What does not change the verdict, but should be known. */
  notes: string[];
}

/**
 * Runs again what made a version, in a working tree of its own, and compares. The tree stays; what it takes to make it,
 * such as objects from a remote, comes first. Errors: those of restoreVersion, reproductionPlan and repeatRun; `RUN_FAILED`
 * where what a run read cannot be had again.
 */
export async function reproduceVersion(session: Session, request: ReproductionRequest): Promise<Reproduction> {
  const { tree, plan } = await restoreInputs(session, request);
  const made = await environmentFor(session, tree, { request, plan });
  const tools = repeatTools(session, tree, made);
  const remade = new Remade(request);
  const notes = [
    ...plan.unmade.map((path) => `no run is recorded that made '${path}': it is not compared`),
    ...(made?.same === false ? ['the Python environment that was made is not the one that was recorded'] : []),
  ];
  const repeat = async ({ record }: StoredRun): Promise<void> => {
    session.reporter.note(`${record.name ?? 'run'}: ${commandText(record)}`);
    remade.add(record, await repeatRun(tree, record, tools));
  };
  for (const run of plan.runs) await repeat(run);
  if (verdictOf(remade.outputs, []) !== 'bit-identical') {
    for (const run of plan.judges) {
      const [problem] = await inputDifferences(tree, run.record, remade.paths);
      if (problem === undefined) await repeat(run);
      else notes.push(`${run.record.name ?? 'a run'}, which has figures of it, was not run again: ${problem}`);
    }
  }
  const environment = otherFacts(plan.runs.at(-1)?.record.environment ?? {}, await tools.probed());
  const { outputs, metrics } = remade;
  const lines = [...findingsOf(outputs, metrics), ...environmentLine(environment), ...notes];
  return {
    verdict: verdictOf(outputs, metrics),
    runs: plan.runs.map(({ run, record }) => ({
      oid: run.oid,
      ...(record.name !== undefined && { name: record.name }),
      command: commandText(record),
    })),
    outputs,
    metrics,
    environment,
    found: lines.slice(0, MOST_LINES).map((line) => escapeControls(line).slice(0, LINE)),
    notes,
  };
}

/** As many as a history should hold of one event. */
const MOST_LINES = 50;
const LINE = 500;

/**
 * A tree in which everything that the first runs read is as it was: the version's commit, or else the commit and the
 * changes that the runs themselves had.
 */
async function restoreInputs(
  session: Session,
  { restored, manifest, directory, all }: ReproductionRequest,
): Promise<{ tree: OpenRepository; plan: ReproductionPlan }> {
  const repository = await openRepository(session);
  let plan: ReproductionPlan | undefined;
  const choose: NonNullable<RestoreOptions['choose']> = async (named, here) => {
    plan = await reproductionPlan(session, { repository, manifest, named, here, all });
    return plan.targets;
  };
  const attempt = async (code?: RestoreOptions['code']): Promise<string[] | OpenRepository> => {
    const tree = await restoreVersion(session, restored, { directory, choose, ...(code && { code }) });
    const found = await differencesOf(tree, (plan as ReproductionPlan).runs);
    if (found.length === 0) return tree;
    await takeAway(restored.open.git, directory);
    return found;
  };
  const first = await attempt();
  if (!Array.isArray(first)) return { tree: first, plan: plan as ReproductionPlan };
  const code = await codeOfRuns(repository, plan as ReproductionPlan);
  const second = code && (await attempt(code));
  if (second && !Array.isArray(second)) return { tree: second, plan: plan as ReproductionPlan };
  const [problem = '', ...others] = first;
  const more = others.length > 0 ? `, and ${others.length} more` : '';
  const name = `${manifest.model}@${manifest.version}`;
  throw new MlvError('RUN_FAILED', `what the run of ${name} read cannot be had again: ${problem}${more}`, {
    hint: `the version's commit has it otherwise than the run had it: mlv why ${name}`,
    data: { version: name, differences: first },
  });
}

/** What the runs read that is not as it was; what an earlier one of them makes is left out. */
async function differencesOf(tree: OpenRepository, runs: readonly StoredRun[]): Promise<string[]> {
  const made = runs.flatMap(({ record }) => [...record.outputs, ...record.metrics_files].map(({ path }) => path));
  const found: string[] = [];
  for (const { record } of runs) {
    const own = record.outputs.map(({ path }) => path);
    const earlier = made.filter((path) => !own.some((each) => isWithin(each, path)));
    found.push(...(await inputDifferences(tree, record, earlier)));
  }
  return [...new Set(found)];
}

/** Commit and changes that all the runs had, where they are the same and still to be had. */
async function codeOfRuns(
  repository: OpenRepository,
  { runs }: ReproductionPlan,
): Promise<RestoreOptions['code'] | undefined> {
  const [first] = runs;
  const commit = first?.record.commit;
  if (first === undefined || commit === undefined || runs.some(({ record }) => record.commit !== commit))
    return undefined;
  if (!(await repository.git.hasCommit(commit))) return undefined;
  // The last one has what the others made, and the same code.
  const { record, files } = runs.at(-1) as StoredRun;
  const difference = files.get(DIFFERENCE_FILE);
  if (record.dirty && (difference === undefined || !repository.cache.has(difference))) return undefined;
  return { commit, patch: difference && repository.cache.read(difference) };
}

interface RepeatTools extends Pick<RunTools, 'env' | 'execute' | 'signal'> {
  /** The environment that the commands ran in. */
  probed(): Promise<Environment>;
}

async function environmentFor(
  session: Session,
  tree: OpenRepository,
  { request, plan }: { request: ReproductionRequest; plan: ReproductionPlan },
): Promise<MadeEnvironment | undefined> {
  if (request.environment === undefined) return undefined;
  const { environment } = (plan.runs.at(-1) as StoredRun).record;
  const made = await makeEnvironment(session, tree, { environment, options: request.environment });
  const error = environmentError(made);
  if (error) session.reporter.warn(error.message);
  return made;
}

/** As the activation of a virtual environment leaves it. */
function inEnvironment(env: NodeJS.ProcessEnv, made: MadeEnvironment | undefined): NodeJS.ProcessEnv {
  if (!made) return env;
  const { PYTHONHOME: _home, PYTHONPATH: _path, ...rest } = env;
  const programs = join(made.directory, process.platform === 'win32' ? 'Scripts' : 'bin');
  return { ...rest, VIRTUAL_ENV: made.directory, PATH: [programs, env.PATH].filter(Boolean).join(delimiter) };
}

/** The output of the commands goes to standard error: standard output is for the verdict. */
function repeatTools(session: Session, tree: OpenRepository, made: MadeEnvironment | undefined): RepeatTools {
  const tools = runTools(session, tree, { options: {}, output: 'error' });
  const env = inEnvironment(withoutTies(session.env), made);
  let probing: Promise<Environment> | undefined;
  return {
    env,
    signal: session.signal,
    execute: async (command, where) => {
      session.signal.throwIfAborted();
      probing = tools.probe(where);
      return tools.execute(command, where);
    },
    probed: async () => (await probing) ?? {},
  };
}

function commandText({ command }: RunRecord): string {
  return escapeControls(typeof command === 'string' ? command : command.join(' '));
}

/** What of the environment decides results, and is other than it was. */
function otherFacts(before: Environment, after: Environment): Reproduction['environment'] {
  const [then, now] = [flatEnvironment(before), flatEnvironment(after)];
  const names = Object.keys({ ...then, ...now }).filter((name) => DECISIVE.test(name));
  return names
    .filter((name) => then[name] !== now[name])
    .map((name) => ({ name, before: then[name] ?? null, after: now[name] ?? null }));
}

const DECISIVE = /^(?:os|cpu|gpus|driver|cuda|container|python|r|node|package .*)$/;

function environmentLine(facts: Reproduction['environment']): string[] {
  if (facts.length === 0) return [];
  const packages = facts.filter(({ name }) => name.startsWith('package '));
  const single = facts
    .filter((fact) => !packages.includes(fact))
    .map(({ name, before, after }) => `${name} ${after ?? 'unknown'}, was ${before ?? 'unknown'}`);
  const counted = packages.length > 0 ? [`${packages.length} Python packages differ`] : [];
  return [`other environment: ${[...single, ...counted].join('; ')}`];
}
