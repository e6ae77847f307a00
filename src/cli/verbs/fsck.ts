import { MlvError } from '../../core/errors.js';
import { shellQuote } from '../../core/shell-quote.js';
import { type CollectedRoots, toPushRoots } from '../../transfer/collect-roots.js';
import { eachRemote } from '../../transfer/each-remote.js';
import { failedObjectsError } from '../../transfer/fetch.js';
import { fsckRemote, type RemoteFsckReport } from '../../transfer/fsck-remote.js';
import type { TransferOutcome } from '../../transfer/transferred.js';
import { type FsckReport, fsckCache } from '../../workspace/fsck.js';
import { unnoticedChanges } from '../../workspace/unnoticed.js';
import { type OpenRepository, openRepository } from '../context.js';
import { errorDocument } from '../errors.js';
import { fetchCollected } from '../fetch-selections.js';
import { transferContext } from '../open-transfer.js';
import { toPaths } from '../operands.js';
import { type CheckedRemote, fsckErrors, fsckLines } from '../render/fsck.js';
import type { Session } from '../session.js';
import { collect, transferredDocuments, transferredLine } from '../transfers.js';
import { type Result, textOption, textsOption, type VerbInput } from '../verb.js';

/** `mlv fsck`: see its declaration. Errors: those of fsckCache, fsckRemote and status. */
export async function run(session: Session, input: VerbInput): Promise<Result> {
  const { options } = input;
  const repair = options.repair === true;
  const repository = await openRepository(session, { 'core.jobs': textOption(options.jobs) });
  const collected = await collect(session, repository, input);
  const cache = await checkCache(session, repository, { collected, repair });
  const fetched = repair ? await fetchLost(session, repository, { collected, cache }) : NOT_FETCHED;
  const { reporter, signal } = session;
  const paths = toPaths(repository, input.args);
  const unnoticed = await unnoticedChanges(repository, paths, { repair, reporter, signal });
  const { done: remotes, errors: unusable } =
    options.remote === undefined ? NOTHING : await checkRemotes(session, repository, { collected, options });
  const words = { verb: 'fetched', direction: 'from' } as const;
  const again = fetched.transferred.map((each) => transferredLine(each, words));
  const found = { cache, unnoticed, remotes, repair, fetched: again, scope: scopeWords(input) };
  return {
    text: fsckLines(found),
    json: {
      cache,
      workspace: { unnoticed },
      fetched: transferredDocuments(fetched.transferred),
      remotes: remotes.map(({ failed: _failed, ...remote }) => remote),
      problems: collected.problems.map(errorDocument),
    },
    errors: [
      ...collected.problems,
      ...fsckErrors(found),
      ...fetched.errors,
      ...remotes.flatMap(repairErrors),
      ...unusable,
    ],
  };
}

/** The options and paths that say what is looked at, for a command that looks at the same. */
function scopeWords({ args, options }: VerbInput): string[] {
  const flags = { deep: '--deep', allBranches: '--all-branches', allTags: '--all-tags', allCommits: '--all-commits' };
  return [
    ...Object.entries(flags).flatMap(([option, flag]) => (options[option] === true ? [flag] : [])),
    ...textsOption(options.rev).map((revision) => `--rev ${shellQuote(revision)}`),
    ...args.map(shellQuote),
  ];
}

type Scope = { collected: CollectedRoots };

const NOT_FETCHED: TransferOutcome = { transferred: [], failed: [], errors: [] };
const NOTHING: { done: CheckedRemote[]; errors: MlvError[] } = { done: [], errors: [] };

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
): Promise<TransferOutcome> {
  const lacking = new Set(cache.incomplete.map(({ path }) => path));
  const selections = collected.selections.filter(({ target }) => lacking.has(target.path));
  if (cache.damaged.length === 0 || selections.length === 0) return NOT_FETCHED;
  if (repository.config.core.remote === undefined) return { ...NOT_FETCHED, errors: [lost(cache)] };
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
): Promise<typeof NOTHING> {
  const work = { deep: options.deep === true, repair: options.repair === true };
  return eachRemote(transferContext(session, repository), {
    selections: collected.selections,
    named: textsOption(options.remote),
    work: async ({ name, transfer }, selections) => {
      const report = await fsckRemote(transfer, toPushRoots(selections), work);
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
