import type { ElsewhereGit } from '../../git/elsewhere.js';
import { POLICY_PATH, REGISTRY_BRANCH } from '../../registry/layout.js';
import { parseReference, type Reference } from '../../registry/reference.js';
import { type FoundVersion, resolveReference, viewsInTime } from '../../registry/reference-resolve.js';
import { openRegistry } from '../../registry/store.js';
import { isWithin } from '../../workspace/paths.js';

/** A registry elsewhere, whose branch was fetched. */
export interface ElsewhereRegistry {
  elsewhere: ElsewhereGit;
  /** Its branch's tip; undefined where it has none. */
  registryTip: string | undefined;
}

/**
 * Finds the version that a reference means in a registry elsewhere; only the files of the registry that this needs are
 * fetched. Errors: those of parseReference and resolveReference.
 */
export async function resolveElsewhere(there: ElsewhereRegistry, text: string, key?: string): Promise<FoundVersion> {
  const { elsewhere, registryTip } = there;
  const reference = parseReference(text);
  const registry = openRegistry({ git: elsewhere.git, remote: undefined, interactive: false });
  await fetchRegistryFiles(elsewhere, registryTip, modelOf(reference));
  const viewAtTime = async (time: Date) => {
    await elsewhere.fetchHistory(REGISTRY_BRANCH);
    const commit = await registry.tipAt(time);
    await fetchRegistryFiles(elsewhere, commit);
    return viewsInTime(registry)(time);
  };
  return resolveReference(await registry.view(), reference, { viewAtTime, ...(key !== undefined && { key }) });
}

/** Fetches the files of one model of a registry, or of all, as of a commit of its branch. Error: `GIT_FAILED`. */
export async function fetchRegistryFiles(
  elsewhere: ElsewhereGit,
  tip: string | undefined,
  model?: string,
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

function modelOf(reference: Reference): string | undefined {
  return reference.kind === 'named' && reference.at === undefined ? reference.model : undefined;
}
