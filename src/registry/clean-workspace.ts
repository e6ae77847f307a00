import { MlvError } from '../core/errors.js';
import { shellQuote } from '../core/shell-quote.js';
import type { RepositoryPath } from '../workspace/paths.js';
import { POINTER_SUFFIX } from '../workspace/pointer-format.js';

/** What of a workspace is not as the commit says. */
export interface WorkspaceDirt {
  /** Files of Git that differ from HEAD, staged or not. */
  changed: readonly RepositoryPath[];
  /** Files that Git neither has nor ignores. */
  untracked: readonly RepositoryPath[];
  /** Targets of mlv whose content is not what their pointer says. */
  targets: readonly RepositoryPath[];
}

const CODE =
  /(?:\.(?:py|pyx|ipynb|r|rmd|jl|scala|java|kt|c|cc|cpp|cxx|h|hpp|cu|cuh|rs|go|js|mjs|cjs|ts|sh|bash|sql|yaml|yml|toml|json|cfg|ini|proto|mlv)|(?:^|\/)(?:Dockerfile|Makefile|Justfile|requirements[^/]*\.txt|Pipfile|environment[^/]*))$/i;

/**
 * What stands between a workspace and a version: changes to Git's files, targets with other content, and untracked files
 * that look like code or settings, for a training script may have used them. Files that parameters and metrics were read
 * from may be untracked: the manifest holds what they say. Other untracked files do not count.
 */
export function relevantDirt(dirt: WorkspaceDirt, read: readonly RepositoryPath[]): WorkspaceDirt {
  const recorded = new Set(read);
  const untracked = dirt.untracked.filter((path) => CODE.test(path) && !recorded.has(path));
  return { ...dirt, untracked };
}

/** The `WORKSPACE_DIRTY` error for what is not as the commit says, or undefined for a clean workspace. */
export function dirtyWorkspace({ changed, untracked, targets }: WorkspaceDirt): MlvError | undefined {
  const paths = [...changed, ...targets, ...untracked];
  if (paths.length === 0) return undefined;
  const parts = [
    ...(changed.length > 0 ? [`${changed.length} not as the commit has them`] : []),
    ...(targets.length > 0 ? [`${targets.length} tracked with other content than the pointer says`] : []),
    ...(untracked.length > 0 ? [`${untracked.length} that Git does not know`] : []),
  ];
  const more = targets.length > 1 ? ' …' : '';
  // After a `git pull` the pointer may be the newer one, and adding would take the change of others back.
  const add =
    targets.length > 0
      ? `mlv add ${shellQuote(targets[0] ?? '')}${more} (or mlv pull, where the pointer is right), then `
      : '';
  return new MlvError('WORKSPACE_DIRTY', `no commit says what is in this workspace: ${parts.join(', ')}`, {
    hint: `${add}git add and git commit; or keep the difference with the version: --allow-dirty`,
    data: { paths, changed, targets, untracked },
  });
}

/** The `WORKSPACE_DIRTY` error for targets whose bytes no object has, whatever is allowed. */
export function unsavedTargets(paths: readonly RepositoryPath[]): MlvError {
  const [first = ''] = paths;
  const what = paths.length === 1 ? `'${first}' has` : `${paths.length} of what is to be registered have`;
  return new MlvError('WORKSPACE_DIRTY', `${what} other content than the pointer says`, {
    hint: `record it first: mlv add ${shellQuote(first)}${paths.length > 1 ? ' …' : ''}   (or throw it away: mlv checkout --force ${shellQuote(first)})`,
    data: { paths, targets: paths },
  });
}

/** The `WORKSPACE_DIRTY` error for targets whose pointers HEAD does not have. */
export function uncommittedPointers(paths: readonly RepositoryPath[]): MlvError {
  const files = paths.map((path) => `${path}${POINTER_SUFFIX}`);
  const what =
    files.length === 1
      ? `the pointer '${files[0]}' is not committed as it stands`
      : `${files.length} pointers are not committed as they stand`;
  return new MlvError('WORKSPACE_DIRTY', what, {
    hint: `git add ${shellQuote(files[0] ?? '')}${files.length > 1 ? ' …' : ''} && git commit; or keep the difference with the version: --allow-dirty`,
    data: { paths: files },
  });
}
