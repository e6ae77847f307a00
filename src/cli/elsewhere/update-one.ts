import { mkdirSync } from 'node:fs';
import { isMlvError, MlvError } from '../../core/errors.js';
import { inShellQuotes } from '../../core/shell-quote.js';
import { elsewhereAddress } from '../../git/elsewhere-address.js';
import { digestOf, type Oid } from '../../objects/oid.js';
import { diffTrees } from '../../objects/tree-diff.js';
import { importTarget, type StoredContent } from '../../workspace/import-target.js';
import { isGitSource, type PointerSource } from '../../workspace/pointer-source.js';
import { isDirectoryTarget, type Target } from '../../workspace/pointers.js';
import { cacheLoader } from '../../workspace/workspace-trees.js';
import { checkoutErrors } from '../checkout-errors.js';
import type { OpenRepository } from '../context.js';
import type { Session } from '../session.js';
import { elsewhereObject } from './object.js';
import { withScratch } from './open.js';
import { type ElsewhereContent, elsewhereContent } from './operand.js';
import { isUnchanged, openUrl, urlObject, urlSource } from './url.js';

export interface UpdateOptions {
  /** For a Git repository: the revision to follow from now on. */
  rev: string | undefined;
  /** Only say what would change. */
  dryRun: boolean;
  force: boolean;
  stage: boolean | undefined;
}

/** Files of a directory that differ from before. */
export interface UpdateChanges {
  added: number;
  modified: number;
  deleted: number;
}

/** What became of one import. */
export interface Updated {
  path: string;
  /** `changed`: the source has other content, and nothing was done (`--dry-run`). */
  state: 'unchanged' | 'changed' | 'updated';
  before: PointerSource;
  /** What the source has now; its oid is absent where only its content would tell. */
  after: Omit<PointerSource, 'oid'> & { oid?: Oid };
  changes?: UpdateChanges;
  /** Files that a commit should hold. */
  files: string[];
}

/** An imported target. */
export interface ImportedTarget {
  target: Target;
  source: PointerSource;
}

/** What is to be done with one import. */
export interface ImportUpdate {
  imported: ImportedTarget;
  options: UpdateOptions;
}

/**
 * True for what lies on this machine: a pointer that somebody else wrote must not have it read unasked. `base` is the
 * directory where relative paths start. Text that could be read both ways (`host:/../..`) counts as it would be opened.
 */
export function isOnThisMachine(source: PointerSource, base: string): boolean {
  const url = source.url.trim();
  if (!isGitSource(source)) return /^file:/i.test(url) || !/^[a-z][a-z0-9+.-]*:\/\//i.test(url);
  try {
    return elsewhereAddress(url, base).local !== undefined;
  } catch (error) {
    // What is no address at all is told to the user by the attempt to open it.
    return isMlvError(error, 'PATH_NOT_FOUND');
  }
}

/**
 * Asks the source of one import whether it changed, and brings what did. Errors: `UNSAVED_CHANGES` where the workspace or
 * the pointer was changed since and `force` is not set, those of the import.
 */
export function updateOne(session: Session, own: OpenRepository, update: ImportUpdate): Promise<Updated> {
  return isGitSource(update.imported.source) ? updateGit(session, own, update) : updateUrl(session, own, update);
}

async function updateGit(session: Session, own: OpenRepository, update: ImportUpdate): Promise<Updated> {
  const { imported, options } = update;
  const { source } = imported;
  const revision = options.rev ?? source.rev;
  const directory = own.cache.temporary.next();
  mkdirSync(directory);
  return withScratch(directory, async () => {
    const content = await elsewhereContent(session, {
      url: source.url,
      operand: source.path ?? '',
      revision,
      directory,
      contents: true,
      versions: false,
      base: own.layout.worktree,
      own,
    });
    const { commit } = content.repository;
    const { oid: _before, rev: _rev, ...same } = source;
    const after = { ...same, ...(revision !== undefined && { rev: revision }), commit };
    if (commit === source.commit && revision === source.rev) return unchanged(imported, source);
    const known = knownOid(own, content);
    if (options.dryRun && known !== undefined) return compared(imported, { ...after, oid: known });
    const stored =
      known === source.oid ? contentOf(imported.target, known) : await elsewhereObject(session, own, content);
    if (options.dryRun) return compared(imported, { ...after, oid: stored.oid }, changesOf(own, imported, stored));
    if (stored.oid === source.oid && revision === source.rev) return unchanged(imported, { ...after, oid: stored.oid });
    return bring(session, own, { ...update, stored, after: { ...after, oid: stored.oid } });
  });
}

