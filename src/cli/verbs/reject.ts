import type { Session } from '../session.js';
import type { Result, VerbInput } from '../verb.js';
import { word } from './approve.js';

/** `mlv reject`: see its declaration. Errors as `mlv approve`. */
export function run(session: Session, input: VerbInput): Promise<Result> {
  return word(session, input, false);
}
