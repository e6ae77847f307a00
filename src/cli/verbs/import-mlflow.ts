import { lstatSync } from 'node:fs';
import { isMlvError, MlvError } from '../../core/errors.js';
import { type ArtifactProof, proveArtifacts, takeArtifacts } from '../../interop/mlflow/intake.js';
import { type MlflowPlan, type PlannedVersion, planImport } from '../../interop/mlflow/plan.js';
import type { MlflowStore } from '../../interop/mlflow/store.js';
import { modelNameOf } from '../../interop/mlflow/values.js';
import {
  type ImportedVersion,
  importVersions,
  shareImported,
  type VersionOrigin,
  versionOrigins,
} from '../../registry/import-versions.js';
import { archiveVersion, promoteVersion } from '../../registry/promote.js';
import type { Registry } from '../../registry/registry.js';
import { absolutePath, type RepositoryPath, toRepositoryPath } from '../../workspace/paths.js';
import { pointerPathOf } from '../../workspace/pointers.js';
import { type OpenRepository, openRepository } from '../context.js';
import { objectStorage } from '../object-storage.js';
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

/** A stage that MLflow had a version on, and what became of it. */
interface StageReport {
  name: string;
  stage: string;
  state: 'promoted' | 'refused' | 'unknown';
  reason?: string;
}

/** `mlv import mlflow`: see its declaration. Errors: those of openMlflow, of the store, of importVersions. */
export async function run(session: Session, { args: [operand = ''], options }: VerbInput): Promise<Result> {
  const repository = await openRepository(session);
  const under = directoryOf(repository, textOption(options.trackedUnder) ?? 'mlflow');
  const store = await openMlflow(session, operand, many(options.artifacts));
  try {
    const registry = registryOf(session, repository.config.registry.remote, repository.git);
    const wish = { experiments: many(options.experiment), models: many(options.model) };
    const facts = await store.read(wish);
    refuseNothing(facts, wish, store.source);
    const names = [...facts.runs.map(({ experiment }) => experiment), ...facts.versions.map(({ model }) => model)];
    const known = await versionOrigins(registry, new Set(names.flatMap((name) => modelNameOf(name) ?? [])));
    const plan = planImport(facts, { known, source: store.source, models: wish.models });
    refuseForeign(repository, under, { plan, known });
    if (options.dryRun === true) return planned(plan, under);
    return await new MlflowImport({ session, repository, registry, store, under, push: options.push !== false }).all(
      plan,
      known,
    );
  } finally {
    store.close();
  }
}

interface ImportContext {
  session: Session;
  repository: OpenRepository;
  registry: Registry;
  store: MlflowStore;
  under: RepositoryPath;
  push: boolean;
}

class MlflowImport {
  private readonly errors: MlvError[] = [];
  private readonly proofs: ArtifactProof[] = [];
  private readonly sizes = new Map<string, { files: number; bytes: number }>();

  constructor(private readonly context: ImportContext) {}

  async all(plan: MlflowPlan, known: readonly VersionOrigin[]): Promise<Result> {
    const { session, repository, registry, store, push } = this.context;
    const { reporter, signal } = session;
    const imported = await this.take(plan.versions);
    // Before anything is registered: what is registered is never taken back.
    const proof = await this.prove();
    const report =
      imported.length === 0
        ? undefined
        : await importVersions(
            {
              repository,
              registry,
              storage: objectStorage(session, repository),
              now: () => new Date(),
              reporter,
              signal,
              push,
            },
            imported,
          );
    const made = new Set(imported.map(({ origin }) => origin.id));
    const fresh = new Set(known.filter((each) => each.fresh).map(({ model, version }) => `${model}@${version}`));
    const stages = await this.promote([
      ...plan.present.filter(({ model, version }) => fresh.has(`${model}@${version}`)),
      ...plan.versions.filter(({ origin }) => made.has(origin.id)),
    ]);
    const pushed = push && (imported.length > 0 || stages.length > 0) ? await shareImported(registry) : false;
    const versions = imported.map(({ model, version, origin }) => ({
      name: `${model}@${version}`,
      id: origin.id,
      ...(this.sizes.get(origin.id) ?? { files: 0, bytes: 0 }),
    }));
    return {
      done: [
        ...versionLines(versions, 'imported'),
        ...stages.map(stageLine),
        ...(versions.length > 0
          ? [
              `${formatCount(versions.length, 'version')}; ${formatCount(proof.files, 'file')} (${formatBytes(proof.bytes)}) read again in ${store.source}: the same`,
            ]
          : ['nothing new to import']),
      ],
      json: {
        dryRun: false,
        source: store.source,
        versions,
        present: plan.present.map(({ model, version, id }) => ({ name: `${model}@${version}`, id })),
        passedOver: plan.passedOver,
        stages,
        proof,
        commit: report?.commit ?? null,
        pushed,
      },
      notes: [
        ...plan.passedOver.map(passedOverLine),
        ...(report?.commit === undefined
          ? []
          : [`bring the files here: mlv checkout ${quotePath(this.context.under)}`]),
        ...(report && push && !report.stored
          ? ['no remote is configured: nobody else can get these files (mlv remote add)']
          : []),
      ],
      errors: this.errors,
    };
  }

