import { MlvError } from '../core/errors.js';
import { advanceRefs } from './advance-refs.js';
import type { RegistryContext } from './context.js';
import { fetchRegistry } from './fetch-registry.js';
import { needsSignature } from './judge-commit.js';
import { REGISTRY_REF } from './layout.js';
import { type PreparedChange, prepareChange } from './prepare.js';
import type { ChangeResult, Decide, RegistryChange, RegistryView } from './registry.js';
import { newestTip, type RegistryRefs, readRefs } from './registry-refs.js';
import { pendingTags, replayLocal } from './replay.js';
import { sendCommit } from './send.js';
import { refuseCheckedOut, refuseStrayTag } from './write-obstacles.js';

/** Attempts before a race counts as lost. */
const TRIES = 100;

/**
 * Decides on the newest view and writes what comes of it; see Registry.change. What is in the cache is never used here:
 * a forged cache could otherwise let something through.
 */
export async function changeRegistry(context: RegistryContext, decide: Decide, push: boolean): Promise<ChangeResult> {
  const remote = push ? await context.remote() : undefined;
  return new Writer(context, decide, remote).run();
}

/** A commit that is made and that no ref leads to yet. */
interface Written {
  commit: string;
  base: string | undefined;
  tags: { name: string; object: string }[];
}

class Writer {
  /** Whether the remote was asked since the change began. */
  private fresh = false;

  constructor(
    private readonly context: RegistryContext,
    private readonly decide: Decide,
    private readonly remote: string | undefined,
  ) {}

  async run(): Promise<ChangeResult> {
    await refuseCheckedOut(this.context.plumbing);
    for (let attempt = 0; attempt < TRIES; attempt += 1) {
      const { refs, tip } = await this.base();
      const view = this.context.exactView(tip);
      const change = await this.decideOn(view);
      if (change === 'stale') continue;
      if (change === undefined) return { commit: undefined, view, pushed: false };
      const written = await this.write(change, view);
      if (written === 'stale') continue;
      if (await this.publish(written, refs, attempt)) {
        return {
          commit: written.commit,
          view: this.context.exactView(written.commit),
          pushed: this.remote !== undefined,
        };
      }
      if (this.remote === undefined) await this.context.pause(attempt);
    }
    throw new MlvError('REGISTRY_RACE', `others wrote to the registry faster, ${TRIES} times in a row`, {
      hint: 'run the same command again; nothing was written',
    });
  }

  /** The commit to build on, and where the refs stand. */
  private async base(): Promise<{ refs: RegistryRefs; tip: string | undefined }> {
    const { plumbing } = this.context;
    const { remote } = this;
    const refs = await readRefs(plumbing, { remote });
    if (remote !== undefined && !this.fresh && refs.local === undefined && refs.tracking === undefined) {
      await this.refresh(remote);
      return this.base();
    }
    if (remote !== undefined && (await replayLocal(this.context, refs))) return this.base();
    return { refs, tip: await newestTip(plumbing, refs) };
  }

  /** A refusal, or having nothing to do, counts only on the newest state. */
  private async decideOn(view: RegistryView): Promise<RegistryChange | undefined | 'stale'> {
    try {
      const change = await this.decide(view);
      if (change !== undefined || !(await this.refreshOnce(view.tip))) return change;
    } catch (error) {
      if (!(await this.refreshAfter(view.tip))) throw error;
    }
    return 'stale';
  }

  private async write(change: RegistryChange, view: RegistryView): Promise<Written | 'stale'> {
    try {
      const prepared = await prepareChange(change, view);
      if (prepared.tag) await refuseStrayTag(this.context.plumbing, prepared.tag.name);
      prepared.sign ||= needsSignature(await view.policy(), change);
      const written = await buildCommit(this.context, prepared, view.tip);
      await this.context.judge(change, { view, commit: written.commit });
      await change.accept?.(written.commit);
      return written;
    } catch (error) {
      if (!(await this.refreshAfter(view.tip))) throw error;
      return 'stale';
    }
  }

  private async publish({ commit, base, tags }: Written, refs: RegistryRefs, lost: number): Promise<boolean> {
    const { plumbing, pause } = this.context;
    const { remote } = this;
    if (remote === undefined) {
      const { local } = await readRefs(plumbing, {});
      const branch = { name: REGISTRY_REF, to: commit, from: local };
      if (local !== undefined && local !== base && !(await plumbing.isAncestor(local, commit))) return false;
      return plumbing.updateRefs([branch, ...tags.map(({ name, object }) => ({ name, to: object, from: undefined }))]);
    }
    const waiting = await pendingTags(this.context, refs, base);
    // Somebody in this clone may have been faster with the same version; the branch then refuses ours.
    const all = [...waiting.filter((other) => !tags.some(({ name }) => name === other.name)), ...tags];
    if (!(await sendCommit(this.context, { remote, commit, known: refs.tracking, tags: all, lost }))) {
      this.fresh = true;
      return false;
    }
    await advanceRefs(plumbing, { commit, remote, tags }, pause);
    return true;
  }

  private async refresh(remote: string): Promise<void> {
    this.fresh = true;
    await fetchRegistry(this.context, remote);
  }

  /** True where asking the remote, for the first time, brought something new. */
  private async refreshOnce(tip: string | undefined): Promise<boolean> {
    const { remote } = this;
    if (remote === undefined || this.fresh) return false;
    await this.refresh(remote);
    const refs = await readRefs(this.context.plumbing, { remote });
    return refs.tracking !== undefined && refs.tracking !== tip;
  }

  /** As refreshOnce; a remote that cannot be reached leaves the first error standing. */
  private async refreshAfter(tip: string | undefined): Promise<boolean> {
    try {
      return await this.refreshOnce(tip);
    } catch {
      return false;
    }
  }
}

/** Makes the commit of a change on top of `base`, and its tag; no ref moves. Errors: `SIGNING_FAILED`, `GIT_FAILED`. */
async function buildCommit(
  { plumbing }: Pick<RegistryContext, 'plumbing'>,
  { files, tag, message, sign }: PreparedChange,
  base: string | undefined,
): Promise<Written> {
  const tree = await plumbing.writeTree({ base, files });
  const parents = base === undefined ? [] : [base];
  const signed = sign || (await plumbing.signsCommits());
  const commit = await plumbing.commitTree({ tree, parents, message, sign: signed });
  if (!tag) return { commit, base, tags: [] };
  return { commit, base, tags: [{ name: `refs/tags/${tag.name}`, object: await plumbing.makeTag(tag) }] };
}
