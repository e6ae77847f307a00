import { MlvError } from '../../core/errors.js';
import { type DropReport, drop } from '../../transfer/drop.js';
import { loadTargets, selectTargets, type Target } from '../../workspace/pointers.js';
import type { Repository } from '../../workspace/repository.js';
import { openRepository } from '../context.js';
import { transferContext } from '../open-transfer.js';
import { displayer, toPaths, withPathHints } from '../operands.js';
import { formatBytes, formatCount } from '../render/units.js';
import type { Session } from '../session.js';
import { type Result, textOption, textsOption, type VerbInput } from '../verb.js';

/** `mlv drop`: see its declaration. Errors: those of drop, `PATH_NOT_TRACKED` also for a path inside a directory. */
export async function run(session: Session, { args, options }: VerbInput): Promise<Result> {
  const repository = await openRepository(session, { 'core.jobs': textOption(options.jobs) });
  const { targets, problems } = await loadTargets(repository);
  const paths = toPaths(repository, args);
  const revision = (): string => 'mlv drop takes paths; mlv gc thins out old versions';
  const selections = await withPathHints(repository, { revision }, async () => selectTargets(targets, paths, problems));
  for (const { target, below } of selections) if (below !== '') throw partOf(target, below);
  const report = await drop(
    transferContext(session, repository),
    selections.map(({ target }) => target),
    {
      named: textsOption(options.remote),
      deep: options.deep === true,
      keepCache: options.keepCache === true,
      dryRun: options.dryRun === true,
    },
  );
  return {
    done: [...lines(repository, report)],
    json: { ...report },
    notes: report.dryRun ? ['this was a dry run: nothing was dropped'] : ['mlv pull <path> brings it back'],
  };
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

function partOf(target: Target, below: string): MlvError {
  const path = `${target.path}/${below}`;
  return new MlvError('PATH_NOT_TRACKED', `'${path}' is a part of the tracked directory '${target.path}'`, {
    hint: `drop the whole of it, and pull the parts that you need: mlv drop '${target.path}' && mlv pull '${path}'`,
    data: { path },
  });
}
