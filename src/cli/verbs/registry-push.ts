import { openRegistryHere } from '../open-registry.js';
import { formatCount } from '../render/units.js';
import type { Session } from '../session.js';
import type { Result } from '../verb.js';

/** `mlv registry push`: see its declaration. Errors: those of Registry.push. */
export async function run(session: Session): Promise<Result> {
  const { registry } = await openRegistryHere(session);
  const { remote, received, sent, tip } = await registry.push();
  const done = sent === 0 ? [`nothing to send to ${remote}`] : [`sent ${formatCount(sent, 'change')} to ${remote}`];
  if (received > 0) done.push(`received ${formatCount(received, 'change')}`);
  return { done, json: { remote, received, sent, tip: tip ?? null } };
}
