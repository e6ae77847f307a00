import { lstatSync } from 'node:fs';
import { MlvError } from '../../core/errors.js';
import { type MlflowPlan, planImport } from '../../interop/mlflow/plan.js';
import { modelNameOf } from '../../interop/mlflow/values.js';
import { versionOrigins } from '../../registry/import-versions.js';
import { absolutePath, type RepositoryPath, toRepositoryPath } from '../../workspace/paths.js';
import { pointerPathOf } from '../../workspace/pointers.js';
import { type OpenRepository, openRepository } from '../context.js';
import { inTheWay, logPath, MlflowImport, type MlflowReport, type StageReport } from '../mlflow-import.js';
import { openMlflow } from '../open-mlflow.js';
import { registryOf } from '../open-registry.js';
import { many } from '../register-input.js';
import { escapeControls, quotePath } from '../render/quote.js';
import { alignColumns } from '../render/table.js';
import { formatBytes, formatCount } from '../render/units.js';
import type { Session } from '../session.js';
import { type Result, textOption, type VerbInput } from '../verb.js';

/** Paths that mlv writes into commits without a checkout. */
const PLAIN_PATH = /^[A-Za-z0-9_.@-]+(?:\/[A-Za-z0-9_.@-]+)*$/;

/** `mlv import mlflow`: see its declaration. Errors: those of openMlflow, of the store, of importVersions. */
export async function run(session: Session, { args: [operand = ''], options }: VerbInput): Promise<Result> {
  const repository = await openRepository(session);
  const under = directoryOf(repository, textOption(options.trackedUnder));
  const store = await openMlflow(session, operand, many(options.artifacts));
  try {
    const registry = registryOf(session, repository.config.registry.remote, repository.git);
    const wish = { experiments: many(options.experiment), models: many(options.model) };
    const facts = await store.read(wish);
    refuseNothing(facts, wish, store.source);
    const names = [...facts.runs.map(({ experiment }) => experiment), ...facts.versions.map(({ model }) => model)];
    const known = await versionOrigins(registry, new Set(names.flatMap((name) => modelNameOf(name) ?? [])));
    const plan = planImport(facts, { known, source: store.source, models: wish.models });
    refuseUntracked(repository, under, plan);
    if (options.dryRun === true) return planned(plan, { source: store.source, under });
    const push = options.push !== false;
    const report = await new MlflowImport({ session, repository, registry, store, under, push }).all(plan, known);
    return told(report, { plan, source: store.source, under, push });
  } finally {
    store.close();
  }
}

/** From the top where nothing is said, so that it is the same wherever the command is repeated. */
function directoryOf(repository: OpenRepository, directory: string | undefined): RepositoryPath {
  const path = directory === undefined ? 'mlflow' : toRepositoryPath(repository.layout, directory);
  if (PLAIN_PATH.test(path)) return path;
  throw new MlvError('USAGE', `'${directory}' cannot hold what is imported`, {
    hint: 'name a directory inside the repository, of ASCII letters, digits, ., _, - and @: --tracked-under models',
  });
}

function refuseNothing(
  facts: { runs: readonly unknown[]; versions: readonly unknown[] },
  wish: { experiments: readonly string[]; models: readonly string[] },
  source: string,
): void {
  if (facts.runs.length + facts.versions.length > 0 || wish.experiments.length + wish.models.length === 0) return;
  throw new MlvError('USAGE', `${source} has nothing of ${[...wish.experiments, ...wish.models].join(', ')}`, {
    hint: 'look at what it has: mlv import mlflow <store> --dry-run',
  });
}

/** A file or directory that mlv does not track is somebody's own; pointers are looked at when the content is known. */
function refuseUntracked({ layout }: OpenRepository, under: RepositoryPath, plan: MlflowPlan): void {
  const isThere = (path: RepositoryPath): boolean =>
    lstatSync(absolutePath(layout, path), { throwIfNoEntry: false }) !== undefined;
  for (const model of new Set(plan.versions.map((each) => each.model))) {
    const path = `${under}/${model}`;
    const found = [path, logPath(path)].find((each) => isThere(each) && !isThere(pointerPathOf(each)));
    if (found !== undefined) throw inTheWay(found);
  }
}

function told(
  { versions, stages, proof, commit, stored, pushed, errors }: MlflowReport,
  { plan, source, under, push }: { plan: MlflowPlan; source: string; under: RepositoryPath; push: boolean },
): Result {
  const compared = `${formatCount(proof.files, 'file')} (${formatBytes(proof.bytes)}) read again in ${source}: the same`;
  return {
    done: [
      ...versionLines(versions, 'imported'),
      ...stages.map(stageLine),
      versions.length > 0 ? `${formatCount(versions.length, 'version')}; ${compared}` : 'nothing new to import',
    ],
    json: {
      dryRun: false,
      source,
      versions,
      present: plan.present.map(({ model, version, id }) => ({ name: `${model}@${version}`, id })),
      passedOver: plan.passedOver,
      stages,
      proof,
      commit: commit ?? null,
      pushed,
    },
    notes: [
      ...plan.passedOver.map(passedOverLine),
      ...(commit === undefined ? [] : [`bring the files here: mlv checkout ${quotePath(under)}`]),
      ...(push && stored === false
        ? ['no remote is configured: nobody else can get these files (mlv remote add)']
        : []),
    ],
    errors,
  };
}

function planned(plan: MlflowPlan, { source, under }: { source: string; under: RepositoryPath }): Result {
  const versions = plan.versions.map(({ model, version, origin }) => ({ name: `${model}@${version}`, id: origin.id }));
  const lines = [
    ...versionLines(versions, 'would be imported'),
    ...(versions.length === 0
      ? ['nothing new to import']
      : [`tracked under ${quotePath(under)}/; nothing was written`]),
  ];
  return {
    done: lines,
    json: {
      dryRun: true,
      source,
      versions,
      present: plan.present.map(({ model, version, id }) => ({ name: `${model}@${version}`, id })),
      passedOver: plan.passedOver,
      stages: plan.versions.flatMap(({ model, version, stages }) =>
        stages.map((stage) => ({ name: `${model}@${version}`, stage, state: 'wished' })),
      ),
      proof: null,
      commit: null,
      pushed: false,
    },
    notes: plan.passedOver.map(passedOverLine),
  };
}

function versionLines(
  versions: readonly { name: string; id: string; files?: number; bytes?: number }[],
  what: string,
): string[] {
  return alignColumns(
    versions.map(({ name, id, files, bytes }) => [
      what,
      name,
      escapeControls(id),
      files === undefined ? '' : `${formatCount(files, 'file')}, ${formatBytes(bytes ?? 0)}`,
    ]),
  );
}

function stageLine({ name, stage, state, reason }: StageReport): string {
  const shown = escapeControls(stage);
  if (state === 'promoted') return `${name} promoted to ${shown}`;
  if (state === 'refused') return `${name} was in ${shown}: ${escapeControls(reason ?? 'refused')}`;
  return `${name} was called ${shown}, which is no stage of the policy; its manifest says so`;
}

function passedOverLine({ id, reason }: { id: string; reason: string }): string {
  return escapeControls(`passed over ${id}: ${reason}`);
}
