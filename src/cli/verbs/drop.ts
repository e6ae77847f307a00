import { type DropOptions, type DropReport, drop } from '../../transfer/drop.js';
import { loadTargets, type Selection, selectTargets } from '../../workspace/pointers.js';
import type { Repository } from '../../workspace/repository.js';
import { type OpenRepository, openRepository } from '../context.js';
import { getListingsOnTheWay } from '../inner-listings.js';
import { transferContext } from '../open-transfer.js';
import { displayer, toPaths, withPathHints } from '../operands.js';
import { neededByOthers } from '../other-repositories.js';
import { formatBytes, formatCount } from '../render/units.js';
import type { Session } from '../session.js';
import { type Result, textOption, textsOption, type VerbInput } from '../verb.js';

/** `mlv drop`: see its declaration. Errors: those of drop and dropInside, `PATH_NOT_TRACKED`. */
export async function run(session: Session, { args, options }: VerbInput): Promise<Result> {
  const repository = await openRepository(session, { 'core.jobs': textOption(options.jobs) });
  const { targets, problems } = await loadTargets(repository);
  const paths = toPaths(repository, args);
  const revision = (): string => 'mlv drop takes paths; mlv gc thins out old versions';
  const selections = await withPathHints(repository, { revision }, async () => selectTargets(targets, paths, problems));
  const what = {
    named: textsOption(options.remote),
    deep: options.deep === true,
    others: () => neededByOthers(session, repository),
    keepCache: options.keepCache === true,
    dryRun: options.dryRun === true,
  };
  const report = await dropAll(session, repository, { selections, what });
  return {
    done: [...lines(repository, report)],
    json: { ...report },
    notes: report.dryRun ? ['this was a dry run: nothing was dropped'] : ['mlv pull <path> brings it back'],
  };
}

/** What parts are refused for stops whole targets, too: they are proved before anything goes. */
async function dropAll(
  session: Session,
  repository: OpenRepository,
  { selections, what }: { selections: readonly Selection[]; what: DropOptions },
): Promise<DropReport> {
  const context = transferContext(session, repository);
  const inside = selections.filter(({ below }) => below !== '');
  const whole = selections.filter(({ below }) => below === '').map(({ target }) => target);
  if (inside.length === 0) return drop(context, whole, what);
  const targets = [...new Set(inside.map(({ target }) => target))];
  const paths = inside.map(({ target, below }) => `${target.path}/${below}`);
  await getListingsOnTheWay(session, repository, { targets, paths });
  const { dropInside } = await import('../../transfer/drop-inside.js');
  if (whole.length > 0) await dropInside(context, inside, { ...what, dryRun: true });
  const first = whole.length > 0 ? await drop(context, whole, what) : undefined;
  const second = await dropInside(context, inside, what);
  if (!first) return second;
  const cache = {
    objects: first.cache.objects + second.cache.objects,
    bytes: first.cache.bytes + second.cache.bytes,
  };
  return { ...second, targets: [...first.targets, ...second.targets], cache };
}

function* lines(repository: Repository, { targets, cache, dryRun }: DropReport): Generator<string> {
  const show = displayer(repository);
  const did = dryRun ? 'would be dropped' : 'was dropped';
  for (const { path, remote, size, workspace } of targets) {
    const where = workspace ? '' : ', which was not in the workspace,';
    yield `${show(path)} (${formatBytes(size)})${where} ${did}: it is on ${remote}`;
  }
  const verb = dryRun ? 'would leave' : 'left';
  yield `${formatCount(cache.objects, 'object')} (${formatBytes(cache.bytes)}) ${verb} the cache`;
}
