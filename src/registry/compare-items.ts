import { isMlvError } from '../core/errors.js';
import { type Algorithm, digestOf, isOid, type Oid, splitOid } from '../objects/oid.js';
import { diffTrees, type TreeLoader } from '../objects/tree-diff.js';
import { type ChangeTotals, reportChanges, totalChanges } from '../workspace/change-report.js';
import type { ManifestItem } from './manifest.js';

/** How an item differs from that of the first version. */
export interface ItemChange {
  kind: 'same' | 'added' | 'removed' | 'changed';
  /** File by file, for directories whose listings are at hand. */
  files?: ChangeTotals;
  /** True where a listing is needed that is not in the cache. */
  unlisted?: true;
}

/** One artifact or data set by its path, as each version has it. */
export interface ItemRow {
  path: string;
  values: (Pick<ManifestItem, 'oid' | 'size' | 'files'> | undefined)[];
  /** For each version; undefined for the first, and where neither has it. */
  changes: (ItemChange | undefined)[];
  same: boolean;
}

/** Compares two directories by their oids; undefined where a listing is not to be had. */
export type ListingDiff = (before: Oid, after: Oid) => ChangeTotals | undefined;

/** A ListingDiff over trees that a loader gives by their digest of one algorithm; what it has not counts as not at hand. */
export function listingDiff(load: TreeLoader, algorithm: Algorithm): ListingDiff {
  return (before, after) => {
    if ([before, after].some((oid) => splitOid(oid).algorithm !== algorithm)) return undefined;
    try {
      const [left, right] = [before, after].map((oid) => ({ digest: digestOf(oid), load }));
      return totalChanges(reportChanges(diffTrees(left, right), ''));
    } catch (error) {
      if (isMlvError(error, 'OBJECT_MISSING')) return undefined;
      throw error;
    }
  };
}

/** The items of several versions, path by path, each compared with that of the first version. */
export function comparedItems(versions: readonly (readonly ManifestItem[])[], listing: ListingDiff): ItemRow[] {
  const byPath = versions.map((items) => new Map(items.map((item) => [item.path, item])));
  const paths = [...new Set(versions.flat().map(({ path }) => path))].sort();
  return paths.map((path) => {
    const items = byPath.map((map) => map.get(path));
    const [first] = items;
    const changes = items.map((item, index) => (index === 0 ? undefined : changeOf(first, item, listing)));
    return { path, values: items.map(valueOfItem), changes, same: items.every((item) => item?.oid === first?.oid) };
  });
}

function valueOfItem(item: ManifestItem | undefined): ItemRow['values'][number] {
  return item && { oid: item.oid, size: item.size, ...(item.files !== undefined && { files: item.files }) };
}

function changeOf(
  before: ManifestItem | undefined,
  after: ManifestItem | undefined,
  listing: ListingDiff,
): ItemChange | undefined {
  if (!before && !after) return undefined;
  if (!before) return { kind: 'added' };
  if (!after) return { kind: 'removed' };
  if (before.oid === after.oid) return { kind: 'same' };
  if (before.files === undefined || after.files === undefined) return { kind: 'changed' };
  const files = isOid(before.oid) && isOid(after.oid) ? listing(before.oid, after.oid) : undefined;
  return files ? { kind: 'changed', files } : { kind: 'changed', unlisted: true };
}
