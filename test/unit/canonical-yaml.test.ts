import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { encodeCanonicalYaml, parseCanonicalYaml, type YamlValue } from '../../src/core/canonical-yaml.js';
import { readYamlMapping, YamlProblem } from '../../src/core/read-yaml.js';

const awkward = fc.constantFrom(
  ...[
    '',
    ' ',
    'a: b',
    'a:',
    ':',
    '# x',
    'a #b',
    'yes',
    'No',
    'null',
    '~',
    '1',
    '1.0',
    '1e5',
    '0x1f',
    '1.2.3',
    '2026-03-01',
  ],
  ...[
    '12:30',
    '- a',
    '-',
    '[a]',
    '{a}',
    '"',
    "'",
    '\\',
    '\n',
    'a\nb\n',
    '\t',
    '\u0085',
    '\u2028',
    '\ufeff',
    '😀',
    '.inf',
    '<<',
  ],
  ...[
    'Ada <ada@example.com>',
    'sha256:ab',
    '!tag',
    '&a',
    '*a',
    '|',
    '>',
    '%',
    '@',
    '`',
    '__proto__',
    'constructor',
    'a  b',
    ' a',
    'a ',
  ],
);
const text = fc.oneof(awkward, fc.string(), fc.string({ unit: 'grapheme' }));
const number = fc.oneof(
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(0, -0, 1e21, 1e-7),
);
const plain = fc.oneof(text, number, fc.boolean(), fc.constant(null));
const nested = fc.letrec<{ list: YamlValue; map: Record<string, YamlValue> }>((tie) => ({
  list: fc.array(fc.oneof({ depthSize: 'small' }, plain, tie('list') as fc.Arbitrary<YamlValue>), { maxLength: 4 }),
  map: fc.dictionary(
    text.filter((key) => key !== '__proto__'),
    fc.oneof(
      { depthSize: 'small' },
      plain,
      tie('list') as fc.Arbitrary<YamlValue>,
      tie('map'),
      fc.array(tie('map'), { maxLength: 3 }),
    ),
    { maxKeys: 5 },
  ),
}));

const same = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('canonical YAML', () => {
  it('is read back as it was written, by its own reader and by any YAML parser', () => {
    fc.assert(
      fc.property(nested.map, (value) => {
        const encoded = encodeCanonicalYaml(value);
        expect(parse(encoded, { schema: 'core' })).toEqual(same(value));
        if (Object.keys(value).length > 0) expect(parseCanonicalYaml(encoded)).toEqual(same(value));
        expect(encodeCanonicalYaml(parse(encoded, { schema: 'core' }))).toBe(encoded);
      }),
      { numRuns: 500 },
    );
  });

  it('its own reader gives what a YAML parser gives, or nothing, for a text that was changed', () => {
    const edit = fc.record({
      at: fc.nat(),
      remove: fc.nat(3),
      insert: fc.oneof(text, fc.constantFrom(' ', '  ', '\n', '- ', ': ')),
    });
    fc.assert(
      fc.property(nested.map, edit, (value, { at, remove, insert }) => {
        const encoded = encodeCanonicalYaml(value);
        const place = at % encoded.length;
        const changed = encoded.slice(0, place) + insert + encoded.slice(place + remove);
        const found = parseCanonicalYaml(changed);
        if (found === undefined) return;
        expect(JSON.stringify(found)).toBe(JSON.stringify(readYamlMapping(changed, 1e6)));
      }),
      { numRuns: 2000 },
    );
  });

  it('is pleasant to read', () => {
    const value = {
      mlv: 1,
      by: 'Ada <ada@example.com>',
      on: null,
      list: ['a', '1'],
      maps: [{ a: 1, b: { c: [] } }],
      deep: [[1, 'x']],
    };
    expect(encodeCanonicalYaml(value)).toBe(
      [
        'mlv: 1',
        'by: Ada <ada@example.com>',
        '"on": null',
        'list:',
        '  - a',
        '  - "1"',
        'maps:',
        '  - a: 1',
        '    b:',
        '      c: []',
        'deep: [[1, "x"]]',
        '',
      ].join('\n'),
    );
  });

  it('with brackets without end is refused, and not a stack that overflows', () => {
    const deep = `a: ${'['.repeat(100_000)}${']'.repeat(100_000)}\n`;
    expect(parseCanonicalYaml(deep)).toBeUndefined();
    expect(() => readYamlMapping('a: [b: {c: 1, d: 2, c: 3}]\nd: 1\nd: 2', 1e6)).toThrow(
      new YamlProblem('line 1: it is not valid YAML (DUPLICATE_KEY)'),
    );
    expect(() => readYamlMapping(deep, 1e6)).toThrow(new YamlProblem('line 1: it is nested too deeply'));
  });

  it.each([['a: &x 1\nb: *x\n'], ['a: 1\na: 2\n'], ['- a\n'], ['a: [\n'], ['{}x\n']])('refuses %j', (bad) => {
    expect(parseCanonicalYaml(bad)).toBeUndefined();
    expect(() => readYamlMapping(bad, 1e6)).toThrow();
  });
});
