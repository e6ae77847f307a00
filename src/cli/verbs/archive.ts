import { archiveVersion } from '../../registry/promote.js';
import { openProposer, proposed } from '../propose.js';
import type { Session } from '../session.js';
import { type Result, textOption, type VerbInput } from '../verb.js';

/** `mlv archive`: see its declaration. Errors: those of archiveVersion. */
export async function run(session: Session, input: VerbInput): Promise<Result> {
  const opened = await openProposer(session, input);
  const request = { reference: input.args[0] ?? '', reason: textOption(input.options.reason) };
  return proposed(session, opened, () => archiveVersion(opened.proposer, request));
}