async function updateUrl(session: Session, own: OpenRepository, update: ImportUpdate): Promise<Updated> {
  const { imported, options } = update;
  const { source } = imported;
  if (options.rev !== undefined) {
    throw new MlvError('USAGE', `'${imported.target.path}' comes from a URL, which has no revisions`);
  }
  const { url, remote } = source;
  if (url.includes('***')) throw secretAddress(imported);
  const from = await openUrl(session, own, { url, remote, baseDirectory: own.layout.worktree });
  try {
    const state = await from.stat();
    if (isUnchanged(source, state)) return unchanged(imported, source);
    const { size, ...rest } = state;
    const now = { url, ...(size !== undefined && { size }), ...rest, ...(remote !== undefined && { remote }) };
    if (options.dryRun) return { ...compared(imported, now), state: 'changed' };
    const found = await urlObject(session, own, from);
    const after = urlSource(url, { ...found, remote });
    // The same bytes under a new name: what the pointer says is brought up to date, for the next question.
    return await bring(session, own, { ...update, stored: found.content, after });
  } finally {
    from.close();
  }
}

/** What is known of the content without fetching it: a pointer that both repositories name by the same algorithm. */
function knownOid(own: OpenRepository, { repository, selections, gitFiles, path }: ElsewhereContent): Oid | undefined {
  const [only] = selections;
  if (!only || selections.length > 1 || gitFiles.length > 0 || repository.cache !== own.cache) return undefined;
  return only.below === '' && only.target.path === path ? only.target.pointer.oid : undefined;
}

function contentOf({ pointer }: Target, oid: Oid): StoredContent {
  const { size, files, executable } = pointer;
  return { oid, size, ...(files !== undefined && { files }), ...(executable && { executable }) };
}

function unchanged({ target, source }: ImportedTarget, after: Updated['after']): Updated {
  return { path: target.path, state: 'unchanged', before: source, after, files: [] };
}

function compared({ target, source }: ImportedTarget, after: Updated['after'], changes?: UpdateChanges): Updated {
  const state = after.oid === source.oid ? 'unchanged' : 'changed';
  return { path: target.path, state, before: source, after, ...(changes && { changes }), files: [] };
}

async function bring(
  session: Session,
  own: OpenRepository,
  { imported, options, stored, after }: ImportUpdate & { stored: StoredContent; after: PointerSource },
): Promise<Updated> {
  const { target, source } = imported;
  const { force, stage } = options;
  if (target.pointer.oid !== source.oid && !force) throw changedHere(target.path);
  const changes = changesOf(own, imported, stored);
  const { reporter, signal } = session;
  const wanted = { path: target.path, content: stored, source: after };
  const { checkout, files } = await importTarget(own, wanted, { force, stage, reporter, signal });
  const [error] = checkoutErrors(checkout);
  if (error) throw error;
  const state = stored.oid === source.oid && after.rev === source.rev ? 'unchanged' : 'updated';
  return { path: target.path, state, before: source, after, ...(changes && { changes }), files };
}

function changedHere(path: string): MlvError {
  return new MlvError('UNSAVED_CHANGES', `'${path}' was changed here since it was imported`, {
    hint: `to lose that: mlv update --force ${inShellQuotes(path)}`,
    data: { path },
  });
}

function secretAddress({ target }: ImportedTarget): MlvError {
  const { path } = target;
  return new MlvError('USAGE', `the address of '${path}' held credentials, which were not kept`, {
    hint: `import it again with the whole address: mlv import-url <url> -o ${inShellQuotes(path)} --force`,
    data: { path },
  });
}

/** What differs between two directories, as far as the cache has their listings. */
function changesOf(own: OpenRepository, { target }: ImportedTarget, stored: StoredContent): UpdateChanges | undefined {
  if (!isDirectoryTarget(target) || stored.files === undefined) return undefined;
  const load = cacheLoader(own.cache);
  const side = (oid: Oid) => ({ digest: digestOf(oid), load });
  const changes: UpdateChanges = { added: 0, modified: 0, deleted: 0 };
  try {
    for (const { before, after } of diffTrees(side(target.pointer.oid), side(stored.oid))) {
      changes[before && after ? 'modified' : after ? 'added' : 'deleted'] += 1;
    }
  } catch (error) {
    if (error instanceof MlvError) return undefined;
    throw error;
  }
  return changes;
}
