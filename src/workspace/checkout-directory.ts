import type { MlvError } from '../core/errors.js';
import { isObjectError } from '../objects/object-error.js';
import { checkTreeLevel, decodeTree, type TreeEntry } from '../objects/tree-format.js';
import { EntryCheckout, entriesOrNone } from './checkout-entry.js';
import { joinSides, planStep, type ThreeWay } from './checkout-plan.js';
import type { DirectoryCheckout, DirectorySides } from './checkout-sides.js';
import { makeDirectory, NewDirectory } from './new-directory.js';
import { refusedName } from './refused-name.js';
import { holdsWanted } from './wanted-part.js';
import { removeStaleTemporaries } from './workspace-temporary.js';

export type { CheckoutReport } from './checkout-sides.js';

/**
 * Brings one directory and all below it to the target. The directory exists unless the sides say that it is absent. Never
 * writes through a link and never replaces content that is in no object unless the plan's `force` says so. Errors that
 * concern one object are collected in the report; others are raised: `DISK_FULL`, `FILE_SYSTEM`.
 */
export async function checkoutTree(run: DirectoryCheckout, sides: DirectorySides): Promise<void> {
  try {
    await checkoutDirectory(run, sides);
  } catch (error) {
    const absolute = `${run.worktree}/${sides.path}`;
    const refused = isObjectError(error) ? undefined : refusedName(sides.path, absolute, error);
    if (!refused && !isObjectError(error)) throw error;
    if (sides.absent && !refused) makeDirectory(absolute);
    const failure = refused ?? (error as MlvError);
    run.report.failed.push({ path: sides.path, oid: run.toOid(sides.target.digest), error: failure });
  }
}

async function checkoutDirectory(run: DirectoryCheckout, sides: DirectorySides): Promise<void> {
  run.signal?.throwIfAborted();
  checkTreeLevel(sides.parts.length);
  const target = decodeTree(run.loadTarget(sides.target.digest));
  const wanted = sides.absent ? await makeWithSmallFiles(run, sides, target) : target;
  const base = sides.base ? entriesOrNone(run.loadBase, sides.base.digest) : [];
  const workspace = sides.workspace ? sides.workspace.entries() : [];
  if (sides.workspace) removeStaleTemporaries(`${run.worktree}/${sides.path}`);
  for (const three of joinSides(wanted, base, workspace)) {
    if (!isConcerned(run, sides, three)) continue;
    const entry = new EntryCheckout(run, sides, { three, visit: checkoutTree });
    const waiting = entry.carryOut(planStep(three, run.plan));
    if (waiting) await waiting;
    const turn = run.turn();
    if (turn) await turn;
  }
}

/** Makes the directory with all that can be in it from the first; gives what is left to be done one by one. */
async function makeWithSmallFiles(
  run: DirectoryCheckout,
  sides: DirectorySides,
  target: readonly TreeEntry[],
): Promise<readonly TreeEntry[]> {
  const made = new NewDirectory(run, sides);
  // A directory is asked about later, one at a time: its listing may be missing.
  await made.fill(target.filter((entry) => entry.kind !== 'tree' && isConcerned(run, sides, asThree(entry))));
  return target.filter(({ name }) => !made.placed.has(name));
}

function asThree(target: TreeEntry): ThreeWay {
  return { name: target.name, target, base: undefined, workspace: undefined };
}

/** True for a name that this checkout is about: on the way to `below`, and here already or wanted here. */
function isConcerned(run: DirectoryCheckout, { parts }: DirectorySides, three: ThreeWay): boolean {
  const { name, target, workspace } = three;
  const next = run.below === '' ? undefined : run.below.split('/')[parts.length];
  if (next !== undefined && name !== next) return false;
  const { part, loadTarget: load } = run;
  if (!part || !target || workspace) return true;
  return holdsWanted(target, { part, path: [...parts, name].join('/'), load });
}
