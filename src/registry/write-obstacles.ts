import { MlvError } from '../core/errors.js';
import { inShellQuotes } from '../core/shell-quote.js';
import type { GitPlumbing } from '../git/plumbing.js';
import { REGISTRY_REF } from './layout.js';

/**
 * Makes sure that no working tree has the registry's branch checked out: one that moves under it would look there as if
 * everything new had been deleted. Errors: `GIT_FAILED` where one has, those of Git.
 */
export async function refuseCheckedOut(plumbing: GitPlumbing): Promise<void> {
  const worktree = await plumbing.checkedOutAt(REGISTRY_REF);
  if (worktree === undefined) return;
  throw new MlvError('GIT_FAILED', `the branch mlv-registry is checked out in '${worktree}'`, {
    hint: `leave it, it is only to be looked at: git -C ${inShellQuotes(worktree)} switch -`,
    data: { worktree },
  });
}

/** Makes sure that a new version's tag (`fraud@1.4.0`) is free. Errors: `VERSION_EXISTS` where it is not, those of Git. */
export async function refuseStrayTag(plumbing: GitPlumbing, tag: string): Promise<void> {
  if ((await plumbing.currentRefs([`refs/tags/${tag}`])).length === 0) return;
  throw new MlvError('VERSION_EXISTS', `Git has a tag '${tag}' already, which the registry does not know`, {
    hint: `if nobody needs it: git tag -d ${tag}`,
    data: { tag },
  });
}
