import { statSync } from 'node:fs';
import { MlvError } from '../../core/errors.js';
import { shellQuote } from '../../core/shell-quote.js';
import { digestOf } from '../../objects/oid.js';
import { entryAt } from '../../objects/tree-diff.js';
import { move } from '../../workspace/move.js';
import { moveInside } from '../../workspace/move-inside.js';
import { absolutePath, childOf, isWithin, nameOf, parentOf, type RepositoryPath } from '../../workspace/paths.js';
import {
  directoryAbove,
  isDirectoryTarget,
  loadTargets,
  pointerPathOf,
  type Target,
} from '../../workspace/pointers.js';
import { cacheLoader } from '../../workspace/workspace-trees.js';
import { type OpenRepository, openRepository } from '../context.js';
import { gitAddCommand } from '../git-hint.js';
import { getListingsOnTheWay } from '../inner-listings.js';
import { displayer, toPaths } from '../operands.js';
import type { Session } from '../session.js';
import type { Result, VerbInput } from '../verb.js';

/** `mlv mv`: see its declaration. Errors: `PATH_NOT_FOUND` for a directory that is not there, those of move. */
export async function run(session: Session, { args, options }: VerbInput): Promise<Result> {
  const repository = await openRepository(session);
  const [from = '', to = ''] = toPaths(repository, args);
  const staged = typeof options.stage === 'boolean' ? options.stage : repository.settings.stage;
  const { targets } = await loadTargets(repository);
  const outer = directoryAbove(targets, from);
  if (outer) return moveInDirectory(session, repository, { from, to, typed: args[1] ?? '', targets, outer, staged });
  checkDirectory(repository, { typed: args[1] ?? '', path: to });
  const source = from.endsWith('.mlv') ? from.slice(0, -'.mlv'.length) : from;
  const destination = await move(repository, from, to, { stage: staged });
  const files = [source, destination].flatMap((path) => [pointerPathOf(path), childOf(parentOf(path), '.gitignore')]);
  const command = staged ? undefined : await gitAddCommand(repository, [...new Set(files)]);
  const show = displayer(repository);
  return {
    done: [`${show(source)} -> ${show(destination)}`],
    notes: command === undefined ? [] : ['To record it in Git:', `  ${command}`],
    json: { from: source, to: destination, staged },
  };
}

/** A name with a slash at its end means a directory, which must be there, as for mv(1). */
function checkDirectory(repository: OpenRepository, to: { typed: string; path: RepositoryPath }): void {
  if (!/[/\\]$/.test(to.typed)) return;
  if (statSync(absolutePath(repository.layout, to.path), { throwIfNoEntry: false })?.isDirectory()) return;
  throw new MlvError('PATH_NOT_FOUND', `'${to.typed}' is not a directory`, {
    hint: `make it first: mkdir -p ${shellQuote(to.typed)}   (or leave the slash out, for a new name)`,
    data: { path: to.path },
  });
}

interface InsideMove {
  from: RepositoryPath;
  to: RepositoryPath;
  typed: string;
  targets: readonly Target[];
  /** The tracked directory that `from` lies in. */
  outer: Target;
  staged: boolean;
}

async function moveInDirectory(session: Session, repository: OpenRepository, move: InsideMove): Promise<Result> {
  const { from, to, targets, outer, staged } = move;
  const target = targets.find((each) => isDirectoryTarget(each) && isWithin(to, each.path));
  if (!target) {
    const name = nameOf(to) || nameOf(from);
    throw new MlvError(
      'PATH_UNSUPPORTED',
      `'${from}' lies in the tracked directory '${outer.path}', and '${to || '.'}' does not lie in one`,
      {
        hint: `track it on its own: mlv cat ${shellQuote(from)} > ${shellQuote(name)} && mlv add ${shellQuote(name)} && mlv rm ${shellQuote(from)}`,
        data: { from, to },
      },
    );
  }
  await getListingsOnTheWay(session, repository, { targets, paths: [from, to] });
  const below = to.slice(target.path.length + 1);
  checkInnerDirectory(repository, { move, target, below });
  const moved = await moveInside(
    repository,
    { target: outer, below: from.slice(outer.path.length + 1) },
    { target, below },
  );
  const files = moved.targets.map(({ path }) => pointerPathOf(path));
  if (staged) await repository.git.stage(files);
  const command = staged ? undefined : await gitAddCommand(repository, files);
  const show = displayer(repository);
  return {
    done: [`${show(from)} -> ${show(moved.path)}`],
    notes: command === undefined ? [] : ['To record it in Git:', `  ${command}`],
    json: { from, to: moved.path, staged },
  };
}

/** As checkDirectory; a directory that is not here counts, too. */
function checkInnerDirectory(
  repository: OpenRepository,
  { move, target, below }: { move: InsideMove; target: Target; below: string },
): void {
  const entry = entryAt(digestOf(target.pointer.oid), below, cacheLoader(repository.cache));
  if (entry?.kind !== 'tree') checkDirectory(repository, { typed: move.typed, path: move.to });
}
