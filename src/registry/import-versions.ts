import { isMlvError, MlvError } from '../core/errors.js';
import type { Reporter } from '../core/reporter.js';
import type { Oid } from '../objects/oid.js';
import type { Metric } from '../provenance/metrics.js';
import type { ParamValue } from '../provenance/params.js';
import { ignoreLine, withLines } from '../workspace/git-ignore-file.js';
import { childOf, nameOf, parentOf, type RepositoryPath } from '../workspace/paths.js';
import { formatPointer, type Pointer } from '../workspace/pointer-format.js';
import { parseTarget, pointerPathOf, type Target } from '../workspace/pointers.js';
import type { Repository } from '../workspace/repository.js';
import { ContentSha256 } from './content-sha256.js';
import type { Manifest, ManifestItem, ManifestOrigin } from './manifest.js';
import { encodeManifest, MANIFEST_LIMIT } from './manifest-format.js';
import { checkModelName } from './model-name.js';
import type { ObjectStorage } from './register.js';
import type { Registry } from './registry.js';

/** Dates that Git takes end with the year 2099. */
const LATEST_DATE = 4_102_444_800;

/** A version as another tool had it, its artifacts in the cache. */
export interface ImportedVersion {
  model: string;
  version: string;
  /** Seconds since 1970: the date of its commit. */
  time: number;
  /** Objects in the cache; `files` for a directory. A path that one version of a model has, the next should have, too. */
  artifacts: readonly ImportedArtifact[];
  params: Record<string, ParamValue>;
  metrics: Record<string, Metric>;
  description?: string;
  origin: ManifestOrigin;
}

/** One object of an imported version. */
export interface ImportedArtifact {
  path: RepositoryPath;
  oid: Oid;
  size: number;
  files?: number;
}

export interface ImportServices {
  repository: Repository;
  registry: Registry;
  storage: ObjectStorage;
  now(): Date;
  reporter: Reporter;
  signal: AbortSignal;
  /** False keeps objects and registry in this clone. */
  push: boolean;
}

/** What came of an import. */
export interface ImportReport {
  /** The last commit that it made on the branch of HEAD; undefined where nothing had artifacts. */
  commit: string | undefined;
  /** `model@version` with the commit that its tag stands on. */
  registered: { name: string; commit: string }[];
  /** Whether the objects went to a remote. */
  stored: boolean;
}

/**
 * Registers versions that another tool had: a commit each on top of HEAD, in which the model's path has that version's
 * content, then objects to their remote, then the versions. What was made before an error stays and is found by the next
 * attempt. Errors: `REVISION_UNKNOWN` before the first commit, `VERSION_EXISTS`, those of push and of Registry.change.
 */
export async function importVersions(
  services: ImportServices,
  versions: readonly ImportedVersion[],
): Promise<ImportReport> {
  const { repository, registry, storage } = services;
  const head = await repository.git.head();
  if (head === undefined) {
    throw new MlvError('REVISION_UNKNOWN', 'there is no commit yet that the versions could follow', {
      hint: 'make one first: git commit --allow-empty -m start',
    });
  }
  for (const { model } of versions) checkModelName(model);
  const author = await registry.author();
  const items = await itemsOf(services, versions);
  const commits = await commitAll(repository, versions, { head, author });
  const stored = services.push && (await store(storage, commits));
  const tip = commits.at(-1)?.commit ?? head;
  if (tip !== head) await repository.git.plumbing.fastForward(tip);
  const branch = await repository.git.branch();
  const registered: ImportReport['registered'] = [];
  for (const [at, { version, commit }] of commits.entries()) {
    services.signal.throwIfAborted();
    const manifest = manifestOf(version, {
      items: items[at] ?? [],
      author,
      commit,
      ...(branch !== undefined && { branch }),
      now: services.now,
    });
    await registerOne(registry, manifest);
    registered.push({ name: `${version.model}@${version.version}`, commit });
  }
  return { commit: tip === head ? undefined : tip, registered, stored };
}

interface MadeCommit {
  version: ImportedVersion;
  commit: string;
  targets: Target[];
}

/** Nothing moves: the commits are objects that no ref leads to yet. */
async function commitAll(
  { git }: Repository,
  versions: readonly ImportedVersion[],
  { head, author }: { head: string; author: string },
): Promise<MadeCommit[]> {
  const { plumbing } = git;
  const sign = await plumbing.signsCommits();
  const made: MadeCommit[] = [];
  let parent = head;
  for (const version of versions) {
    const targets = version.artifacts.map(targetOf);
    const files = new Map(targets.map(({ path, text }) => [pointerPathOf(path), text]));
    for (const { path } of targets) {
      const ignoreFile = childOf(parentOf(path), '.gitignore');
      const before = files.get(ignoreFile) ?? (await textAt(git, parent, ignoreFile));
      files.set(ignoreFile, withLines(before, [ignoreLine(nameOf(path))]));
    }
    if (files.size === 0) {
      made.push({ version, commit: parent, targets });
      continue;
    }
    const tree = await plumbing.writeTree({ base: parent, files });
    const { model, version: number, origin, time } = version;
    const [, name = author, mail = ''] = /^(.*) <(.*)>$/.exec(author) ?? [];
    parent = await plumbing.commitTree({
      tree,
      parents: [parent],
      message: `${model} ${number}: imported from ${origin.tool}\n\n${origin.id} of ${origin.source}\n`,
      ...(time > 0 && time < LATEST_DATE && { author: { name, mail, date: `@${time} +0000` } }),
      sign,
    });
    made.push({ version, commit: parent, targets });
  }
  return made;
}

