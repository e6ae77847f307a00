import type { TreeFile } from '../git/plumbing.js';
import { sha256Of } from './digest.js';
import { parseEvent } from './event-format.js';
import { emptyModel, foldModel, type VersionFacts, versionFacts } from './fold.js';
import { EVENT_ID_LENGTH, parseRegistryPath } from './layout.js';
import { parseManifest } from './manifest-format.js';
import { parseModelMeta } from './model-meta-format.js';
import type { ModelMeta, ModelState, PlacedEvent } from './registry.js';
import { invalidFile } from './shape.js';

/** One model, read. */
export interface LoadedModel {
  state: ModelState;
  events: PlacedEvent[];
  /** Object name of each version's manifest in Git. */
  manifests: ReadonlyMap<string, string>;
}

/** The files of one model on the branch, sorted out. */
export interface ModelFiles {
  meta: TreeFile | undefined;
  manifests: { version: string; file: TreeFile }[];
  /** By `seq`. */
  events: { seq: number; id: string; file: TreeFile }[];
}

/** Gives the bytes of a blob that was asked for before. */
export type Blobs = ReadonlyMap<string, Buffer>;

/**
 * Sorts the files of one or more models out, by model. Files that the format leaves to people are passed over. Error:
 * `REGISTRY_INVALID` for a file that must not be there, a link or a submodule among them.
 */
export function sortModelFiles(files: readonly TreeFile[], commit: string): Map<string, ModelFiles> {
  const models = new Map<string, ModelFiles>();
  for (const file of files) {
    const found = parseRegistryPath(file.path);
    const at = { kind: 'a file of the registry', path: file.path, commit };
    if (found.kind === 'wrong') throw invalidFile(at, found.reason);
    if (found.kind === 'other' || found.kind === 'policy') continue;
    if (!file.mode.startsWith('100')) throw invalidFile(at, 'it is a link or a submodule');
    const model = models.get(found.model) ?? { meta: undefined, manifests: [], events: [] };
    models.set(found.model, model);
    if (found.kind === 'meta') model.meta = file;
    else if (found.kind === 'manifest') model.manifests.push({ version: found.version, file });
    else model.events.push({ seq: found.seq, id: found.id, file });
  }
  for (const { events } of models.values()) events.sort((left, right) => left.seq - right.seq);
  return models;
}

/** All files of a model: what is said of it, its manifests, its events. Pure. */
export function filesOf({ meta, manifests, events }: ModelFiles): TreeFile[] {
  return [...(meta ? [meta] : []), ...[...manifests, ...events].map(({ file }) => file)];
}

/** Git's names of the blobs that loadModel needs for these files, one a file. Pure. */
export function blobsOf(files: ModelFiles): string[] {
  return filesOf(files).map(({ blob }) => blob);
}

/** What is known of a model from an older state of the branch. */
export type Earlier = LoadedModel | undefined;

/**
 * Reads and folds one model; with what was known of it before, only the files that came since. Everything is checked:
 * names against contents, manifests against the digests that were registered, events against their ids and their order.
 * Errors: `REGISTRY_INVALID` with file and commit, `FORMAT_TOO_NEW`.
 */
export function loadModel(
  name: string,
  files: ModelFiles,
  { blobs, commit, earlier }: { blobs: Blobs; commit: string; earlier?: Earlier },
): LoadedModel {
  const text = (file: TreeFile): string => (blobs.get(file.blob) as Buffer).toString('utf8');
  const facts = new Map<string, VersionFacts>();
  for (const { version, file } of files.manifests) {
    const at = { path: file.path, commit };
    const manifest = parseManifest(text(file), at);
    if (manifest.model !== name || manifest.version !== version) {
      throw invalidFile({ kind: 'a manifest', ...at }, `it says that it is of ${manifest.model}@${manifest.version}`);
    }
    facts.set(version, versionFacts(manifest, sha256Of(blobs.get(file.blob) as Buffer)));
  }
  const events = files.events.map(({ seq, id, file }) => {
    const at = { path: file.path, commit };
    const actual = sha256Of(blobs.get(file.blob) as Buffer).slice('sha256:'.length, 'sha256:'.length + EVENT_ID_LENGTH);
    if (actual !== id) throw invalidFile({ kind: 'an event', ...at }, `its content has the id ${actual}`);
    return { seq, id, event: parseEvent(text(file), at) };
  });
  const meta = files.meta ? parseModelMeta(text(files.meta), { path: files.meta.path, commit }) : undefined;
  const before = withMeta(earlier?.state ?? emptyModel(name), meta);
  const state = foldModel(before, events, { manifests: facts, nextSeq: (earlier?.events.length ?? 0) + 1 });
  const orphan = files.manifests.find(({ version }) => !state.versions.has(version));
  if (orphan) throw invalidFile({ kind: 'a manifest', path: orphan.file.path, commit }, 'no event registered it');
  const manifests = new Map(earlier?.manifests ?? []);
  for (const { version, file } of files.manifests) manifests.set(version, file.blob);
  return { state, events: [...(earlier?.events ?? []), ...events], manifests };
}

function withMeta(state: ModelState, meta: ModelMeta | undefined): ModelState {
  return meta === undefined ? state : { ...state, meta };
}
