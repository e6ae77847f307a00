import { MlvError } from '../core/errors.js';
import { sha256Of } from './digest.js';
import type { RegistryEvent } from './event.js';
import { encodeEvent, parseEvent } from './event-format.js';
import { emptyModel, foldModel, type VersionFacts, versionFacts } from './fold.js';
import { EVENT_ID_LENGTH, eventPath, manifestPath, metaPath, POLICY_PATH } from './layout.js';
import type { Manifest } from './manifest.js';
import { encodeManifest, parseManifest } from './manifest-format.js';
import { encodeModelMeta, parseModelMeta } from './model-meta-format.js';
import { checkModelName } from './model-name.js';
import { parsePolicy } from './policy-format.js';
import type { PlacedEvent, RegistryChange, RegistryView } from './registry.js';
import { parseVersion } from './version-number.js';

/** A change as files of the branch, and the tag that goes with it. */
export interface PreparedChange {
  files: Map<string, string>;
  tag: { name: string; commit: string; message: string } | undefined;
  message: string;
  sign: boolean;
}

/**
 * Turns a change into files, and makes sure that the registry can be read with them: everything is read back, and the
 * events are folded onto the state that they follow. Errors: `VERSION_EXISTS`, `MODEL_NAME_INVALID`, `VERSION_INVALID`,
 * `REGISTRY_INVALID` for a change that nobody could read.
 */
export async function prepareChange(change: RegistryChange, view: RegistryView): Promise<PreparedChange> {
  const files = new Map<string, string>();
  const facts = new Map<string, VersionFacts>();
  const events: RegistryEvent[] = [];
  const manifest = change.register?.manifest;
  if (manifest) events.push(await addManifest(manifest, view, { files, facts }));
  events.push(...(change.events ?? []));
  for (const [model, own] of byModel(events)) await addEvents(model, own, { view, files, facts });
  if (change.meta) files.set(metaPath(checkModelName(change.meta.model)), metaText(change.meta));
  if (change.policy) {
    parsePolicy(change.policy.text, { path: POLICY_PATH });
    files.set(POLICY_PATH, change.policy.text);
  }
  const subject = change.subject.replace(/\s+/g, ' ').trim();
  const sign = change.sign ?? false;
  return { files, tag: manifest && tagOf(manifest, facts), message: `${subject}\n`, sign };
}

async function addManifest(
  manifest: Manifest,
  view: RegistryView,
  { files, facts }: { files: Map<string, string>; facts: Map<string, VersionFacts> },
): Promise<RegistryEvent> {
  const { model, version, author, created } = manifest;
  checkModelName(model);
  parseVersion(version);
  if ((await view.model(model))?.versions.has(version)) throw versionExists(model, version);
  const text = encodeManifest(manifest);
  const path = manifestPath(model, version);
  const digest = sha256Of(text);
  files.set(path, text);
  facts.set(version, versionFacts(parseManifest(text, { path }), digest));
  return { mlv: 1, type: 'registered', model, version, manifest: digest, by: author, at: created };
}

/** The `VERSION_EXISTS` error. */
function versionExists(model: string, version: string): MlvError {
  return new MlvError('VERSION_EXISTS', `${model}@${version} is registered already, with other content`, {
    hint: `look at it: mlv show ${model}@${version}; or register under the next number: --bump auto`,
    data: { model, version },
  });
}

function byModel(events: readonly RegistryEvent[]): Map<string, RegistryEvent[]> {
  const models = new Map<string, RegistryEvent[]>();
  for (const event of events) models.set(event.model, [...(models.get(event.model) ?? []), event]);
  return models;
}

async function addEvents(
  model: string,
  events: readonly RegistryEvent[],
  { view, files, facts }: { view: RegistryView; files: Map<string, string>; facts: Map<string, VersionFacts> },
): Promise<void> {
  const nextSeq = (await view.events(model)).length + 1;
  const placed: PlacedEvent[] = events.map((event, index) => {
    const text = encodeEvent(event);
    const seq = nextSeq + index;
    const id = sha256Of(text).slice('sha256:'.length, 'sha256:'.length + EVENT_ID_LENGTH);
    const path = eventPath(model, seq, id);
    files.set(path, text);
    return { seq, id, event: parseEvent(text, { path }) };
  });
  foldModel((await view.model(model)) ?? emptyModel(model), placed, { manifests: facts, nextSeq });
}

function metaText({ model, meta }: NonNullable<RegistryChange['meta']>): string {
  const text = encodeModelMeta(meta);
  parseModelMeta(text, { path: metaPath(model) });
  return text;
}

function tagOf(manifest: Manifest, facts: ReadonlyMap<string, VersionFacts>): PreparedChange['tag'] {
  const { model, version, commit } = manifest;
  const name = `${model}@${version}`;
  const lines = [name, '', `model: ${model}`, `version: ${version}`, `manifest: ${facts.get(version)?.digest}`];
  return { name, commit, message: `${lines.join('\n')}\n` };
}
