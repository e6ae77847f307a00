import { type HistoryEntry, tellHistory } from './history.js';
import type { Manifest } from './manifest.js';
import type { FoundVersion } from './reference-resolve.js';
import type { Assignment, ModelState, RegistryView, VersionState } from './registry.js';
import { stagesOf } from './version-list.js';

/** Components inside components are followed this deep. */
const DEEPEST = 16;

/** A version of another model inside a version. */
export interface ComponentDetail {
  model: string;
  version: string;
  manifest: string;
  /** `unknown` where the registry has no such version, `other` where it has another manifest under that name. */
  problem?: 'unknown' | 'other';
  stages: string[];
  metrics: Record<string, number>;
  components: ComponentDetail[];
}

/** Where a version stands, since when and by whom. */
export type Standing = Pick<Assignment, 'traffic' | 'since' | 'by'> & { stage: string };

/** Everything that the registry knows of one version. */
export interface VersionDetail {
  model: ModelState;
  state: VersionState;
  manifest: Manifest;
  standing: Standing[];
  /** Of this version only, in their order. */
  events: HistoryEntry[];
  components: ComponentDetail[];
}

/** Reads everything that the registry knows of a version. Errors: `REGISTRY_INVALID`. */
export async function versionDetail({ view, model, version: state }: FoundVersion): Promise<VersionDetail> {
  const manifest = await view.manifest(state.model, state.version);
  const events = tellHistory(await view.events(state.model)).filter(({ event }) => event.version === state.version);
  const components = await componentDetails(view, manifest, [`${state.model}@${state.version}`]);
  return { model, state, manifest, standing: standingOf(model, state), events, components };
}

function standingOf(model: ModelState, state: VersionState): Standing[] {
  return stagesOf(model, state).map(({ stage, traffic }) => {
    const assignment = model.stages.get(stage)?.find(({ version }) => version === state.version);
    return { stage, traffic, since: assignment?.since ?? '', by: assignment?.by ?? '' };
  });
}

/**
 * The components of a manifest, and theirs; `above` are the versions that led to it, the manifest's own the last. A version
 * that is made of itself (which nobody can register, as a digest holds each) is not followed. Errors: `REGISTRY_INVALID`.
 */
export async function componentDetails(
  view: RegistryView,
  { components = [] }: Pick<Manifest, 'components'>,
  above: readonly string[],
): Promise<ComponentDetail[]> {
  const details: ComponentDetail[] = [];
  for (const { model, version, manifest } of components) {
    const state = (await view.model(model))?.versions.get(version);
    const name = `${model}@${version}`;
    const held = state?.manifest === manifest ? state : undefined;
    const deeper = held !== undefined && above.length < DEEPEST && !above.includes(name);
    const inner = deeper ? await componentDetails(view, await view.manifest(model, version), [...above, name]) : [];
    details.push({
      model,
      version,
      manifest,
      ...(!held && { problem: state ? ('other' as const) : ('unknown' as const) }),
      stages: held?.stages ?? [],
      metrics: Object.fromEntries(Object.entries(held?.summary.metrics ?? {}).map(([key, { value }]) => [key, value])),
      components: inner,
    });
  }
  return details;
}

/** Components and theirs by the models that lead to them, such as `ranker > encoder`, with the version each has. */
export function flatComponents(components: readonly ComponentDetail[], above = ''): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const { model, version, components: inner } of components) {
    Object.assign(flat, { [above + model]: version }, flatComponents(inner, `${above}${model} > `));
  }
  return flat;
}
