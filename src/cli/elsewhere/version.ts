import { POLICY_PATH, REGISTRY_BRANCH } from '../../registry/layout.js';
import type { Manifest } from '../../registry/manifest.js';
import { parseReference, type Reference } from '../../registry/reference.js';
import { resolveReference, versionName, viewsInTime } from '../../registry/reference-resolve.js';
import { openRegistry } from '../../registry/store.js';
import { versionClosure } from '../../registry/version-closure.js';
import { versionTargets } from '../../registry/version-targets.js';
import { isWithin } from '../../workspace/paths.js';
import { isPointerPath, type Target } from '../../workspace/pointers.js';
import type { ElsewhereRepository } from './open.js';

/** A version of somebody else's registry. */
export interface ElsewhereVersion {
  /** `fraud@1.4.0`. */
  name: string;
  manifest: Manifest;
  targets: Target[];
}

/**
 * Finds the version that a reference means in a registry elsewhere, and the files and directories it consists of; only
 * what that needs is fetched. Errors: those of parseReference, resolveReference, versionClosure and versionTargets.
 */
export async function elsewhereVersion(
  repository: ElsewhereRepository,
  text: string,
  { artifactsOnly, key }: { artifactsOnly: boolean; key?: string | undefined },
): Promise<ElsewhereVersion> {
  const reference = parseReference(text);
  const registry = openRegistry({ git: repository.git, remote: undefined, interactive: false });
  await fetchFiles(repository, repository.registryTip, modelOf(reference));
  const viewAtTime = async (time: Date) => {
    await repository.elsewhere.fetchHistory(REGISTRY_BRANCH);
    const commit = await registry.tipAt(time);
    await fetchFiles(repository, commit, undefined);
    return viewsInTime(registry)(time);
  };
  const { version, view } = await resolveReference(await registry.view(), reference, {
    viewAtTime,
    ...(key !== undefined && { key }),
  });
  const manifest = await view.manifest(version.model, version.version);
  if (manifest.components?.length) await fetchFiles(repository, view.tip, undefined);
  const members = await versionClosure(view, version);
  for (const each of members) await fetchPointers(repository, each.manifest);
  const targets = await versionTargets(repository, members, { artifactsOnly });
  return { name: versionName(version), manifest, targets };
}

function modelOf(reference: Reference): string | undefined {
  return reference.kind === 'named' && reference.at === undefined ? reference.model : undefined;
}

/** The files of one model, or of all. */
async function fetchFiles(
  { elsewhere }: ElsewhereRepository,
  tip: string | undefined,
  model: string | undefined,
): Promise<void> {
  if (tip === undefined) return;
  const files = await elsewhere.git.plumbing.listTree(tip, []);
  const needed = files.filter(
    ({ path }) => path === POLICY_PATH || isWithin(path, model === undefined ? 'models' : `models/${model}`),
  );
  await elsewhere.fetchBlobs(
    tip,
    needed.map(({ blob }) => blob),
  );
}

/** Pointers of the version's commit say which remote has what; where it is not to be had, the manifest does. */
async function fetchPointers({ elsewhere }: ElsewhereRepository, manifest: Manifest): Promise<void> {
  const { commit, model, version } = manifest;
  if (!(await elsewhere.fetchCommit(commit, `${model}@${version}`)) || !(await elsewhere.git.hasCommit(commit))) return;
  const files = await elsewhere.git.plumbing.listTree(commit, []);
  const pointers = files.filter(({ path }) => isPointerPath(path));
  await elsewhere.fetchBlobs(
    commit,
    pointers.map(({ blob }) => blob),
  );
}
