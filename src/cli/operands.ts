import { lstatSync } from 'node:fs';
import { isMlvError, MlvError } from '../core/errors.js';
import { shellQuote } from '../core/shell-quote.js';
import { absolutePath, forDisplay, isWithin, type RepositoryPath, toRepositoryPath } from '../workspace/paths.js';
import { loadTargets, loadTargetsAt, pointerPathOf, type Target, type Targets } from '../workspace/pointers.js';
import type { Repository } from '../workspace/repository.js';
import type { OpenRepository } from './context.js';
import { quotePath } from './render/quote.js';
import type { Session } from './session.js';
import type { VerbInput } from './verb.js';

/** What the user typed as repository paths. Error: `PATH_OUTSIDE_REPOSITORY`. */
export function toPaths(repository: Repository, args: readonly string[]): RepositoryPath[] {
  return args.map((argument) => toRepositoryPath(repository.layout, argument));
}

/** A function that turns repository paths into what is printed: relative to the current directory, quoted as Git does. */
export function displayer(repository: Repository): (path: RepositoryPath, directory?: boolean) => string {
  return (path, directory = false) => quotePath(`${forDisplay(repository.layout, path)}${directory ? '/' : ''}`);
}

/**
 * Does some work on the paths that the user typed. Where mlv tracks nothing there, the error tells what the word may have
 * been meant for: a remote or a revision, as `git push` and `git checkout` take them, a model, or a misspelled path.
 */
export async function withPathHints<T>(
  repository: OpenRepository,
  hints: { remote?: boolean; revision: (word: string) => string },
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isMlvError(error, 'PATH_NOT_TRACKED') || typeof error.data.path !== 'string') throw error;
    const { path } = error.data;
    if (lstatSync(absolutePath(repository.layout, path), { throwIfNoEntry: false })) throw error;
    const word = shellQuote(path);
    let hint = 'check the spelling; mlv ls shows what is tracked';
    if (hints.remote && repository.config.remotes.has(path)) hint = `a remote is given as an option: --remote ${word}`;
    else if (await isRevision(repository, path)) hint = hints.revision(word);
    else if (await (await import('./version-commit.js')).isModel(repository, path))
      hint = `for the newest version of the model: mlv pull ${word}@latest`;
    throw new MlvError('PATH_NOT_TRACKED', error.message, { hint, data: error.data, cause: error });
  }
}

/** Revisions and paths, told apart. */
export interface RevisionsAndPaths {
  revisions: string[];
  paths: RepositoryPath[];
  /** The targets of the workspace, which had to be looked at. */
  workspace: Targets;
}

/**
 * Tells revisions from paths: what stands behind `--` is a path; before it, leading operands are revisions unless they
 * name a tracked path, at most `limit` of them; `A..B` is two, and a version of a model the commit that it was registered on.
 * Errors: `REVISION_UNKNOWN` for an operand that is neither, `PATH_OUTSIDE_REPOSITORY`, those of
 * versionCommit.
 */
export async function splitOperands(
  repository: OpenRepository,
  input: VerbInput,
  { session, limit }: { session: Session; limit: number },
): Promise<RevisionsAndPaths> {
  const workspace = await loadTargets(repository);
  const behind = Math.min(input.afterSeparator ?? 0, input.args.length);
  const before = input.args.slice(0, input.args.length - behind);
  const revisions: string[] = [];
  let position = 0;
  for (; position < before.length && revisions.length < limit; position += 1) {
    const argument = before[position] as string;
    if (namesTracked(repository, workspace.targets, argument)) break;
    const found = await revisionsIn(argument, limit - revisions.length, (word) =>
      revisionMeant(session, repository, word),
    );
    if (found.length === 0) break;
    revisions.push(...found);
  }
  const rest = input.args.slice(position);
  const candidates = before.slice(position);
  for (const argument of candidates) await checkIsPath(repository, argument, input.afterSeparator !== undefined);
  return { revisions, paths: toPaths(repository, rest), workspace };
}

function namesTracked(repository: Repository, targets: readonly Target[], argument: string): boolean {
  let path: RepositoryPath;
  try {
    path = toRepositoryPath(repository.layout, argument);
  } catch {
    return false;
  }
  return targets.some(
    (target) => isWithin(path, target.path) || isWithin(target.path, path) || pointerPathOf(target.path) === path,
  );
}