  private async prove(): Promise<{ files: number; bytes: number }> {
    const { session, repository, store } = this.context;
    const phase = session.reporter.phase('Comparing', { unit: 'files' });
    try {
      return await proveArtifacts({ store, cache: repository.cache }, this.proofs, { phase, signal: session.signal });
    } finally {
      phase.end();
    }
  }

  /** What cannot be reached is left out and said; the rest goes on. */
  private async take(versions: readonly PlannedVersion[]): Promise<ImportedVersion[]> {
    const { session, repository, store, under } = this.context;
    const phase = session.reporter.phase('Importing', { unit: 'files' });
    const imported: ImportedVersion[] = [];
    try {
      for (const { artifacts: places, stages: _, ...version } of versions) {
        session.signal.throwIfAborted();
        try {
          const taken = await takeArtifacts({ store, cache: repository.cache }, places, {
            phase,
            signal: session.signal,
          });
          if (taken) {
            this.proofs.push(...taken.proofs);
            this.sizes.set(version.origin.id, { files: taken.files, bytes: taken.size });
          }
          const { oid, size, files } = taken ?? {};
          const path = `${under}/${version.model}`;
          imported.push({
            ...version,
            ...(oid !== undefined &&
              size !== undefined &&
              files !== undefined && { artifacts: { path, oid, size, files } }),
          });
        } catch (error) {
          if (!(isMlvError(error, 'OBJECT_MISSING') || isMlvError(error, 'FOREIGN_INVALID'))) throw error;
          this.errors.push(
            new MlvError(error.code, `${version.origin.id} was not imported: ${error.message}`, {
              data: error.data,
              ...(error.hint !== undefined && { hint: error.hint }),
            }),
          );
        }
      }
    } finally {
      phase.end();
    }
    return imported;
  }

  /** In the order of the versions, so that of two in production the later one stays; an alias is stronger than a stage. */
  private async promote(
    versions: readonly { model: string; version: string; stages: readonly string[] }[],
  ): Promise<StageReport[]> {
    const { repository, registry } = this.context;
    if (versions.every(({ stages }) => stages.length === 0)) return [];
    const view = await registry.viewOrFetch();
    const policy = await view.policy();
    const by = await registry.author();
    const proposer = {
      git: repository.git,
      registry,
      by,
      now: () => Math.floor(Date.now() / 1000),
      push: false,
    };
    const reports: StageReport[] = [];
    for (const { model, version, stages } of versions) {
      for (const stage of stages) {
        const name = `${model}@${version}`;
        if (!(stage in policy.stages) && stage !== 'archived') {
          reports.push({ name, stage, state: 'unknown' });
          continue;
        }
        const request = { reference: name, stage, traffic: 100, override: false, reason: 'imported from MLflow' };
        try {
          if (stage === 'archived') await archiveVersion(proposer, request);
          else await promoteVersion(proposer, request);
          reports.push({ name, stage, state: 'promoted' });
        } catch (error) {
          if (!isMlvError(error, 'REGISTRY_REFUSED')) throw error;
          reports.push({ name, stage, state: 'refused', reason: error.message });
        }
      }
    }
    return reports;
  }
}

function directoryOf(repository: OpenRepository, directory: string): RepositoryPath {
  const path = toRepositoryPath(repository.layout, directory);
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

/** A path that is tracked, or there, and that no import made, is somebody's own. */
function refuseForeign(
  { layout }: OpenRepository,
  under: RepositoryPath,
  { plan, known }: { plan: MlflowPlan; known: readonly VersionOrigin[] },
): void {
  const own = new Set(known.filter(({ origin }) => origin).map(({ path }) => path));
  for (const model of new Set(plan.versions.map((each) => each.model))) {
    const path = `${under}/${model}`;
    if (own.has(path)) continue;
    const there = [path, pointerPathOf(path)].find((each) =>
      lstatSync(absolutePath(layout, each), { throwIfNoEntry: false }),
    );
    if (there === undefined) continue;
    throw new MlvError('TARGET_EXISTS', `'${there}' is there already, and no import made it`, {
      hint: 'choose another directory: --tracked-under <directory>',
      data: { path: there },
    });
  }
}

function planned(plan: MlflowPlan, under: RepositoryPath): Result {
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
      source: plan.versions[0]?.origin.source ?? null,
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
