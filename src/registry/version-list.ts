import { isMlvError } from '../core/errors.js';
import { type Better, betterOf, type Metric } from '../provenance/metrics.js';
import type { ParamValue } from '../provenance/params.js';
import { parseCondition } from './condition.js';
import { evaluate } from './condition-evaluate.js';
import { factsOfVersion } from './condition-facts.js';
import type { Condition } from './condition-syntax.js';
import type { ModelState, VersionState } from './registry.js';
import { newestFirst } from './version-order.js';

/** A stage with what it sends to a version, as lists show it. */
export interface StageShare {
  stage: string;
  /** Percent of the callers; 0 where the stage has none. */
  traffic: number;
}

/** One line of a list of versions. */
export interface VersionSummary {
  model: string;
  version: string;
  manifest: string;
  commit: string;
  author: string;
  created: string;
  stages: StageShare[];
  metrics: Record<string, number>;
  params: Record<string, ParamValue>;
  deprecated: boolean;
}

/** What a list of versions says of one, from what was folded: no manifest is read. Pure. */
export function summarizeVersion(model: ModelState, version: VersionState): VersionSummary {
  const { summary } = version;
  return {
    model: model.name,
    version: version.version,
    manifest: version.manifest,
    commit: summary.commit,
    author: summary.author,
    created: summary.created,
    stages: stagesOf(model, version),
    metrics: Object.fromEntries(Object.entries(summary.metrics).map(([name, { value }]) => [name, value])),
    params: summary.params,
    deprecated: version.deprecated !== undefined,
  };
}

/** The stages that a version stands on, with its traffic there. */
export function stagesOf(model: ModelState, { version, stages }: VersionState): StageShare[] {
  return stages.map((stage) => {
    const assignment = model.stages.get(stage)?.find((each) => each.version === version);
    return { stage, traffic: assignment?.traffic ?? 0 };
  });
}

/** A version with the model that it belongs to. */
export interface Candidate {
  model: ModelState;
  version: VersionState;
}

/** Versions of which a condition holds, and how many lack each name that the condition asks for. */
export interface Selection {
  versions: Candidate[];
  /** How many were looked at. */
  asked: number;
  missing: Map<string, number>;
  /** Why the condition could not be judged of some version, for want of nothing; undefined where it could of all. */
  unfit?: string;
}

/** Chooses the versions of which a condition holds, model by model, the newest first; without a condition, all. */
export function selectVersions(models: readonly ModelState[], condition?: Condition): Selection {
  const missing = new Map<string, number>();
  let unfit: string | undefined;
  const holds = ({ model, version }: Candidate): boolean => {
    if (!condition) return true;
    const verdict = evaluate(condition, factsOfVersion(model, version));
    for (const name of verdict.missing) missing.set(name, (missing.get(name) ?? 0) + 1);
    unfit ??= verdict.unfit[0];
    return verdict.holds;
  };
  const all = models.flatMap((model) => newestFirst(model.versions.values()).map((version) => ({ model, version })));
  const versions = all.filter(holds);
  return { versions, asked: all.length, missing, ...(unfit !== undefined && { unfit }) };
}

/** A version with the figure by which it was ranked. */
export interface RankedVersion extends Candidate {
  value: number;
}

/** Versions by a figure, and what was left out for want of it. */
export interface Ranking {
  ranked: RankedVersion[];
  without: Candidate[];
  better: Better;
}

/**
 * Ranks versions by a metric, the best first; equals stay in the order given. `metric` is the name of a metric, or of
 * anything else as conditions have it (`evaluations["holdout"].auc`). Which direction is better is taken from `better`,
 * else from what the metric says of itself, else from its name.
 */
export function rankVersions(versions: readonly Candidate[], by: { metric: string; better?: Better }): Ranking {
  const path = figurePath(by.metric);
  const ranked: RankedVersion[] = [];
  const without: Candidate[] = [];
  for (const candidate of versions) {
    const value = figureOf(candidate, { metric: by.metric, path });
    if (value === undefined) without.push(candidate);
    else ranked.push({ ...candidate, value });
  }
  const better = by.better ?? directionOf(versions, by.metric);
  const sign = better === 'lower' ? 1 : -1;
  return { ranked: ranked.sort((left, right) => sign * (left.value - right.value)), without, better };
}

/**
 * Sorts versions: by `version` they stay as they are, by `created` the latest comes first, by any other name as
 * rankVersions does, with those that have no such figure behind; undefined where none has it.
 */
export function sortVersions(versions: readonly Candidate[], by: string): Candidate[] | undefined {
  if (by === 'version') return [...versions];
  if (by === 'created') return [...versions].sort((left, right) => compareCreated(right.version, left.version));
  const { ranked, without } = rankVersions(versions, { metric: by });
  return ranked.length === 0 ? undefined : [...ranked, ...without];
}

function compareCreated(left: VersionState, right: VersionState): number {
  return Date.parse(left.summary.created) - Date.parse(right.summary.created) || left.seq - right.seq;
}

function directionOf(versions: readonly Candidate[], metric: string): Better {
  const name = figurePath(metric).slice(1).join('.') || metric;
  const said = versions.map(({ version }) => ownMetric(version, name)).find((each) => each?.better !== undefined);
  return betterOf(name, said ?? {});
}

function figureOf(
  { model, version }: Candidate,
  { metric, path }: { metric: string; path: readonly string[] },
): number | undefined {
  const value = ownMetric(version, metric)?.value ?? factsOfVersion(model, version).lookup(path);
  return typeof value === 'number' ? value : undefined;
}

function ownMetric({ summary: { metrics } }: VersionState, name: string): Metric | undefined {
  return Object.hasOwn(metrics, name) ? metrics[name] : undefined;
}

/** The name of a figure as conditions write it (`evaluations["holdout"].auc`), or else the metric that is called so. */
function figurePath(text: string): readonly string[] {
  try {
    const { expression } = parseCondition(`has ${text}`);
    if (expression.kind === 'present' && expression.name.stage === undefined) return expression.name.path;
  } catch (error) {
    if (!isMlvError(error, 'EXPRESSION_INVALID')) throw error;
  }
  return ['metrics', text];
}
