import { childOf, isWithin, parentOf, type RepositoryPath } from '../../workspace/paths.js';
import { directoryAbove, loadTargets, pointerPathOf, type Target } from '../../workspace/pointers.js';
import { remove } from '../../workspace/remove.js';
import { type PathsInside, removeInside } from '../../workspace/remove-inside.js';
import { type OpenRepository, openRepository } from '../context.js';
import { gitAddCommand } from '../git-hint.js';
import { getListingsOnTheWay } from '../inner-listings.js';
import { displayer, toPaths } from '../operands.js';
import type { Session } from '../session.js';
import type { Result, VerbInput } from '../verb.js';

/** `mlv rm`: see its declaration. Errors: those of remove. */
export async function run(session: Session, { args, options }: VerbInput): Promise<Result> {
  const repository = await openRepository(session);
  const keep = options.keep === true;
  const staged = typeof options.stage === 'boolean' ? options.stage : repository.settings.stage;
  const what = { keep, force: options.force === true, stage: staged, signal: session.signal };
  const { whole, inside } = await split(session, repository, toPaths(repository, args));
  const edited = inside.length > 0 ? await removeInside(repository, inside, what) : [];
  const removed = whole.length > 0 ? await remove(repository, whole, what) : [];
  const pointers = edited.map(({ path }) => pointerPathOf(path));
  if (staged) await repository.git.stage(pointers);
  const show = displayer(repository);
  const files = new Set([
    ...pointers,
    ...removed.flatMap((path) => [pointerPathOf(path), childOf(parentOf(path), '.gitignore')]),
  ]);
  removed.push(...inside.flatMap(({ target, paths }) => paths.map((path) => `${target.path}/${path}`)));
  const command = staged ? undefined : await gitAddCommand(repository, [...files]);
  return {
    done: removed.map((path) =>
      keep ? `${show(path)} is not tracked any more, and kept` : `${show(path)} was removed`,
    ),
    notes: command === undefined ? [] : ['To record it in Git:', `  ${command}`],
    json: { removed, kept: keep, staged },
  };
}

/** Tracked files and directories, and paths inside of tracked directories. */
async function split(
  session: Session,
  repository: OpenRepository,
  paths: readonly RepositoryPath[],
): Promise<{ whole: RepositoryPath[]; inside: PathsInside[] }> {
  const { targets } = await loadTargets(repository);
  const found = new Map<Target, string[]>();
  const whole: RepositoryPath[] = [];
  for (const path of new Set(paths)) {
    const target = directoryAbove(targets, path);
    if (target) found.set(target, [...(found.get(target) ?? []), path.slice(target.path.length + 1)]);
    else whole.push(path);
  }
  await getListingsOnTheWay(session, repository, { targets, paths });
  const outermost = (all: readonly string[]): string[] =>
    all.filter((path) => !all.some((other) => other !== path && isWithin(path, other)));
  return { whole, inside: [...found].map(([target, below]) => ({ target, paths: outermost(below) })) };
}
