import type { MlvError } from '../core/errors.js';
import { parseLocation } from '../remotes/location.js';
import { type CollectedRoots, formerVersions, toPushRoots } from './collect-roots.js';
import { failedObjectsError } from './fetch.js';
import { isRemoteFailure } from './one-remote.js';
import { type OpenTransfer, openTransfer, type TransferContext } from './open-transfer.js';
import { push } from './push.js';
import { groupByRemotes } from './remote-groups.js';
import { measured, type TransferOutcome, type Transferred, unopened } from './transferred.js';

export interface PushRemotesOptions {
  /** The remotes that the user named: these and no others. */
  named: readonly string[];
  /** Only find out what would be sent. */
  dryRun: boolean;
}

/**
 * Pushes what was collected: to the named remotes, or to the one of each pointer (or the default) and its mirrors that
 * can be written to. Where there are several, one that fails does not stop the others. Errors: `REMOTE_NOT_CONFIGURED`,
 * those of push that concern this machine, and all of them where there is one remote only.
 */
export async function pushToRemotes(
  context: TransferContext,
  collected: Pick<CollectedRoots, 'selections' | 'revisions'>,
  { named, dryRun }: PushRemotesOptions,
): Promise<TransferOutcome> {
  const { repository } = context;
  const groups = groupByRemotes(collected.selections, { config: repository.config, named, use: 'all' });
  const jobs = groups.flatMap(({ remotes, selections }) =>
    writable(remotes, context, named).map((name) => ({ name, selections })),
  );
  const former = formerVersions(repository, collected.revisions);
  const transferred: Transferred[] = [];
  for (const { name, selections } of jobs) {
    const work = (open: OpenTransfer): Promise<Transferred> =>
      measured(open, () => push(open.transfer, toPushRoots(selections), { dryRun, formerVersions: former }));
    transferred.push(await attempt(context, { name, work, alone: jobs.length === 1 }));
  }
  const failed = transferred.flatMap((each) => each.failed);
  return { transferred, failed, errors: transferred.flatMap(errorsOf) };
}

/** A mirror that is only there to be read from is nobody's mistake; a remote that was asked for is tried in any case. */
function writable(remotes: readonly string[], context: TransferContext, named: readonly string[]): string[] {
  const { config, layout } = context.repository;
  const [first, ...mirrors] = remotes;
  if (named.length > 0 || first === undefined) return [...remotes];
  const options = { baseDirectory: layout.worktree, homeDirectory: context.home };
  const isReadOnly = (name: string): boolean =>
    parseLocation(config.remotes.get(name)?.url ?? '', options).scheme === 'http';
  return [first, ...mirrors.filter((name) => !isReadOnly(name))];
}

async function attempt(
  context: TransferContext,
  job: { name: string; work: (open: OpenTransfer) => Promise<Transferred>; alone: boolean },
): Promise<Transferred> {
  try {
    return await job.work(await openTransfer(context, job.name));
  } catch (error) {
    if (job.alone || !isRemoteFailure(error)) throw error;
    return unopened(job.name, error);
  }
}

function errorsOf({ failed, remote, error }: Transferred): MlvError[] {
  return [...(error ? [error] : []), ...(failed.length > 0 ? [failedObjectsError(failed, remote)] : [])];
}
