import type { MlvError } from '../core/errors.js';
import type { Selection } from '../workspace/pointers.js';
import { isRemoteFailure } from './one-remote.js';
import { type OpenTransfer, openTransfer, type TransferContext } from './open-transfer.js';
import { groupByRemotes } from './remote-groups.js';

/** What is asked of each remote. */
export interface EachRemote<T> {
  selections: readonly Selection[];
  /** The remotes that the user named: these and no others. */
  named: readonly string[];
  work: (open: OpenTransfer, selections: Selection[]) => Promise<T>;
}

/**
 * Does some work with every remote that must have the selections: the named ones, or the one of each pointer (or the
 * default) and its mirrors. Where there are several, one that fails does not stop the others. Errors:
 * `REMOTE_NOT_CONFIGURED`, those of the work.
 */
export async function eachRemote<T>(
  context: TransferContext,
  { selections, named, work }: EachRemote<T>,
): Promise<{ done: T[]; errors: MlvError[] }> {
  const groups = groupByRemotes(selections, { config: context.repository.config, named, use: 'all' });
  const jobs = groups.flatMap((group) => group.remotes.map((name) => ({ name, selections: group.selections })));
  const done: T[] = [];
  const errors: MlvError[] = [];
  for (const job of jobs) {
    try {
      done.push(await once(context, job, work));
    } catch (error) {
      if (jobs.length === 1 || !isRemoteFailure(error)) throw error;
      errors.push(error);
    }
  }
  return { done, errors };
}

async function once<T>(
  context: TransferContext,
  { name, selections }: { name: string; selections: Selection[] },
  work: EachRemote<T>['work'],
): Promise<T> {
  const open = await openTransfer(context, name);
  try {
    return await work(open, selections);
  } finally {
    await open.close();
  }
}
