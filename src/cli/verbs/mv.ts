import { statSync } from 'node:fs';
import { MlvError } from '../../core/errors.js';
import { move } from '../../workspace/move.js';
import { absolutePath, childOf, parentOf, type RepositoryPath } from '../../workspace/paths.js';
import { pointerPathOf } from '../../workspace/pointers.js';
import { type OpenRepository, openRepository } from '../context.js';
import { gitAddCommand } from '../git-hint.js';
import { displayer, toPaths } from '../operands.js';
import { shellQuote } from '../render/quote.js';
import type { Session } from '../session.js';
import type { Result, VerbInput } from '../verb.js';

/** `mlv mv`: see its declaration. Errors: `PATH_NOT_FOUND` for a directory that is not there, those of move. */
export async function run(session: Session, { args, options }: VerbInput): Promise<Result> {
  const repository = await openRepository(session);
  const [from = '', to = ''] = toPaths(repository, args);
  checkDirectory(repository, { typed: args[1] ?? '', path: to });
  const staged = typeof options.stage === 'boolean' ? options.stage : repository.settings.stage;
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
