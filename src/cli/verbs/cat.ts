import { MlvError } from '../../core/errors.js';
import { redactUrl } from '../../core/redact.js';
import { isOid, type Oid } from '../../objects/oid.js';
import { looksLikeTree, TREE_MAGIC } from '../../objects/tree-format.js';
import { type OpenRepository, openRepository } from '../context.js';
import { isElsewhere } from '../elsewhere/is-elsewhere.js';
import { findFile } from '../find-file.js';
import { printObject } from '../print-object.js';
import type { Session } from '../session.js';
import type { Result, VerbInput } from '../verb.js';

/**
 * `mlv cat`: see its declaration. Errors: `PATH_NOT_TRACKED`, `PATH_NOT_FOUND`, `USAGE` for a directory,
 * `REVISION_UNKNOWN`, `OBJECT_MISSING`, `OBJECT_CORRUPT` after bytes that must not be used.
 */
export async function run(session: Session, input: VerbInput): Promise<Result> {
  const [argument = '', path] = input.args;
  if (path !== undefined) {
    if (!isElsewhere(argument, session.cwd)) throw notARepository(argument);
    const { catElsewhere } = await import('../elsewhere/look.js');
    return catElsewhere(session, input);
  }
  if (input.options.rev !== undefined) {
    throw new MlvError('USAGE', '--rev is for a repository elsewhere', { hint: `mlv cat ${argument}@<revision>` });
  }
  const repository = await openRepository(session);
  const oid = isOid(argument) ? fileObject(repository, argument) : (await findFile(session, repository, argument)).oid;
  await printObject(repository, oid, session.output);
  return {};
}

/** An object that was named by its oid, such as one that a command said it kept. */
function fileObject({ cache }: OpenRepository, oid: Oid): Oid {
  if (cache.has(oid) && looksLikeTree(cache.peek(oid, TREE_MAGIC.length))) {
    throw new MlvError('USAGE', `${oid} is a directory`, {
      hint: 'a pointer file with this oid brings it back: mlv checkout (docs/pipelines.md)',
      data: { oid },
    });
  }
  return oid;
}

function notARepository(argument: string): MlvError {
  const shown = redactUrl(argument);
  return new MlvError('USAGE', `'${shown}' is no repository elsewhere, and one file can be printed at a time`, {
    hint: 'mlv cat <path>, or mlv cat <git-url> <path>',
  });
}
