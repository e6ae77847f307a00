import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { type HashFunction, loadHash } from '../../src/objects/hash.js';
import { parseMetricLog } from '../../src/provenance/metric-log.js';
import { differencesBetween, type RunQuestion, runKey } from '../../src/provenance/run-key.js';
import { formatRunRecord, isSafePath, parseRunRecord, type RunRecord } from '../../src/provenance/run-record.js';
import { seedsOf } from '../../src/provenance/seeds.js';
import { goldenRun } from '../helpers/golden-run.js';

let hash: HashFunction;

beforeAll(async () => {
  hash = await loadHash('blake3');
});

const question: RunQuestion = {
  command: ['a'],
  directory: '',
  inputs: [
    { path: 'x', oid: `blake3:${'1'.repeat(64)}` },
    { path: 'y', oid: `blake3:${'2'.repeat(64)}` },
  ],
  params: [{ path: 'p.yaml', values: { b: 1, a: [1, 'two'] } }],
  outputs: ['o', 'n'],
  metrics: [],
};

describe('the record of a run', () => {
  it('is what the golden file says, byte for byte', () => {
    const golden = readFileSync(new URL('../../fixtures/golden/run.json', import.meta.url));
    expect(formatRunRecord(goldenRun(hash)).toString()).toBe(golden.toString());
    expect(parseRunRecord(golden, 'it')).toEqual(goldenRun(hash));
  });

  it('keeps keys that it does not know', () => {
    const more = { ...goldenRun(hash), later: { a: 1 } } as RunRecord;
    expect(parseRunRecord(formatRunRecord(more), 'it')).toEqual(more);
  });

  it('comes back with whatever names, values and words are in it', () => {
    const text = fc.string({ unit: 'grapheme' });
    fc.assert(
      fc.property(
        fc.array(text, { minLength: 1 }),
        fc.dictionary(text, fc.oneof(text, fc.integer())),
        (command, values) => {
          const params = [{ path: 'p', values }];
          const record = { ...goldenRun(hash), command, params };
          expect(parseRunRecord(formatRunRecord(record), 'it')).toEqual(record);
        },
      ),
    );
  });

  it.each([
    ['no JSON', '{'],
    ['a list', '[]'],
    ['an output that leaves the repository', { outputs: [{ path: '../x', oid: `blake3:${'1'.repeat(64)}`, size: 1 }] }],
    ['an output inside .git', { outputs: [{ path: '.GIT/config', oid: `blake3:${'1'.repeat(64)}`, size: 1 }] }],
    ['a metrics file at the root', { metrics_files: [{ path: '/etc/passwd' }] }],
    ['a key that is a path', { key: '../../x' }],
    ['a command of nothing', { command: [] }],
    ['no inputs', { inputs: undefined }],
    ['packages that are no list', { environment: { packages: null } }],
    ['variables that are no texts', { environment: { variables: { A: { toString: 1 } } } }],
  ])('is refused with %s', (_, change) => {
    const bytes =
      typeof change === 'string' ? Buffer.from(change) : Buffer.from(JSON.stringify({ ...goldenRun(hash), ...change }));
    expect(() => parseRunRecord(bytes, 'it')).toThrow(expect.objectContaining({ code: 'RECORD_INVALID' }));
  });

  it('of a later format is refused as such', () => {
    expect(() => parseRunRecord(Buffer.from('{"mlv_run": 2}'), 'it')).toThrow(
      expect.objectContaining({ code: 'FORMAT_TOO_NEW' }),
    );
  });

  it.each(['a', 'a/b.c', 'é', '.github/x'])('takes the path %s', (path) => expect(isSafePath(path)).toBe(true));
  it.each(['', '/a', 'a/../b', './a', 'a//b', 'a\\b', '.git/x', 'a\0'])('refuses the path %j', (path) =>
    expect(isSafePath(path)).toBe(false),
  );
});

describe('the key of a run', () => {
  it('does not depend on the order in which things were named', () => {
    const other: RunQuestion = {
      ...question,
      inputs: [...question.inputs].reverse(),
      params: [{ path: 'p.yaml', values: { a: [1, 'two'], b: 1 } }],
      outputs: ['n', 'o'],
    };
    expect(runKey(other, hash)).toBe(runKey(question, hash));
    expect(differencesBetween(question, other)).toEqual([]);
  });

  const changes: [string, Partial<RunQuestion>, string][] = [
    ['command', { command: 'a' }, 'the command changed'],
    ['directory', { directory: 'sub' }, 'it runs in another directory'],
    ['variables', { env: { A: '1' } }, 'its environment variables changed'],
    ['inputs', { inputs: question.inputs.slice(1) }, 'input x changed'],
    ['params', { params: [{ path: 'p.yaml', values: { b: 2, a: [1, 'two'] } }] }, 'parameter p.yaml:b changed'],
    ['outputs', { outputs: ['o'] }, 'its outputs are other ones'],
    ['metrics', { metrics: ['m.json'] }, 'its metrics files are other ones'],
  ];
  it.each(changes)('depends on the %s, and the reason can be told', (_, change, reason) => {
    expect(runKey({ ...question, ...change }, hash)).not.toBe(runKey(question, hash));
    expect(differencesBetween(question, { ...question, ...change })).toEqual([reason]);
  });
});

describe('the log of mlv_log.py', () => {
  it('gives the last value of each metric, the parameters, and passes over a last line that was cut', () => {
    const lines = [
      '{"param": "lr", "value": 0.1}',
      '{"metric": "loss", "value": 2, "step": 1}',
      '{"metric": "loss", "value": 1, "step": 2}',
      '{"metric": "__proto__", "value": 3}',
      '{"metric": "lo',
    ];
    const { metrics, params } = parseMetricLog(lines.join('\n'), 'log.jsonl');
    expect(Object.entries(metrics)).toEqual([
      ['loss', { value: 1, better: 'lower' }],
      ['__proto__', { value: 3 }],
    ]);
    expect(params).toEqual({ lr: 0.1 });
  });

  it.each([
    ['{"metric": "x", "value": "high"}\n', /line 1: the metric 'x' is "high"/],
    ['\n[1]\n{}', /line 2: it is not a JSON object/],
    ['{"value": 1}\n', /line 1: it is neither/],
  ])('is refused: %j', (text, message) => {
    expect(() => parseMetricLog(text, 'log.jsonl')).toThrow(message);
  });
});

it('finds seeds by the end of their names', () => {
  const values = { 'train.seed': 1, random_state: 2, numpySeed: 3, seedling: 4, seeds: [5] };
  expect(seedsOf([{ path: 'p', values }], { variables: { PYTHONHASHSEED: '0' } })).toEqual({
    'train.seed': 1,
    random_state: 2,
    numpySeed: 3,
    seeds: [5],
    PYTHONHASHSEED: '0',
  });
});
