import { openRepository } from '../context.js';
import { findFile } from '../find-file.js';
import { printObject } from '../print-object.js';
import type { Session } from '../session.js';
import type { Result, VerbInput } from '../verb.js';

/**
 * `mlv cat`: see its declaration. Errors: `PATH_NOT_TRACKED`, `PATH_NOT_FOUND`, `USAGE` for a directory,
 * `REVISION_UNKNOWN`, `OBJECT_MISSING`, `OBJECT_CORRUPT` after bytes that must not be used.
 */
export async function run(session: Session, { args: [argument = ''] }: VerbInput): Promise<Result> {
  const repository = await openRepository(session);
  const found = await findFile(session, repository, argument);
  await printObject(repository, found.oid, session.output);
  return {};
}
