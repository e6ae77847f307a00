import { MlvError } from '../core/errors.js';
import { inShellQuotes } from '../core/shell-quote.js';
import type { RegistryContext } from './context.js';
import { fetchRegistry } from './fetch-registry.js';
import { REGISTRY_REF } from './layout.js';
import { readRefs } from './registry-refs.js';

/** Refusals of one state of the remote before they count: its refs may be locked by somebody else's push. */
const REFUSALS = 4;

/** A commit on its way. */
export interface Sending {
  remote: string;
  commit: string;
  /** What the remote's branch was last known to be. */
  known: string | undefined;
  tags: readonly { name: string; object: string }[];
  /** How often others were faster already. */
  lost: number;
}

/**
 * Sends a commit of the branch, with tags, to the Git remote: all or nothing. False where the remote has moved on, which
 * this clone then knows. A connection that broke is cleared up by asking what the remote has. Errors: `GIT_FAILED` where
 * it cannot be reached or refuses, `VERSION_EXISTS` where it has one of the tags.
 */
export async function sendCommit(context: RegistryContext, sending: Sending): Promise<boolean> {
  const { plumbing, interactive, pause } = context;
  const { remote, commit, tags, lost, known } = sending;
  const refs = [{ object: commit, name: REGISTRY_REF }, ...tags];
  for (let refusals = 1; ; refusals += 1) {
    const pushed = await plumbing.push({ remote, refs, interactive });
    if (pushed.outcome === 'done') return true;
    // Before the remote is asked and not after: who waits with what it said is late again.
    await pause(lost + refusals - 1);
    await fetchAfter(context, remote, pushed.said);
    const { tracking } = await readRefs(plumbing, { remote });
    if (tracking !== undefined && (await plumbing.isAncestor(commit, tracking))) return true;
    // Another process of this clone may have learned it before the first look.
    if (tracking !== known || (tracking !== undefined && !(await plumbing.isAncestor(tracking, commit)))) return false;
    if (pushed.outcome === 'failed' || refusals >= REFUSALS) throw refused(remote, pushed, tags);
  }
}

async function fetchAfter(context: RegistryContext, remote: string, said: string): Promise<void> {
  try {
    await fetchRegistry(context, remote);
  } catch (cause) {
    throw new MlvError('GIT_FAILED', `the registry could not be sent to '${remote}': ${said}`, {
      cause,
      hint: 'run the same command again when the Git remote can be reached; or with --no-push, and mlv registry push later',
      data: { remote, stderr: said },
    });
  }
}

function refused(remote: string, pushed: { refused: string[]; said: string }, tags: Sending['tags']): MlvError {
  const tag = tags.find(({ name }) => pushed.refused.includes(name));
  if (tag && !pushed.refused.includes(REGISTRY_REF)) {
    const name = tag.name.slice('refs/tags/'.length);
    return new MlvError(
      'VERSION_EXISTS',
      `'${remote}' refuses the tag '${name}': it may have another one of that name`,
      {
        hint: `look at it: git ls-remote --tags ${remote} ${inShellQuotes(name)}`,
        data: { remote, tag: name, stderr: pushed.said },
      },
    );
  }
  return new MlvError('GIT_FAILED', `'${remote}' does not take the registry: ${pushed.said}`, {
    hint: `your account needs the right to push the branch mlv-registry and tags to '${remote}'`,
    data: { remote, refused: pushed.refused, stderr: pushed.said },
  });
}
