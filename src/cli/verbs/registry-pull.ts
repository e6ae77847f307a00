import { openRegistryHere } from '../open-registry.js';
import type { Session } from '../session.js';
import type { Result, VerbInput } from '../verb.js';

/** `mlv registry pull`: see its declaration. Errors: those of Registry.pull. */
export async function run(session: Session, { options }: VerbInput): Promise<Result> {
  const { registry } = await openRegistryHere(session);
  const how = { dropLocal: options.dropLocal === true, acceptRewritten: options.acceptRewritten === true };
  const { remote, received, dropped, tip } = await registry.pull(how);
  const { ahead } = await registry.status();
  const done = received === 0 ? [`nothing new on ${remote}`] : [`received ${received} change(s) from ${remote}`];
  if (dropped > 0) done.push(`gave ${dropped} change(s) of this clone up`);
  return {
    done,
    json: { remote, received, dropped, ahead, tip: tip ?? null },
    ...(ahead > 0 && { notes: [`${ahead} change(s) are only in this clone: mlv registry push sends them`] }),
  };
}