async function isRevision({ git }: Repository, name: string): Promise<boolean> {
  try {
    await git.resolve(name);
    return true;
  } catch (error) {
    if (isMlvError(error, 'REVISION_UNKNOWN')) return false;
    throw error;
  }
}

/**
 * What stands where a commit is expected, as Git takes it: a revision as it is, of a version (`fraud@production`) the
 * commit that it was registered on. Undefined where it is neither. Errors: those of versionCommit.
 */
export async function revisionMeant(
  session: Session,
  repository: OpenRepository,
  word: string,
): Promise<string | undefined> {
  if (await isRevision(repository, word)) return word;
  if (!word.includes('@')) return undefined;
  const { versionCommit } = await import('./version-commit.js');
  return versionCommit(session, repository, word);
}

async function revisionsIn(
  argument: string,
  limit: number,
  find: (word: string) => Promise<string | undefined>,
): Promise<string[]> {
  const range = /^(.*?)\.\.(?!\.)(.*)$/.exec(argument);
  const names =
    range && limit >= 2 && !argument.includes('...') ? [range[1] || 'HEAD', range[2] || 'HEAD'] : [argument];
  const found = await Promise.all(names.map(find));
  return found.every((revision) => revision !== undefined) ? found : [];
}

/** A word that is neither a revision nor anything in the workspace is most likely a misspelled revision. */
async function checkIsPath(repository: Repository, argument: string, separated: boolean): Promise<void> {
  const path = toRepositoryPath(repository.layout, argument);
  const there = lstatSync(absolutePath(repository.layout, path), { throwIfNoEntry: false }) !== undefined;
  if (there || /[/\\]/.test(argument)) return;
  const { targets } = await loadTargets(repository);
  if (!separated && namesTracked(repository, targets, argument)) return;
  throw new MlvError('REVISION_UNKNOWN', `'${argument}' is neither a revision nor a path in the workspace`, {
    hint: `for a path that was there in another revision, write -- before it: -- ${shellQuote(argument)}`,
    data: { argument },
  });
}

/** The targets of a revision, or of the workspace where none is given. Errors: `REVISION_UNKNOWN`. */
export async function targetsAt(repository: Repository, operands: RevisionsAndPaths): Promise<Targets> {
  const [revision] = operands.revisions;
  return revision === undefined ? operands.workspace : loadTargetsAt(repository, { kind: 'revision', revision });
}

/** Where a listing without paths begins: everything at the top, otherwise what the current directory has to do with. */
export function pathsFromHere(
  repository: Repository,
  targets: readonly Target[],
  paths: readonly RepositoryPath[],
): RepositoryPath[] | undefined {
  const { prefix } = repository.layout;
  if (paths.length > 0 || prefix === '') return [...paths];
  const concerned = targets.some((target) => isWithin(target.path, prefix) || isWithin(prefix, target.path));
  return concerned ? [prefix] : undefined;
}

/**
 * The path and the revision of `path@revision`, with a revision that Git takes; undefined where the operand has none. A
 * reference to a version has an @ of its own: `data/a.csv@fraud@production`. Errors: those of versionCommit.
 */
export async function pathAtRevision(
  session: Session,
  repository: OpenRepository,
  operand: string,
): Promise<{ path: string; revision: string } | undefined> {
  const parts = splitAtRevision(operand);
  if (!parts) return undefined;
  const revision = await revisionMeant(session, repository, parts.revision);
  if (revision !== undefined) return { path: parts.path, revision };
  const at = parts.path.lastIndexOf('@');
  const longer = at > 0 ? await revisionMeant(session, repository, operand.slice(at + 1)) : undefined;
  return longer === undefined ? parts : { path: operand.slice(0, at), revision: longer };
}

/** The path and the revision of `path@revision`, parted at the last @ that can do it; undefined where none can. */
export function splitAtRevision(argument: string): { path: string; revision: string } | undefined {
  const at = argument.lastIndexOf('@');
  // `@{1}` and `HEAD@{1}` belong to the revision.
  const braces = /@((?:[^@]*@)?\{[^{}]*\}.*)$/.exec(argument);
  if (braces && braces.index > 0) return { path: argument.slice(0, braces.index), revision: braces[1] as string };
  return at > 0 && at < argument.length - 1
    ? { path: argument.slice(0, at), revision: argument.slice(at + 1) }
    : undefined;
}
