import { openRepository } from '../context.js';
import { withoutDroppedUnasked } from '../dropped.js';
import { fetchCollected } from '../fetch-selections.js';
import { toPaths } from '../operands.js';
import type { Session } from '../session.js';
import { collectToTransfer, transferDocument, transferredLine } from '../transfers.js';
import { type Result, textOption, type VerbInput } from '../verb.js';
import { withParts } from '../wanted-parts.js';

/** `mlv fetch`: see its declaration. Errors: `REMOTE_NOT_CONFIGURED`, those of collectTargets and fetchObjects. */
export async function run(session: Session, input: VerbInput): Promise<Result> {
  const { options } = input;
  const repository = await openRepository(session, { 'core.jobs': textOption(options.jobs) });
  const { collected, notes } = withoutDroppedUnasked(
    repository,
    input,
    await collectToTransfer(session, repository, input),
  );
  const paths = toPaths(repository, input.args);
  const selections = await withParts(session, repository, { selections: collected.selections, paths });
  const outcome = await fetchCollected(session, repository, { collected: { ...collected, selections }, options });
  const { transferred, errors } = outcome;
  const dryRun = options.dryRun === true;
  const words = { verb: dryRun ? 'would fetch' : 'fetched', direction: 'from' } as const;
  return {
    done: transferred.length > 0 ? transferred.map((each) => transferredLine(each, words)) : ['nothing is tracked yet'],
    notes,
    json: transferDocument(outcome, { dryRun, problems: collected.problems }),
    errors: [...collected.problems, ...errors],
  };
}
