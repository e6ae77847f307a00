import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Oid } from '../../src/objects/oid.js';
import { formatPointer, type Pointer, parsePointer, targetNameProblem } from '../../src/workspace/pointer-format.js';

const OID: Oid = `blake3:${'4f1c'.repeat(16)}`;
const GOLDEN = `mlv: 1\npath: data\noid: ${OID}\nsize: 5368709120\nfiles: 102400\n`;

describe('a pointer', () => {
  it('has one canonical text', () => {
    const pointer: Pointer = { path: 'data', oid: OID, size: 5368709120, files: 102400 };
    expect(formatPointer(pointer)).toBe(GOLDEN);
    expect(parsePointer(GOLDEN, 'some/data.mlv')).toEqual(pointer);
    expect(formatPointer({ path: 'run', oid: OID, size: 1, executable: true })).toBe(
      `mlv: 1\npath: run\noid: ${OID}\nsize: 1\nexecutable: true\n`,
    );
  });

  it('comes back for any name that can have one, by the short way and by YAML alike', () => {
    const names = fc.oneof(
      fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }).filter((text) => !/\p{Surrogate}/u.test(text)),
      fc.constantFrom(
        'null',
        '~',
        'true',
        'no',
        '1',
        '1.5',
        '0x1f',
        '1e3',
        '-',
        '- a',
        'a: b',
        '#a',
        'a #b',
        '"',
        "'",
        '|',
        '>',
        '%',
        '@',
        '`',
        '&a',
        '*a',
        '!a',
        '{',
        '[',
        '?',
        'a\nb',
        ' a',
        'a ',
        '2024-01-01',
        '...',
        '---',
        '<<',
        '=',
        '.inf',
        '\u2028',
        '\u0085',
        '\ufeffx',
        'x'.repeat(200),
      ),
      fc.stringMatching(/^[A-Za-z0-9_.-]{1,12}$/),
    );
    fc.assert(
      fc.property(names, fc.maxSafeNat(), fc.option(fc.maxSafeNat(), { nil: undefined }), (name, size, files) => {
        fc.pre(targetNameProblem(name) === undefined);
        const pointer: Pointer = { path: name, oid: OID, size, ...(files !== undefined && { files }) };
        const text = formatPointer(pointer);
        expect(parsePointer(text, `${name}.mlv`)).toEqual(pointer);
        // A comment makes the short way impossible.
        expect(parsePointer(`# comment\n${text}`, `${name}.mlv`)).toEqual(pointer);
        expect(parse(text)).toMatchObject({ mlv: 1, path: name, size });
        expect(formatPointer(pointer, text)).toBe(text);
      }),
      { numRuns: 400 },
    );
  });

  it('says which run made the content, until the content is another', () => {
    const run = { oid: `blake3:${'ab'.repeat(32)}` as Oid, size: 7, files: 2, key: 'cd'.repeat(32) };
    const text = formatPointer({ path: 'data', oid: OID, size: 1, run }, `# mine\n${GOLDEN}`);
    expect(parsePointer(text, 'data.mlv')).toEqual({ path: 'data', oid: OID, size: 1, run });
    expect(text).toContain('# mine');
    expect(formatPointer({ path: 'data', oid: OID, size: 1, run }, text)).toBe(text);
    expect(formatPointer({ path: 'data', oid: OID, size: 1 }, text)).toBe(text);
    const other = formatPointer({ path: 'data', oid: `blake3:${'0'.repeat(64)}`, size: 1 }, text);
    expect(other).not.toContain('run');
  });

  it.each([
    ['text', 'run: train.py'],
    ['without an oid', 'run: {size: 1, files: 1, key: x}'],
    ['with a key that is a path', `run: {oid: "${OID}", size: 1, files: 1, key: ../../x}`],
  ])('is refused with a run that is %s', (_, line) => {
    expect(() => parsePointer(`${GOLDEN}${line}\n`, 'data.mlv')).toThrow(
      expect.objectContaining({ code: 'POINTER_INVALID' }),
    );
  });

  it('that says the same keeps every byte, and a changed one keeps what mlv does not know', () => {
    const before = `# about this\nsize:   5368709120 # bytes\nmlv: 1\noid: ${OID}\npath: 'data'\nfiles: 102400\nlabels: {a: 1}\nx-ours: [1, 2]\n`;
    const pointer = parsePointer(before, 'data.mlv');
    expect(formatPointer(pointer, before)).toBe(before);
    const after = formatPointer({ ...pointer, size: 7 }, before);
    expect(parse(after)).toEqual({ ...(parse(before) as object), size: 7 });
    expect(after).toContain('# about this\n');
    expect(after).toContain('# bytes');
    expect(after.indexOf('size')).toBeLessThan(after.indexOf('mlv:'));
  });
});

