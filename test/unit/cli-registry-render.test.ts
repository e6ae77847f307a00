import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fitColumns } from '../../src/cli/render/columns.js';
import { fieldOf, formatFields } from '../../src/cli/render/fields.js';
import { figure, minuteOf, personName, shortHex } from '../../src/cli/render/registry.js';
import { width } from '../../src/cli/render/table.js';

describe('a table that fits', () => {
  const columns = [
    { title: 'NAME', cells: ['a', 'bb'] },
    { title: 'auc', cells: ['0.9', ''], align: 'right' as const, optional: true },
    { title: 'empty', cells: ['', ''], optional: true },
    { title: 'AUTHOR', cells: ['Ada', 'Grace'], optional: true },
  ];

  it('has all columns in which there is something where there is no terminal', () => {
    expect(fitColumns(columns, { columns: undefined })).toEqual({
      lines: ['NAME  auc  AUTHOR', 'a     0.9  Ada', 'bb         Grace'],
      left: [],
    });
  });

  it('leaves out optional columns from the right, and tells which', () => {
    expect(fitColumns(columns, { columns: 16 })).toEqual({ lines: ['NAME  auc', 'a     0.9', 'bb'], left: ['AUTHOR'] });
    expect(fitColumns(columns, { columns: 3 })).toMatchObject({ lines: ['NAME', 'a', 'bb'], left: ['auc', 'AUTHOR'] });
  });

  it('is never wider than the terminal while something can be left out', () => {
    const cell = fc.string({ unit: fc.constantFrom('a', 'ä', '😀'), maxLength: 12 });
    const column = fc.record({ title: cell, cells: fc.tuple(cell, cell), optional: fc.boolean() });
    fc.assert(
      fc.property(fc.array(column, { minLength: 1, maxLength: 8 }), fc.integer({ min: 1, max: 80 }), (given, size) => {
        const { lines, left } = fitColumns(given, { columns: size });
        const needed = given.filter(({ optional }) => !optional).length;
        const shown = given.filter(({ optional, cells }) => !optional || cells.some((each) => each !== '')).length;
        if (shown - left.length > needed) for (const line of lines) expect(width(line)).toBeLessThanOrEqual(size);
      }),
    );
  });
});

describe('fields of a document', () => {
  const document = {
    name: 'fraud@1.0.0',
    metrics: { auc: 0.9, 'val.auc': 0.8, val: { loss: 1 } },
    artifacts: [{ oid: 'a' }, { oid: 'b' }],
    none: [],
  };

  it.each([
    ['{name}', 'fraud@1.0.0'],
    ['{metrics.auc}/{metrics.val.auc}/{metrics.val.loss}', '0.9/0.8/1'],
    ['{artifacts.oid}', 'a\nb'],
    ['{artifacts.1.oid}', 'b'],
    ['{artifacts.0}', '{"oid":"a"}'],
    ['a\\tb\\n\\\\{{x}}{none}', 'a\tb\n\\{x}'],
  ])('%j gives %j', (format, text) => {
    expect(formatFields(format, document)).toBe(text);
  });

  it.each([
    '{nothing}',
    '{metrics.f1}',
    '{artifacts.5}',
    '{name.x}',
    '{__proto__}',
    '{constructor}',
    '{artifacts.size}',
  ])('that there are not are refused: %s', (format) => {
    expect(() => formatFields(format, document)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });

  it('are found by the whole path or not at all', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.integer()), fc.string(), (record, name) => {
        if (name !== '') expect(fieldOf(record, name)).toBe(Object.hasOwn(record, name) ? record[name] : undefined);
      }),
    );
  });
});

describe('what is told of a version', () => {
  it('is short, and nothing in it acts on a terminal', () => {
    expect(personName('Ada Lovelace <ada@example.com>')).toBe('Ada Lovelace');
    expect(personName('<ada@example.com>')).toBe('<ada@example.com>');
    expect(personName('A\u001b[2Jda <a@b>')).toBe('A\\033[2Jda');
    expect(shortHex(`blake3:${'ab'.repeat(32)}`)).toBe('blake3:abababababab');
    expect(minuteOf('2026-03-01T10:00:00+02:00')).toBe('2026-03-01 08:00Z');
    expect([0.1 + 0.2, 0, 1234567, 0.00001234, -0.5].map(figure)).toEqual(['0.3', '0', '1234570', '1.234e-5', '-0.5']);
  });
});
