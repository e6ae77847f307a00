import { noteDeployment } from '../../registry/approve.js';
import { openProposer, proposed } from '../propose.js';
import type { Session } from '../session.js';
import { type Result, textOption, type VerbInput } from '../verb.js';

/** `mlv deploy-note`: see its declaration. Errors: those of noteDeployment. */
export async function run(session: Session, input: VerbInput): Promise<Result> {
  const { args, options } = input;
  const opened = await openProposer(session, input);
  const request = {
    reference: args[0] ?? '',
    stage: textOption(options.stage),
    target: textOption(options.target),
    note: textOption(options.message),
  };
  return proposed(session, opened, () => noteDeployment(opened.proposer, request));
}
