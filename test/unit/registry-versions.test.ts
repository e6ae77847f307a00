import fc from 'fast-check';
import semver from 'semver';
import { describe, expect, it } from 'vitest';
import { checkModelName, isStageName, modelNameProblem } from '../../src/registry/model-name.js';
import {
  bumpVersion,
  compareVersions,
  formatVersion,
  parseVersion,
  tryVersion,
} from '../../src/registry/version-number.js';
import { tryVersionRange } from '../../src/registry/version-range.js';

const small = fc.nat(3);
const identifier = fc.constantFrom('0', '1', '2', '10', 'a', 'b', 'rc', 'rc1', '-');
const prerelease = fc.oneof(
  fc.constant(''),
  fc.array(identifier, { minLength: 1, maxLength: 3 }).map((each) => `-${each.join('.')}`),
);
const three = fc.tuple(small, small, small, prerelease).map(([a, b, c, pre]) => `${a}.${b}.${c}${pre}`);
const five = fc
  .tuple(small, small, small, small, small, prerelease)
  .map(([a, b, c, d, e, pre]) => `${a}.${b}.${c}.${d}.${e}${pre}`);

describe('names of models', () => {
  it.each(['fraud', 'fraud-v2', 'a.b_c', '2nd', 'x'.repeat(100)])('take %s', (name) => {
    expect(checkModelName(name)).toBe(name);
  });
  it.each([
    '',
    'Fraud',
    '.',
    '..',
    '../x',
    'a/b',
    'a\\b',
    'con',
    'nul',
    'com1',
    'a.lock',
    '-a',
    'a-',
    'a..b',
    'a@b',
    'a b',
    'é',
    'a\n',
    'x'.repeat(101),
  ])('refuse %j', (name) =>
    expect(() => checkModelName(name)).toThrow(expect.objectContaining({ code: 'MODEL_NAME_INVALID' })),
  );
  it('suggest one that works', () => {
    expect(() => checkModelName('Fraud Detection!')).toThrow(
      expect.objectContaining({ hint: 'for example: fraud-detection' }),
    );
  });
  it('never make a path or ref that leaves its place', () => {
    fc.assert(
      fc.property(fc.string(), (name) => {
        if (modelNameProblem(name) === undefined) expect(name).toMatch(/^[a-z0-9][a-z0-9._-]*$/);
      }),
    );
  });
  it('of stages leave words with a meaning alone', () => {
    expect(['production', 'eu_west', 'a1'].every(isStageName)).toBe(true);
    expect(['latest', 'none', '1.0.0', 'Prod', '', 'a@b'].some(isStageName)).toBe(false);
  });
});

describe('version numbers', () => {
  it.each(['1.0.0', '0.1.0-rc.1', '1.2.3.4.5', '1.2.3.4.5-alpha'])('take %s', (text) => {
    expect(formatVersion(parseVersion(text))).toBe(text);
  });
  it.each([
    '1',
    '1.0',
    '1.2.3.4',
    'v1.0.0',
    '1.0.0+build',
    '01.0.0',
    '1.0.0-RC1',
    '1.0.0-a.lock',
    '1.0.0-',
    '1.0.0-01',
    '9007199254740993.0.0',
    '',
    'x',
    '1.0.0\n',
  ])('refuse %j', (text) =>
    expect(() => parseVersion(text)).toThrow(expect.objectContaining({ code: 'VERSION_INVALID' })),
  );
  it('are ordered as SemVer orders them', () => {
    fc.assert(
      fc.property(three, three, (left, right) => {
        expect(Math.sign(compareVersions(parseVersion(left), parseVersion(right)))).toBe(semver.compare(left, right));
      }),
    );
  });
  it('of five parts are in a total order', () => {
    fc.assert(
      fc.property(five, five, five, (a, b, c) => {
        const [x, y, z] = [parseVersion(a), parseVersion(b), parseVersion(c)];
        expect(Math.sign(compareVersions(x, y)) + Math.sign(compareVersions(y, x))).toBe(0);
        if (compareVersions(x, y) <= 0 && compareVersions(y, z) <= 0)
          expect(compareVersions(x, z)).toBeLessThanOrEqual(0);
        expect(compareVersions(x, y) === 0).toBe(a === b);
      }),
    );
  });
  it('grow with a bump, as SemVer bumps them', () => {
    fc.assert(
      fc.property(three, fc.constantFrom('major', 'minor', 'patch'), (version, part) => {
        expect(formatVersion(bumpVersion(parseVersion(version), part))).toBe(semver.inc(version, part));
      }),
    );
    const bump = (text: string, part: 'data' | 'experiment' | 'patch') =>
      formatVersion(bumpVersion(parseVersion(text), part));
    expect(bump('1.2.3.4.5', 'data')).toBe('1.2.3.5.0');
    expect(bump('1.2.3.4.5', 'experiment')).toBe('1.2.3.4.6');
    expect(bump('1.2.3.4.5', 'patch')).toBe('1.2.4.0.0');
    expect(bump('1.2.3', 'data')).toBe('1.3.0');
    expect(bump('1.2.3', 'experiment')).toBe('1.2.4');
  });
});

