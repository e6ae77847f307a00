import type { ModelState, VersionState } from './registry.js';
import { compareVersions, parseVersion, type VersionNumber } from './version-number.js';
import { tryVersionRange } from './version-range.js';

/** Versions of one model by their numbers, the newest first. Error: `VERSION_INVALID`. */
export function newestFirst(versions: Iterable<VersionState>): VersionState[] {
  const numbered = Array.from(versions, (version): [VersionState, VersionNumber] => [
    version,
    parseVersion(version.version),
  ]);
  return numbered.sort(([, left], [, right]) => compareVersions(right, left)).map(([version]) => version);
}

/**
 * The versions that `latest`, or a range, may mean, the best first. `latest` prefers releases to pre-releases; a range has
 * its own rule for them. What is deprecated or archived counts only where nothing else is left.
 */
export function fitting(model: ModelState, range: string | undefined): VersionState[] {
  const matches = range === undefined ? undefined : tryVersionRange(range);
  const all = newestFirst(model.versions.values()).filter(({ version }) => !matches || matches(version));
  const inUse = all.filter(({ deprecated, stages }) => !deprecated && !stages.includes('archived'));
  const candidates = inUse.length > 0 ? inUse : all;
  const releases = candidates.filter(({ version }) => !version.includes('-'));
  return matches || releases.length === 0 ? candidates : releases;
}

/** The version that `latest` means, the first that `fitting` gives; undefined for a model without versions. */
export function latestOf(model: ModelState): VersionState | undefined {
  let best: { version: VersionState; rank: number; number: VersionNumber } | undefined;
  for (const version of model.versions.values()) {
    const rank = rankOf(version);
    if (best && rank < best.rank) continue;
    const number = parseVersion(version.version);
    if (!best || rank > best.rank || compareVersions(number, best.number) > 0) best = { version, rank, number };
  }
  return best?.version;
}

function rankOf({ version, deprecated, stages }: VersionState): number {
  const inUse = !deprecated && !stages.includes('archived');
  return (inUse ? 2 : 0) + (version.includes('-') ? 0 : 1);
}
