import { checkPolicy, describePolicy } from '../../registry/policy-check.js';
import { readTextFile } from '../read-text-file.js';
import { escapeControls } from '../render/quote.js';
import type { Session } from '../session.js';
import type { Result, VerbInput } from '../verb.js';

/** `mlv policy check`: see its declaration. Errors: those of readTextFile and checkPolicy. */
export async function run(session: Session, { args: [file = ''] }: VerbInput): Promise<Result> {
  const policy = checkPolicy(await readTextFile(session, file), file);
  return { text: describePolicy(policy).map((line) => escapeControls(line)), json: { file, policy } };
}
