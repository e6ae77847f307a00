import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ColumnAccumulator } from '../../src/provenance/column-profile.js';
import type { DataProfile } from '../../src/provenance/data-profile.js';
import { driftBetween } from '../../src/provenance/drift.js';

type Row = Record<string, string>;

function profileOf(rows: readonly Row[], malformed = 0): DataProfile {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const columns = names.map((name) => {
    const column = new ColumnAccumulator(name, 10);
    for (const row of rows) column.addText(row[name] ?? '');
    return column.finish(rows.length);
  });
  return {
    format: 'csv',
    rows: rows.length,
    complete: true,
    columns,
    malformed: { count: malformed, first: [] },
    notes: [],
  };
}

const repeat = (row: Row, times: number): Row[] => Array.from({ length: times }, () => row);

const cell = fc.constantFrom('', '1', '2', '2.5', 'x', 'y', 'true', '2024-01-01', '2024-02-01T00:00:00Z');
const table = fc
  .array(fc.dictionary(fc.constantFrom('a', 'b', 'c'), cell), { minLength: 1, maxLength: 12 })
  .map((rows) => profileOf(rows));

describe('drift between two versions of a table', () => {
  it('is nothing between a table and itself', () => {
    fc.assert(
      fc.property(table, (profile) => {
        expect(driftBetween(profile, profile)).toEqual([]);
      }),
    );
  });

  it('turned round, takes away what it added, and concerns the same columns but for what became narrower', () => {
    fc.assert(
      fc.property(table, table, (one, other) => {
        const forth = driftBetween(one, other);
        const back = driftBetween(other, one);
        const columns = (findings: typeof forth, what: string): string[] =>
          findings
            .filter((each) => each.what === what)
            .map(({ column = '' }) => column)
            .sort();
        expect(columns(forth, 'added')).toEqual(columns(back, 'removed'));
        for (const what of ['type', 'range', 'nulls', 'values', 'shares']) {
          expect(columns(forth, what)).toEqual(columns(back, what));
        }
      }),
    );
  });

  it('is none when rows are only left out of the range, the values and the nulls that were', () => {
    const before = profileOf([...repeat({ n: '1' }, 5), ...repeat({ n: '9' }, 5)]);
    const after = profileOf([...repeat({ n: '2' }, 3), ...repeat({ n: '8' }, 3)]);
    expect(driftBetween(before, after)).toEqual([
      { what: 'rows', drift: false, before: 10, after: 6 },
      { what: 'range', column: 'n', drift: false, before: [1, 9], after: [2, 8] },
    ]);
  });

  it('is a value outside the range, in numbers and in time', () => {
    const of = (n: string, day: string): DataProfile => profileOf([{ n, day }]);
    expect(driftBetween(of('1', '2024-01-01'), of('2', '2024-01-02'))).toMatchObject([
      { what: 'range', column: 'n', drift: true },
      { what: 'range', column: 'day', drift: true, before: ['2024-01-01', '2024-01-01'] },
    ]);
  });

  it('is a null where there was none, and a share that moved beyond the limit', () => {
    const of = (nulls: number): DataProfile =>
      profileOf([...repeat({ n: '' }, nulls), ...repeat({ n: '1' }, 1000 - nulls)]);
    expect(driftBetween(of(0), of(1))).toEqual([{ what: 'nulls', column: 'n', drift: true, before: 0, after: 0.001 }]);
    expect(driftBetween(of(100), of(105))).toEqual([]);
    expect(driftBetween(of(100), of(130))).toMatchObject([{ what: 'nulls', drift: true }]);
    expect(driftBetween(of(100), of(130), { nulls: 0.05, shares: 1 })).toEqual([]);
    expect(driftBetween(of(1), of(0))).toMatchObject([{ what: 'nulls', drift: false }]);
  });

  it('is a value that came or went, and a clear shift', () => {
    const of = (a: number, b: number, c = 0): DataProfile =>
      profileOf([...repeat({ v: 'a' }, a), ...repeat({ v: 'b' }, b), ...repeat({ v: 'c' }, c)]);
    expect(driftBetween(of(5, 5), of(5, 5, 1))).toMatchObject([
      { what: 'rows' },
      { what: 'values', column: 'v', drift: true, before: [], after: ['c'] },
    ]);
    expect(driftBetween(of(5, 5), of(9, 1))).toEqual([
      { what: 'shares', column: 'v', drift: true, before: { a: 0.5, b: 0.5 }, after: { a: 0.9, b: 0.1 } },
    ]);
    expect(driftBetween(of(50, 50), of(51, 49))).toEqual([]);
  });

  it('is a column whose values became too many to be counted', () => {
    const many = profileOf(Array.from({ length: 40 }, (_, at) => ({ v: `x${at}` })));
    const few = profileOf(repeat({ v: 'x0' }, 40));
    expect(driftBetween(few, many)).toMatchObject([{ what: 'values', drift: true, before: 1, after: 'more than 10' }]);
  });

  it('is another type, malformed rows where there were fewer, and a table that became empty', () => {
    expect(driftBetween(profileOf([{ n: '1' }]), profileOf([{ n: 'one' }]))).toEqual([
      { what: 'type', column: 'n', drift: true, before: 'int', after: 'string' },
    ]);
    expect(driftBetween(profileOf([{ n: '1' }]), profileOf([{ n: '1' }], 2))).toMatchObject([
      { what: 'malformed', drift: true },
    ]);
    expect(driftBetween(profileOf([{ n: '1' }], 2), profileOf([{ n: '1' }]))).toMatchObject([{ drift: false }]);
    const empty = { ...profileOf([{ n: '' }]), rows: 0 };
    expect(driftBetween(profileOf([{ n: '1' }]), empty)).toEqual([{ what: 'rows', drift: true, before: 1, after: 0 }]);
  });
});
