import { type ErrorCode, isMlvError, MlvError } from '../core/errors.js';
import type { Reporter } from '../core/reporter.js';
import { shellQuote } from '../core/shell-quote.js';
import type { Oid } from '../objects/oid.js';
import type { Environment } from '../provenance/environment.js';
import type { Metrics } from '../provenance/parse-metrics.js';
import type { RepositoryPath } from '../workspace/paths.js';
import type { Target } from '../workspace/pointers.js';
import type { Repository } from '../workspace/repository.js';
import { ContentSha256 } from './content-sha256.js';
import type { Manifest } from './manifest.js';
import { checkModelName } from './model-name.js';
import { defaultParent } from './next-version.js';
import { resolveReference } from './reference-resolve.js';
import { type Decided, decideRegistration, type ManifestDraft, requireCondition } from './register-decision.js';
import { manifestItem } from './register-items.js';
import type { RegisterRequest } from './register-request.js';
import { type RegisterTargets, registerTargets } from './register-targets.js';
import type { Registry, RegistryView } from './registry.js';
import { type StoredDifference, storeDifference } from './store-difference.js';

/** The remotes, as a registration needs them. */
export interface ObjectStorage {
  /** Paths of targets that their remote does not have as a whole; undefined where no remote is configured. */
  missing(targets: readonly Target[]): Promise<RepositoryPath[] | undefined>;
  /** Brings targets to their remotes. Errors: those of push. */
  push(targets: readonly Target[]): Promise<void>;
  /** Brings one object that no pointer names to the default remote. Errors: those of push. */
  pushObject(object: { oid: Oid; size: number; path: string }): Promise<void>;
}

export interface RegisterServices {
  repository: Repository;
  registry: Registry;
  storage: ObjectStorage;
  /** Finds out what machine this is. */
  probe(): Promise<Environment>;
  now(): Date;
  reporter: Reporter;
  signal: AbortSignal;
  /** False keeps the registry in this clone. */
  push: boolean;
}

export interface RegisterReport {
  /** `present`: the same content was there already, and nothing was written. */
  state: 'registered' | 'present';
  manifest: Manifest;
  /** `sha256:<hex>` of the manifest's bytes. */
  digest: string;
  /** The registry's commit; undefined where nothing was written. */
  commit: string | undefined;
  /** True where branch and tag went to a Git remote. */
  pushed: boolean;
  /** What the user should know. */
  notes: string[];
}

/**
 * Makes a version of a model: one commit on the registry's branch and one tag, or nothing where the same content is there
 * already. Everything that takes long (hashing, asking remotes) is done before the decision, which is made again when
 * somebody else was faster. Errors: `VERSION_EXISTS`, those of gatherVersion and of Registry.change.
 */
export async function register(services: RegisterServices, asked: RegisterRequest): Promise<RegisterReport> {
  const { repository, registry, now } = services;
  const gathered = await gatherVersion(services, asked, { dryRun: false, refuse: raise });
  const { request, draft } = gathered;
  let decided: Decided | undefined;
  const { commit, pushed } = await registry.change(
    async (newest) => {
      decided = await decideRegistration(newest, { repository, request, draft, now });
      return decided.change;
    },
    { push: services.push },
  );
  const { manifest, state, digest } = decided as Decided;
  const notes = notesOn(gathered, manifest);
  return { state, manifest, digest, commit: state === 'registered' ? commit : undefined, pushed, notes };
}

function raise(refusal: MlvError): never {
  throw refusal;
}

/** What becomes of a refusal, and whether anything is stored. */
export interface Course {
  /** Takes what refuses the version; it may throw, or keep it and go on. */
  refuse: (refusal: MlvError) => void;
  /** Sends and stores nothing. */
  dryRun: boolean;
}

/** All that is known of a version before the registry is asked for its number. */
export interface GatheredVersion {
  request: RegisterRequest;
  draft: ManifestDraft;
  targets: RegisterTargets;
  parent: Manifest | undefined;
  difference: StoredDifference | undefined;
  /** What the user should know of its objects. */
  notes: readonly string[];
}

