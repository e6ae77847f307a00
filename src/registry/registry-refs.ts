import { MlvError } from '../core/errors.js';
import type { GitPlumbing } from '../git/plumbing.js';
import { REGISTRY_BRANCH, REGISTRY_REF, seenRef, trackingRef } from './layout.js';

/** Where the registry's branch stands, here and on the Git remote as this clone knows it. */
export interface RegistryRefs {
  /** Name of the Git remote; undefined where none is there or wanted. */
  remote: string | undefined;
  local: string | undefined;
  tracking: string | undefined;
  /** The newest tip of the remote that this clone took over. */
  seen: string | undefined;
}

/**
 * The Git remote that the registry is shared through: the one configured, else that of the current branch, else
 * `origin`, else the only one; undefined where there is none. Error: `REMOTE_NOT_CONFIGURED` where the one configured is
 * not there, or several are and none is chosen.
 */
export async function chooseRemote(plumbing: GitPlumbing, configured: string | undefined): Promise<string | undefined> {
  const { all, ofBranch } = await plumbing.remotes();
  if (configured !== undefined) {
    if (all.includes(configured)) return configured;
    throw new MlvError('REMOTE_NOT_CONFIGURED', `registry.remote is '${configured}', and Git has no such remote`, {
      hint: `add it: git remote add ${configured} <url>; or choose another: mlv config set registry.remote <name>`,
      data: { remote: configured },
    });
  }
  if (ofBranch !== undefined || all.length < 2) return ofBranch ?? all[0];
  if (all.includes('origin')) return 'origin';
  throw new MlvError(
    'REMOTE_NOT_CONFIGURED',
    `Git has several remotes (${all.join(', ')}), and none is the registry's`,
    {
      hint: 'choose one: mlv config set registry.remote <name>; or keep changes local: --no-push',
      data: { remotes: all },
    },
  );
}

/**
 * Where the branch stands. One Git process; one or two more where several Git remotes have the branch. Errors: as
 * chooseRemote.
 */
export async function readRefs(
  plumbing: GitPlumbing,
  { configured, remote }: { configured?: string | undefined; remote?: string | undefined },
): Promise<RegistryRefs> {
  const own = remote === undefined ? [] : [trackingRef(remote)];
  const patterns = [REGISTRY_REF, `refs/remotes/*/${REGISTRY_BRANCH}`, ...own, 'refs/mlv/registry-seen'];
  const refs = new Map((await plumbing.currentRefs(patterns)).map(({ name, object }) => [name, object]));
  const shared = [...refs.keys()].filter((name) => name.startsWith('refs/remotes/')).map(remoteOf);
  let chosen = remote;
  if (chosen === undefined && shared.length > 0) {
    chosen = shared.length === 1 && configured === undefined ? shared[0] : await chooseRemote(plumbing, configured);
  }
  const of = (name: string | undefined) => (name === undefined ? undefined : refs.get(name));
  return {
    remote: chosen,
    local: refs.get(REGISTRY_REF),
    tracking: of(chosen && trackingRef(chosen)),
    seen: of(chosen && seenRef(chosen)),
  };
}

function remoteOf(name: string): string {
  return name.slice('refs/remotes/'.length, -(REGISTRY_BRANCH.length + 1));
}

/**
 * The newest commit of the branch that is known here. Errors: `REGISTRY_DIVERGED`, `REGISTRY_REWRITTEN`.
 */
export async function newestTip(plumbing: GitPlumbing, refs: RegistryRefs): Promise<string | undefined> {
  const { local, tracking } = refs;
  await checkNotRewritten(plumbing, refs);
  if (local === undefined || tracking === undefined || local === tracking) return local ?? tracking;
  if (await plumbing.isAncestor(local, tracking)) return tracking;
  if (await plumbing.isAncestor(tracking, local)) return local;
  throw new MlvError('REGISTRY_DIVERGED', `this clone and '${refs.remote}' each have changes that the other lacks`, {
    hint: 'bring them together: mlv registry pull',
    data: { remote: refs.remote, local, tracking },
  });
}

/** Error: `REGISTRY_REWRITTEN` where the remote's branch lost commits that this clone had from it. */
export async function checkNotRewritten(plumbing: GitPlumbing, refs: RegistryRefs): Promise<void> {
  const { remote, tracking, seen } = refs;
  if (seen === undefined || tracking === undefined || seen === tracking) return;
  if (await plumbing.isAncestor(seen, tracking)) return;
  throw new MlvError('REGISTRY_REWRITTEN', `the registry's history on '${remote}' was rewritten`, {
    hint: `it had ${seen.slice(0, 12)}, which is gone; look into it with mlv audit; to accept it: mlv registry pull --accept-rewritten`,
    data: { remote, seen, tip: tracking },
  });
}
