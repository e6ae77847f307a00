import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dotLines, mermaidLines, textLines } from '../../src/cli/render/pipeline.js';
import { parsePipeline, type Stage } from '../../src/provenance/pipeline-format.js';
import { buildPipeline, selectStages, upstreamOf } from '../../src/provenance/pipeline-graph.js';

const parse = (text: string) => parsePipeline(text, '/repo/mlv.yaml');
const stage = (name: string, more: Partial<Stage> = {}): Stage => ({
  name,
  command: 'true',
  deps: [],
  params: [],
  outs: [],
  metrics: [],
  line: 1,
  ...more,
});
const invalid = (message: RegExp) =>
  expect.objectContaining({ code: 'PIPELINE_INVALID', message: expect.stringMatching(message) });

describe('the stages of mlv.yaml', () => {
  it('are read with everything that they say', () => {
    const text = `mlv: 1
stages:
  prepare:
    cmd: python prepare.py && echo done
    deps: [./raw/, prepare.py]
    outs: data/
  train:
    cmd: [python, train.py]
    deps: [data]
    params: ['params.yaml:train,seed', other.toml]
    outs: [model.pkl]
    metrics: [metrics.json]
    env: {PYTHONHASHSEED: 0, FAST: true}
    desc: nightly
    source: {url: https://example.com}
`;
    expect(parse(text)).toEqual([
      stage('prepare', {
        command: 'python prepare.py && echo done',
        deps: ['raw', 'prepare.py'],
        outs: ['data'],
        line: 3,
      }),
      stage('train', {
        command: ['python', 'train.py'],
        deps: ['data'],
        params: [
          { path: 'params.yaml', keys: ['train', 'seed'] },
          { path: 'other.toml', keys: [] },
        ],
        outs: ['model.pkl'],
        metrics: ['metrics.json'],
        env: { PYTHONHASHSEED: '0', FAST: 'true' },
        desc: 'nightly',
        source: { url: 'https://example.com' },
        annotation: { urls: ['https://example.com'] },
        line: 7,
      }),
    ]);
  });

  it.each(['', 'mlv: 1\n', 'stages:\n', 'stages: {}\n'])('may be none: %j', (text) => expect(parse(text)).toEqual([]));

  it.each([
    ['no mapping', 'stages: [a]\n', /mlv\.yaml:1: 'stages' must be a mapping/],
    ['a name with a slash', 'stages:\n  ../x: {cmd: a}\n', /:2: '\.\.\/x' cannot be the name of a stage/],
    ['no command', 'stages:\n  a: {deps: [x]}\n', /:2: stage 'a': 'cmd' must be a line for the shell/],
    ['an unknown key', 'stages:\n  a:\n    cmd: x\n    otus: [y]\n', /:4: stage 'a': 'otus' .* did you mean 'outs'\?/],
    ['a path outside', 'stages:\n  a: {cmd: x, outs: [/etc/passwd]}\n', /'\/etc\/passwd' is not a path inside/],
    ['a path into .git', 'stages:\n  a: {cmd: x, deps: [.git/config]}\n', /not a path inside/],
    ['paths that are numbers', 'stages:\n  a: {cmd: x, deps: [1]}\n', /'deps' must be a list of texts/],
    ['an alias', 'x: &x [y]\nstages:\n  a: {cmd: x, deps: *x}\n', /alias/],
    [
      'a source with a credential',
      'stages:\n  a: {cmd: x, source: "https://u:p@h/x"}\n',
      /\*\*\*@h\/x' holds a credential/,
    ],
    ['a source with no licence', 'stages:\n  a: {cmd: x, source: {licence: Foo}}\n', /'Foo' is no SPDX licence/],
    ['a source that is a list', 'stages:\n  a: {cmd: x, source: [a]}\n', /'source' must be a URL or a mapping/],
    ['a variable with a list', 'stages:\n  a: {cmd: x, env: {A: [1]}}\n', /'env\.A' is not a variable/],
  ])('are refused with %s', (_, text, message) => expect(() => parse(text)).toThrow(invalid(message)));
});

