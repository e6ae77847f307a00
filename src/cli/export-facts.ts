import { isMlvError, MlvError } from '../core/errors.js';
import { redactUrl } from '../core/redact.js';
import type { ExportCode, ExportFacts, ExportItem, ExportRun } from '../interop/facts.js';
import { portableCommand } from '../interop/portable-command.js';
import { publicRepositoryUrl } from '../interop/repository-url.js';
import type { Oid } from '../objects/oid.js';
import type { Environment } from '../provenance/environment.js';
import type { RunRecord } from '../provenance/run-record.js';
import { findRun, readRun } from '../provenance/run-store.js';
import type { CardSource } from '../registry/card.js';
import { ContentSha256 } from '../registry/content-sha256.js';
import type { Manifest, ManifestItem } from '../registry/manifest.js';
import { isExplicitReference, tryReference } from '../registry/reference.js';
import { resolveReference, versionName, viewsInTime } from '../registry/reference-resolve.js';
import { toRepositoryPath } from '../workspace/paths.js';
import { loadTargets, notTracked, selectTargets, type Target } from '../workspace/pointers.js';
import { type OpenRepository, openRepository } from './context.js';
import { openRegistryHere } from './open-registry.js';
import type { Session } from './session.js';

/** What is exported, and what the user should know of it. */
export interface Exported {
  facts: ExportFacts;
  /** For the model card; absent for a tracked path. */
  card?: CardSource;
  notes: string[];
}

/**
 * Collects what the registry, the record of the run and Git know of a version (`fraud@production`), or of a tracked file
 * or directory that a run made. Errors: `PATH_NOT_TRACKED`, `VERSION_UNKNOWN`, `OBJECT_MISSING`, those of openRepository.
 */
export async function collectExport(session: Session, operand: string): Promise<Exported> {
  if (!isExplicitReference(operand)) {
    const target = await trackedTarget(session, operand);
    if (target) return pathFacts(session, target);
    if (!tryReference(operand)) throw notTracked(operand);
  }
  return versionFacts(session, operand);
}

async function versionFacts(session: Session, reference: string): Promise<Exported> {
  const { registry, git } = await openRegistryHere(session);
  const view = await registry.viewOrFetch();
  const found = await resolveReference(view, reference, { viewAtTime: viewsInTime(registry) });
  const { model, version } = found;
  const manifest = await found.view.manifest(version.model, version.version);
  const { record, notes } = await recordOf(session, manifest);
  const digests = new Map([...manifest.artifacts, ...manifest.data].map(({ oid, sha256 }) => [oid, hex(sha256)]));
  const { licence = model.meta.licence, description = model.meta.description } = manifest;
  const facts: ExportFacts = {
    name: manifest.model,
    version: manifest.version,
    reference: versionName(version),
    identity: hex(version.manifest),
    artifacts: manifest.artifacts.map(itemOf),
    data: manifest.data.map(itemOf),
    params: manifest.params,
    metrics: manifest.metrics,
    environment: environmentOf(manifest.environment ?? record?.environment ?? {}),
    code: codeOf(manifest, { dirty: manifest.difference !== undefined, repository: await repositoryUrl(git) }),
    created: manifest.created,
    author: manifest.author,
    ...(licence !== undefined && { licence }),
    ...(description !== undefined && { description }),
    owners: manifest.owners ?? model.meta.owners ?? [],
    components: manifest.components ?? [],
    ...(manifest.parent !== undefined && { parent: manifest.parent }),
    stages: version.stages,
    ...(record && { run: runOf(manifest.run as string, record, digests) }),
  };
  return { facts, card: { manifest, meta: model.meta, state: version }, notes };
}

/** The record is one of mlv's objects: without it, the documents say less. */
async function recordOf(session: Session, manifest: Manifest): Promise<{ record?: RunRecord; notes: string[] }> {
  if (manifest.run === undefined) return { notes: [] };
  try {
    const found = findRun(await openRepository(session), manifest.run as Oid);
    if (found) return { record: found.record, notes: [] };
  } catch (error) {
    if (!isMlvError(error, 'NOT_INITIALISED')) throw error;
  }
  const name = `${manifest.model}@${manifest.version}`;
  return {
    notes: [`the record of the run is not in the cache, and nothing of it is in the document: mlv fetch ${name}`],
  };
}

async function trackedTarget(session: Session, operand: string): Promise<Target | undefined> {
  let repository: OpenRepository;
  try {
    repository = await openRepository(session);
  } catch (error) {
    if (isMlvError(error, 'NOT_INITIALISED')) return undefined;
    throw error;
  }
  const { targets } = await loadTargets(repository);
  try {
    const path = toRepositoryPath(repository.layout, operand);
    const selections = selectTargets(targets, [path]);
    const whole = selections.filter(({ below }) => below === '');
    if (selections.length === 1 && whole.length === 1) return whole[0]?.target;
    throw new MlvError('USAGE', `'${path}' is not one whole tracked file or directory`, {
      hint: 'name what has a pointer of its own: mlv ls',
      data: { path },
    });
  } catch (error) {
    if (isMlvError(error, 'PATH_NOT_TRACKED') || isMlvError(error, 'PATH_OUTSIDE_REPOSITORY')) return undefined;
    throw error;
  }
}