/**
 * Finds everything that goes into a manifest, and makes sure that it can be had later. What refuses it is given to the
 * course: `CONDITION_FALSE`, `WORKSPACE_DIRTY`, `OBJECT_MISSING` where no remote has an object. Errors:
 * `MODEL_NAME_INVALID`, `VERSION_INVALID`, `OBJECT_MISSING` (not in the cache), those of references and of registerTargets.
 */
export async function gatherVersion(
  services: RegisterServices,
  asked: RegisterRequest,
  course: Course,
): Promise<GatheredVersion> {
  checkModelName(asked.model);
  const { repository, registry } = services;
  const view = await registry.view();
  const parent = await parentIn(view, asked);
  const artifacts = asked.artifacts.length > 0 ? asked.artifacts : await artifactsBefore(view, asked);
  const targets = await targetsOf(services, { ...asked, artifacts }, course);
  const request = withRuns(asked, targets);
  await heed(course, 'CONDITION_FALSE', () => requireCondition(view, request));
  const environmentOf = async () => targets.recorded?.environment ?? services.probe();
  const [environment, items] = await Promise.all([environmentOf(), itemsOf(services, targets, parent)]);
  const beyond = request.allowDirty && targets.dirty;
  const difference = beyond && !course.dryRun ? await storeDifference(repository) : undefined;
  const notes = await ensureStored(services, { targets, difference, request, course });
  if (beyond && course.dryRun) notes.push('what is not committed would be kept with the version, as a patch');
  const branch = await repository.git.branch();
  const run = targets.artifacts.find(({ pointer }) => pointer.run)?.pointer.run?.oid;
  const draft = {
    ...items,
    params: request.params,
    metrics: request.metrics,
    environment,
    commit: targets.commit,
    ...(branch !== undefined && { branch }),
    ...(difference && { difference: difference.oid }),
    ...(run !== undefined && { run }),
    author: await registry.author(),
  };
  return { request, draft, targets, parent, difference, notes };
}

/** Gives the course what the work refuses with this code. */
async function heed(course: Course, code: ErrorCode, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!isMlvError(error, code)) throw error;
    course.refuse(error);
  }
}

async function targetsOf(
  { repository, reporter, signal }: RegisterServices,
  request: RegisterRequest,
  course: Course,
): Promise<RegisterTargets> {
  try {
    return await registerTargets(repository, request, { reporter, signal });
  } catch (error) {
    if (!isMlvError(error, 'WORKSPACE_DIRTY') || request.allowDirty) throw error;
    course.refuse(error);
    return registerTargets(repository, { ...request, allowDirty: true }, { reporter, signal });
  }
}

async function parentIn(view: RegistryView, request: RegisterRequest): Promise<Manifest | undefined> {
  const { parent, model, number } = request;
  if (parent !== undefined) {
    const found = await resolveReference(view, parent);
    return view.manifest(found.model.name, found.version.version);
  }
  const state = defaultParent(await view.model(model), number);
  return state && view.manifest(model, state.version);
}

/** The artifacts of the highest version, where the user names none. */
async function artifactsBefore(view: RegistryView, { model, components }: RegisterRequest): Promise<RepositoryPath[]> {
  const highest = defaultParent(await view.model(model), { bump: 'auto' });
  const before = highest && (await view.manifest(model, highest.version));
  if (before && before.artifacts.length > 0) return before.artifacts.map(({ path }) => path);
  if (components.length > 0) return [];
  throw new MlvError('USAGE', `what is ${model}? no artifact is named, and there is no version before`, {
    hint: `name the files or directories: mlv register ${model} model.pkl`,
  });
}

/** What was asked for, with what the runs recorded in the place of what was not said. */
function withRuns(asked: RegisterRequest, targets: RegisterTargets): RegisterRequest {
  const { recorded } = targets;
  const none = (values: object): boolean => Object.keys(values).length === 0;
  const metrics = recorded && none(asked.metrics) ? recorded.metrics : asked.metrics;
  return {
    ...asked,
    params: recorded && none(asked.params) ? recorded.params : asked.params,
    metrics: withData(metrics, targets),
    read: [...asked.read, ...(recorded?.read ?? [])],
  };
}

