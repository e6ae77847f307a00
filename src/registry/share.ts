import { MlvError } from '../core/errors.js';
import type { RefUpdate } from '../git/plumbing.js';
import { advanceRefs } from './advance-refs.js';
import type { RegistryContext } from './context.js';
import { fetchRegistry } from './fetch-registry.js';
import { REGISTRY_REF, seenRef } from './layout.js';
import { modelNameProblem } from './model-name.js';
import type { PullOptions, ShareReport } from './registry.js';
import { newestTip, type RegistryRefs, readRefs } from './registry-refs.js';
import { pendingTags, replayLocal } from './replay.js';
import { sendCommit } from './send.js';

/** Attempts to get what is local behind what the remote has. */
const TRIES = 100;

/** Sends what only this clone has; see Registry.push. */
export async function pushRegistry(context: RegistryContext): Promise<ShareReport> {
  const { plumbing, pause } = context;
  const remote = await sharedRemote(context);
  const first = await readRefs(plumbing, { remote });
  await fetchRegistry(context, remote);
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const { refs, tip } = await bringTogether(context, remote);
    const report = { ...(await reportOn(context, first, refs)), sent: await count(context, refs.tracking, tip), tip };
    const tags = await pendingTags(context, refs, tip);
    const done = tip === undefined || report.sent === 0;
    if (done || (await sendCommit(context, { remote, commit: tip, known: refs.tracking, tags, lost: attempt }))) {
      if (tip !== undefined) await advanceRefs(plumbing, { commit: tip, remote }, pause);
      return report;
    }
  }
  throw new MlvError('REGISTRY_RACE', `others wrote to the registry faster, ${TRIES} times in a row`, {
    hint: 'run the same command again; nothing was sent',
  });
}

/** Takes over what the remote has; see Registry.pull. */
export async function pullRegistry(context: RegistryContext, options: PullOptions): Promise<ShareReport> {
  const { plumbing, pause } = context;
  const remote = await sharedRemote(context);
  const first = await readRefs(plumbing, { remote });
  await fetchRegistry(context, remote);
  const dropped = await giveUp(context, remote, options);
  const { refs, tip } = await bringTogether(context, remote);
  const report = { ...(await reportOn(context, first, refs)), dropped, tip };
  if (tip === undefined) return report;
  if (refs.tracking === tip) await advanceRefs(plumbing, { commit: tip, remote }, pause);
  else if (refs.tracking !== undefined) await remember(context, remote, refs);
  return { ...report, ...(await takeTags(context, remote, tip)) };
}

/**
 * Takes over the tags of versions, with the commits that they stand on. A tag that this clone has otherwise stays as it
 * is, and is told. A shallow clone takes none: their commits would bring their history.
 */
async function takeTags(
  { git, plumbing, interactive }: RegistryContext,
  remote: string,
  tip: string,
): Promise<{ tagsKept?: string }> {
  if (await git.isShallow()) return {};
  const folders = await plumbing.listFolders(tip, 'models');
  const names = folders.map(({ path }) => path.slice('models/'.length)).filter((name) => !modelNameProblem(name));
  if (names.length === 0) return {};
  const refspecs = names.map((name) => `refs/tags/${name}@*:refs/tags/${name}@*`);
  const { done, said } = await plumbing.fetch({ remote, refspecs, interactive });
  return done ? {} : { tagsKept: said };
}

async function sharedRemote(context: RegistryContext): Promise<string> {
  const remote = await context.remote();
  if (remote !== undefined) return remote;
  throw new MlvError('REMOTE_NOT_CONFIGURED', 'this repository has no Git remote to share the registry through', {
    hint: 'add one: git remote add origin <url>',
  });
}

/** Puts what only this clone has behind what the remote has. */
async function bringTogether(
  context: RegistryContext,
  remote: string,
): Promise<{ refs: RegistryRefs; tip: string | undefined }> {
  await replayLocal(context, await readRefs(context.plumbing, { remote }));
  const refs = await readRefs(context.plumbing, { remote });
  return { refs, tip: await newestTip(context.plumbing, refs) };
}

async function reportOn(context: RegistryContext, first: RegistryRefs, refs: RegistryRefs): Promise<ShareReport> {
  const received = await count(context, first.seen, refs.tracking);
  return { remote: refs.remote as string, received, sent: 0, dropped: 0, tip: refs.tracking };
}

async function count({ plumbing }: RegistryContext, from: string | undefined, to: string | undefined): Promise<number> {
  return to === undefined || from === to ? 0 : (await plumbing.commitsBetween(from, to)).length;
}

/** Remembers what the remote has, where this clone has more. */
async function remember(
  { plumbing }: RegistryContext,
  remote: string,
  { seen, tracking }: RegistryRefs,
): Promise<void> {
  if (seen !== tracking) await plumbing.updateRefs([{ name: seenRef(remote), to: tracking, from: seen }]);
}

/** Moves this clone's branch to where the remote's is, and takes the tags away of versions that the remote lacks. */
async function giveUp(context: RegistryContext, remote: string, options: PullOptions): Promise<number> {
  const { plumbing } = context;
  const { dropLocal = false, acceptRewritten = false } = options;
  if (!dropLocal && !acceptRewritten) return 0;
  const refs = await readRefs(plumbing, { remote });
  const { local, tracking, seen } = refs;
  const dropped = local === undefined ? 0 : await count(context, tracking, local);
  const updates: RefUpdate[] = [];
  if (local !== undefined && dropped > 0) {
    updates.push({ name: REGISTRY_REF, to: tracking, from: local });
    const tags = await pendingTags(context, refs, local);
    updates.push(...tags.map(({ name, object }) => ({ name, to: undefined, from: object })));
  }
  if (acceptRewritten && seen !== tracking) updates.push({ name: seenRef(remote), to: tracking, from: seen });
  if (updates.length === 0 || (await plumbing.updateRefs(updates))) return dropped;
  throw new MlvError('REGISTRY_RACE', "another process moved this clone's registry meanwhile", {
    hint: 'run the same command again; nothing was changed',
  });
}
