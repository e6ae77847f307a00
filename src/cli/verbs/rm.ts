import { childOf, parentOf } from '../../workspace/paths.js';
import { pointerPathOf } from '../../workspace/pointers.js';
import { remove } from '../../workspace/remove.js';
import { openRepository } from '../context.js';
import { gitAddCommand } from '../git-hint.js';
import { displayer, toPaths } from '../operands.js';
import type { Session } from '../session.js';
import type { Result, VerbInput } from '../verb.js';

/** `mlv rm`: see its declaration. Errors: those of remove. */
export async function run(session: Session, { args, options }: VerbInput): Promise<Result> {
  const repository = await openRepository(session);
  const keep = options.keep === true;
  const staged = typeof options.stage === 'boolean' ? options.stage : repository.settings.stage;
  const removed = await remove(repository, toPaths(repository, args), {
    keep,
    force: options.force === true,
    stage: staged,
    signal: session.signal,
  });
  const show = displayer(repository);
  const files = new Set(removed.flatMap((path) => [pointerPathOf(path), childOf(parentOf(path), '.gitignore')]));
  const command = staged ? undefined : await gitAddCommand(repository, [...files]);
  return {
    done: removed.map((path) =>
      keep ? `${show(path)} is not tracked any more, and kept` : `${show(path)} was removed`,
    ),
    notes: command === undefined ? [] : ['To record it in Git:', `  ${command}`],
    json: { removed, kept: keep, staged },
  };
}
