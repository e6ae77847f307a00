import { rollBack } from '../../registry/rollback.js';
import { openProposer, proposed } from '../propose.js';
import type { Session } from '../session.js';
import { type Result, textOption, type VerbInput } from '../verb.js';
import { versionReady } from '../version-ready.js';

/** `mlv rollback`: see its declaration. Errors: those of rollBack and versionReady. */
export async function run(session: Session, input: VerbInput): Promise<Result> {
  const { args, options } = input;
  const [model = '', stage = ''] = args;
  const opened = await openProposer(session, input);
  const request = { model, stage, to: textOption(options.to), reason: textOption(options.reason) };
  return proposed(session, opened, () => rollBack(opened.proposer, { ...request, ready: versionReady(session) }));
}
