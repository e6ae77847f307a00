import { loadTargets, selectTargets } from '../../workspace/pointers.js';
import { unprotect } from '../../workspace/unprotect.js';
import { openRepository } from '../context.js';
import { toPaths } from '../operands.js';
import { formatCount } from '../render/units.js';
import type { Session } from '../session.js';
import type { Result, VerbInput } from '../verb.js';

/** `mlv unprotect`: see its declaration. Errors: `PATH_NOT_TRACKED`, those of unprotect. */
export async function run(session: Session, { args }: VerbInput): Promise<Result> {
  const repository = await openRepository(session);
  const { targets, problems } = await loadTargets(repository);
  const files = await unprotect(repository, selectTargets(targets, toPaths(repository, args), problems));
  const done =
    files.length > 0
      ? `${formatCount(files.length, 'file')} made a private copy`
      : 'no file shares its bytes with the cache';
  return { done: [done], json: { files } };
}
