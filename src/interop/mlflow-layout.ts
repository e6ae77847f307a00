import { createHash } from 'node:crypto';
import { stringify } from 'yaml';
import { type ExportFacts, personOf, valueText } from './facts.js';

/** A directory as MLflow's file store has it: texts by path, and where the artifacts' bytes belong. */
export interface MlflowLayout {
  /** Small files by `/`-separated path. */
  files: Map<string, string>;
  /** Directory of the model, below which each artifact is put under its own path. */
  model: string;
  experimentId: string;
  runId: string;
}

/** MLflow's numbers for a run that ended well, and for one that somebody started by hand. */
const FINISHED = 3;
const LOCAL = 4;

/**
 * What MLflow's file store (`mlruns`) would have of the run, as its `FileStore` reads it: experiment, run, parameters,
 * metrics, tags, a registered model with one version, and the model's `MLmodel`. Ids are made of the facts, so that the
 * same version always gives the same files. Paths are relative: MLflow is started beside `mlruns`.
 */
export function mlflowLayout(facts: ExportFacts): MlflowLayout {
  const experimentId = digits(facts.name);
  const runId = facts.identity.slice(0, 32);
  const run = `mlruns/${experimentId}/${runId}`;
  const model = `${run}/artifacts/model`;
  const began = Date.parse(facts.run?.started ?? facts.created);
  const ended = Date.parse(facts.run?.ended ?? facts.created);
  const files = new Map<string, string>();
  files.set(`mlruns/${experimentId}/meta.yaml`, experimentMeta(facts, { experimentId, began, ended }));
  files.set(`${run}/meta.yaml`, runMeta(facts, { experimentId, runId, run, began, ended }));
  const write = (folder: string, entries: [string, string][]): void => {
    for (const [name, text] of keyed(entries)) files.set(`${run}/${folder}/${name}`, text);
  };
  write(
    'params',
    Object.entries(facts.params).map(([name, value]) => [name, valueText(value)]),
  );
  write(
    'metrics',
    Object.entries(facts.metrics).map(([name, { value }]) => [name, `${ended} ${value} 0\n`]),
  );
  write('tags', tagsOf(facts));
  if (!facts.artifacts.some(({ path }) => path === 'MLmodel'))
    files.set(`${model}/MLmodel`, mlmodel(facts, { runId, ended }));
  if (facts.version !== undefined) registeredModel(facts, { files, run, runId, ended });
  return { files, model, experimentId, runId };
}

function experimentMeta(
  { name }: ExportFacts,
  { experimentId, began, ended }: { experimentId: string; began: number; ended: number },
): string {
  return stringify({
    artifact_location: `mlruns/${experimentId}`,
    creation_time: began,
    experiment_id: experimentId,
    last_update_time: ended,
    lifecycle_stage: 'active',
    name,
  });
}

function runMeta(
  { reference, code, author }: ExportFacts,
  place: { experimentId: string; runId: string; run: string; began: number; ended: number },
): string {
  const { experimentId, runId, run, began, ended } = place;
  return stringify({
    artifact_uri: `${run}/artifacts`,
    end_time: ended,
    entry_point_name: '',
    experiment_id: experimentId,
    lifecycle_stage: 'active',
    run_id: runId,
    run_name: reference,
    run_uuid: runId,
    source_name: '',
    source_type: LOCAL,
    source_version: code?.commit ?? '',
    start_time: began,
    status: FINISHED,
    tags: [],
    user_id: author === undefined ? 'mlv' : personOf(author).name,
  });
}

