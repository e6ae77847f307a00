import { compareNames } from '../objects/entry-name.js';
import { sameEntry } from '../objects/tree-diff.js';
import type { TreeEntry } from '../objects/tree-format.js';

/** One name on its three sides: what the pointer wants, what mlv left there last time, what is there now. */
export interface ThreeWay {
  name: string;
  target: TreeEntry | undefined;
  base: TreeEntry | undefined;
  workspace: TreeEntry | undefined;
}

/** What happens to one name of a directory. */
export type CheckoutStep =
  /** Already as wanted. */
  | { do: 'keep'; name: string }
  /** A directory on both sides, to be looked into. */
  | { do: 'enter'; name: string }
  /** Put the target there; `over` says what must go first. */
  | { do: 'place'; name: string; over: 'nothing' | 'file' | 'directory' }
  /** Same content, other executable bit. */
  | { do: 'mode'; name: string }
  /** The target has it no more, and its content is safe. */
  | { do: 'remove'; name: string; directory: boolean }
  /** The user's own file, which no pointer ever named. */
  | { do: 'leave'; name: string }
  /** Would lose content that is in no object. */
  | { do: 'refuse'; name: string; reason: 'modified' | 'untracked' };

export interface PlanOptions {
  /** True when the content of a workspace file is in the cache, so that replacing it loses nothing. */
  isSaved: (entry: TreeEntry) => boolean;
  /** Overwrite what is unsaved. */
  force: boolean;
  /** Remove files that the target does not name, saved or not only with `force`. */
  clean: boolean;
}

/** Decides what happens to one name. Pure. A directory that must go is looked into again by whoever removes it. */
export function planStep(sides: ThreeWay, options: PlanOptions): CheckoutStep {
  const { name, target, base, workspace } = sides;
  if (!target) return planAbsent(sides, options);
  if (!workspace) return { do: 'place', name, over: 'nothing' };
  if (target.kind === 'tree') {
    if (workspace.kind === 'tree') return { do: 'enter', name };
    return isSafe(workspace, base, options) ? { do: 'place', name, over: 'file' } : refuse(sides);
  }
  if (workspace.kind === 'tree') return { do: 'place', name, over: 'directory' };
  if (sameEntry(target, workspace)) return { do: 'keep', name };
  if (sameContent(target, workspace)) return { do: 'mode', name };
  return isSafe(workspace, base, options) ? { do: 'place', name, over: 'file' } : refuse(sides);
}

function planAbsent({ name, base, workspace }: ThreeWay, options: PlanOptions): CheckoutStep {
  if (!workspace) return { do: 'keep', name };
  const directory = workspace.kind === 'tree';
  if (!base && !options.clean) return { do: 'leave', name };
  // What is in a directory is decided name by name when it is removed.
  if (directory)
    return base?.kind === 'tree' || options.clean ? { do: 'remove', name, directory } : { do: 'leave', name };
  if (!isSafe(workspace, base, options)) return { do: 'refuse', name, reason: base ? 'modified' : 'untracked' };
  return { do: 'remove', name, directory };
}

/** A link is safe to replace when mlv made it; its text is nowhere else. */
function isSafe(workspace: TreeEntry, base: TreeEntry | undefined, options: PlanOptions): boolean {
  if (options.force) return true;
  if (workspace.kind === 'link') return base !== undefined && sameEntry(base, workspace);
  return options.isSaved(workspace);
}

function refuse({ name, base }: ThreeWay): CheckoutStep {
  return { do: 'refuse', name, reason: base ? 'modified' : 'untracked' };
}

function sameContent(left: TreeEntry, right: TreeEntry): boolean {
  if (left.kind === 'tree' || right.kind === 'tree' || left.kind === 'link' || right.kind === 'link') return false;
  return left.digest.equals(right.digest);
}

/** Joins three lists of entries, each in tree order, name by name. */
export function* joinSides(
  target: readonly TreeEntry[],
  base: readonly TreeEntry[],
  workspace: readonly TreeEntry[],
): Generator<ThreeWay> {
  const at = { target: 0, base: 0, workspace: 0 };
  for (;;) {
    const sides = { target: target[at.target], base: base[at.base], workspace: workspace[at.workspace] };
    const name = first(first(sides.target?.name, sides.base?.name), sides.workspace?.name);
    if (name === undefined) return;
    yield {
      name,
      target: sides.target?.name === name ? target[at.target++] : undefined,
      base: sides.base?.name === name ? base[at.base++] : undefined,
      workspace: sides.workspace?.name === name ? workspace[at.workspace++] : undefined,
    };
  }
}

/** The earlier of two names in tree order; mostly they are the same, which is found out first. */
function first(left: string | undefined, right: string | undefined): string | undefined {
  if (left === right || right === undefined) return left;
  return left === undefined || compareNames(right, left) < 0 ? right : left;
}
