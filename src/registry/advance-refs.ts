import { MlvError } from '../core/errors.js';
import type { GitPlumbing, RefUpdate } from '../git/plumbing.js';
import { REGISTRY_REF, seenRef, trackingRef } from './layout.js';
import type { Pause } from './pause.js';

const TRIES = 20;

/** What this clone's refs are to know. */
export interface Advance {
  commit: string;
  /** The remote that has the commit; undefined where it is local only. */
  remote?: string;
  /** Tags to be made where they are not there yet: full names with their objects. */
  tags?: readonly { name: string; object: string }[];
}

/**
 * Moves this clone's refs on to a commit that is decided already: the branch, and what is known of the remote. A ref that
 * another process moved further meanwhile stays there; a branch that holds something else stays, too, and is told apart
 * by the next look. Error: `GIT_FAILED` where a ref stays locked.
 */
export async function advanceRefs(plumbing: GitPlumbing, advance: Advance, pause: Pause): Promise<void> {
  const { commit, remote, tags = [] } = advance;
  const branches = [REGISTRY_REF, ...(remote === undefined ? [] : [trackingRef(remote), seenRef(remote)])];
  const names = [...branches, ...tags.map(({ name }) => name)];
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const now = new Map((await plumbing.currentRefs(names)).map(({ name, object }) => [name, object]));
    const updates: RefUpdate[] = [];
    for (const name of branches) {
      const from = now.get(name);
      if (from === commit || (from !== undefined && !(await plumbing.isAncestor(from, commit)))) continue;
      updates.push({ name, to: commit, from });
    }
    for (const { name, object } of tags) if (!now.has(name)) updates.push({ name, to: object, from: undefined });
    if (updates.length === 0 || (await plumbing.updateRefs(updates))) return;
    await pause(attempt);
  }
  throw new MlvError('GIT_FAILED', `Git's refs could not be moved to ${commit.slice(0, 12)}: they stay locked`, {
    hint: 'a Git process that was killed may have left *.lock files in the Git directory; what was written is safe',
    data: { commit, refs: names },
  });
}
