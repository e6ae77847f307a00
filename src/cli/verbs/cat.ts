import { closeSync, readSync } from 'node:fs';
import { posix } from 'node:path';
import { fileSystemError, isMlvError, MlvError } from '../../core/errors.js';
import { corrupt } from '../../objects/cache.js';
import type { Oid } from '../../objects/oid.js';
import type { TreeEntry } from '../../objects/tree-format.js';
import { selectedEntry } from '../../workspace/list.js';
import { toRepositoryPath } from '../../workspace/paths.js';
import {
  loadTargets,
  loadTargetsAt,
  notTracked,
  type Selection,
  selectTargets,
  type Target,
} from '../../workspace/pointers.js';
import { type OpenRepository, openRepository } from '../context.js';
import { splitAtRevision } from '../operands.js';
import type { Output } from '../output.js';
import type { Session } from '../session.js';
import type { Result, VerbInput } from '../verb.js';

const BUFFER_BYTES = 1024 * 1024;

/**
 * `mlv cat`: see its declaration. Errors: `PATH_NOT_TRACKED`, `PATH_NOT_FOUND`, `USAGE` for a directory,
 * `REVISION_UNKNOWN`, `OBJECT_MISSING`, `OBJECT_CORRUPT` after bytes that must not be used.
 */
export async function run(session: Session, { args: [argument = ''] }: VerbInput): Promise<Result> {
  const repository = await openRepository(session);
  const found = await find(repository, argument, (selection) => fetchOne(session, repository, selection));
  if (!repository.cache.has(found.oid)) await fetchOne(session, repository, found.selection);
  await copyObject(repository, found.oid, session.output);
  return {};
}

interface Found {
  selection: Selection;
  oid: Oid;
}

type Fetch = (selection: Selection) => Promise<void>;

/** What the operand names: a path first, then a path with a revision, so that an @ in a name does no harm. */
async function find(repository: OpenRepository, argument: string, fetch: Fetch): Promise<Found> {
  const { targets } = await loadTargets(repository);
  const parts = splitAtRevision(argument);
  const here = await lookUp(repository, targets, { argument, fetch, certain: parts === undefined });
  if (here) return here;
  const { path = argument, revision = '' } = parts ?? {};
  const then = await loadTargetsAt(repository, { kind: 'revision', revision });
  const there = await lookUp(repository, then.targets, { argument: path, fetch, certain: true });
  if (there) return there;
  throw notTracked(toRepositoryPath(repository.layout, path));
}

async function lookUp(
  repository: OpenRepository,
  targets: readonly Target[],
  { argument, fetch, certain }: { argument: string; fetch: Fetch; certain: boolean },
): Promise<Found | undefined> {
  const path = toRepositoryPath(repository.layout, argument);
  try {
    const [selection] = selectTargets(targets, [path]);
    if (!selection) return undefined;
    return await fileAt(repository, selection, { argument, fetch });
  } catch (error) {
    if (!certain && (isMlvError(error, 'PATH_NOT_TRACKED') || isMlvError(error, 'PATH_NOT_FOUND'))) return undefined;
    throw error;
  }
}

/** Follows symbolic links, which stay inside the tracked directory. */
async function fileAt(
  repository: OpenRepository,
  selection: Selection,
  { argument, fetch }: { argument: string; fetch: Fetch },
): Promise<Found> {
  let current = selection;
  for (let hops = 0; hops < 40; hops += 1) {
    const entry = await entryOf(repository, current, fetch);
    if (entry.kind === 'tree') {
      throw new MlvError('USAGE', `'${argument}' is a directory`, { hint: `mlv ls '${argument}' lists it` });
    }
    if (entry.kind !== 'link') return { selection: current, oid: repository.cache.oid(entry.digest) };
    current = { ...current, below: posix.join(posix.dirname(current.below), entry.target) };
  }
  throw new MlvError('PATH_NOT_FOUND', `'${argument}' is a link that leads in a circle`, { data: { path: argument } });
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
  const { fetchCollected } = await import('../fetch-selections.js');
  const collected = { selections: [selection], problems: [] };
  const { errors } = await fetchCollected(session, repository, { collected, options: {} });
  if (errors[0]) throw errors[0];
}

async function copyObject({ cache, hash }: OpenRepository, oid: Oid, output: Output): Promise<void> {
  const { descriptor } = cache.open(oid);
  const hasher = hash.create();
  try {
    for (;;) {
      const buffer = Buffer.allocUnsafe(BUFFER_BYTES);
      const bytes = buffer.subarray(0, readObject(descriptor, buffer, cache.pathOf(oid)));
      if (bytes.length === 0) break;
      hasher.update(bytes);
      await output.write(bytes);
      if (output.closed) return;
    }
  } finally {
    closeSync(descriptor);
  }
  if (cache.oid(hasher.digest()) !== oid) throw corrupt(oid, cache.pathOf(oid));
}

function readObject(descriptor: number, buffer: Buffer, path: string): number {
  try {
    return readSync(descriptor, buffer, 0, buffer.length, null);
  } catch (error) {
    throw fileSystemError('read', path, error);
  }
}
