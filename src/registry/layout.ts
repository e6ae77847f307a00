import { modelNameProblem } from './model-name.js';
import { tryVersion } from './version-number.js';

/** The registry's branch. */
export const REGISTRY_BRANCH = 'mlv-registry';
export const REGISTRY_REF = `refs/heads/${REGISTRY_BRANCH}`;
export const POLICY_PATH = 'policy.yaml';
/** Hex digits of an event's SHA-256 in its file's name. */
export const EVENT_ID_LENGTH = 12;

/** Where the branch of a Git remote is kept in this clone. */
export function trackingRef(remote: string): string {
  return `refs/remotes/${remote}/${REGISTRY_BRANCH}`;
}

/** The newest tip of a Git remote's branch that this clone took over; what does not descend from it is a rewritten history. */
export function seenRef(remote: string): string {
  return `refs/mlv/registry-seen/${remote}`;
}

/** Full name of the tag of a version. */
export function tagRef(model: string, version: string): string {
  return `refs/tags/${model}@${version}`;
}

/** Folder of a model on the branch. */
export function modelPath(model: string): string {
  return `models/${model}`;
}

/** File of what is said of a model as a whole. */
export function metaPath(model: string): string {
  return `models/${model}/model.yaml`;
}

/** File of a version's manifest. */
export function manifestPath(model: string, version: string): string {
  return `models/${model}/versions/${version}.yaml`;
}

/** File of an event: its number in the model's history, then its id, so that names sort in order. */
export function eventPath(model: string, seq: number, id: string): string {
  return `models/${model}/events/${String(seq).padStart(8, '0')}-${id}.yaml`;
}

/** What a path on the branch is, `other` for what the format leaves to people, `wrong` for what must not be there. */
export type RegistryPath =
  | { kind: 'policy' }
  | { kind: 'meta'; model: string }
  | { kind: 'manifest'; model: string; version: string }
  | { kind: 'event'; model: string; seq: number; id: string }
  | { kind: 'other' }
  | { kind: 'wrong'; reason: string };

const EVENT_FILE = /^(\d{8})-([0-9a-f]{12})\.yaml$/;

/** Reads a path on the branch. */
export function parseRegistryPath(path: string): RegistryPath {
  if (path === POLICY_PATH) return { kind: 'policy' };
  const [top, model, folder, name, ...more] = path.split('/');
  if (top !== 'models' || model === undefined || folder === undefined) return { kind: 'other' };
  const problem = modelNameProblem(model);
  if (problem !== undefined) return { kind: 'wrong', reason: `'${model}' cannot be the name of a model: ${problem}` };
  if (folder === 'model.yaml' && name === undefined) return { kind: 'meta', model };
  if (folder !== 'versions' && folder !== 'events') return { kind: 'other' };
  if (name === undefined || more.length > 0)
    return { kind: 'wrong', reason: `nothing of the kind belongs to '${folder}'` };
  return folder === 'versions' ? versionFile(model, name) : eventFile(model, name);
}

function versionFile(model: string, name: string): RegistryPath {
  const version = name.endsWith('.yaml') ? name.slice(0, -'.yaml'.length) : '';
  if (tryVersion(version)) return { kind: 'manifest', model, version };
  return { kind: 'wrong', reason: "its name is not <version>.yaml, and only manifests belong to 'versions'" };
}

function eventFile(model: string, name: string): RegistryPath {
  const match = EVENT_FILE.exec(name);
  const seq = Number(match?.[1] ?? 0);
  if (match && seq > 0) return { kind: 'event', model, seq, id: match[2] as string };
  return { kind: 'wrong', reason: "its name is not <seq>-<id>.yaml, and only events belong to 'events'" };
}
