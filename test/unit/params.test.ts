import fc from 'fast-check';
import { stringify as tomlText } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import { stringify as yamlText } from 'yaml';
import {
  mergeParams,
  parseParamAssignment,
  parseParams,
  selectParams,
  splitParamsSource,
} from '../../src/provenance/parse-params.js';
import { pythonConstants } from '../../src/provenance/python-constants.js';

const NESTED = { seed: 7, model: { depth: 3, layers: [64, 32], name: 'tree', warm: true }, lr: 0.001 };
const FLAT = {
  seed: 7,
  'model.depth': 3,
  'model.layers': [64, 32],
  'model.name': 'tree',
  'model.warm': true,
  lr: 0.001,
};

describe('parameters of a file', () => {
  it.each([
    ['params.yaml', yamlText(NESTED)],
    ['params.json', JSON.stringify(NESTED)],
    ['params.toml', tomlText(NESTED)],
    ['params.YML', yamlText(NESTED)],
    ['params.json', `\ufeff${JSON.stringify(NESTED)}`],
  ])('are flattened to dotted names: %s', async (file, text) => {
    expect(await parseParams(text, file)).toEqual(FLAT);
  });

  it('lists of mappings are named by position', async () => {
    expect(await parseParams('layers:\n- size: 4\n- size: 2\n', 'p.yaml')).toEqual({
      'layers.0.size': 4,
      'layers.1.size': 2,
    });
  });

  it('keep what no number holds as text', async () => {
    const yaml = 'a: 12345678901234567890\nb: .inf\nc: .nan\nd: -.inf\n';
    expect(await parseParams(yaml, 'p.yaml')).toEqual({
      a: '12345678901234567890',
      b: 'Infinity',
      c: 'NaN',
      d: '-Infinity',
    });
    expect(await parseParams('{"a": 12345678901234567890, "b": [NaN, -Infinity], "c": "NaN 1"}', 'p.json')).toEqual({
      a: '12345678901234567890',
      b: ['NaN', '-Infinity'],
      c: 'NaN 1',
    });
    expect(await parseParams('when = 2026-03-01T10:00:00Z\nbig = 9223372036854775807', 'p.toml')).toEqual({
      when: '2026-03-01T10:00:00.000Z',
      big: '9223372036854775807',
    });
  });

  it('follow YAML anchors and merge keys, as settings files have them', async () => {
    const text = 'base: &base {lr: 1, depth: 2}\nlarge:\n  <<: *base\n  depth: 9\n';
    expect(await parseParams(text, 'p.yaml')).toEqual({
      'base.lr': 1,
      'base.depth': 2,
      'large.lr': 1,
      'large.depth': 9,
    });
  });

  it.each([
    ['p.yaml', 'a: [1', /line 1.*not valid YAML/],
    ['p.json', '{"a": }', /not valid JSON/],
    ['p.toml', 'a = ', /not valid TOML/],
    ['p.yaml', 'just text', /holds no names/],
    ['p.yaml', 'a.b: 1\na: {b: 2}', /two values are called 'a\.b'/],
    ['p.json', '{"__proto__": {"x": 1}}', /__proto__/],
    ['p.ini', 'a=1', /does not end with/],
    ['p.json', JSON.stringify({ a: 'x'.repeat(10_001) }), /longer than/],
    [
      'p.json',
      JSON.stringify(Object.fromEntries(Array.from({ length: 10_001 }, (_, at) => [at, 1]))),
      /more than 10000/,
    ],
    ['p.json', `${'{"a":'.repeat(40)}1${'}'.repeat(40)}`, /levels deep/],
    ['p.yaml', `a: ${'['.repeat(5000)}`, /line 1, column \d+: it is nested too deeply/],
    ['p.json', `{"a":${'['.repeat(5000)}${']'.repeat(5000)}}`, /levels deep/],
  ])('are refused with the file and a reason: %s %s', async (file, text, message) => {
    await expect(parseParams(text, file)).rejects.toMatchObject({ code: 'PARAMS_INVALID', data: { path: file } });
    await expect(parseParams(text, file)).rejects.toThrow(message);
  });

  it('do not expand YAML aliases without end', async () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
    for (let at = 1; at < 12; at += 1)
      lines.push(
        `a${at}: &a${at} [${Array(10)
          .fill(`*a${at - 1}`)
          .join(', ')}]`,
      );
    await expect(parseParams(lines.join('\n'), 'p.yaml')).rejects.toMatchObject({ code: 'PARAMS_INVALID' });
  });

  it('are the same from YAML, JSON and TOML, whatever they are', async () => {
    const key = fc.stringMatching(/^[a-z][a-z0-9_]{0,6}$/);
    const leaf = fc.oneof(
      fc.integer(),
      fc.boolean(),
      fc.string({ maxLength: 20 }),
      fc.array(fc.integer(), { maxLength: 4 }),
    );
    const tree = fc.dictionary(key, fc.oneof(leaf, fc.dictionary(key, leaf, { maxKeys: 4 })), { maxKeys: 6 });
    await fc.assert(
      fc.asyncProperty(tree, async (value) => {
        const json = await parseParams(JSON.stringify(value), 'p.json');
        expect(await parseParams(yamlText(value), 'p.yaml')).toEqual(json);
        expect(await parseParams(tomlText(value), 'p.toml')).toEqual(json);
      }),
    );
  });

  it('are read or refused by code, whatever the text', async () => {
    const file = fc.constantFrom('p.yaml', 'p.json', 'p.toml', 'p.py');
    await fc.assert(
      fc.asyncProperty(file, fc.string({ unit: 'binary' }), async (name, text) => {
        const found = await parseParams(text, name).catch((error: { code: string }) => error.code);
        expect(typeof found === 'string' ? found : 'read').toMatch(/^(read|PARAMS_INVALID)$/);
      }),
    );
  });
});