function targetOf({ path, oid, size, files }: ImportedArtifact): Target {
  const pointer: Pointer = { path: nameOf(path), oid, size, ...(files !== undefined && { files }) };
  return parseTarget(pointerPathOf(path), formatPointer(pointer));
}

async function textAt(git: Repository['git'], commit: string, path: string): Promise<string> {
  const [file] = (await git.plumbing.listTree(commit, [path])).filter((each) => each.path === path);
  if (!file) return '';
  return (await git.readBlobs([file.blob])).get(file.blob)?.toString('utf8') ?? '';
}

/** Objects first: a version that is registered can be had. */
async function store(storage: ObjectStorage, commits: readonly MadeCommit[]): Promise<boolean> {
  for (const { targets } of commits) {
    const missing = await storage.missing(targets);
    if (missing === undefined) return false;
    if (missing.length > 0) await storage.push(targets);
  }
  return true;
}

async function itemsOf(
  { repository, reporter, signal }: ImportServices,
  versions: readonly ImportedVersion[],
): Promise<ManifestItem[][]> {
  const digests = new ContentSha256(repository.cache, { reporter, signal });
  try {
    const items: ManifestItem[][] = [];
    for (const { artifacts } of versions) {
      const own: ManifestItem[] = [];
      for (const { path, oid, size, files } of artifacts) {
        const sha256 = await (files === undefined ? digests.file(oid, size) : digests.directory(oid, { files, size }));
        own.push({ path, oid, sha256, size, ...(files !== undefined && { files }) });
      }
      items.push(own);
    }
    return items;
  } finally {
    digests.end();
  }
}

function manifestOf(
  { model, version, params, metrics, description, origin }: ImportedVersion,
  made: { items: ManifestItem[]; author: string; commit: string; branch?: string; now: () => Date },
): Manifest {
  return {
    mlv: 1,
    model,
    version,
    artifacts: made.items,
    data: [],
    params,
    metrics,
    commit: made.commit,
    ...(made.branch !== undefined && { branch: made.branch }),
    author: made.author,
    created: `${made.now().toISOString().slice(0, 19)}Z`,
    ...(description !== undefined && description !== '' && { description }),
    origin,
  };
}

/** In this clone; all are sent together afterwards. */
async function registerOne(registry: Registry, manifest: Manifest): Promise<void> {
  const name = `${manifest.model}@${manifest.version}`;
  if (encodeManifest(manifest).length > MANIFEST_LIMIT) {
    throw new MlvError('REGISTRY_INVALID', `${name} was not registered: its parameters and tags are too many`, {
      hint: `a manifest has ${MANIFEST_LIMIT} characters at most; take tags away in the other tool`,
      data: { name },
    });
  }
  await registry.change(
    async (view) => ({
      subject: `${name}: imported from ${manifest.origin?.tool}`,
      register: { manifest },
      ...((await view.policy()).register?.signed && { sign: true }),
    }),
    { push: false },
  );
}

/** A version that is registered, and where it came from if it was imported. */
export interface VersionOrigin {
  model: string;
  version: string;
  /** Of its artifacts. */
  paths: RepositoryPath[];
  origin?: ManifestOrigin;
  /** True where it never was on a stage. */
  fresh: boolean;
}

/** All versions of some models with their origins. Errors: `REGISTRY_INVALID`. */
export async function versionOrigins(registry: Registry, models: ReadonlySet<string>): Promise<VersionOrigin[]> {
  const view = await registry.viewOrFetch();
  const found: VersionOrigin[] = [];
  for (const model of await view.models()) {
    if (!models.has(model)) continue;
    const staged = new Set(
      (await view.events(model)).filter(({ event }) => event.type !== 'registered').map(({ event }) => event.version),
    );
    for (const version of (await view.model(model))?.versions.keys() ?? []) {
      const { origin, artifacts } = await view.manifest(model, version);
      const fresh = !staged.has(version);
      found.push({ model, version, paths: artifacts.map(({ path }) => path), ...(origin && { origin }), fresh });
    }
  }
  return found;
}

/** Sends what was registered to the Git remote; false where there is none. Errors: those of Registry.push. */
export async function shareImported(registry: Registry): Promise<boolean> {
  const { remote, ahead } = await registry.status();
  if (remote === undefined) return false;
  if (ahead === 0) return true;
  try {
    await registry.push();
    return true;
  } catch (error) {
    if (!isMlvError(error)) throw error;
    throw new MlvError(error.code, `everything was imported into this clone, and not sent: ${error.message}`, {
      hint: error.hint ?? 'mlv registry push sends it',
      data: error.data,
      cause: error,
    });
  }
}
