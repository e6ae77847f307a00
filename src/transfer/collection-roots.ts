import { isMlvError, MlvError } from '../core/errors.js';
import type { ReachableFiles, RemoteTip } from '../git/git.js';
import type { Oid } from '../objects/oid.js';
import { POINTER_SUFFIX } from '../workspace/pointer-format.js';
import { readPointerText } from '../workspace/pointers.js';
import type { Repository } from '../workspace/repository.js';
import type { LiveRoot } from './collection-mark.js';
import { type PointerOrigin, PointerRoots } from './pointer-roots.js';

/** More bytes than any pointer has, whatever its characters. */
const POINTER_BYTES = 256 * 1024;
/** Unreadable pointers whose commit is looked up, for messages. */
const NAMED = 20;

/** All that is looked at of a repository. */
export type ReadRepository = Pick<Repository, 'git' | 'layout'>;

export interface RootOptions {
  /** Do not ask the Git remotes whether they have branches or tags that this clone lacks. */
  offline?: boolean;
  /** Go on without pointers that cannot be read; the result lists them. */
  ignoreUnreadable?: boolean;
  /** What else must be kept, such as what the registry names; told what the Git remotes have. */
  retained?: (tips: readonly RemoteTip[]) => Promise<Retained>;
  /** A clone that lacks history will do: for what asks a remote before anything goes. */
  shallow?: boolean;
}

/** What is kept beside what Git leads to. */
export interface Retained {
  roots: LiveRoot[];
  unreadable: UnreadablePointer[];
  /** Full names of refs that lead to nothing: the tags of versions that are not kept any more. */
  releasedRefs?: readonly string[];
}

/** A pointer, or another file, that names nothing that can be told. */
export interface UnreadablePointer {
  path: string;
  /** A commit that brought it or took it away; undefined for one that only an index or a working tree holds. */
  commit?: string;
  message: string;
}

/** Everything that Git could still bring back. */
export interface GitRoots {
  roots: LiveRoot[];
  /** Pointers that were passed over because of `ignoreUnreadable`. */
  unreadable: UnreadablePointer[];
  /** Where pointers in Git named them. */
  origins: ReadonlyMap<Oid, PointerOrigin>;
}

/**
 * The objects that any pointer names in any commit that anything leads to (see Git.reachableFiles), in any index or any
 * working tree of the repository. A pointer that is broken but names objects, such as one with a merge conflict in it,
 * counts with all of them. Errors: `HISTORY_INCOMPLETE` where this clone does not see everything (a shallow one, one
 * that lacks branches of its Git remotes, a working tree that cannot be looked at), `POINTER_INVALID` for pointers that
 * name nothing, `FORMAT_TOO_NEW` for those of a later version, `GIT_FAILED`, `FILE_SYSTEM`, and those of `retained`.
 */
export async function collectGitRoots(repository: ReadRepository, options: RootOptions = {}): Promise<GitRoots> {
  const { git } = repository;
  if (!options.shallow && (await git.isShallow())) {
    throw incomplete('this clone is shallow: it lacks history', { hint: 'get all of it: git fetch --unshallow' });
  }
  const tips = options.offline ? [] : await knownTips(repository);
  const retained = (await options.retained?.(tips)) ?? { roots: [], unreadable: [] };
  const without = new Set(retained.releasedRefs);
  const also = tips.filter(({ ref }) => !without.has(ref)).map(({ object }) => object);
  const files = await git.reachableFiles(POINTER_SUFFIX, { also, without: [...without] });
  requireWorktrees(files.missing);
  const found = new PointerRoots();
  await readVersions(repository, files.versions, found);
  for (const { top, path } of files.files) {
    const text = readPointerText({ ...repository.layout, worktree: top }, path);
    if (text !== undefined) found.add(text, path);
  }
  if (found.unreadable.length > 0 && !options.ignoreUnreadable) throw await unreadableError(repository, found);
  return {
    roots: [...found.roots.values(), ...retained.roots],
    unreadable: [...(await withCommits(repository, found)), ...retained.unreadable],
    origins: found.origins,
  };
}

