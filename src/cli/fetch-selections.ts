import type { MlvError } from '../core/errors.js';
import { type CollectedRoots, formerVersions, toFetchRoots } from '../transfer/collect-roots.js';
import { failedObjectsError, fetchObjects } from '../transfer/fetch.js';
import type { OpenRepository } from './context.js';
import type { Session } from './session.js';
import { type Transferred, withRemotes } from './transfers.js';
import { textOption, type VerbInput } from './verb.js';

/** Fetches what was collected into the cache: what came, and the errors of what did not. */
export async function fetchCollected(
  session: Session,
  repository: OpenRepository,
  { collected, options }: { collected: Pick<CollectedRoots, 'selections' | 'problems'>; options: VerbInput['options'] },
): Promise<{ transferred: Transferred[]; errors: MlvError[] }> {
  const transferred = await withRemotes(session, repository, {
    selections: collected.selections,
    remote: textOption(options.remote),
    work: ({ transfer }, selections) =>
      fetchObjects(transfer, toFetchRoots(selections), {
        dryRun: options.dryRun === true,
        formerVersions: formerVersions(repository),
      }),
  });
  const failures = transferred.filter(({ failed }) => failed.length > 0);
  return { transferred, errors: failures.map(({ failed, remote }) => failedObjectsError(failed, remote)) };
}
