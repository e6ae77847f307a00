import { join } from 'node:path';
import type { Git } from '../git/git.js';
import type { GitPlumbing } from '../git/plumbing.js';
import type { RegistryContext } from './context.js';
import { type Pause, randomPause } from './pause.js';
import type { ChangeResult, Decide, Judge, Registry, RegistryStatus, ShareReport } from './registry.js';
import { chooseRemote, newestTip, readRefs } from './registry-refs.js';
import { StateCache } from './state-cache.js';
import { registryView } from './view.js';

/** What the registry of a repository depends on. */
export interface RegistryOptions {
  git: Git;
  /** The setting `registry.remote`. */
  remote: string | undefined;
  /** Whether Git may ask the user for a password. */
  interactive: boolean;
  /** Judges what is written, and again what was written offline before it is sent; by default commitJudge. */
  judge?: Judge;
  /** How to wait between attempts; for tests. */
  pause?: Pause;
}

/** Opens the registry of a repository. Starts no process. What only writing and sharing need is loaded by them. */
export function openRegistry(options: RegistryOptions): Registry {
  const { git, interactive, pause = randomPause } = options;
  const judge: Judge = options.judge ?? ((change, judged) => judgeCommit(git, change, judged));
  const { plumbing } = git;
  const cache = new StateCache(join(git.layout.commonDir, 'mlv', 'registry'));
  let remote: Promise<string | undefined> | undefined;
  const context: RegistryContext = {
    git,
    plumbing,
    interactive,
    judge,
    pause,
    remote: () => {
      remote ??= chooseRemote(plumbing, options.remote);
      return remote;
    },
    exactView: (commit) => registryView(commit, { git }),
  };
  const refs = () => readRefs(plumbing, { configured: options.remote });
  const view = async () => registryView(await newestTip(plumbing, await refs()), { git, cache, keep: true });
  return {
    view,
    viewOrFetch: async () => {
      const known = await view();
      if (known.tip !== undefined) return known;
      const from = await context.remote();
      if (from === undefined) return known;
      await fetchFrom(context, from);
      return view();
    },
    viewAt: async (commit) => registryView(await git.resolve(commit), { git, cache }),
    tipAt: async (time) => tipAt(plumbing, await newestTip(plumbing, await refs()), time),
    change: async (decide: Decide, { push = true } = {}): Promise<ChangeResult> =>
      (await import('./write.js')).changeRegistry(context, decide, push),
    push: async (): Promise<ShareReport> => (await import('./share.js')).pushRegistry(context),
    pull: async (how = {}): Promise<ShareReport> => (await import('./share.js')).pullRegistry(context, how),
    status: ({ fetch = false } = {}) => registryStatus(context, fetch),
    author: () => plumbing.author(),
  };
}

async function fetchFrom(context: RegistryContext, remote: string): Promise<void> {
  const { fetchRegistry } = await import('./fetch-registry.js');
  await fetchRegistry(context, remote);
}

async function judgeCommit(git: Git, ...[change, judged]: Parameters<Judge>): Promise<void> {
  const { commitJudge } = await import('./judge-commit.js');
  await commitJudge(git, () => Math.floor(Date.now() / 1000))(change, judged);
}

async function tipAt(plumbing: GitPlumbing, tip: string | undefined, time: Date): Promise<string | undefined> {
  if (tip === undefined) return undefined;
  const seconds = Math.floor(time.getTime() / 1000);
  let found: string | undefined;
  for (const commit of await plumbing.commitsBetween(undefined, tip)) {
    // Once a commit is later than asked for, all behind it are: an earlier date there is a wrong clock, or a lie.
    if (commit.time > seconds) return found;
    found = commit.commit;
  }
  return found;
}

async function registryStatus(context: RegistryContext, fetch: boolean): Promise<RegistryStatus> {
  const { plumbing } = context;
  const remote = await context.remote();
  if (fetch && remote !== undefined) await fetchFrom(context, remote);
  const { local, tracking } = await readRefs(plumbing, { remote });
  const count = async (from: string | undefined, to: string | undefined): Promise<number> =>
    to === undefined || from === to ? 0 : (await plumbing.commitsBetween(from, to)).length;
  return {
    remote,
    local,
    remoteTip: tracking,
    ahead: await count(tracking, local),
    behind: await count(local, tracking),
  };
}
