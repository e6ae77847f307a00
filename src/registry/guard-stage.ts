import { MlvError } from '../core/errors.js';
import { type GuardReport, judgeGuard, type Observed } from './guard.js';
import { requireModel } from './reference-resolve.js';
import type { ModelState, RegistryView, VersionState } from './registry.js';
import { type Carried, carryOut, eventBase, knownStage, type Proposer } from './transition.js';

export interface GuardRequest {
  model: string;
  stage: string;
  /** Which of the versions that share the stage; the one that came last where absent. */
  version?: string | undefined;
  /** What was observed, by version; '' stands for the version that is guarded. */
  observed: Readonly<Record<string, Observed>>;
  /** Data set of the window: results of `mlv evaluate --on` it count as observed. */
  window?: string | undefined;
  tolerance: { all: number; of: Readonly<Record<string, number>> };
}

/** What a guard found, and what was written of it. */
export interface Guarded extends Carried {
  report: GuardReport;
}

/**
 * Judges the version on a stage by what was observed, and keeps the verdict as an event. Errors: `STAGE_UNKNOWN`,
 * `VERSION_UNKNOWN` where nothing stands there, `USAGE` where nothing was observed of it, those of Registry.change.
 */
export async function guardStage(proposer: Proposer, request: GuardRequest): Promise<Guarded> {
  let report: GuardReport | undefined;
  const carried = await carryOut(proposer, async (view: RegistryView) => {
    const stage = knownStage(await view.policy(), request.stage);
    const model = await requireModel(view, request.model);
    const version = guardedVersion(model, stage, request.version);
    report = judgeVersion(model, version, request);
    const { verdict, signals, because } = report;
    const base = eventBase(version, proposer, { reason: because });
    const event = { ...base, type: 'guarded' as const, stage, verdict, signals };
    return { event, version, subject: `${model.name}@${version.version}: ${verdict} on ${stage}` };
  });
  return { ...carried, report: report as GuardReport };
}

function guardedVersion(model: ModelState, stage: string, wanted: string | undefined): VersionState {
  const assigned = [...(model.stages.get(stage) ?? [])].sort((left, right) => right.seq - left.seq);
  const chosen = wanted === undefined ? assigned[0] : assigned.find(({ version }) => version === wanted);
  const version = chosen && model.versions.get(chosen.version);
  if (version) return version;
  const what = wanted === undefined ? 'nothing' : `no version ${wanted}`;
  throw new MlvError('VERSION_UNKNOWN', `${what} of ${model.name} stands on ${stage}`, {
    hint: `what stands where: mlv list ${model.name}`,
    data: { model: model.name, stage },
  });
}

function judgeVersion(model: ModelState, version: VersionState, request: GuardRequest): GuardReport {
  const { window, tolerance } = request;
  const observedOf = (each: VersionState): Observed => ({
    ...(window === undefined ? {} : evaluated(each, window)),
    ...own(request.observed, each.version),
    ...(each.version === version.version ? own(request.observed, '') : {}),
  });
  const observed = observedOf(version);
  if (Object.keys(observed).length === 0) {
    throw new MlvError('USAGE', `nothing was observed of ${model.name}@${version.version}`, {
      hint: 'say what: -m auc=0.9, --observed metrics.json, or --on <data set> after mlv evaluate',
    });
  }
  const others = [...model.versions.values()]
    .filter((each) => each.version !== version.version)
    .sort((left, right) => right.seq - left.seq)
    .map((each) => ({ version: each, observed: observedOf(each) }))
    .filter(({ observed: figures }) => Object.keys(figures).length > 0);
  return judgeGuard({ version, observed, others, tolerance, ...(window !== undefined && { window }) });
}

function evaluated({ evaluations }: VersionState, window: string): Observed {
  const measured = own(evaluations, window);
  return Object.fromEntries(Object.entries(measured).map(([name, { value }]) => [name, value]));
}

function own<T>(
  record: Readonly<Record<string, Readonly<Record<string, T>>>>,
  name: string,
): Readonly<Record<string, T>> {
  return Object.hasOwn(record, name) ? (record[name] as Readonly<Record<string, T>>) : {};
}
