import { closeSync, mkdirSync, openSync, symlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { checkElsewhereRemotes } from '../../config/elsewhere.js';
import { defaultRemote } from '../../config/remote-choice.js';
import { fileSystemError, type MlvError } from '../../core/errors.js';
import type { EarlyCopies } from '../../objects/early-copy.js';
import { entryNameProblem } from '../../objects/entry-name.js';
import { linkStaysInside } from '../../objects/tree-format.js';
import { fetchFromRemotes } from '../../transfer/fetch-remotes.js';
import type { Transferred } from '../../transfer/transferred.js';
import { checkout } from '../../workspace/checkout.js';
import { beginEarlyCopies } from '../../workspace/early-copies.js';
import { type CommittedFile, isRegular } from '../../workspace/elsewhere-path.js';
import { absolutePath, ensureRealDirectory, nameOf, parentOf } from '../../workspace/paths.js';
import { checkoutErrors } from '../checkout-errors.js';
import { transferContext } from '../open-transfer.js';
import type { Session } from '../session.js';
import type { ElsewhereRepository } from './open.js';
import type { ElsewhereContent } from './operand.js';

/** What had to travel. */
export interface Brought {
  /** One entry a remote. */
  transferred: Transferred[];
  /** Git files that cannot be had as files, by path: submodules, links that lead elsewhere. */
  leftOut: string[];
}

/**
 * Fetches what is selected of a repository elsewhere into its cache. Errors: `REMOTE_DENIED` for a remote that it may not
 * name, those of fetchFromRemotes, `OBJECT_MISSING` and `OBJECT_CORRUPT`.
 */
export async function fetchElsewhere(
  session: Session,
  { repository, selections }: Pick<ElsewhereContent, 'repository' | 'selections'>,
  copies?: EarlyCopies | undefined,
): Promise<Transferred[]> {
  if (selections.length === 0) return [];
  const { config } = repository;
  checkElsewhereRemotes(
    config,
    selections.map(({ target }) => target.pointer.remote ?? defaultRemote(config)),
  );
  const outcome = await fetchFromRemotes(transferContext(session, repository), selections, { named: [], copies });
  if (outcome.errors[0]) throw gravest(outcome.errors);
  return outcome.transferred;
}

/**
 * Brings what was asked for into the empty working tree of the repository elsewhere, every byte checked: below the paths that
 * it has there. Errors: those of fetchElsewhere and checkout.
 */
export async function stage(session: Session, content: ElsewhereContent): Promise<Brought> {
  const { repository, gitFiles } = content;
  mkdirSync(repository.layout.worktree, { recursive: true });
  const transferred = await fetchAndCheckout(session, content);
  const leftOut: string[] = [];
  for (const file of gitFiles) if (!(await stageGitFile(repository, file))) leftOut.push(file.path);
  return { transferred, leftOut };
}

async function fetchAndCheckout(session: Session, content: ElsewhereContent): Promise<Transferred[]> {
  const { repository, selections } = content;
  const { reporter, signal } = session;
  const copies = beginEarlyCopies(repository, selections);
  try {
    const transferred = await fetchElsewhere(session, content, copies);
    const report = await checkout(repository, selections, { reporter, signal, copies });
    const [error] = checkoutErrors(report);
    if (error) throw error;
    return transferred;
  } finally {
    copies?.end();
  }
}

async function stageGitFile(repository: ElsewhereRepository, file: CommittedFile): Promise<boolean> {
  const { layout, elsewhere } = repository;
  const parts = file.path.split('/');
  // A tree that Git's own checks would refuse may hold any name.
  if (parts.some((part) => entryNameProblem(Buffer.from(part, 'utf8')) !== undefined)) return false;
  const isLink = file.mode === '120000';
  if (!isLink && !isRegular(file)) return false;
  ensureRealDirectory(layout, parentOf(file.path));
  const path = absolutePath(layout, file.path);
  if (isLink) {
    const target = (await repository.git.readBlobs([file.blob])).get(file.blob)?.toString('utf8') ?? '';
    if (!linkStaysInside(parts.slice(0, -1), target)) return false;
    symlinkSync(target, path);
    return true;
  }
  try {
    const descriptor = openSync(path, 'wx', file.mode === '100755' ? 0o777 : 0o666);
    try {
      await elsewhere.readBlob(file.blob, (bytes) => writeAll(descriptor, bytes));
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw fileSystemError('write', nameOf(file.path), error);
  }
  return true;
}

function writeAll(descriptor: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
}

function gravest(errors: readonly MlvError[]): MlvError {
  return errors.reduce((worst, each) => (each.exitCode > worst.exitCode ? each : worst));
}

/** Where a staged path is. */
export function stagedPath({ layout }: ElsewhereRepository, path: string): string {
  return path === '' ? layout.worktree : join(layout.worktree, path);
}
