import { isMlvError, MlvError } from '../core/errors.js';
import { type ArtifactProof, proveArtifacts, storeText, takeArtifacts } from '../interop/mlflow/intake.js';
import type { MlflowPlan, PlannedVersion } from '../interop/mlflow/plan.js';
import type { MlflowStore } from '../interop/mlflow/store.js';
import { metricLog } from '../interop/mlflow/values.js';
import {
  type ImportedVersion,
  importVersions,
  shareImported,
  type VersionOrigin,
} from '../registry/import-versions.js';
import { archiveVersion, promoteVersion } from '../registry/promote.js';
import type { Registry } from '../registry/registry.js';
import type { RepositoryPath } from '../workspace/paths.js';
import { parseTarget, pointerPathOf, readPointerText } from '../workspace/pointers.js';
import type { OpenRepository } from './context.js';
import { objectStorage } from './object-storage.js';
import type { Session } from './session.js';

/** A stage that MLflow had a version on, and what became of it. */
export interface StageReport {
  name: string;
  stage: string;
  state: 'promoted' | 'refused' | 'unknown';
  reason?: string;
}

/** What an import did. */
export interface MlflowReport {
  versions: { name: string; id: string; files: number; bytes: number }[];
  stages: StageReport[];
  /** What was read again and compared. */
  proof: { files: number; bytes: number };
  /** The last commit that was made; undefined where there was nothing new. */
  commit: string | undefined;
  /** Whether the objects went to a remote; undefined where there was nothing new. */
  stored: boolean | undefined;
  /** Whether the Git remote has the registry. */
  pushed: boolean;
  /** What could not be imported. */
  errors: MlvError[];
}

/** What an import works on. */
export interface ImportContext {
  session: Session;
  repository: OpenRepository;
  registry: Registry;
  store: MlflowStore;
  under: RepositoryPath;
  push: boolean;
}

/** Carries a plan out: takes the artifacts, proves them, registers the versions and puts them on their stages. */
export class MlflowImport {
  private readonly errors: MlvError[] = [];
  private readonly proofs: ArtifactProof[] = [];
  private readonly sizes = new Map<string, { files: number; bytes: number }>();

  constructor(private readonly context: ImportContext) {}

  async all(plan: MlflowPlan, known: readonly VersionOrigin[]): Promise<MlflowReport> {
    const { session, repository, registry, push } = this.context;
    const { reporter, signal } = session;
    const imported = await this.take(plan.versions);
    this.refuseNotOurs(imported, new Set(known.filter(({ origin }) => origin).flatMap(({ paths }) => paths)));
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
    const pushed = push && (await shareImported(registry));
    const versions = imported.map(({ model, version, origin }) => ({
      name: `${model}@${version}`,
      id: origin.id,
      ...(this.sizes.get(origin.id) ?? { files: 0, bytes: 0 }),
    }));
    return { versions, stages, proof, commit: report?.commit, stored: report?.stored, pushed, errors: this.errors };
  }

  /**
   * A pointer that no version of an import names is somebody's own, unless it says what is imported now: an import that was
   * ended between its commits and its versions left it.
   */
  private refuseNotOurs(imported: readonly ImportedVersion[], own: ReadonlySet<RepositoryPath>): void {
    const { layout } = this.context.repository;
    const wanted = new Map<RepositoryPath, Set<string>>();
    for (const { path, oid } of imported.flatMap(({ artifacts }) => artifacts)) {
      wanted.set(path, (wanted.get(path) ?? new Set()).add(oid));
    }
    for (const [path, oids] of wanted) {
      const file = pointerPathOf(path);
      const text = own.has(path) ? undefined : readPointerText(layout, file);
      if (text !== undefined && !oids.has(parseTarget(file, text).pointer.oid)) throw inTheWay(file);
    }
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
      for (const { artifacts: places, stages: _, run, ...version } of versions) {
        session.signal.throwIfAborted();
        try {
          const taken = await takeArtifacts({ store, cache: repository.cache }, places, {
            phase,
            signal: session.signal,
          });
          this.proofs.push(...taken.proofs);
          this.sizes.set(version.origin.id, { files: taken.files, bytes: taken.size });
          const { oid, size, files } = taken;
          const path = `${under}/${version.model}`;
          const log = run ? metricLog(await store.history(run)) : '';
          imported.push({
            ...version,
            artifacts: [
              { path, oid, size, files },
              { path: logPath(path), ...(await storeText(repository.cache, log)) },
            ],
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
        if (!Object.hasOwn(policy.stages, stage) && stage !== 'archived') {
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

/** Every step of every metric, beside the directory of the artifacts. */
export function logPath(path: RepositoryPath): RepositoryPath {
  return `${path}.metrics.jsonl`;
}

/** The error for what stands where an import would put something else. */
export function inTheWay(path: RepositoryPath): MlvError {
  return new MlvError('TARGET_EXISTS', `'${path}' is there already, and no import made it`, {
    hint: 'choose another directory: --tracked-under <directory>',
    data: { path },
  });
}