function registeredModel(
  facts: ExportFacts,
  { files, run, runId, ended }: { files: Map<string, string>; run: string; runId: string; ended: number },
): void {
  const { name, description } = facts;
  const times = { creation_timestamp: ended, last_updated_timestamp: ended };
  const aliases = facts.stages.filter((stage) => !/^(?:latest|v\d+)$/i.test(stage));
  files.set(
    `mlruns/models/${name}/meta.yaml`,
    stringify({
      ...times,
      aliases: Object.fromEntries(aliases.map((alias) => [alias, '1'])),
      description: description ?? null,
      name,
    }),
  );
  for (const alias of aliases) files.set(`mlruns/models/${name}/aliases/${alias}`, '1');
  files.set(
    `mlruns/models/${name}/version-1/meta.yaml`,
    stringify({
      ...times,
      current_stage: 'None',
      description: description ?? null,
      name,
      run_id: runId,
      run_link: null,
      source: `${run}/artifacts/model`,
      status: 'READY',
      status_message: null,
      storage_location: `${run}/artifacts/model`,
      user_id: null,
      version: 1,
    }),
  );
  files.set(`mlruns/models/${name}/version-1/tags/mlv.version`, facts.version as string);
}

function tagsOf(facts: ExportFacts): [string, string][] {
  const { code, run, author, owners, stages, licence } = facts;
  const tags: [string, string | undefined][] = [
    ['mlflow.runName', facts.reference],
    ['mlflow.note.content', facts.description],
    ['mlflow.source.type', run ? 'LOCAL' : undefined],
    ['mlflow.source.name', run?.command.join(' ')],
    ['mlflow.source.git.commit', code?.commit],
    ['mlflow.source.git.branch', code?.branch],
    ['mlflow.source.git.repoURL', code?.repository],
    ['mlflow.user', author === undefined ? undefined : personOf(author).name],
    ['mlv.reference', facts.reference],
    ['mlv.manifest', facts.version === undefined ? undefined : `sha256:${facts.identity}`],
    ['mlv.run', run?.oid],
    ['mlv.licence', licence],
    ['mlv.owners', owners.length > 0 ? owners.join(', ') : undefined],
    ['mlv.stages', stages.length > 0 ? stages.join(', ') : undefined],
    ...facts.data.map(({ path, oid }): [string, string] => [`mlv.data.${path}`, oid]),
    ...Object.entries(run?.seeds ?? {}).map(([name, value]): [string, string] => [
      `mlv.seed.${name}`,
      valueText(value),
    ]),
  ];
  return tags.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
}

function mlmodel(facts: ExportFacts, { runId, ended }: { runId: string; ended: number }): string {
  const size = facts.artifacts.reduce((sum, each) => sum + (each.size ?? 0), 0);
  return stringify({
    artifact_path: 'model',
    flavors: {
      mlv: {
        reference: facts.reference,
        artifacts: facts.artifacts.map(({ path, oid, sha256 }) => ({
          path,
          oid,
          ...(sha256 !== undefined && { sha256 }),
        })),
      },
    },
    metadata: { mlv: { reference: facts.reference, ...(facts.code && { commit: facts.code.commit }) } },
    model_size_bytes: size,
    model_uuid: runId,
    run_id: runId,
    utc_time_created: `${new Date(ended).toISOString().slice(0, 23).replace('T', ' ')}000`,
  });
}

/**
 * Names that are file names for MLflow: what it does not take in a key becomes `_`, and no name is a folder of another. Two
 * names that come to the same get numbers.
 */
function keyed(entries: readonly [string, string][]): Map<string, string> {
  const named = new Map<string, string>();
  for (const [name, text] of entries) {
    const plain =
      name
        .replace(/[^\w\-. ]/g, '_')
        .replace(/^\.+/, '_')
        .slice(0, 240) || '_';
    let key = plain;
    for (let at = 2; named.has(key); at += 1) key = `${plain}_${at}`;
    named.set(key, text);
  }
  return named;
}

/** 18 digits made of a name, as MLflow numbers experiments. */
function digits(name: string): string {
  const value = BigInt(`0x${createHash('sha256').update(name).digest('hex').slice(0, 16)}`);
  return String(10n ** 17n + (value % (9n * 10n ** 17n)));
}
