import { isMlvError } from '../core/errors.js';
import { lacksListing } from '../workspace/listings.js';
import type { Selection } from '../workspace/pointers.js';
import type { OpenRepository } from './context.js';
import { transferContext } from './open-transfer.js';
import type { Session } from './session.js';

/**
 * Gets the directory listings that the cache lacks of some selections from their remotes, and nothing else. Where that
 * does not work a note says why, and the caller finds them missing. Errors: those of lacksListing.
 */
export async function getListings(
  session: Session,
  repository: OpenRepository,
  { selections, recursive }: { selections: readonly Selection[]; recursive: boolean },
): Promise<void> {
  const { core, remotes } = repository.config;
  const lacking = selections.filter((selection) => lacksListing(repository, selection, recursive));
  const reachable = lacking.filter(({ target }) => remotes.has(target.pointer.remote ?? core.remote ?? ''));
  if (reachable.length === 0) return;
  // Here, because most listings are in the cache.
  const { fetchFromRemotes } = await import('../transfer/fetch-remotes.js');
  try {
    const listings = recursive ? 'all' : 'level';
    const { errors } = await fetchFromRemotes(transferContext(session, repository), reachable, { named: [], listings });
    for (const { message } of errors) session.reporter.note(`a listing could not be fetched: ${message}`);
  } catch (error) {
    if (!isMlvError(error) || error.code === 'INTERRUPTED') throw error;
    session.reporter.note(`a listing could not be fetched: ${error.message}`);
  }
}
