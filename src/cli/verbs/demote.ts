import { demoteVersion } from '../../registry/promote.js';
import { openProposer, proposed } from '../propose.js';
import type { Session } from '../session.js';
import { type Result, textOption, type VerbInput } from '../verb.js';

/** `mlv demote`: see its declaration. Errors: those of demoteVersion. */
export async function run(session: Session, input: VerbInput): Promise<Result> {
  const { args, options } = input;
  const opened = await openProposer(session, input);
  const request = {
    reference: args[0] ?? '',
    stage: textOption(options.from),
    to: textOption(options.to),
    reason: textOption(options.reason),
  };
  return proposed(session, opened, () => demoteVersion(opened.proposer, request));
}
