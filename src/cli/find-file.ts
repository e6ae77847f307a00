import { posix } from 'node:path';
import { isMlvError, MlvError } from '../core/errors.js';
import { inShellQuotes } from '../core/shell-quote.js';
import type { Oid } from '../objects/oid.js';
import type { TreeEntry } from '../objects/tree-format.js';
import { selectedEntry } from '../workspace/list.js';
import { type RepositoryPath, toRepositoryPath } from '../workspace/paths.js';
import {
  loadTargets,
  loadTargetsAt,
  notTracked,
  type Selection,
  selectTargets,
  type Target,
} from '../workspace/pointers.js';
import type { OpenRepository } from './context.js';
import { pathAtRevision, splitAtRevision } from './operands.js';
import type { Session } from './session.js';

/** A file of a tracked path, and the object that holds its bytes. */
export interface FoundFile {
  selection: Selection;
  oid: Oid;
}

type Fetch = (selection: Selection) => Promise<void>;

/**
 * The file that an operand names: a path first, then a path with a revision, so that an @ in a name does no harm. Its
 * object, and the listings on the way to it, are fetched where the cache lacks them. Errors: `PATH_NOT_TRACKED`,
 * `PATH_NOT_FOUND`, `USAGE` for a directory, `REVISION_UNKNOWN`, `OBJECT_MISSING`, those of a fetch and of
 * pathAtRevision.
 */
export async function findFile(session: Session, repository: OpenRepository, argument: string): Promise<FoundFile> {
  const fetch: Fetch = (selection) => fetchOne(session, repository, selection);
  const found = await find(repository, argument, { fetch, session });
  if (!repository.cache.has(found.oid)) await fetch(found.selection);
  return found;
}

/** As findFile, of a path among some targets; undefined where it is in none of them. */
export async function findFileIn(
  session: Session,
  repository: OpenRepository,
  { targets, path }: { targets: readonly Target[]; path: RepositoryPath },
): Promise<FoundFile | undefined> {
  const fetch: Fetch = (selection) => fetchOne(session, repository, selection);
  const found = await lookUp(repository, targets, { path, fetch, certain: false });
  if (found && !repository.cache.has(found.oid)) await fetch(found.selection);
  return found;
}

async function find(
  repository: OpenRepository,
  argument: string,
  { fetch, session }: { fetch: Fetch; session: Session },
): Promise<FoundFile> {
  const { targets } = await loadTargets(repository);
  const literal = toRepositoryPath(repository.layout, argument);
  const here = await lookUp(repository, targets, { path: literal, fetch, certain: !splitAtRevision(argument) });
  if (here) return here;
  const { path: typed = argument, revision = '' } = (await pathAtRevision(session, repository, argument)) ?? {};
  const path = toRepositoryPath(repository.layout, typed);
  const then = await loadTargetsAt(repository, { kind: 'revision', revision });
  const there = await lookUp(repository, then.targets, { path, fetch, certain: true });
  if (there) return there;
  throw notTracked(path);
}

async function lookUp(
  repository: OpenRepository,
  targets: readonly Target[],
  { path, fetch, certain }: { path: RepositoryPath; fetch: Fetch; certain: boolean },
): Promise<FoundFile | undefined> {
  try {
    const [selection] = selectTargets(targets, [path]);
    if (!selection) return undefined;
    return await fileAt(repository, selection, { path, fetch });
  } catch (error) {
    if (!certain && (isMlvError(error, 'PATH_NOT_TRACKED') || isMlvError(error, 'PATH_NOT_FOUND'))) return undefined;
    throw error;
  }
}

/** Follows symbolic links, which stay inside the tracked directory. */
async function fileAt(
  repository: OpenRepository,
  selection: Selection,
  { path, fetch }: { path: RepositoryPath; fetch: Fetch },
): Promise<FoundFile> {
  let current = selection;
  for (let hops = 0; hops < 40; hops += 1) {
    const entry = await entryOf(repository, current, fetch);
    if (entry.kind === 'tree') {
      throw new MlvError('USAGE', `'${path}' is a directory`, { hint: `mlv ls ${inShellQuotes(path)} lists it` });
    }
    if (entry.kind !== 'link') return { selection: current, oid: repository.cache.oid(entry.digest) };
    current = { ...current, below: posix.join(posix.dirname(current.below), entry.target) };
  }
  throw new MlvError('PATH_NOT_FOUND', `'${path}' is a link that leads in a circle`, { data: { path } });
}

async function entryOf(repository: OpenRepository, selection: Selection, fetch: Fetch): Promise<TreeEntry> {
  try {
    return selectedEntry(repository, selection);
  } catch (error) {
    if (!isMlvError(error, 'OBJECT_MISSING')) throw error;
    await fetch(selection);
    return selectedEntry(repository, selection);
  }
}

/** Gets what a selection lacks from its remote; without one, the caller finds the object missing. */
async function fetchOne(session: Session, repository: OpenRepository, selection: Selection): Promise<void> {
  const { config } = repository;
  if ((selection.target.pointer.remote ?? config.core.remote) === undefined) return;
  const { fetchCollected } = await import('./fetch-selections.js');
  const collected = { selections: [selection], problems: [] };
  const { errors } = await fetchCollected(session, repository, { collected, options: {} });
  if (errors[0]) throw errors[0];
}