/** Stops a collection that cannot look at every working tree. Error: `HISTORY_INCOMPLETE`. */
export function requireWorktrees(missing: readonly string[]): void {
  const [first] = missing;
  if (first === undefined) return;
  throw incomplete(`the working tree '${first}' is locked, and is not there to be looked at`, {
    hint: 'mount its disk, or let Git forget it: git worktree remove --force --force <path>',
    data: { worktrees: missing },
  });
}

/** Branches and tags of Git remotes, whose commits this clone has all, too. */
async function knownTips({ git }: ReadRepository): Promise<RemoteTip[]> {
  const tips = await git.remoteTips().catch((error: unknown) => {
    if (!isMlvError(error, 'GIT_FAILED')) throw error;
    throw new MlvError('GIT_FAILED', error.message, {
      cause: error,
      data: error.data,
      hint: 'a collection asks the Git remotes for branches that this clone lacks; --offline does without',
    });
  });
  const unknown = tips.filter(({ known }) => !known);
  const [first] = unknown;
  if (!first) return tips;
  const more = unknown.length > 1 ? ` and ${unknown.length - 1} more` : '';
  throw incomplete(`this clone lacks commits of '${first.remote}': ${first.ref}${more}`, {
    hint: `get them, so that what they need is kept: ${fetchingCommand(unknown)}`,
    data: { refs: unknown.map(({ remote, ref }) => ({ remote, ref })) },
  });
}

/** A clone of a single branch gets the registry by its own command only. */
function fetchingCommand(unknown: readonly RemoteTip[]): string {
  const registry = unknown.every(({ ref }) => ref === 'refs/heads/mlv-registry');
  return registry ? 'mlv registry pull' : 'git fetch --all --tags --force';
}

/**
 * Reads versions of pointers from Git, all in one process, and adds what they name to `found`; what is no pointer, or longer
 * than one, it refuses there. Error: `GIT_FAILED`.
 */
export async function readVersions(
  { git }: ReadRepository,
  versions: ReachableFiles['versions'],
  found: PointerRoots,
): Promise<void> {
  const isPointer = ({ size = 0 }: { size: number | undefined }): boolean => size <= POINTER_BYTES;
  const blobs = await git.readBlobs(versions.filter(isPointer).map(({ blob }) => blob));
  for (const { path, blob, commit } of versions) {
    const text = blobs.get(blob)?.toString('utf8');
    if (text === undefined) found.refuse({ path, blob, message: `'${path}' is not a pointer: it is far too long` });
    else found.add(text, path, { blob, commit });
  }
}

async function withCommits({ git }: ReadRepository, { unreadable }: PointerRoots): Promise<UnreadablePointer[]> {
  const named: UnreadablePointer[] = [];
  for (const { path, blob, message } of unreadable) {
    const commit = blob !== undefined && named.length < NAMED ? await git.commitWith(blob) : undefined;
    named.push({ path, ...(commit !== undefined && { commit }), message });
  }
  return named;
}

async function unreadableError(repository: ReadRepository, found: PointerRoots): Promise<MlvError> {
  const pointers = await withCommits(repository, found);
  const [first] = pointers;
  const where = first?.commit === undefined ? '' : ` (commit ${first.commit.slice(0, 12)})`;
  const more = pointers.length > 1 ? `; so do ${pointers.length - 1} more` : '';
  return new MlvError('POINTER_INVALID', `${first?.message}${where}; it may need data that cannot be told${more}`, {
    hint: 'look at each; --ignore-unreadable keeps nothing for them and goes on',
    data: { pointers: pointers.slice(0, 1000) },
  });
}

function incomplete(message: string, options: { hint: string; data?: Record<string, unknown> }): MlvError {
  return new MlvError('HISTORY_INCOMPLETE', message, options);
}
