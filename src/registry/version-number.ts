import { MlvError } from '../core/errors.js';

/** The parts of a five-part version, the first three of which a SemVer version has, too. */
const VERSION_PARTS = ['major', 'minor', 'patch', 'data', 'experiment'] as const;
export type VersionPart = (typeof VERSION_PARTS)[number];

/** A version's number, taken apart. */
export interface VersionNumber {
  /** Three numbers (SemVer), or five: MAJOR.MINOR.PATCH.DATA.EXPERIMENT. */
  numbers: readonly number[];
  /** Identifiers of the pre-release; empty for a release. */
  prerelease: readonly (string | number)[];
}

const VERSION =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:\.(0|[1-9]\d*)\.(0|[1-9]\d*))?(?:-([0-9a-z-]+(?:\.[0-9a-z-]+)*))?$/;
const LONGEST = 100;

/** A version's number taken apart, or undefined for what is none. */
export function tryVersion(text: string): VersionNumber | undefined {
  const match = text.length <= LONGEST && !text.endsWith('.lock') ? VERSION.exec(text) : null;
  if (!match) return undefined;
  const numbers = match
    .slice(1, 6)
    .filter((part) => part !== undefined)
    .map(Number);
  const identifiers = match[6]?.split('.') ?? [];
  if (!numbers.every(Number.isSafeInteger) || identifiers.some(isPadded)) return undefined;
  return { numbers, prerelease: identifiers.map((word) => (/^\d+$/.test(word) ? Number(word) : word)) };
}

function isPadded(identifier: string): boolean {
  return /^0\d+$/.test(identifier) || (/^\d+$/.test(identifier) && !Number.isSafeInteger(Number(identifier)));
}

/**
 * Takes a version's number apart: SemVer 2.0 or five parts, with an optional pre-release in lower case. Build metadata
 * (`+…`) is refused: two versions would have the same precedence. Error: `VERSION_INVALID`.
 */
export function parseVersion(text: string): VersionNumber {
  const version = tryVersion(text);
  if (version) return version;
  const suggested = suggestionFor(text);
  throw new MlvError('VERSION_INVALID', `'${text}' is not a version: ${reasonFor(text)}`, {
    hint: suggested === undefined ? 'for example: 1.4.0, 1.4.0-rc.1 or 1.4.0.2.17' : `did you mean ${suggested}?`,
    data: { version: text },
  });
}

function reasonFor(text: string): string {
  if (text.length > LONGEST) return `it is longer than ${LONGEST} characters`;
  if (text.includes('+')) return "build metadata ('+…') is not taken";
  if (/[A-Z]/.test(text)) return 'upper-case letters are not taken';
  return 'it must be MAJOR.MINOR.PATCH or MAJOR.MINOR.PATCH.DATA.EXPERIMENT, with an optional -pre-release';
}

function suggestionFor(text: string): string | undefined {
  const plain = text.trim().toLowerCase().replace(/^v/, '').replace(/\+.*$/, '');
  const filled = /^\d+(?:\.\d+)?$/.test(plain) ? `${plain}${plain.includes('.') ? '.0' : '.0.0'}` : plain;
  return tryVersion(filled) ? filled : undefined;
}

/** The text of a version's number. */
export function formatVersion({ numbers, prerelease }: VersionNumber): string {
  return numbers.join('.') + (prerelease.length > 0 ? `-${prerelease.join('.')}` : '');
}

/** True for MAJOR.MINOR.PATCH.DATA.EXPERIMENT. */
export function isFivePart(version: VersionNumber): boolean {
  return version.numbers.length === 5;
}

/**
 * Negative, zero or positive as `left` comes before, is, or comes after `right`, by SemVer's precedence; the two last
 * parts of a version that has three count as 0.
 */
export function compareVersions(left: VersionNumber, right: VersionNumber): number {
  for (let index = 0; index < 5; index += 1) {
    const difference = (left.numbers[index] ?? 0) - (right.numbers[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return comparePrereleases(left.prerelease, right.prerelease);
}

function comparePrereleases(left: VersionNumber['prerelease'], right: VersionNumber['prerelease']): number {
  if (left.length === 0 || right.length === 0) return right.length - left.length;
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const [one, other] = [left[index], right[index]];
    if (one === undefined) return -1;
    if (other === undefined) return 1;
    if (one === other) continue;
    if (typeof one === 'number') return typeof other === 'number' ? one - other : -1;
    return typeof other === 'number' || one > other ? 1 : -1;
  }
  return 0;
}

/**
 * The next version after a part was raised: the parts behind it become 0. A pre-release that leads up to that version
 * becomes it (`1.4.0-rc.1` with `minor` gives `1.4.0`). A three-part version counts `data` as `minor` and `experiment`
 * as `patch`.
 */
export function bumpVersion(version: VersionNumber, part: VersionPart): VersionNumber {
  const five = isFivePart(version);
  const index = VERSION_PARTS.indexOf(
    five ? part : (({ data: 'minor', experiment: 'patch' } as const)[part as 'data'] ?? part),
  );
  const leadsUp = version.prerelease.length > 0 && version.numbers.slice(index + 1).every((number) => number === 0);
  if (leadsUp) return { numbers: version.numbers, prerelease: [] };
  const numbers = version.numbers.map((number, at) => (at < index ? number : at === index ? number + 1 : 0));
  return { numbers, prerelease: [] };
}