async function pathFacts(session: Session, { path, pointer }: Target): Promise<Exported> {
  const repository = await openRepository(session);
  if (!pointer.run) {
    throw new MlvError('OBJECT_MISSING', `no run is known that made '${path}'`, {
      hint: 'runs are recorded by: mlv run, mlv repro; a version is exported as model@version',
      data: { path },
    });
  }
  const { oid } = pointer.run;
  const { record } = readRun(repository, oid);
  const inputs = record.inputs.filter(({ kind }) => kind === 'tracked');
  const items = await hashed(session, repository, [{ ...pointer, path }, ...inputs]);
  const digests = new Map(
    items.flatMap((item) => (item.sha256 === undefined ? [] : [[item.oid, item.sha256] as const])),
  );
  const [artifact, ...data] = items as [ExportItem, ...ExportItem[]];
  const metrics = Object.entries(record.metrics).map(([name, { value, on }]) => [
    name,
    { value, ...(on !== undefined && { on }) },
  ]);
  const { commit, dirty } = record;
  const url = await repositoryUrl(repository.git);
  const facts: ExportFacts = {
    name: path.split('/').at(-1) as string,
    reference: path,
    identity: oid.slice(oid.indexOf(':') + 1),
    artifacts: [artifact],
    data,
    params: Object.assign({}, ...record.params.map(({ values }) => values)) as Record<string, unknown>,
    metrics: Object.fromEntries(metrics) as ExportFacts['metrics'],
    environment: environmentOf(record.environment),
    ...(commit !== undefined && { code: codeOf({ commit }, { dirty, repository: url }) }),
    created: record.ended,
    owners: [],
    components: [],
    stages: [],
    run: runOf(oid, record, digests),
  };
  return { facts, notes: [] };
}

/** Items with the SHA-256 of what the cache has. */
async function hashed(
  session: Session,
  { cache }: OpenRepository,
  items: readonly { path: string; oid: string; size?: number; files?: number }[],
): Promise<ExportItem[]> {
  const digests = new ContentSha256(cache, { reporter: session.reporter, signal: session.signal });
  try {
    const result: ExportItem[] = [];
    for (const { path, oid, size = 0, files } of items) {
      const sha256 = await (files === undefined
        ? digests.file(oid as Oid, size)
        : digests.directory(oid as Oid, { files, size })
      ).catch((error: unknown) => {
        if (isMlvError(error, 'OBJECT_MISSING')) return undefined;
        throw error;
      });
      result.push({
        path,
        oid,
        size,
        ...(files !== undefined && { files }),
        ...(sha256 !== undefined && { sha256: hex(sha256) }),
      });
    }
    return result;
  } finally {
    digests.end();
  }
}

function itemOf({ path, oid, sha256, size, files, source }: ManifestItem): ExportItem {
  return {
    path,
    oid,
    sha256: hex(sha256),
    size,
    ...(files !== undefined && { files }),
    ...(source !== undefined && { source: redactUrl(source) }),
  };
}

function codeOf(
  { commit, branch }: { commit: string; branch?: string },
  { dirty, repository }: { dirty: boolean; repository: string | undefined },
): ExportCode {
  return {
    commit,
    ...(branch !== undefined && { branch }),
    ...(repository !== undefined && { repository }),
    dirty,
  };
}

/** Where others find the code: the Git remote of the branch, otherwise `origin`. */
async function repositoryUrl({ plumbing }: OpenRepository['git']): Promise<string | undefined> {
  const { all, ofBranch } = await plumbing.remotes();
  const name = ofBranch ?? all.find((each) => each === 'origin') ?? all[0];
  const url = name === undefined ? undefined : await plumbing.remoteUrl(name);
  return url === undefined ? undefined : publicRepositoryUrl(url);
}

/** Lock files and variables stay out: they are of the machine more than of the result. */
function environmentOf(environment: Environment): ExportFacts['environment'] {
  const { os, kernel, cpu, cores, memory, gpus, cuda, container, python, node, r, packages } = environment;
  const all = { os, kernel, cpu, cores, memory, gpus, cuda, container, python, node, r, packages };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

function runOf(oid: string, record: RunRecord, digests: ReadonlyMap<string, string>): ExportRun {
  const withDigest = <T extends { oid: string }>(item: T): T & { sha256?: string } => {
    const sha256 = digests.get(item.oid);
    return { ...item, ...(sha256 !== undefined && { sha256 }) };
  };
  return {
    oid,
    ...(record.name !== undefined && { name: record.name }),
    command: portableCommand(record.command),
    inputs: record.inputs.map(({ path, oid: id, kind, size, files }) => ({
      ...withDigest({ path, oid: id }),
      kind,
      ...(size !== undefined && { size }),
      ...(files !== undefined && { files }),
    })),
    outputs: record.outputs.map(({ path, oid: id, size, files }) => ({
      ...withDigest({ path, oid: id }),
      size,
      ...(files !== undefined && { files }),
    })),
    seeds: record.seeds,
    started: record.started,
    ended: record.ended,
    host: record.host,
  };
}

function hex(digest: string): string {
  return digest.slice(digest.indexOf(':') + 1);
}
