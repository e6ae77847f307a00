import { isMapping } from '../core/mapping.js';

/** Entries of a list of outputs, each a path or a mapping of a path to its flags. */
export function entriesOf(list: unknown): { path: string; cache: boolean; flags: Record<string, unknown> }[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((each: unknown) => {
    if (typeof each === 'string') return [{ path: each, cache: true, flags: {} }];
    if (!isMapping(each)) return [];
    return Object.entries(each).map(([path, value]) => {
      const flags = isMapping(value) ? value : {};
      return { path, cache: flags.cache !== false, flags };
    });
  });
}
