import { MlvError } from '../core/errors.js';
import type { RegistryContext } from './context.js';
import { parseEvent } from './event-format.js';
import { parseRegistryPath, REGISTRY_REF, tagRef } from './layout.js';
import { parseManifest } from './manifest-format.js';
import { parseModelMeta } from './model-meta-format.js';
import { prepareChange } from './prepare.js';
import type { RegistryChange } from './registry.js';
import { checkNotRewritten, type RegistryRefs } from './registry-refs.js';

/** The tags of versions that only this clone has, as `tip` has them and the remote's branch does not, which go with its commits to the remote. */
export async function pendingTags(
  { plumbing }: RegistryContext,
  { tracking }: Pick<RegistryRefs, 'tracking'>,
  tip: string | undefined,
): Promise<{ name: string; object: string }[]> {
  if (tip === undefined || tip === tracking) return [];
  const files =
    tracking === undefined
      ? await plumbing.listTree(tip, ['models'])
      : await plumbing.diffTrees(tracking, tip, ['models']);
  const names = new Set<string>();
  for (const file of files) {
    const found = parseRegistryPath(file.path);
    const deleted = 'kind' in file && file.kind === 'deleted';
    if (!deleted && found.kind === 'manifest') names.add(tagRef(found.model, found.version));
  }
  if (names.size === 0) return [];
  const all = await plumbing.currentRefs(['refs/tags']);
  return all.filter(({ name }) => names.has(name));
}

/**
 * Where this clone and the remote diverged, makes this clone's own commits again on top of the remote's: each is judged on
 * the state that it now follows, numbered anew, and signed again where it was signed. The branch moves when all are made.
 * True where anything was made. Errors: what the judge refuses, `VERSION_EXISTS`, `REGISTRY_INVALID`, `REGISTRY_REWRITTEN`.
 */
export async function replayLocal(context: RegistryContext, refs: RegistryRefs): Promise<boolean> {
  const { plumbing } = context;
  const { local, tracking } = refs;
  await checkNotRewritten(plumbing, refs);
  if (local === undefined || tracking === undefined || local === tracking) return false;
  if ((await plumbing.isAncestor(local, tracking)) || (await plumbing.isAncestor(tracking, local))) return false;
  let tip = tracking;
  for (const { commit, parents } of await plumbing.commitsBetween(tracking, local)) {
    tip = await replayCommit(context, { commit, parent: parents[0] }, tip);
  }
  // Where another process was faster, the next look finds what it left.
  await plumbing.updateRefs([{ name: REGISTRY_REF, to: tip, from: local }]);
  return true;
}

async function replayCommit(
  context: RegistryContext,
  { commit, parent }: { commit: string; parent: string | undefined },
  base: string,
): Promise<string> {
  const { plumbing, judge } = context;
  const { message, author, signed } = await plumbing.readCommit(commit);
  const change = await readChange(context, { commit, parent, subject: message.split('\n')[0] ?? '' });
  const view = context.exactView(base);
  const { files } = await prepareChange(change, view);
  const tree = await plumbing.writeTree({ base, files });
  const again = await plumbing.commitTree({ tree, parents: [base], message, author, sign: signed });
  await judge(change, { view, commit: again });
  return again;
}

/** What a commit of the branch changed, as it was asked for. Error: `REGISTRY_INVALID` where mlv did not make it. */
async function readChange(
  { git, plumbing }: RegistryContext,
  { commit, parent, subject }: { commit: string; parent: string | undefined; subject: string },
): Promise<RegistryChange> {
  const files =
    parent === undefined
      ? (await plumbing.listTree(commit, [])).map((file) => ({ ...file, kind: 'added' as const }))
      : await plumbing.diffTrees(parent, commit, []);
  const blobs = await git.readBlobs(files.filter(({ kind }) => kind !== 'deleted').map(({ blob }) => blob));
  const change: RegistryChange = { subject, events: [] };
  for (const { path, kind, blob } of files.sort((left, right) => (left.path < right.path ? -1 : 1))) {
    const found = parseRegistryPath(path);
    const text = blobs.get(blob)?.toString('utf8') ?? '';
    const at = { path, commit };
    if (found.kind === 'policy' && kind !== 'deleted') change.policy = { text };
    else if (found.kind === 'meta' && kind !== 'deleted') {
      change.meta = { model: found.model, meta: parseModelMeta(text, at) };
    } else if (found.kind === 'manifest' && kind === 'added' && !change.register) {
      change.register = { manifest: parseManifest(text, at) };
    } else if (found.kind === 'event' && kind === 'added') {
      const event = parseEvent(text, at);
      // It is written again with its manifest.
      if (event.type !== 'registered') change.events?.push(event);
    } else throw notOurs(commit, path);
  }
  return change;
}

function notOurs(commit: string, path: string): MlvError {
  return new MlvError(
    'REGISTRY_INVALID',
    `commit ${commit.slice(0, 12)} of the registry was not made by mlv ('${path}')`,
    {
      hint: 'drop what only this clone has: mlv registry pull --drop-local',
      data: { commit, path },
    },
  );
}
