// The package as a whole is some forty files.
import SemVerRange from 'semver/classes/range.js';
import validRange from 'semver/ranges/valid.js';
import { compareVersions, isFivePart, tryVersion, type VersionNumber } from './version-number.js';

/** Says of a version whether it lies in a range. */
export type VersionRange = (version: string) => boolean;

const COMPARATOR = /^(\^|~|>=|<=|>|<|=)?\s*v?(\d+|[xX*])((?:\.(?:\d+|[xX*])){0,4})(?:-([0-9a-z.-]+))?$/;
const LONGEST = 256;

/**
 * Reads a range: `^1.2`, `~1.4.0`, `>=1.2 <2`, `1.x`, `*`, alternatives with `||`; for five-part versions with up to
 * five parts (`~1.2.0.4`: any experiment on that data). A range of up to three parts also takes five-part versions.
 * Pre-releases are in a range only where one of its own versions is a pre-release of the same numbers, as SemVer's
 * tools have it. Undefined for a text that is no range. Pure.
 */
export function tryVersionRange(text: string): VersionRange | undefined {
  if (text.length > LONGEST || text.trim() === '') return undefined;
  const three = validRange(text) === null ? undefined : new SemVerRange(text);
  const five = fivePartRange(text);
  if (!three && !five) return undefined;
  return (version) => {
    const parsed = tryVersion(version);
    if (!parsed) return false;
    if (isFivePart(parsed) || !three) return five?.(parsed) ?? false;
    return three.test(version);
  };
}

type Bound = { atLeast: boolean; than: VersionNumber; inclusive: boolean };

function fivePartRange(text: string): ((version: VersionNumber) => boolean) | undefined {
  const alternatives: Bound[][] = [];
  for (const alternative of text.split('||')) {
    const words = alternative
      .trim()
      .replace(/([<>=^~])\s+/g, '$1')
      .split(/\s+/);
    const bounds = words.map(boundsOf);
    if (bounds.some((bound) => bound === undefined)) return undefined;
    alternatives.push(bounds.flatMap((bound) => bound ?? []));
  }
  return (version) => alternatives.some((bounds) => bounds.every(holds(version)) && mayBePrerelease(version, bounds));
}

function holds(version: VersionNumber): (bound: Bound) => boolean {
  return ({ atLeast, than, inclusive }) => {
    const order = compareVersions(version, than);
    if (order === 0) return inclusive;
    return atLeast ? order > 0 : order < 0;
  };
}

function mayBePrerelease(version: VersionNumber, bounds: readonly Bound[]): boolean {
  if (version.prerelease.length === 0) return true;
  const sameNumbers = ({ than }: Bound): boolean => version.numbers.every((number, at) => number === than.numbers[at]);
  return bounds.some((bound) => !isLowest(bound.than) && bound.than.prerelease.length > 0 && sameNumbers(bound));
}

/** Upper bounds end before the lowest pre-release of what they name. */
const LOWEST = [0];

function isLowest({ prerelease }: VersionNumber): boolean {
  return prerelease.length === 1 && prerelease[0] === LOWEST[0];
}

function boundsOf(word: string): Bound[] | undefined {
  const match = COMPARATOR.exec(word);
  if (!match) return undefined;
  const [, operator = '', first = '', rest = '', prerelease] = match;
  const given = [first, ...rest.split('.').slice(1)];
  const wild = given.findIndex((part) => !/^\d+$/.test(part));
  const numbers = (wild < 0 ? given : given.slice(0, wild)).map(Number);
  const version = tryVersion(`${filled(numbers).join('.')}${prerelease === undefined ? '' : `-${prerelease}`}`);
  if (!version || (prerelease !== undefined && numbers.length < 3)) return undefined;
  return boundsFor(operator, version, numbers.length);
}

function boundsFor(operator: string, version: VersionNumber, given: number): Bound[] {
  const from = (inclusive = true): Bound => ({ atLeast: true, than: version, inclusive });
  const below = (index: number): Bound[] =>
    index < 0 ? [] : [{ atLeast: false, than: raised(version, index), inclusive: false }];
  // What a partial version means ends where its last part is raised.
  const last = given - 1;
  switch (operator) {
    case '>=':
      return [from()];
    case '<':
      return [{ atLeast: false, than: version.prerelease.length > 0 ? version : lowest(version), inclusive: false }];
    case '>':
      return given < 5
        ? last < 0
          ? below(0)
          : [{ atLeast: true, than: raised(version, last), inclusive: true }]
        : [from(false)];
    case '<=':
      return given < 5 ? below(last) : [{ atLeast: false, than: version, inclusive: true }];
    case '~':
      return [from(), ...below(given > 3 ? given - 2 + (given === 4 ? 1 : 0) : Math.min(last, 1))];
    case '^': {
      const leading = version.numbers.findIndex((number) => number > 0);
      return [from(), ...below(leading < 0 || leading > last ? last : leading)];
    }
    default:
      return given < 5 ? [from(), ...below(last)] : [from(), { atLeast: false, than: version, inclusive: true }];
  }
}

function filled(numbers: readonly number[]): number[] {
  return [...numbers, 0, 0, 0, 0, 0].slice(0, 5);
}

function raised({ numbers }: VersionNumber, index: number): VersionNumber {
  return lowest({
    numbers: numbers.map((number, at) => (at < index ? number : at === index ? number + 1 : 0)),
    prerelease: [],
  });
}

function lowest({ numbers }: VersionNumber): VersionNumber {
  return { numbers, prerelease: LOWEST };
}
