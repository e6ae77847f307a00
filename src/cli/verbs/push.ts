import { pushToRemotes } from '../../transfer/push-remotes.js';
import { openRepository } from '../context.js';
import { transferContext } from '../open-transfer.js';
import type { Session } from '../session.js';
import { collectToTransfer, transferDocument, transferredLine } from '../transfers.js';
import { type Result, textOption, textsOption, type VerbInput } from '../verb.js';

/** `mlv push`: see its declaration. Errors: `REMOTE_NOT_CONFIGURED`, those of collectTargets and pushToRemotes. */
export async function run(session: Session, input: VerbInput): Promise<Result> {
  const { options } = input;
  const repository = await openRepository(session, { 'core.jobs': textOption(options.jobs) });
  const collected = await collectToTransfer(session, repository, input);
  const dryRun = options.dryRun === true;
  const named = textsOption(options.remote);
  const outcome = await pushToRemotes(transferContext(session, repository), collected, { named, dryRun });
  const words = { verb: dryRun ? 'would push' : 'pushed', direction: 'to' } as const;
  const lines = outcome.transferred.map((each) => transferredLine(each, words));
  return {
    done: lines.length > 0 ? lines : ['nothing is tracked yet'],
    json: transferDocument(outcome, { dryRun, problems: collected.problems }),
    errors: [...collected.problems, ...outcome.errors],
  };
}
