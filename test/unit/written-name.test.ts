import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isOneOnDisk, type NamesOnDisk, WrittenNames } from '../../src/workspace/written-name.js';

/** A disk with these files, and the directories above them, that finds names by what `fold` makes of them. */
function disk(paths: readonly string[], fold: (name: string) => string): NamesOnDisk {
  const all = new Set(paths.flatMap((path) => path.split('/').map((_, at, names) => names.slice(0, at + 1).join('/'))));
  const key = (path: string): string => path.split('/').map(fold).join('/');
  const byKey = new Map([...all].map((path) => [key(path), path]));
  const parent = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')));
  return {
    exists: (path) => byKey.has(key(path)),
    names: (directory) =>
      [...all]
        .filter((path) => key(parent(path)) === key(directory))
        .map((path) => path.slice(path.lastIndexOf('/') + 1)),
  };
}

const ignoringCase = (name: string): string => name.normalize('NFC').toLowerCase();
const asWritten = (name: string): string => name;
const otherwise = (paths: readonly string[], path: string, fold = ignoringCase): string | undefined =>
  new WrittenNames(disk(paths, fold)).otherwise(path);

describe('a path on a disk that ignores case', () => {
  it.each([
    ['DATA', 'data'],
    ['data', undefined],
    ['MODELS/fraud.pkl', 'models/Fraud.pkl'],
    ['models/fraud.pkl', 'models/Fraud.pkl'],
    ['Models/Fraud.pkl', 'models/Fraud.pkl'],
    ['models/Fraud.pkl', undefined],
    ['nowhere', undefined],
    ['2024', undefined],
    ['Über', 'u\u0308ber'],
    ['U\u0308BER', 'u\u0308ber'],
  ])('%s is written there as %s', (path, written) => {
    expect(otherwise(['data/x', 'models/Fraud.pkl', '2024/1', 'u\u0308ber'], path)).toBe(written);
  });

  it('is one with what differs from it only in case, and with nothing else', () => {
    const names = disk(['data', 'other'], ignoringCase);
    expect(
      [
        ['data', 'DATA'],
        ['data', 'data'],
        ['data', 'other'],
        ['gone', 'GONE'],
      ].map(([left = '', right = '']) => isOneOnDisk(names, left, right)),
    ).toEqual([true, false, false, false]);
    expect(isOneOnDisk(disk(['data', 'DATA'], asWritten), 'data', 'DATA')).toBe(false);
  });
});

const name = fc.constantFrom('a', 'A', 'b', 'é', 'É', 'e\u0301', 'ß', 'İ', '1');
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join('/'));

it('on a disk that tells all names apart every path is written as it is given', () => {
  fc.assert(
    fc.property(fc.array(path, { maxLength: 8 }), path, (paths, asked) => {
      expect(otherwise(paths, asked, asWritten)).toBeUndefined();
    }),
  );
});

it('on a disk that does not, what is there is found as it is written, however it is named', () => {
  fc.assert(
    fc.property(fc.uniqueArray(path, { maxLength: 6, selector: ignoringCase }), fc.nat(), (paths, at) => {
      const written = paths.filter((each, index) => index === at % Math.max(1, paths.length) && !each.includes('/'));
      for (const each of written) {
        expect(otherwise(written, each)).toBeUndefined();
        for (const other of [each.toUpperCase(), each.toLowerCase(), each.normalize('NFD')]) {
          if (ignoringCase(other) === ignoringCase(each)) {
            expect(otherwise(written, other)).toBe(other === each ? undefined : each);
          }
        }
      }
    }),
  );
});