describe('a pipeline', () => {
  it('runs what writes before what reads, also through directories, and otherwise as the file has it', () => {
    const stages = [
      stage('judge', { deps: ['model.pkl', 'data/test.csv'], metrics: ['metrics.json'] }),
      stage('report', { deps: ['metrics.json'] }),
      stage('train', { deps: ['data/train.csv'], outs: ['model.pkl'] }),
      stage('split', { params: [{ path: 'made/params.yaml', keys: [] }], outs: ['data'] }),
      stage('settings', { outs: ['made/params.yaml'] }),
      stage('alone'),
    ];
    const pipeline = buildPipeline(stages);
    expect(pipeline.stages.map(({ name }) => name)).toEqual(['settings', 'alone', 'split', 'train', 'judge', 'report']);
    expect(upstreamOf(pipeline, 'judge')).toEqual(['train', 'split']);
    expect(selectStages(pipeline, ['train']).map(({ name }) => name)).toEqual(['settings', 'split', 'train']);
    expect(() => selectStages(pipeline, ['tarin'])).toThrow(invalid(/there is no stage 'tarin'/));
  });

  it('may have figures of a stage inside its own output, and read a directory that it writes to', () => {
    const one = stage('a', { deps: ['src'], outs: ['src/out'], metrics: ['src/out/metrics.json'] });
    expect(buildPipeline([one]).edges).toEqual([]);
  });

  it.each([
    [
      'two stages that write the same',
      [stage('a', { outs: ['x'] }), stage('b', { outs: ['x'], line: 9 })],
      /:9: stage 'b'/,
    ],
    [
      'outputs inside outputs',
      [stage('a', { outs: ['x', 'x-y'] }), stage('b', { outs: ['x/y'], line: 9 })],
      /:9:.*'x\/y'/,
    ],
    [
      'a stage that reads its output',
      [stage('a', { deps: ['x/y'], outs: ['x'] })],
      /'a' reads 'x\/y', which it writes/,
    ],
    [
      'a cycle',
      [
        stage('first', { deps: ['c'] }),
        stage('a', { deps: ['c'], outs: ['a'], line: 4 }),
        stage('b', { deps: ['a'], outs: ['b'] }),
        stage('c', { deps: ['b'], outs: ['c'] }),
      ],
      /wait for one another: \w -> \w -> \w -> \w/,
    ],
  ])('is refused with %s', (_, stages, message) => expect(() => buildPipeline(stages)).toThrow(invalid(message)));

  it('has every stage after all that it needs, whatever the order of the file', () => {
    const chains = fc.uniqueArray(fc.nat(30), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(chains, fc.array(fc.tuple(fc.nat(11), fc.nat(11)), { maxLength: 30 }), (names, pairs) => {
        const edges = pairs.filter(([from, to]) => from < to && to < names.length);
        const stages = names.map((name, at) =>
          stage(`s${name}`, {
            outs: [`out${name}`],
            deps: edges.filter(([, to]) => to === at).map(([from]) => `out${names[from]}`),
          }),
        );
        const shuffled = [...stages].sort((left, right) => (left.name < right.name ? -1 : 1));
        const pipeline = buildPipeline(shuffled);
        const position = new Map(pipeline.stages.map(({ name }, at) => [name, at]));
        expect(position.size).toBe(stages.length);
        for (const { from, to } of pipeline.edges) expect(position.get(from)!).toBeLessThan(position.get(to)!);
      }),
    );
  });

  it('is drawn as text, for Mermaid and for Graphviz, whatever its paths are called', () => {
    const pipeline = buildPipeline([
      stage('end', { outs: ['a "b"\\c'] }),
      stage('use', { deps: ['a "b"\\c'], metrics: ['m.json'] }),
    ]);
    expect([...textLines(pipeline)]).toEqual([
      'end',
      '  makes  a "b"\\c',
      'use <- end',
      '  reads  a "b"\\c',
      '  makes  m.json',
    ]);
    expect([...mermaidLines(pipeline)]).toEqual([
      'flowchart TD',
      '  s1["end"]',
      '  s2["use"]',
      '  s1 -- "a #34;b#34;\\c" --> s2',
    ]);
    expect([...dotLines(pipeline)]).toContain('  "end" -> "use" [label="a \\"b\\"\\\\c"];');
  });
});
