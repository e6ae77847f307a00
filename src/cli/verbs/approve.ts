import { MlvError } from '../../core/errors.js';
import { giveWord } from '../../registry/approve.js';
import { keepAttachments } from '../attachments.js';
import { texts } from '../given-metrics.js';
import { openProposer, proposed } from '../propose.js';
import type { Session } from '../session.js';
import { type Result, textOption, type VerbInput } from '../verb.js';

/** `mlv approve`: see its declaration. Errors: `USAGE`, those of keepAttachments and giveWord. */
export function run(session: Session, input: VerbInput): Promise<Result> {
  return word(session, input, true);
}

/** What `approve` and `reject` do. */
export async function word(session: Session, input: VerbInput, approved: boolean): Promise<Result> {
  const { args, options } = input;
  const [stage, reason] = [textOption(options.stage), textOption(options.reason)?.trim()];
  const verb = approved ? 'approve' : 'reject';
  if (stage === undefined) throw missing('for which stage', `mlv ${verb} ${args[0]} --stage production --reason …`);
  if (!reason) throw missing('why', `mlv ${verb} ${args[0]} --stage ${stage} --reason …`);
  const opened = await openProposer(session, input);
  const files = texts(options.attach);
  const attachments = opened.proposer.dryRun ? [] : await keepAttachments(session, files);
  const request = {
    reference: args[0] ?? '',
    stage,
    approved,
    reason,
    ticket: textOption(options.ticket),
    attachments,
  };
  return proposed(session, opened, () => giveWord(opened.proposer, request));
}

function missing(what: string, example: string): MlvError {
  return new MlvError('USAGE', `it is not said ${what}`, { hint: `such as: ${example}` });
}
