import { deprecateVersion } from '../../registry/approve.js';
import { openProposer, proposed } from '../propose.js';
import type { Session } from '../session.js';
import { type Result, textOption, type VerbInput } from '../verb.js';

/** `mlv deprecate`: see its declaration. Errors: those of deprecateVersion. */
export async function run(session: Session, input: VerbInput): Promise<Result> {
  const { args, options } = input;
  const opened = await openProposer(session, input);
  const request = {
    reference: args[0] ?? '',
    successor: textOption(options.successor),
    reason: textOption(options.reason),
  };
  return proposed(session, opened, () => deprecateVersion(opened.proposer, request));
}
