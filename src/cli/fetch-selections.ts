import type { EarlyCopies } from '../objects/early-copy.js';
import type { CollectedRoots } from '../transfer/collect-roots.js';
import { fetchFromRemotes } from '../transfer/fetch-remotes.js';
import type { TransferOutcome } from '../transfer/transferred.js';
import type { OpenRepository } from './context.js';
import { transferContext } from './open-transfer.js';
import type { Session } from './session.js';
import { textsOption, type VerbInput } from './verb.js';

/** Fetches what was collected into the cache: what came, and the errors of what did not. Errors as fetchFromRemotes. */
export function fetchCollected(
  session: Session,
  repository: OpenRepository,
  {
    collected,
    options,
    copies,
  }: {
    collected: Pick<CollectedRoots, 'selections' | 'problems'>;
    options: VerbInput['options'];
    copies?: EarlyCopies | undefined;
  },
): Promise<TransferOutcome> {
  return fetchFromRemotes(transferContext(session, repository), collected.selections, {
    named: textsOption(options.remote),
    dryRun: options.dryRun === true,
    copies,
  });
}
