import { unmarkDropped, withoutDropped } from '../workspace/dropped.js';
import type { Selection } from '../workspace/pointers.js';
import type { OpenRepository } from './context.js';
import { formatCount } from './render/units.js';
import { namesCommits, type VerbInput } from './verb.js';

/**
 * What a command works on that the user gave no path: all but what was dropped, with a word on that. What is named by a
 * path, or taken from other commits, is meant: a path brings back what it names, and it counts as dropped no more.
 */
export function withoutDroppedUnasked<T extends { selections: Selection[] }>(
  { layout }: OpenRepository,
  { args, options }: VerbInput,
  collected: T,
): { collected: T; notes: string[] } {
  if (args.length > 0) {
    const whole = collected.selections.filter(({ below }) => below === '');
    if (options.dryRun !== true)
      unmarkDropped(
        layout,
        whole.map(({ target }) => target.path),
      );
    return { collected, notes: [] };
  }
  if (namesCommits(options)) return { collected, notes: [] };
  const { selections, dropped } = withoutDropped(layout, collected.selections);
  if (dropped.length === 0) return { collected, notes: [] };
  const what = formatCount(dropped.length, 'target');
  return {
    collected: { ...collected, selections },
    notes: [
      `${what} that ${dropped.length === 1 ? 'was' : 'were'} dropped stay where they are: mlv pull <path> brings one back`,
    ],
  };
}
