import { MlvError } from '../core/errors.js';
import { isCommit, parseReference, type Reference, type VersionSelector } from './reference.js';
import { ambiguous, emptyRegistry, unknownModel, unknownStage, unknownVersion } from './reference-errors.js';
import type { Assignment, ModelState, Registry, RegistryView, VersionState } from './registry.js';
import { assignmentFor, mainAssignment, stageLine } from './traffic.js';
import { fitting } from './version-order.js';

/** What a reference leads to. */
export interface FoundVersion {
  model: ModelState;
  version: VersionState;
  /** The registry in which it was found: an older state for a reference with a date. */
  view: RegistryView;
  /** What it has on the stage that the reference names; undefined for any other kind of reference. */
  assignment?: Assignment;
  /** All that stand on the stage that the reference names now. */
  sharing?: readonly Assignment[];
}

export interface ResolveOptions {
  /** The registry as it was at a time; see viewsInTime. Without it a reference with a date is an error. */
  viewAtTime?: (time: Date) => Promise<RegistryView | undefined>;
  /** Who asks, for stages that several versions share. */
  key?: string;
}

/** Reads the registry as it was at a time, for ResolveOptions; undefined before its first commit. */
export function viewsInTime(registry: Pick<Registry, 'tipAt' | 'viewAt'>): NonNullable<ResolveOptions['viewAtTime']> {
  return async (time) => {
    const commit = await registry.tipAt(time);
    return commit === undefined ? undefined : registry.viewAt(commit);
  };
}

/**
 * Finds the one version that a reference means. Errors: `VERSION_INVALID` for text that is no reference, `MODEL_UNKNOWN`,
 * `VERSION_UNKNOWN` (also where several versions could be meant; `data.candidates` names them), `STAGE_UNKNOWN`,
 * `REGISTRY_INVALID`; each with the nearest that there is.
 */
export async function resolveReference(
  view: RegistryView,
  reference: string | Reference,
  options: ResolveOptions = {},
): Promise<FoundVersion> {
  const parsed = typeof reference === 'string' ? parseReference(reference) : reference;
  if (parsed.kind === 'digest') return onlyOne(view, await withDigest(view, parsed.digest), parsed.digest);
  if (parsed.kind === 'word') return byWord(view, parsed.word);
  const then = parsed.at === undefined ? view : await viewAt(parsed.at, options);
  const model = await requireModel(then, parsed.model);
  return select(then, { model, selector: parsed.selector }, options);
}

/** The state of a model. Error: `MODEL_UNKNOWN` with the nearest name. */
export async function requireModel(view: RegistryView, name: string): Promise<ModelState> {
  const model = await view.model(name);
  if (model) return model;
  const names = await view.models();
  throw names.length === 0 ? emptyRegistry() : unknownModel(name, names);
}

/** `fraud@1.4.0`. */
export function versionName({ model, version }: Pick<VersionState, 'model' | 'version'>): string {
  return `${model}@${version}`;
}

async function viewAt(time: Date, { viewAtTime }: ResolveOptions): Promise<RegistryView> {
  if (!viewAtTime) throw new MlvError('VERSION_INVALID', 'a reference with a date cannot be used here');
  const view = await viewAtTime(time);
  if (view) return view;
  throw new MlvError('VERSION_UNKNOWN', `there was no registry yet at ${time.toISOString()}`, {
    hint: 'mlv history <model> shows since when there are versions',
    data: { at: time.toISOString() },
  });
}

async function byWord(view: RegistryView, word: string): Promise<FoundVersion> {
  const model = await view.model(word);
  const commits = isCommit(word) ? await matching(view, ({ summary }) => summary.commit.startsWith(word)) : [];
  if (model && commits.length > 0) {
    throw ambiguous(word, [...commits.map(({ version }) => versionName(version)), `${word}@latest`]);
  }
  if (model) return select(view, { model, selector: { kind: 'latest', back: 0 } }, {});
  if (commits.length > 0) return onlyOne(view, commits, word);
  const names = await view.models();
  if (names.length === 0) throw emptyRegistry();
  throw unknownModel(word, names, { orCommit: isCommit(word) });
}

