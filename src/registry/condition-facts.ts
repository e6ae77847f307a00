import type { ParamValue } from '../provenance/params.js';
import type { Facts } from './condition-evaluate.js';
import type { FactValue } from './condition-syntax.js';
import type { ModelState, VersionState } from './registry.js';
import { mainAssignment } from './traffic.js';

/** What a condition may ask of a version, whether it is registered or about to be. */
export interface FactSource {
  metrics: Readonly<Record<string, { value: number }>>;
  params: Readonly<Record<string, ParamValue>>;
  /** By data set; see VersionState.evaluations. */
  evaluations?: Readonly<Record<string, Readonly<Record<string, { value: number }>>>>;
  /** `author`, `created`, `stage` and what else is neither a metric nor a param. */
  fields?: Readonly<Record<string, FactValue | undefined>>;
}

/**
 * Facts for conditions. `metrics.x`, `params.x` and `evaluations["data set"].x` are taken at their word; a bare name is a
 * metric, else a param, else a field. The parts of dotted names are joined: `params.model.depth` is the param
 * `model.depth`.
 */
export function factsFrom(source: FactSource, stages: Pick<Facts, 'onStage' | 'emptyStageHolds'> = {}): Facts {
  return { lookup: (path) => explicit(source, path) ?? bare(source, path), ...stages };
}

/** Facts of a registered version: those of its manifest, what was measured later, and where it stands. */
export function factsOfVersion(
  model: ModelState,
  version: VersionState,
  options: { emptyStageHolds?: boolean } = {},
): Facts {
  const onStage = (stage: string): Facts | undefined => {
    const main = mainAssignment(model.stages.get(stage) ?? []);
    const there = main && model.versions.get(main.version);
    return there && factsFrom(sourceOf(there));
  };
  return factsFrom(sourceOf(version), { onStage, ...options });
}

function sourceOf(version: VersionState): FactSource {
  const { summary, evaluations, stages, deprecated, approvals, reproduced } = version;
  const says = (approved: boolean): string[] =>
    approvals.filter((each) => each.approved === approved).map((each) => each.stage);
  return {
    metrics: summary.metrics,
    params: summary.params,
    evaluations,
    fields: {
      model: version.model,
      version: version.version,
      manifest: version.manifest,
      stage: stages.length > 0 ? stages : ['none'],
      author: summary.author,
      created: summary.created,
      commit: summary.commit,
      parent: summary.parent,
      data: summary.data,
      artifacts: summary.artifacts,
      retain_until: summary.retain_until,
      deprecated: deprecated !== undefined,
      reproduced: reproduced?.verdict ?? 'none',
      approved: says(true),
      rejected: says(false),
    },
  };
}

function explicit(source: FactSource, path: readonly string[]): FactValue | undefined {
  const [first, ...rest] = path;
  const name = rest.join('.');
  if (name === '') return undefined;
  if (first === 'metrics') return own(source.metrics, name)?.value;
  if (first === 'params') return own(source.params, name);
  if (first !== 'evaluations' || rest.length < 2) return undefined;
  const measured = own(source.evaluations ?? {}, rest[0] as string);
  return measured && own(measured, rest.slice(1).join('.'))?.value;
}

function bare(source: FactSource, path: readonly string[]): FactValue | undefined {
  const name = path.join('.');
  const metric = own(source.metrics, name);
  if (metric) return metric.value;
  const param = own(source.params, name);
  return param === undefined ? own(source.fields ?? {}, name) : param;
}

/** Names come from files and command lines: `constructor` must find nothing. */
function own<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
