import { toPushRoots } from '../../transfer/collect-roots.js';
import { failedObjectsError } from '../../transfer/fetch.js';
import { push } from '../../transfer/push.js';
import { openRepository } from '../context.js';
import type { Session } from '../session.js';
import { collect, transferDocument, transferredLine, withRemotes } from '../transfers.js';
import { type Result, textOption, type VerbInput } from '../verb.js';

/** `mlv push`: see its declaration. Errors: `REMOTE_NOT_CONFIGURED`, those of collectTargets and push. */
export async function run(session: Session, input: VerbInput): Promise<Result> {
  const { options } = input;
  const repository = await openRepository(session, { 'core.jobs': textOption(options.jobs) });
  const collected = await collect(repository, input);
  const dryRun = options.dryRun === true;
  const transferred = await withRemotes(session, repository, {
    selections: collected.selections,
    remote: textOption(options.remote),
    work: async ({ transfer }, selections) =>
      push(transfer, await toPushRoots(repository, { ...collected, selections }), { dryRun }),
  });
  const words = { verb: dryRun ? 'would push' : 'pushed', direction: 'to' } as const;
  const failures = transferred.filter(({ failed }) => failed.length > 0);
  return {
    done: transferred.length > 0 ? transferred.map((each) => transferredLine(each, words)) : ['nothing is tracked yet'],
    json: transferDocument(transferred, { dryRun, problems: collected.problems }),
    errors: [...collected.problems, ...failures.map(({ failed, remote }) => failedObjectsError(failed, remote))],
  };
}
