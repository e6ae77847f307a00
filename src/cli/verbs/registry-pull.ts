import { openRegistryHere } from '../open-registry.js';
import { escapeControls } from '../render/quote.js';
import { formatCount } from '../render/units.js';
import type { Session } from '../session.js';
import type { Result, VerbInput } from '../verb.js';

/** `mlv registry pull`: see its declaration. Errors: those of Registry.pull. */
export async function run(session: Session, { options }: VerbInput): Promise<Result> {
  const { registry } = await openRegistryHere(session);
  const how = { dropLocal: options.dropLocal === true, acceptRewritten: options.acceptRewritten === true };
  const { remote, received, dropped, tip, tagsKept } = await registry.pull(how);
  const { ahead } = await registry.status();
  const done =
    received === 0 ? [`nothing new on ${remote}`] : [`received ${formatCount(received, 'change')} from ${remote}`];
  if (dropped > 0) done.push(`gave ${formatCount(dropped, 'change')} of this clone up`);
  const notes =
    ahead > 0 ? [`${formatCount(ahead, 'change')} only in this clone: mlv registry push sends what is here`] : [];
  if (tagsKept !== undefined) {
    notes.push(
      `tags of versions stay as they are here, see mlv audit: ${escapeControls(tagsKept, { keepNewlines: true })}`,
    );
  }
  return { done, json: { remote, received, dropped, ahead, tip: tip ?? null, tagsKept: tagsKept ?? null }, notes };
}
