import { MlvError } from '../../core/errors.js';
import { viewsInTime } from '../../registry/reference-resolve.js';
import { openRegistryHere } from '../open-registry.js';
import { dateOption } from '../registry-options.js';
import type { Session } from '../session.js';
import type { Result, VerbInput } from '../verb.js';
import { list } from './list.js';

/** `mlv at`: see its declaration. Errors: `USAGE`, `VERSION_UNKNOWN` before the registry began, those of list. */
export async function run(session: Session, input: VerbInput): Promise<Result> {
  const date = dateOption(input);
  const { registry } = await openRegistryHere(session);
  // A clone that has no registry yet fetches it here.
  await registry.viewOrFetch();
  const view = await viewsInTime(registry)(date);
  const at = date.toISOString();
  if (!view) {
    throw new MlvError('VERSION_UNKNOWN', `there was no registry yet at ${at}`, {
      hint: 'mlv history <model> shows since when there are versions',
      data: { at },
    });
  }
  const { json, notes = [], ...result } = await list(session, input, view);
  const as = `as it was at ${at}, commit ${view.tip?.slice(0, 12)} of the registry`;
  return { ...result, json: { at, registry: view.tip, ...json }, notes: [as, ...notes] };
}
