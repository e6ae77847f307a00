import { isMlvError, MlvError } from '../core/errors.js';
import type { Repository } from '../workspace/repository.js';
import { type CodeChange, codePaths } from './auto-bump.js';
import { parseCondition } from './condition.js';
import { evaluate, type Facts } from './condition-evaluate.js';
import { factsFrom, factsOfVersion } from './condition-facts.js';
import type { Manifest, ManifestComponent } from './manifest.js';
import { manifestDigest } from './manifest-format.js';
import { type ChosenNumber, defaultParent, nextNumber, numberTaken } from './next-version.js';
import { resolveReference } from './reference-resolve.js';
import type { RegisterRequest } from './register-request.js';
import type { ModelState, RegistryChange, RegistryView, VersionState } from './registry.js';
import { contentDifferences } from './same-content.js';
import { mainAssignment } from './traffic.js';

/** What is known of a version before the registry is asked for its number. */
export type ManifestDraft = Omit<Manifest, 'mlv' | 'model' | 'version' | 'created' | 'parent' | 'components' | 'bump'>;

/** What a registration comes to on one state of the registry. */
export interface Decided {
  state: 'registered' | 'present';
  /** The new manifest, or the one that is there. */
  manifest: Manifest;
  /** `sha256:<hex>` of the manifest's bytes. */
  digest: string;
  /** Undefined where nothing is to be written. */
  change: RegistryChange | undefined;
}

/** Everything that a decision needs beside the registry. */
export interface DecisionInput {
  repository: Pick<Repository, 'git'>;
  request: RegisterRequest;
  draft: ManifestDraft;
  now: () => Date;
}

/**
 * Decides on one state of the registry what a registration comes to: a new manifest, or the one that says the same.
 * Errors: `VERSION_EXISTS`, `VERSION_INVALID`, `CONDITION_FALSE`, those of references.
 */
export async function decideRegistration(view: RegistryView, input: DecisionInput): Promise<Decided> {
  const { request, draft } = input;
  await requireCondition(view, { ...request, metrics: draft.metrics });
  const model = await view.model(request.model);
  const parent = await parentOf(view, { model, request });
  const components = await componentsOf(view, request.components);
  const content = contentOf(request, { draft, components });
  const same = parent && sameAs(content, parent.manifest);
  if (same && !('version' in request.number)) return { ...parent, state: 'present', change: undefined };
  const chosen = await chooseNumber(input, { parent: parent?.manifest, content });
  const manifest = complete(content, { chosen, parent, created: input.now() });
  const existing = model?.versions.get(chosen.version);
  if (existing) return alreadyThere(view, { manifest, existing });
  const policy = await view.policy();
  return {
    state: 'registered',
    manifest,
    digest: manifestDigest(manifest),
    change: {
      subject: `${request.model}@${chosen.version}: registered`,
      register: { manifest },
      ...(policy.register?.signed && { sign: true }),
    },
  };
}

type Content = Omit<Manifest, 'version' | 'created' | 'parent' | 'bump'>;

function contentOf(
  request: RegisterRequest,
  { draft, components }: { draft: ManifestDraft; components: ManifestComponent[] },
): Content {
  const { licence, description, owners, retainUntil } = request;
  return {
    mlv: 1,
    model: request.model,
    ...draft,
    ...(components.length > 0 && { components }),
    ...(licence !== undefined && { licence }),
    ...(description !== undefined && { description }),
    ...(owners && owners.length > 0 && { owners: [...owners] }),
    ...(retainUntil !== undefined && { retain_until: retainUntil }),
  };
}

function complete(
  content: Content,
  { chosen, parent, created }: { chosen: ChosenNumber; parent: Parent | undefined; created: Date },
): Manifest {
  return {
    ...content,
    version: chosen.version,
    created: `${created.toISOString().slice(0, 19)}Z`,
    ...(parent && { parent: parent.manifest.version }),
    ...(chosen.bump && { bump: chosen.bump }),
  };
}

function sameAs(content: Content, manifest: Manifest): boolean {
  return contentDifferences(content, manifest).length === 0;
}

interface Parent {
  manifest: Manifest;
  /** `sha256:<hex>` of the manifest's bytes as they are in the registry. */
  digest: string;
}