/** Figures with the oid of the data that they were measured on, where mlv tracks it. */
function withData(metrics: Metrics, { pointers }: RegisterTargets): Metrics {
  const entries = Object.entries(metrics).map(([name, metric]) => {
    const tracked = metric.on === undefined ? undefined : pointers.get(metric.on.replace(/\/+$/, ''));
    return [name, tracked ? { ...metric, on: tracked.path, on_oid: tracked.pointer.oid } : metric] as const;
  });
  return Object.fromEntries(entries);
}

async function itemsOf(
  { repository, reporter, signal }: RegisterServices,
  targets: RegisterTargets,
  parent: Manifest | undefined,
): Promise<Pick<Manifest, 'artifacts' | 'data'>> {
  const before = parent ? [...parent.artifacts, ...parent.data] : [];
  const known = new Map(before.map(({ oid, sha256 }) => [oid, sha256]));
  const related = before.filter(({ files }) => files !== undefined).map(({ oid }) => oid as Oid);
  const digests = new ContentSha256(repository.cache, { reporter, signal, related });
  try {
    const result: Pick<Manifest, 'artifacts' | 'data'> = { artifacts: [], data: [] };
    for (const kind of ['artifacts', 'data'] as const) {
      for (const target of targets[kind]) result[kind].push(await manifestItem(target, { digests, known }));
    }
    return result;
  } finally {
    digests.end();
  }
}

/** Makes sure that a remote has everything that the version names. Gives what the user should know. */
async function ensureStored(
  { storage }: RegisterServices,
  {
    targets,
    difference,
    request,
    course,
  }: Pick<GatheredVersion, 'targets' | 'difference' | 'request'> & { course: Course },
): Promise<string[]> {
  const all = [...targets.artifacts, ...targets.data];
  const missing = await storage.missing(all);
  if (missing === undefined) return ['no remote is configured: nobody else can get these files (mlv remote add)'];
  if (missing.length > 0 && !request.pushObjects) course.refuse(notStored(missing));
  if (course.dryRun) return missing.length > 0 && request.pushObjects ? [`would be sent first: ${some(missing)}`] : [];
  if (missing.length > 0) await storage.push(all.filter(({ path }) => missing.includes(path)));
  if (difference) await storage.pushObject({ ...difference, path: 'the uncommitted difference' });
  return [];
}

function notStored(paths: readonly RepositoryPath[]): MlvError {
  const what = paths.length === 1 ? `'${paths[0]}' is` : `${paths.length} of what is to be registered are`;
  return new MlvError('OBJECT_MISSING', `${what} not on the remote, where others would look for it`, {
    hint: `send it first: mlv push ${paths.length === 1 ? shellQuote(paths[0] ?? '') : ''}`
      .trimEnd()
      .concat('   (or register with --push)'),
    data: { paths },
  });
}

/** What the user should know of a version that was gathered. */
export function notesOn({ targets, parent, difference, notes: before }: GatheredVersion, { data }: Manifest): string[] {
  const { passedOver, notKept, recorded } = targets;
  const notes = [...before];
  if (difference && difference.leftOut.length > 0) {
    notes.push(`too large to be kept with the difference: ${difference.leftOut.join(', ')}`);
  }
  if (notKept.length > 0) notes.push(`not kept, though its pointer says otherwise: the content of ${some(notKept)}`);
  if (passedOver.length > 0) notes.push(`not in Git, and taken for no code: ${some(passedOver)}`);
  const { unread = [], otherNow = [] } = recorded ?? {};
  if (unread.length > 0) notes.push(`the record of the run is not here, or damaged: ${some(unread)} (mlv fetch)`);
  if (data.length === 0 && otherNow.length > 0) {
    notes.push(`not named, since it is not what the run read: ${some(otherNow)} (--data)`);
  }
  if (parent && parent.data.length > 0 && data.length === 0) {
    const paths = parent.data.map(({ path }) => path);
    notes.push(`no data is named; ${parent.version} names ${some(paths)} (--data)`);
  }
  return notes;
}

function some(paths: readonly string[]): string {
  return paths.length > 3 ? `${paths.slice(0, 3).join(', ')} and ${paths.length - 3} more` : paths.join(', ');
}
