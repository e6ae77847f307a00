import { isMlvError, MlvError } from '../core/errors.js';
import type { Git } from '../git/git.js';
import type { ReportSide } from './change-report.js';

/** Where work usually starts from, in the order in which they are tried. */
const TRUNKS = ['origin/HEAD', 'origin/main', 'origin/master', 'main', 'master'];

/**
 * The two sides of a report: `head` as it is (HEAD by default), and what it has in common with `base` (by default the branch
 * that work starts from), so that what others did meanwhile is not in it. Errors: `REVISION_UNKNOWN`, `USAGE` where nothing
 * tells the base.
 */
export async function reportRevisions(
  git: Git,
  { base, head = 'HEAD' }: { base: string | undefined; head: string | undefined },
): Promise<{ base: ReportSide; head: ReportSide }> {
  const after = { revision: head, commit: await git.resolve(head) };
  const revision = base ?? (await trunkOf(git, after.commit));
  const commit = await git.resolve(revision);
  return { base: { revision, commit: (await git.mergeBase(commit, after.commit)) ?? commit }, head: after };
}

async function trunkOf(git: Git, head: string): Promise<string> {
  for (const name of [...TRUNKS, 'HEAD~1']) {
    const commit = await git.resolve(name).catch((error: unknown) => {
      if (isMlvError(error, 'REVISION_UNKNOWN')) return undefined;
      throw error;
    });
    if (commit !== undefined && commit !== head) return name;
  }
  throw new MlvError('USAGE', 'there is nothing to compare with', {
    hint: 'name it: mlv report --base <revision>; in a shallow clone, git fetch --unshallow',
  });
}