async function parentOf(
  view: RegistryView,
  { model, request }: { model: ModelState | undefined; request: RegisterRequest },
): Promise<Parent | undefined> {
  if (request.parent === undefined) {
    const state = defaultParent(model, request.number);
    return state && { manifest: await view.manifest(state.model, state.version), digest: state.manifest };
  }
  const found = await resolveReference(view, request.parent);
  if (found.model.name !== request.model) {
    throw new MlvError('USAGE', `the parent ${found.model.name}@${found.version.version} is of another model`, {
      hint: `name a version of ${request.model}; versions of other models are given with --component`,
    });
  }
  const { version, manifest: digest } = found.version;
  return { manifest: await view.manifest(request.model, version), digest };
}

async function componentsOf(view: RegistryView, references: readonly string[]): Promise<ManifestComponent[]> {
  const components = new Map<string, ManifestComponent>();
  for (const reference of references) {
    const { version } = await resolveReference(view, reference);
    const component = { model: version.model, version: version.version, manifest: version.manifest };
    if (components.has(version.model) && components.get(version.model)?.version !== version.version) {
      throw new MlvError('USAGE', `two versions of ${version.model} are named as components`, {
        hint: 'a version consists of one version of each model',
      });
    }
    components.set(version.model, component);
  }
  return [...components.values()];
}

async function chooseNumber(
  { request, repository, draft }: DecisionInput,
  { parent, content }: { parent: Manifest | undefined; content: Content },
): Promise<ChosenNumber> {
  const code = (since: Manifest): Promise<CodeChange> => codeSince(repository, { since, draft, read: request.read });
  const chosen = await nextNumber(request.number, { parent, now: content, code });
  if (chosen) return chosen;
  // Only what no number tells (metrics, a description) is another than before.
  const again = await nextNumber({ bump: 'patch' }, { parent, now: content, code });
  const reasons = ['record: only what is said of it changed'];
  return { version: (again as ChosenNumber).version, bump: { part: 'patch', reasons } };
}

async function codeSince(
  { git }: Pick<Repository, 'git'>,
  { since, draft, read }: { since: Manifest; draft: ManifestDraft; read: readonly string[] },
): Promise<CodeChange> {
  if (since.commit === draft.commit) return { paths: [] };
  try {
    return { paths: codePaths(await git.changedPaths(since.commit, draft.commit), read) };
  } catch (error) {
    if (!isMlvError(error, 'GIT_FAILED')) throw error;
    return { unknown: `the commit of ${since.version} is not in this clone, so the code counts as changed` };
  }
}

async function alreadyThere(
  view: RegistryView,
  { manifest, existing }: { manifest: Manifest; existing: VersionState },
): Promise<Decided> {
  const there = await view.manifest(existing.model, existing.version);
  const differences = contentDifferences(there, manifest);
  if (differences.length > 0) throw numberTaken(`${existing.model}@${existing.version}`, differences, existing);
  return { state: 'present', manifest: there, digest: existing.manifest, change: undefined };
}

/**
 * Refuses what does not meet the condition of `--if`. `@stage` is the same figure of the version that speaks for the stage
 * now. Errors: `CONDITION_FALSE` with the figures found, `EXPRESSION_INVALID`.
 */
export async function requireCondition(
  view: RegistryView,
  { model, condition, metrics, params }: Pick<RegisterRequest, 'model' | 'condition' | 'metrics' | 'params'>,
): Promise<void> {
  if (condition === undefined) return;
  const parsed = parseCondition(condition);
  const state = await view.model(model);
  const onStage = (stage: string): Facts | undefined => {
    const there = state && mainAssignment(state.stages.get(stage) ?? []);
    const version = there && state.versions.get(there.version);
    return state && version && factsOfVersion(state, version);
  };
  const { holds, found, problems } = evaluate(parsed, factsFrom({ metrics, params, fields: { model } }, { onStage }));
  if (holds) return;
  const why = [found, ...problems].filter((text) => text !== '').join('; ');
  throw new MlvError('CONDITION_FALSE', `${model} was not registered: '${condition}' does not hold: ${why}`, {
    data: { condition, found, problems },
  });
}
