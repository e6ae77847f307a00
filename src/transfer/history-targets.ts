import { MlvError } from '../core/errors.js';
import { POINTER_SUFFIX } from '../workspace/pointer-format.js';
import { isPointerPath, parseTarget, type Targets } from '../workspace/pointers.js';
import type { Repository } from '../workspace/repository.js';

/** What the pointers of a whole history name. */
export interface HistoryTargets extends Targets {
  /** Where the history begins: the commits of branches and tags, and HEAD. */
  tips: string[];
}

/**
 * The targets of every commit that a local branch, a tag or HEAD leads to, each version once, under one of the paths that it
 * had. A handful of Git processes, however long the history. Broken pointers are `problems`. Errors: those of Git.
 */
export async function historyTargets({ git }: Repository): Promise<HistoryTargets> {
  const head = await git.head();
  const refs = await git.refs({ branches: true, tags: true });
  const tips = [...new Set([...(head === undefined ? [] : [head]), ...refs.map(({ commit }) => commit)])];
  const found: HistoryTargets = { targets: [], problems: [], tips };
  if (tips.length === 0) return found;
  const { commits } = await git.commitGraph(tips);
  const isFirst = ([, { parents }]: [string, { parents: string[] }]): boolean =>
    !parents.some((parent) => commits.has(parent));
  const whole = [...commits].filter(isFirst).map(([commit]) => commit);
  const versions = await git.filesOfCommits(POINTER_SUFFIX, { commits: [...commits.keys()], whole });
  const pointers = versions.filter(({ path }) => isPointerPath(path));
  const blobs = await git.readBlobs([...new Set(pointers.map(({ blob }) => blob))]);
  for (const { path, blob, commit } of pointers) {
    try {
      found.targets.push(parseTarget(path, (blobs.get(blob) ?? Buffer.alloc(0)).toString('utf8')));
    } catch (error) {
      if (!(error instanceof MlvError)) throw error;
      found.problems.push(inCommit(error, commit ?? ''));
    }
  }
  return found;
}

/** A pointer of the past cannot be mended, so the advice of now would be none. */
function inCommit({ code, message, data, cause }: MlvError, commit: string): MlvError {
  const at = commit.slice(0, 12);
  const hint = `look at it: git show ${at}   (what the other pointers name is not concerned)`;
  return new MlvError(code, `${message}, in commit ${at}`, { hint, data: { ...data, commit }, cause });
}
