import type { HookFact } from '../git/hook-gate.js';
import { checkout } from '../workspace/checkout.js';
import { withoutDropped } from '../workspace/dropped.js';
import { isPointerPath, loadTargets, type Target, targetOfBlob } from '../workspace/pointers.js';
import { removeGone } from '../workspace/remove-gone.js';
import { checkoutErrors } from './checkout-errors.js';
import type { OpenRepository } from './context.js';
import { checkoutSummary } from './render/checkout.js';
import { quotePath } from './render/quote.js';
import { formatCount } from './render/units.js';
import type { Session } from './session.js';
import type { Result } from './verb.js';
import { withOwnParts } from './wanted-parts.js';

/**
 * After Git moved the working tree: brings the content to the pointers that changed, but not what was dropped, and removes
 * what belongs to those that are gone. Content that is in no object stays, and is named. Errors: as checkout.
 */
export async function followGit(
  session: Session,
  repository: OpenRepository,
  facts: readonly HookFact[],
): Promise<Result> {
  const { reporter, signal } = session;
  const { targets, problems } = await loadTargets(repository);
  const changed = new Set(facts.filter(({ kind }) => kind === 'pointer').map(({ path }) => path));
  const followed = targets.filter(({ path }) => changed.has(`${path}.mlv`)).map((target) => ({ target, below: '' }));
  const { selections: chosen } = withoutDropped(repository.layout, followed);
  const gone = await goneTargets(repository, facts, targets);
  // Before the new content comes: a directory may take the place of a file, and the reverse.
  const { removed, kept } = await removeGone(repository, gone, { signal });
  const report = await checkout(repository, withOwnParts(repository, chosen), { reporter, signal });
  const done = [
    ...(report.written + report.removed > 0 ? [`mlv: ${checkoutSummary(report)}`] : []),
    ...(removed.length > 0 ? [`mlv: ${formatCount(removed.length, 'target')} removed with its pointer`] : []),
  ];
  const notes = kept.map(({ path }) => `${quotePath(path)} stays: its pointer is gone, and its content is not saved`);
  const broken = problems.filter(({ data }) => changed.has(String(data.path)));
  return { notes: [...done, ...notes], errors: [...broken, ...checkoutErrors(report)] };
}

/** What the pointers that are gone named, where nothing else names it now. */
async function goneTargets(
  repository: OpenRepository,
  facts: readonly HookFact[],
  targets: readonly Target[],
): Promise<Target[]> {
  const gone = facts.filter(({ kind, path }) => kind === 'gone' && isPointerPath(path));
  const blobs = await repository.git.readBlobs([...new Set(gone.map(({ blob }) => blob))]);
  const here = new Set(targets.map(({ path }) => path));
  const found = gone.map(({ path, blob }) => targetOfBlob(path, blobs.get(blob)));
  return found.filter((target) => target !== undefined).filter(({ path }) => !here.has(path));
}
