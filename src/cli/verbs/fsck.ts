import { MlvError } from '../../core/errors.js';
import { type CollectedRoots, toPushRoots } from '../../transfer/collect-roots.js';
import { failedObjectsError } from '../../transfer/fetch.js';
import { fsckRemote, type RemoteFsckReport } from '../../transfer/fsck-remote.js';
import { type FsckReport, fsckCache } from '../../workspace/fsck.js';
import { type OpenRepository, openRepository } from '../context.js';
import { errorDocument } from '../errors.js';
import { fetchCollected } from '../fetch-selections.js';
import { unnoticedChanges } from '../fsck-workspace.js';
import { toPaths } from '../operands.js';
import { type CheckedRemote, fsckErrors, fsckLines } from '../render/fsck.js';
import type { Session } from '../session.js';
import { collect, eachRemote, type Transferred, transferredLine } from '../transfers.js';
import { type Result, textOption, type VerbInput } from '../verb.js';

/** `mlv fsck`: see its declaration. Errors: those of fsckCache, fsckRemote and status. */
export async function run(session: Session, input: VerbInput): Promise<Result> {
  const { options } = input;
  const repair = options.repair === true;
  const repository = await openRepository(session, { 'core.jobs': textOption(options.jobs) });
  const collected = await collect(repository, input);
  const cache = await checkCache(session, repository, { collected, repair });
  const fetched = repair ? await fetchLost(session, repository, { collected, cache }) : { transferred: [], errors: [] };
  const unnoticed = await unnoticedChanges(session, repository, { paths: toPaths(repository, input.args), repair });
  const remotes = options.remote === undefined ? [] : await checkRemotes(session, repository, { collected, options });
  const words = { verb: 'fetched', direction: 'from' } as const;
  const again = fetched.transferred.map((each) => transferredLine(each, words));
  const found = { cache, unnoticed, remotes, repair, fetched: again };
  return {
    text: fsckLines(found),
    json: {
      cache,
      workspace: { unnoticed },
      fetched: fetched.transferred,
      remotes: remotes.map(({ failed: _failed, ...remote }) => remote),
      problems: collected.problems.map(errorDocument),
    },
    errors: [...collected.problems, ...fsckErrors(found), ...fetched.errors, ...remotes.flatMap(repairErrors)],
  };
}

type Scope = { collected: CollectedRoots };

function checkCache(
  session: Session,
  repository: OpenRepository,
  { collected, repair }: Scope & { repair: boolean },
): Promise<FsckReport> {
  const targets = [...new Set(collected.selections.map(({ target }) => target))];
  return fsckCache(repository, targets, { repair, reporter: session.reporter, signal: session.signal });
}

/** What was set aside is fetched again, for the targets that need it. */
async function fetchLost(
  session: Session,
  repository: OpenRepository,
  { collected, cache }: Scope & { cache: FsckReport },
): Promise<{ transferred: Transferred[]; errors: MlvError[] }> {
  const lacking = new Set(cache.incomplete.map(({ path }) => path));
  const selections = collected.selections.filter(({ target }) => lacking.has(target.path));
  if (cache.damaged.length === 0 || selections.length === 0) return { transferred: [], errors: [] };
  if (repository.config.core.remote === undefined) return { transferred: [], errors: [lost(cache)] };
  return fetchCollected(session, repository, { collected: { selections, problems: [] }, options: {} });
}

function lost({ incomplete }: FsckReport): MlvError {
  const paths = incomplete.map(({ path }) => path);
  return new MlvError('OBJECT_MISSING', 'damaged objects were set aside, and there is no remote to get them from', {
    hint: 'where the workspace still has the files, mlv add takes them up again; otherwise: mlv remote add <name> <url>',
    data: { paths },
  });
}

function checkRemotes(
  session: Session,
  repository: OpenRepository,
  { collected, options }: Scope & Pick<VerbInput, 'options'>,
): Promise<CheckedRemote[]> {
  const work = { deep: options.deep === true, repair: options.repair === true };
  return eachRemote(session, repository, {
    selections: collected.selections,
    remote: textOption(options.remote),
    work: async ({ name, transfer }, selections) => {
      const report = await fsckRemote(transfer, await toPushRoots(repository, { ...collected, selections }), work);
      return checked(name, transfer.remote.url, report);
    },
  });
}

function checked(remote: string, url: string, { repaired, ...report }: RemoteFsckReport): CheckedRemote {
  return { remote, url, ...report, repaired: repaired?.failed.length === 0, failed: repaired?.failed ?? [] };
}

function repairErrors({ remote, failed }: CheckedRemote): MlvError[] {
  return failed.length > 0 ? [failedObjectsError(failed, remote)] : [];
}
