import type { Manifest } from '../../registry/manifest.js';
import { versionName } from '../../registry/reference-resolve.js';
import { versionClosure } from '../../registry/version-closure.js';
import { versionTargets } from '../../registry/version-targets.js';
import { isPointerPath, type Target } from '../../workspace/pointers.js';
import type { ElsewhereRepository } from './open.js';
import { fetchRegistryFiles, resolveElsewhere } from './reference.js';

/** A version of somebody else's registry. */
export interface ElsewhereVersion {
  /** `fraud@1.4.0`. */
  name: string;
  manifest: Manifest;
  targets: Target[];
}

/**
 * Finds the version that a reference means in a registry elsewhere, and the files and directories it consists of; only
 * what that needs is fetched. Errors: those of resolveElsewhere, versionClosure and versionTargets.
 */
export async function elsewhereVersion(
  repository: ElsewhereRepository,
  text: string,
  { artifactsOnly, key }: { artifactsOnly: boolean; key?: string | undefined },
): Promise<ElsewhereVersion> {
  const { version, view } = await resolveElsewhere(repository, text, key);
  const manifest = await view.manifest(version.model, version.version);
  if (manifest.components?.length) await fetchRegistryFiles(repository.elsewhere, view.tip);
  const members = await versionClosure(view, version);
  for (const each of members) await fetchPointers(repository, each.manifest);
  const targets = await versionTargets(repository, members, { artifactsOnly });
  return { name: versionName(version), manifest, targets };
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