const head = `mlv: 1\npath: data\noid: ${OID}\n`;

it.each<[string, string, string]>([
  ['not YAML', 'mlv: [', 'POINTER_INVALID'],
  ['a list', '- 1\n', 'POINTER_INVALID'],
  ['nothing', '', 'POINTER_INVALID'],
  ['a merge conflict', `<<<<<<< ours\n${GOLDEN}=======\n${GOLDEN}>>>>>>> theirs\n`, 'POINTER_INVALID'],
  [
    'a merge conflict below',
    `mlv: 1\npath: data\n<<<<<<< ours\noid: ${OID}\n=======\noid: ${OID}\n>>>>>>> theirs\n`,
    'POINTER_INVALID',
  ],
  ['a key twice', `${head}size: 1\nsize: 2\n`, 'POINTER_INVALID'],
  ['an alias', `a: &a data\nmlv: 1\npath: *a\noid: ${OID}\nsize: 1\n`, 'POINTER_INVALID'],
  ['an alias to nowhere', `${head}size: *nowhere\n`, 'POINTER_INVALID'],
  [
    'a bomb',
    `${head}size: 1\na: &a [x,x,x,x]\nb: &b [*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b]\nd: [*c,*c,*c,*c]\n`,
    'POINTER_INVALID',
  ],
  ['deep nesting', `${head}size: 1\nx: ${'['.repeat(30_000)}${']'.repeat(30_000)}\n`, 'POINTER_INVALID'],
  ['more text than a pointer has', `${head}size: 1\n#${'x'.repeat(70_000)}\n`, 'POINTER_INVALID'],
  ['a newer format', `mlv: 2\nshape: other\n`, 'FORMAT_TOO_NEW'],
  ['no format', `path: data\noid: ${OID}\nsize: 1\n`, 'POINTER_INVALID'],
  ['a negative size', `${head}size: -1\n`, 'POINTER_INVALID'],
  ['a broken size', `${head}size: 1.5\n`, 'POINTER_INVALID'],
  ['a size above 2^53 - 1', `${head}size: 9007199254740992\n`, 'POINTER_INVALID'],
  ['a size in words', `${head}size: big\n`, 'POINTER_INVALID'],
  ['a broken number of files', `${head}size: 1\nfiles: many\n`, 'POINTER_INVALID'],
  ['a short oid', `mlv: 1\npath: data\noid: blake3:abc\nsize: 1\n`, 'POINTER_INVALID'],
  ['an unknown algorithm', `mlv: 1\npath: data\noid: md5:${'0'.repeat(64)}\nsize: 1\n`, 'POINTER_INVALID'],
  ['a path that is a number', `mlv: 1\npath: 1\noid: ${OID}\nsize: 1\n`, 'POINTER_INVALID'],
])('%s is refused as a pointer', (_, text, code) => {
  expect(() => parsePointer(text, 'data.mlv')).toThrow(expect.objectContaining({ code }));
});

it.each(['/etc/passwd', '../data', '..', '.', 'a/b', 'a\\\\b', 'con', 'AUX.txt', '.git', 'other', 'data/'])(
  'the path %s is unsafe in data.mlv',
  (path) => {
    const text = `mlv: 1\npath: "${path}"\noid: ${OID}\nsize: 1\n`;
    expect(() => parsePointer(text, 'data.mlv')).toThrow(expect.objectContaining({ code: 'POINTER_UNSAFE' }));
    const own = path.replace('\\\\', '\\');
    if (path !== 'other')
      expect(() => parsePointer(text, `${own}.mlv`)).toThrow(expect.objectContaining({ code: 'POINTER_UNSAFE' }));
  },
);

it('reads Windows line ends', () => {
  expect(parsePointer(GOLDEN.replaceAll('\n', '\r\n'), 'data.mlv')).toMatchObject({ path: 'data', files: 102400 });
});
