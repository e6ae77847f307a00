import { isMapping } from '../../core/mapping.js';
import { listOf } from './server-client.js';
import type { ArtifactEntry, MlflowRun, MlflowVersion } from './store.js';
import { sourceInvalid, statusName } from './values.js';

/** What a tracking server describes one thing with. */
export type Json = Record<string, unknown>;

/** An alias of a registered model, and the version that it stands for. */
export interface ModelAlias {
  alias: string;
  version: string;
}

/** A run; `logged` are the models that runs logged outside their artifacts. Error: `FOREIGN_INVALID`. */
export function runOf(
  json: Json,
  {
    experiments,
    logged,
  }: { experiments: ReadonlyMap<string, string>; logged: ReadonlyMap<string, MlflowRun['models']> },
): MlflowRun {
  const { info, data = {} } = json;
  if (!isMapping(info) || !isMapping(data))
    throw sourceInvalid('the server describes a run in a way that is not known');
  const id = textAt(info, 'run_id');
  const experiment = textAt(info, 'experiment_id');
  const tags = pairs(data, 'tags');
  const name = optionalAt(info, 'run_name') ?? tags.get('mlflow.runName');
  const user = optionalAt(info, 'user_id') ?? tags.get('mlflow.user');
  const metrics = listOf(data, 'metrics').map((each) => [textAt(each, 'key'), Number(each.value)] as const);
  return {
    id,
    experiment: experiments.get(experiment) ?? `experiment-${experiment}`,
    ...(name !== undefined && { name }),
    status: statusName(info.status),
    ...(user !== undefined && { user }),
    ...time('started', info.start_time),
    ...time('ended', info.end_time),
    params: pairs(data, 'params'),
    metrics: new Map(metrics),
    tags,
    artifacts: textAt(info, 'artifact_uri'),
    models: logged.get(id) ?? [],
  };
}

/** A version of a registered model; `aliases` are those of the model. Error: `FOREIGN_INVALID`. */
export function versionOf(
  json: Json,
  { aliases, artifacts }: { aliases: readonly ModelAlias[]; artifacts: string },
): MlflowVersion {
  const version = String(json.version ?? '');
  const stage = optionalAt(json, 'current_stage');
  const description = optionalAt(json, 'description');
  const user = optionalAt(json, 'user_id');
  const run = optionalAt(json, 'run_id');
  return {
    model: textAt(json, 'name'),
    version,
    ...time('created', json.creation_timestamp),
    ...(description !== undefined && { description }),
    ...(stage !== undefined && stage !== 'None' && { stage }),
    aliases: aliases.filter((each) => each.version === version).map(({ alias }) => alias),
    tags: pairs(json, 'tags'),
    status: optionalAt(json, 'status') ?? 'READY',
    ...(user !== undefined && { user }),
    ...(run !== undefined && { run }),
    artifacts,
  };
}

/** An entry of a directory of artifacts. Error: `FOREIGN_INVALID`. */
export function entryOf(json: Json): ArtifactEntry {
  const size = Number(json.file_size);
  return {
    name: textAt(json, 'path').replace(/\/$/, ''),
    directory: json.is_dir === true,
    ...(json.is_dir !== true && Number.isSafeInteger(size) && size >= 0 && { size }),
  };
}

/** A text that must be there. Error: `FOREIGN_INVALID`. */
export function textAt(json: Json, key: string): string {
  const value = json[key];
  if (typeof value === 'string') return value;
  throw sourceInvalid(`the server leaves out '${key}', or it is no text`);
}

/** A text; undefined for an empty one, and where there is none. */
export function optionalAt(json: Json, key: string): string | undefined {
  const value = json[key];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Numbers come as numbers, and as texts where they have 64 bits. */
function time<K extends string>(key: K, value: unknown): { [P in K]?: number } {
  const number = Number(value ?? Number.NaN);
  return Number.isFinite(number) ? ({ [key]: number } as { [P in K]?: number }) : {};
}

function pairs(json: Json, key: string): Map<string, string> {
  return new Map(listOf(json, key).map((each) => [textAt(each, 'key'), String(each.value ?? '')]));
}