describe('constants of a Python module', () => {
  const read = (source: string): Record<string, unknown> => Object.fromEntries(pythonConstants(source));

  it('are literals of its top level', async () => {
    const source = [
      '#!/usr/bin/env python',
      '"""A docstring with X = 1."""',
      'import torch',
      'SEED = 7  # a comment',
      'LR: float = 1e-3',
      'BIG = 1_000_000; SMALL = -0.5',
      "NAME = 'it''s' \"!\"",
      'RAW = r"\\d+"',
      'ESCAPED = "a\\tb\\u00e9"',
      'ON, = True,',
      'A = B = None',
      'SIZES = [64,',
      '         32,  # the second',
      ']',
      'SHAPE = 3, 4',
      'ONE = (1,)',
      'PLAIN = (1)',
      'MODEL = {"depth": 3, "drop": [0.1, 0.2], "inner": {"x": True}}',
      'LONG = 1 + \\',
      '  2',
      'HEX = 0xFF',
    ].join('\n');
    expect(await parseParams(source, 'train.py')).toEqual({
      SEED: 7,
      LR: 0.001,
      BIG: 1_000_000,
      SMALL: -0.5,
      NAME: 'its!',
      RAW: '\\d+',
      ESCAPED: 'a\tbé',
      A: null,
      B: null,
      SIZES: [64, 32],
      SHAPE: [3, 4],
      ONE: [1],
      PLAIN: 1,
      'MODEL.depth': 3,
      'MODEL.drop': [0.1, 0.2],
      'MODEL.inner.x': true,
      HEX: 255,
    });
  });

  it.each([
    ['calls', 'X = open("/etc/passwd")'],
    ['expressions', 'X = 2 * 3'],
    ['f-strings and bytes', 'X = f"{1}"\nY = b"a"'],
    ['comparisons', 'X == 1'],
    ['what is indented', 'def f():\n    X = 1\nclass C:\n\tY = 2'],
    ['one-line blocks', 'if True: X = 1\nelse: X = 2'],
    ['what a call changes', 'X = 1\nX += 1'],
    ['what is not known any more', 'X = 1\nX = compute()'],
    ['default arguments', 'f(X=1)'],
    ['what is inside a string', 's = f"""\nX = 1\n"""'],
    ['imaginary numbers', 'X = 1j'],
  ])('are not %s', (_, source) => {
    expect(read(source)).toEqual({});
  });

  it('come back as they were written, whatever they are', () => {
    const literal = (value: unknown): string => {
      if (value === null) return 'None';
      if (value === true) return 'True';
      if (value === false) return 'False';
      if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`;
      return JSON.stringify(value);
    };
    const plain = (value: unknown): unknown => (typeof value === 'bigint' ? Number(value) : value);
    const scalar = fc.oneof(fc.integer(), fc.boolean(), fc.constant(null), fc.string());
    fc.assert(
      fc.property(fc.array(fc.oneof(scalar, fc.array(scalar)), { minLength: 1 }), (values) => {
        const found = read(values.map((value, at) => `X${at} = ${literal(value)}`).join('\n'));
        const back = Object.values(found).map((value) => (Array.isArray(value) ? value.map(plain) : plain(value)));
        expect(back).toEqual(values);
      }),
    );
  });
});

describe('the choice of parameters', () => {
  it.each([
    ['params.yaml', { path: 'params.yaml', keys: [] }],
    ['params.yaml:model.depth', { path: 'params.yaml', keys: ['model.depth'] }],
    ['a/params.yaml:model,lr', { path: 'a/params.yaml', keys: ['model', 'lr'] }],
    ['C:\\work\\params.yaml', { path: 'C:\\work\\params.yaml', keys: [] }],
  ])('%s', (argument, source) => {
    expect(splitParamsSource(argument)).toEqual(source);
  });

  it('a name stands for itself and for all below it', () => {
    const chosen = selectParams({ 'model.depth': 3, 'model.x': 1, models: 2, lr: 1 }, { path: 'p', keys: ['model'] });
    expect(chosen).toEqual({ 'model.depth': 3, 'model.x': 1 });
  });

  it('a name that is not there is an error that shows what is', () => {
    expect(() => selectParams({ lr: 1 }, { path: 'p.yaml', keys: ['rl'] })).toThrow(
      expect.objectContaining({ code: 'PARAMS_INVALID', hint: 'it has: lr' }),
    );
  });

  it('two files must not give one name two values', () => {
    const same = [
      { path: 'a', params: { x: 1 } },
      { path: 'b', params: { x: 1, y: 2 } },
    ];
    expect(mergeParams(same)).toEqual({ x: 1, y: 2 });
    expect(() => mergeParams([...same, { path: 'c', params: { y: 3 } }])).toThrow(
      /'y' has one value in 'b' and another/,
    );
  });
});

describe('a parameter on the command line', () => {
  it.each([
    ['depth=3', { depth: 3 }],
    ['lr=1e-3', { lr: 0.001 }],
    ['name=forest', { name: 'forest' }],
    ['name="3"', { name: '3' }],
    ['sizes=[64, 32]', { sizes: [64, 32] }],
    ['model={depth: 3}', { 'model.depth': 3 }],
    ['on=true', { on: true }],
    ['none=null', { none: null }],
    ['url=https://example.com/a?b=c', { url: 'https://example.com/a?b=c' }],
    ['note=a: b', { note: 'a: b' }],
    ['note=a, b', { note: 'a, b' }],
    ['empty=', { empty: '' }],
  ])('%s', async (text, params) => {
    expect(await parseParamAssignment(text)).toEqual(params);
  });

  it.each(['depth', '=3', ''])('refuses %s', async (text) => {
    await expect(parseParamAssignment(text)).rejects.toMatchObject({ code: 'USAGE' });
  });
});
