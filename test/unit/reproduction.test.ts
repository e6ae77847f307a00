import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { requestOfRecord } from '../../src/provenance/repeat-run.js';
import { compareMetrics, findingsOf, verdictOf } from '../../src/provenance/reproduction.js';
import { chainOf, judgesOf } from '../../src/provenance/run-chain.js';
import type { RunRecord } from '../../src/provenance/run-record.js';
import type { StoredRun } from '../../src/provenance/run-store.js';
import { formatTolerance, isWithinTolerance, parseTolerances, toleranceOf } from '../../src/provenance/tolerance.js';

describe('tolerances', () => {
  it('are shares or amounts, for all metrics or for one; the last word counts', () => {
    const read = parseTolerances(['2%', 'auc=0.01', 'a=b=1e-3', 'seconds=any', 'auc=.5%']);
    const text = (name: string): string => formatTolerance(toleranceOf(name, read));
    expect(['loss', 'auc', 'a=b', 'seconds'].map(text)).toEqual(['2%', '0.5%', '0.001', 'any']);
    expect(formatTolerance(parseTolerances([]).all)).toBe('1%');
  });

  it('refuse anything else', () => {
    for (const text of ['', 'much', '-1', '1 %x', 'auc=', '=1', 'auc=-1%', 'NaN', 'Infinity', '0x10', '1,5']) {
      expect(() => parseTolerances([text]), text).toThrow(expect.objectContaining({ code: 'USAGE' }));
    }
  });

  it('forgive what binary fractions add, and nothing where they are 0', () => {
    expect(isWithinTolerance(0.91, 0.92, { amount: 0.01, relative: false })).toBe(true);
    expect(isWithinTolerance(0.1 + 0.2, 0.3, { amount: 0, relative: false })).toBe(false);
    expect(isWithinTolerance(-200, -202, { amount: 0.01, relative: true })).toBe(true);
    expect(isWithinTolerance(0, 0.001, { amount: 0.5, relative: true })).toBe(false);
    const any = parseTolerances(['any']).all;
    fc.assert(
      fc.property(fc.double({ noNaN: true }), fc.double({ noNaN: true }), (a, b) => isWithinTolerance(a, b, any)),
    );
  });
});

describe('the verdict', () => {
  const output = (same: boolean, artifact = true) => ({
    path: 'm',
    before: 'blake3:aa',
    after: 'blake3:bb',
    same,
    artifact,
  });
  const figures = (after: Record<string, number>) =>
    compareMetrics(
      { auc: { value: 0.9 }, constructor: { value: 1 } } as never,
      values(after),
      parseTolerances(['auc=0.01']),
    );
  const values = (of: Record<string, number>) =>
    Object.fromEntries(Object.entries(of).map(([name, value]) => [name, { value }]));

  it('is of the artifacts alone, and of the figures only where these differ', () => {
    expect(verdictOf([output(true), output(false, false)], figures({}))).toBe('bit-identical');
    expect(verdictOf([output(true), output(false)], figures({ auc: 0.905, constructor: 1 }))).toBe('equivalent');
    expect(verdictOf([output(false)], figures({ auc: 0.92, constructor: 1 }))).toBe('different');
    expect(verdictOf([output(false)], figures({ auc: 0.9 }))).toBe('different');
    expect(verdictOf([output(false)], [])).toBe('different');
    expect(verdictOf([], [])).toBe('different');
  });

  it('says what was found', () => {
    expect(findingsOf([output(true)], figures({}))).toEqual([]);
    expect(findingsOf([output(false)], [])).toEqual(['m is blake3:bb, was blake3:aa', 'no figures to compare']);
    expect(findingsOf([output(false)], figures({ auc: 0.95 })).slice(1)).toEqual([
      'auc is 0.95, was 0.9, NOT within 0.01',
      'constructor is missing, was 1',
    ]);
  });
});

describe('the request of a record', () => {
  it('writes nothing outside of the repository, whatever the run is called', () => {
    const record = { command: 'x', directory: '', inputs: [], outputs: [], params: [], metrics_files: [] };
    const receipt = (name: string) => requestOfRecord({ ...record, name } as unknown as RunRecord).receipt;
    expect([receipt('judge'), receipt('../../x'), receipt('/x'), receipt('.git/x')]).toEqual([
      'judge.run',
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe('the chain of runs', () => {
  const run = (name: string, inputs: string[], outputs: string[], metrics = false): StoredRun => ({
    run: { oid: `blake3:${name}` as never, size: 0, files: 1, key: '' },
    files: new Map(),
    record: {
      name,
      inputs: inputs.map((each) => ({ path: each.split('@')[0], oid: each, kind: 'tracked' })),
      outputs: outputs.map((each) => ({ path: each.split('@')[0], oid: each, size: 1 })),
      metrics_files: [],
      metrics: metrics ? { auc: { value: 1 } } : {},
    } as unknown as RunRecord,
  });
  const fetched = run('fetch', [], ['raw@1']);
  const older = run('older', [], ['raw@0']);
  const prepare = run('prepare', ['raw@1'], ['data@1']);
  const train = run('train', ['data/train.csv@2', 'raw@1'], ['model@1']);
  const judge = run('judge', ['model@1'], [], true);
  const other = run('other', ['model@0'], [], true);
  const known = [judge, train, prepare, older, fetched, other];
  const names = (runs: readonly StoredRun[]) => runs.map(({ record }) => record.name);

  it('leads from the data to what was asked for, each run once, makers first', () => {
    expect(names(chainOf([train], known))).toEqual(['fetch', 'prepare', 'train']);
    expect(names(chainOf([judge], known))).toEqual(['fetch', 'prepare', 'train', 'judge']);
  });

  it('ends for runs that need each other', () => {
    const one = run('one', ['b@1'], ['a@1']);
    const two = run('two', ['a@1'], ['b@1']);
    expect(names(chainOf([one], [one, two]))).toEqual(['two', 'one']);
  });

  it('finds what judges an output, by its content', () => {
    expect(names(judgesOf([train], known))).toEqual(['judge']);
  });
});