describe('ranges', () => {
  const operator = fc.constantFrom('^', '~', '>=', '<', '>', '<=', '', '=');
  const partial = fc.oneof(
    three,
    fc.tuple(small, small).map((each) => each.join('.')),
    small.map(String),
  );
  const range = fc
    .array(
      fc.tuple(operator, partial).map((each) => each.join('')),
      { minLength: 1, maxLength: 2 },
    )
    .map((each) => each.join(' '));

  it('take three-part versions as SemVer does', () => {
    fc.assert(
      fc.property(range, three, (text, version) => {
        expect(tryVersionRange(text)?.(version)).toBe(semver.satisfies(version, text));
      }),
    );
  });
  it('take a five-part release as they take its first three parts, where the range has no more', () => {
    const whole = fc
      .array(
        fc
          .tuple(
            fc.constantFrom('^', '~', '>=', '<'),
            fc.tuple(small, small, small).map((each) => each.join('.')),
          )
          .map((each) => each.join('')),
        { minLength: 1, maxLength: 2 },
      )
      .map((each) => each.join(' '));
    fc.assert(
      fc.property(whole, fc.tuple(small, small, small), (text, numbers) => {
        const accepts = tryVersionRange(text);
        expect(accepts?.(`${numbers.join('.')}.0.0`)).toBe(semver.satisfies(numbers.join('.'), text));
      }),
    );
  });
  it.each([
    ['^1.2.3.4.5', '1.9.0.0.0', true],
    ['^1.2.3.4.5', '1.2.3.4.4', false],
    ['^1.2.3.4.5', '2.0.0.0.0', false],
    ['~1.2.0.4', '1.2.0.4.9', true],
    ['~1.2.0.4', '1.2.0.5.0', false],
    ['~1.2.3.4.5', '1.2.3.4.9', true],
    ['~1.2.3.4.5', '1.2.3.5.0', false],
    ['>=1.2.0.1 <1.2.0.3', '1.2.0.2.7', true],
    ['>=1.2.0.1 <1.2.0.3', '1.2.0.3.0', false],
    ['^1.2', '1.2.0.3.1', true],
    ['^1.2', '1.2.0.3.1-rc.1', false],
    ['*', '4.0.0.0.1', true],
    ['1.x || 3.x', '3.1.0.0.0', true],
    ['1.2.3.4.5', '1.2.3.4.5', true],
  ])('%s and %s: %s', (text, version, expected) => expect(tryVersionRange(text)?.(version)).toBe(expected));
  it('refuse what is none, without an end', () => {
    fc.assert(
      fc.property(fc.string(), fc.oneof(three, five), (text, version) => {
        const accepts = tryVersionRange(text);
        if (accepts) expect(typeof accepts(version)).toBe('boolean');
      }),
    );
    expect(tryVersionRange('production')).toBeUndefined();
    expect(tryVersion('production')).toBeUndefined();
  });
});
