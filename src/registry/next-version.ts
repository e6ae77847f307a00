import { MlvError } from '../core/errors.js';
import { type BumpChoice, type BumpFacts, type CodeChange, chooseBump } from './auto-bump.js';
import type { Manifest } from './manifest.js';
import type { ModelState, VersionState } from './registry.js';
import {
  bumpVersion,
  compareVersions,
  formatVersion,
  isFivePart,
  parseVersion,
  type VersionNumber,
  type VersionPart,
} from './version-number.js';

/** The number of a model's first version where none is given. */
const FIRST: VersionNumber = { numbers: [1, 0, 0], prerelease: [] };
const FIRST_FIVE: VersionNumber = { numbers: [1, 0, 0, 0, 0], prerelease: [] };

/** What the user said of the number; `auto` where nothing. */
export type NumberWish = { version: string } | { bump: VersionPart | 'auto' };

/** The number that a version gets. */
export interface ChosenNumber {
  version: string;
  /** Why, for `--bump auto`. */
  bump?: BumpChoice;
}

/**
 * The version that a new one comes from where the user names none: the highest that is lower than the number asked for, or
 * the highest of all. Undefined for the first of its model. Error: `VERSION_INVALID`.
 */
export function defaultParent(model: ModelState | undefined, wish: NumberWish): VersionState | undefined {
  const below = 'version' in wish ? parseVersion(wish.version) : undefined;
  let best: { state: VersionState; number: VersionNumber } | undefined;
  for (const state of model?.versions.values() ?? []) {
    const number = parseVersion(state.version);
    if (below && compareVersions(number, below) >= 0) continue;
    if (!best || compareVersions(number, best.number) > 0) best = { state, number };
  }
  return best?.state;
}

/**
 * The number of the new version: as given, the next of its parent, or for the first one `1.0.0` (`1.0.0.0.0` where a part
 * is raised that only five-part versions have). With `auto`, `code` is asked what became of the code. Undefined where
 * nothing changed since the parent. Error: `VERSION_INVALID`.
 */
export async function nextNumber(
  wish: NumberWish,
  facts: { parent: Manifest | undefined; now: BumpFacts; code: (since: Manifest) => Promise<CodeChange> },
): Promise<ChosenNumber | undefined> {
  if ('version' in wish) return { version: formatVersion(parseVersion(wish.version)) };
  const { parent, now } = facts;
  if (!parent) {
    const five = wish.bump === 'data' || wish.bump === 'experiment';
    const bump: BumpChoice = { part: 'first', reasons: ['it is the first version of its model'] };
    return { version: formatVersion(five ? FIRST_FIVE : FIRST), ...(wish.bump === 'auto' && { bump }) };
  }
  const before = parseVersion(parent.version);
  if (wish.bump !== 'auto') return { version: formatVersion(bumpVersion(before, wish.bump)) };
  const bump = chooseBump(parent, now, { code: await facts.code(parent), fivePart: isFivePart(before) });
  return bump && { version: formatVersion(bumpVersion(before, bump.part)), bump };
}

/** The `VERSION_EXISTS` error for a number that is taken by other content. */
export function numberTaken(name: string, differences: readonly string[], existing: VersionState): MlvError {
  return new MlvError('VERSION_EXISTS', `${name} exists already, with other ${differences.join(', ')}`, {
    hint: 'a version never changes: take another number (--version), or none to get the next',
    data: { version: name, manifest: existing.manifest, differences },
  });
}
