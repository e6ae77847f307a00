import type { Manifest } from './manifest.js';

/** What makes two registrations the same; who registered it, when, where and from what is told apart from that. */
const CONTENT = [
  'artifacts',
  'data',
  'params',
  'metrics',
  'commit',
  'difference',
  'run',
  'components',
  'licence',
  'description',
  'owners',
  'retain_until',
] as const satisfies readonly (keyof Manifest)[];

/** The parts of a manifest that make its content. */
export type ManifestContent = Pick<Manifest, (typeof CONTENT)[number]>;

/** In which parts two manifests differ: `artifacts`, `params`, …; empty for the same content. */
export function contentDifferences(left: ManifestContent, right: ManifestContent): string[] {
  return CONTENT.filter((key) => canonical(left[key]) !== canonical(right[key])).map((key) => key.replace('_', ' '));
}

/** Order of keys and of items tells nothing. */
function canonical(value: unknown): string {
  return JSON.stringify(ordered(value)) ?? '';
}

function ordered(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.map(ordered);
    return items.every(isNamed) ? items.sort((one, other) => compare(nameOf(one), nameOf(other))) : items;
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== undefined)
      .sort(([one], [other]) => compare(one, other))
      .map(([key, inner]) => [key, ordered(inner)]),
  );
}

function isNamed(item: unknown): item is { path?: string; model?: string } {
  return typeof item === 'object' && item !== null && ('path' in item || 'model' in item);
}

function nameOf(item: { path?: string; model?: string }): string {
  return item.path ?? item.model ?? '';
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
