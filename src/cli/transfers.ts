import type { MlvError } from '../core/errors.js';
import { type CollectedRoots, collectTargets, type RootScope } from '../transfer/collect-roots.js';
import { loadCode } from '../transfer/open-transfer.js';
import type { TransferOutcome, Transferred } from '../transfer/transferred.js';
import type { OpenRepository } from './context.js';
import { errorDocument } from './errors.js';
import { transferContext } from './open-transfer.js';
import { revisionMeant, toPaths, withPathHints } from './operands.js';
import { formatBytes, formatCount, formatSeconds } from './render/units.js';
import type { Session } from './session.js';
import { textsOption, type VerbInput } from './verb.js';

export type { Transferred } from '../transfer/transferred.js';

/**
 * The targets that the operands and options of a transfer name; while Git lists them, the code for their remote is loaded.
 * Errors as collect.
 */
export async function collectToTransfer(
  session: Session,
  repository: OpenRepository,
  input: VerbInput,
): Promise<CollectedRoots> {
  const collected = collect(session, repository, input);
  await Promise.all([collected, loadCode(transferContext(session, repository), textsOption(input.options.remote))]);
  return collected;
}

/**
 * The targets that the operands and options of a transfer name; a version of a model is the commit that it was registered
 * on. Errors as collectTargets and versionCommit.
 */
export async function collect(
  session: Session,
  repository: OpenRepository,
  { args, options }: VerbInput,
): Promise<CollectedRoots> {
  const revisions: string[] = [];
  for (const word of textsOption(options.rev)) {
    revisions.push((await revisionMeant(session, repository, word)) ?? word);
  }
  const scope: RootScope = {
    paths: toPaths(repository, args),
    revisions,
    allBranches: options.allBranches === true,
    allTags: options.allTags === true,
    allCommits: options.allCommits === true,
  };
  const revision = (word: string): string => `a revision is given as an option: --rev ${word}`;
  return withPathHints(repository, { remote: true, revision }, () => collectTargets(repository, scope));
}

/** What travelled with one remote, on one line. */
export function transferredLine(each: Transferred, words: { verb: string; direction: 'to' | 'from' }): string {
  const { objects, packs, bytes, requests, seconds, upToDate } = each;
  const place = each.url === '' ? each.remote : `${each.remote} (${each.url})`;
  const cost = `${formatCount(requests, 'request')}, ${formatSeconds(seconds)}`;
  if (objects === 0 && packs === 0) {
    if (each.error) return `nothing ${words.verb} ${words.direction} ${place}: it could not be used (${cost})`;
    // What was in the cache was asked of no remote, so nothing is known of one.
    if (words.direction === 'from' && requests === 0 && each.failed.length === 0)
      return `up to date: ${formatCount(upToDate, 'target')}, all in the cache`;
    const what = each.failed.length > 0 ? `nothing ${words.verb}` : `up to date: ${formatCount(upToDate, 'target')}`;
    return `${what}, ${words.direction === 'to' ? 'on' : 'from'} ${place} (${cost})`;
  }
  const packed = packs > 0 ? `${formatCount(packs, 'pack')}, ` : '';
  const part = each.error ? ', and then it failed' : '';
  return `${words.verb} ${formatCount(objects, 'object')}, ${packed}${formatBytes(bytes)} ${words.direction} ${place} (${cost})${part}`;
}

/** All remotes together, for `--json`. */
export function transferDocument(
  { transferred, failed }: Pick<TransferOutcome, 'transferred' | 'failed'>,
  extra: { dryRun: boolean; problems: readonly MlvError[] },
): Record<string, unknown> {
  const keys = ['upToDate', 'objects', 'packs', 'bytes', 'requests', 'bytesUp', 'bytesDown', 'seconds'] as const;
  const sums = keys.map((key) => [key, transferred.reduce((sum, each) => sum + each[key], 0)]);
  return {
    dryRun: extra.dryRun,
    ...Object.fromEntries(sums),
    failed,
    remotes: transferredDocuments(transferred),
    problems: extra.problems.map(errorDocument),
  };
}

/** Each remote, for `--json`. */
export function transferredDocuments(transferred: readonly Transferred[]): Record<string, unknown>[] {
  return transferred.map(({ error, ...rest }) => ({ ...rest, ...(error && { error: errorDocument(error) }) }));
}