async function matching(
  view: RegistryView,
  matches: (version: VersionState) => boolean,
): Promise<{ model: ModelState; version: VersionState }[]> {
  const models = await view.allModels();
  return models.flatMap((model) => [...model.versions.values()].filter(matches).map((version) => ({ model, version })));
}

function hasDigest({ manifest, summary }: VersionState, digest: string): boolean {
  return manifest.startsWith(digest) || summary.artifacts.some((oid) => oid.startsWith(digest));
}

function withDigest(view: RegistryView, digest: string): Promise<{ model: ModelState; version: VersionState }[]> {
  return matching(view, (version) => hasDigest(version, digest));
}

async function onlyOne(
  view: RegistryView,
  found: readonly { model: ModelState; version: VersionState }[],
  text: string,
): Promise<FoundVersion> {
  const [only] = found;
  if (only && found.length === 1) return { ...only, view };
  if (only)
    throw ambiguous(
      text,
      found.map(({ version }) => versionName(version)),
    );
  const names = await view.models();
  if (names.length === 0) throw emptyRegistry();
  const trained = await matching(view, ({ summary }) => summary.data.some((oid) => oid.startsWith(text)));
  throw new MlvError('VERSION_UNKNOWN', `no version has the artifact or the manifest ${text}`, {
    hint:
      trained.length > 0
        ? `it is data of ${trained.length} version(s): mlv select --where 'data has "${text}"'`
        : 'mlv list shows all models',
    data: { reference: text },
  });
}

async function select(
  view: RegistryView,
  { model, selector }: { model: ModelState; selector: VersionSelector },
  { key }: ResolveOptions,
): Promise<FoundVersion> {
  switch (selector.kind) {
    case 'version': {
      const version = model.versions.get(selector.version);
      if (!version) throw unknownVersion(model, selector.version);
      return { model, version, view };
    }
    case 'digest': {
      const found = [...model.versions.values()].filter((version) => hasDigest(version, selector.digest));
      return onlyOne(
        view,
        found.map((version) => ({ model, version })),
        selector.digest,
      );
    }
    case 'stage':
      return onStage(view, model, { ...selector, ...(key === undefined ? {} : { key }) });
    default:
      return { model, version: newest(model, selector), view };
  }
}

function newest(model: ModelState, selector: Extract<VersionSelector, { kind: 'latest' | 'range' }>): VersionState {
  const found =
    selector.kind === 'range' ? fitting(model, selector.range)[0] : fitting(model, undefined)[selector.back];
  if (found) return found;
  const text = selector.kind === 'range' ? selector.range : `latest${selector.back > 0 ? `~${selector.back}` : ''}`;
  throw unknownVersion(model, text);
}

async function onStage(
  view: RegistryView,
  model: ModelState,
  { stage, back, key }: { stage: string; back: number; key?: string },
): Promise<FoundVersion> {
  if (stage === 'archived') return archived(view, model, back);
  const held = model.held.get(stage) ?? [];
  const sharing = model.stages.get(stage) ?? [];
  if (back === 0) {
    const assignment =
      key === undefined ? mainAssignment(sharing) : assignmentFor(sharing, { model: model.name, stage, key });
    const version = assignment && model.versions.get(assignment.version);
    if (assignment && version) return { model, version, view, assignment, sharing };
  } else {
    const before = stageLine(held).at(-1 - back);
    const version = before === undefined ? undefined : model.versions.get(before);
    if (version) return { model, version, view };
  }
  throw await unknownStage(view, model, { stage, back, stood: stageLine(held).filter((each) => each !== undefined) });
}

async function archived(view: RegistryView, model: ModelState, back: number): Promise<FoundVersion> {
  const found = [...model.versions.values()].filter(({ stages }) => stages.includes('archived'));
  if (found.length > 0 && back === 0)
    return onlyOne(
      view,
      found.map((version) => ({ model, version })),
      `${model.name}@archived`,
    );
  throw await unknownStage(view, model, { stage: 'archived', back, stood: [] });
}
