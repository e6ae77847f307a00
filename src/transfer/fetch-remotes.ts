import type { MlvError } from '../core/errors.js';
import type { Reporter } from '../core/reporter.js';
import { isWithin } from '../workspace/paths.js';
import type { Selection } from '../workspace/pointers.js';
import { formerVersions, selectionRoots, toFetchRoots, versionsAnywhere } from './collect-roots.js';
import { type FetchOptions, failedObjectsError, fetchWhatComes } from './fetch.js';
import { isRemoteFailure } from './one-remote.js';
import { openTransfer, type TransferContext } from './open-transfer.js';
import { groupByRemotes } from './remote-groups.js';
import type { FailedObject, FetchRoot } from './roots.js';
import { measured, type TransferOutcome, type Transferred, unopened } from './transferred.js';

export interface FetchRemotesOptions {
  /** The remotes that the user named: these come first, their mirrors behind them. */
  named: readonly string[];
  /** Only find out what would be fetched. */
  dryRun?: boolean;
  /** Only directory listings: see FetchOptions. */
  listings?: 'level' | 'all';
  /** Copies for the checkout that follows: see FetchOptions. */
  copies?: FetchOptions['copies'];
}

/**
 * Fetches selections into the cache, each object from the first remote that has it: the named ones, or the one of its
 * pointer (or the default), then what those mirror and their mirrors. A remote that cannot be used is passed over, and is
 * an error of the outcome only where something is still missing in the end. Errors: `REMOTE_NOT_CONFIGURED`, those of
 * fetchObjects that concern this machine, and all of them where there is one remote only.
 */
export async function fetchFromRemotes(
  context: TransferContext,
  selections: readonly Selection[],
  { named, ...what }: FetchRemotesOptions,
): Promise<TransferOutcome> {
  const { repository, reporter } = context;
  const options = { ...what, formerVersions: formerVersions(repository), anyVersions: versionsAnywhere(repository) };
  const rootsOf = what.listings ? selectionRoots : toFetchRoots;
  const outcome: TransferOutcome = { transferred: [], failed: [], errors: [] };
  for (const group of groupByRemotes(selections, { config: repository.config, named, use: 'first' })) {
    const search = new Search(context, rootsOf(group.selections), options);
    await search.through(group.remotes);
    outcome.transferred.push(...search.transferred);
    outcome.failed.push(...search.failed);
    outcome.errors.push(...search.errors());
    if (search.isOver && !what.listings) for (const entry of search.transferred) warnOf(entry, reporter);
  }
  return outcome;
}

/** What another remote had to give in a remote's place is worth a look at that one. */
function warnOf({ remote, error, failed }: Transferred, reporter: Reporter): void {
  if (error) reporter.warn(`${error.message}; another remote had it`);
  else if (failed.length > 0) {
    const what = `${failed.length} object${failed.length === 1 ? '' : 's'}`;
    reporter.warn(
      `remote '${remote}' lacks ${what} that another had; to mend it: mlv fsck --remote=${remote} --repair`,
    );
  }
}

/** The way of some roots from remote to remote. */
class Search {
  readonly transferred: Transferred[] = [];
  private lacking: readonly FetchRoot[];
  /** What is still missing of the roots, as the last remote that answered says. */
  failed: readonly FailedObject[] = [];

  constructor(
    private readonly context: TransferContext,
    roots: readonly FetchRoot[],
    private readonly options: FetchOptions,
  ) {
    this.lacking = roots;
  }

  /** True when nothing is missing any more. */
  get isOver(): boolean {
    return this.lacking.length === 0;
  }

  async through(remotes: readonly string[]): Promise<void> {
    for (const name of remotes) {
      const entry = await this.ask(name);
      if (entry.error && remotes.length === 1) throw entry.error;
      this.transferred.push(entry);
      if (entry.error) continue;
      this.failed = entry.failed;
      this.lacking = this.lacking.filter(({ path }) => entry.failed.some((failed) => isWithin(failed.path, path)));
      if (this.isOver) return;
    }
  }

  /** What failed on the way, when that leaves something missing. */
  errors(): MlvError[] {
    if (this.isOver) return [];
    const answered = this.transferred.filter(({ error }) => !error).map(({ remote }) => remote);
    const broken = this.transferred.flatMap(({ error }) => error ?? []);
    return this.failed.length > 0 ? [...broken, failedObjectsError(this.failed, ...answered)] : broken;
  }

  private async ask(name: string): Promise<Transferred> {
    try {
      const open = await openTransfer(this.context, name);
      return await measured(open, () => fetchWhatComes(open.transfer, this.lacking, this.options));
    } catch (error) {
      if (!isRemoteFailure(error)) throw error;
      return unopened(name, error);
    }
  }
}
