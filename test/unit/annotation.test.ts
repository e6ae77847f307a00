import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSpdxLicence } from '../../src/provenance/licence.js';
import { annotationOfSource } from '../../src/provenance/stage-source.js';
import { type Annotation, annotatedText, annotationProblem, readAnnotation } from '../../src/workspace/annotation.js';
import { formatPointer, parsePointer } from '../../src/workspace/pointer-format.js';

const OID = `blake3:${'a'.repeat(64)}` as const;
const OTHER = `blake3:${'b'.repeat(64)}` as const;
const POINTER = formatPointer({ path: 'x.csv', oid: OID, size: 3 });

const text = fc.string({ maxLength: 30 }).filter((each) => !each.includes('://'));
const annotation: fc.Arbitrary<Annotation> = fc.record(
  {
    urls: fc.array(fc.webUrl(), { minLength: 1, maxLength: 3 }),
    from: fc.constantFrom('2024', '2024-01', '2024-01-31', '2024-01-31T10:00:00Z'),
    to: fc.constantFrom('2025', '2025-02-01'),
    filters: fc.array(text, { minLength: 1, maxLength: 3 }),
    licence: fc.constantFrom('MIT', 'CC-BY-4.0'),
    procedure: text,
    schema: fc.record({
      oid: fc.constant(OID),
      digest: fc.constant(`sha256:${'0'.repeat(64)}`),
      rows: fc.nat(),
      columns: fc.array(fc.record({ name: fc.string(), type: fc.constantFrom('int', 'string') }), { maxLength: 3 }),
    }),
    facts: fc.dictionary(fc.constantFrom('team', 'a.b', '__proto__', 'constructor', '1'), text, { minKeys: 1 }),
  },
  { requiredKeys: [] },
);

describe('annotations in the text of a pointer', () => {
  it('are read as they were written, and the pointer says what it said', () => {
    fc.assert(
      fc.property(annotation, (set) => {
        const written = annotatedText(POINTER, { set });
        expect(readAnnotation(written, 'x.csv.mlv') ?? {}).toEqual(set);
        expect(parsePointer(written, 'x.csv.mlv')).toEqual(parsePointer(POINTER, 'x.csv.mlv'));
        expect(annotatedText(written, { set })).toBe(written);
      }),
    );
  });

  it('are replaced key by key, and taken away', () => {
    fc.assert(
      fc.property(annotation, annotation, (one, other) => {
        const both = annotatedText(annotatedText(POINTER, { set: one }), { set: other });
        const facts = { ...one.facts, ...other.facts };
        const wanted = { ...one, ...other, ...(one.facts || other.facts ? { facts } : {}) };
        expect(readAnnotation(both, 'x.csv.mlv') ?? {}).toEqual(wanted);
        const unset = [...Object.keys(wanted), ...Object.keys(facts)];
        expect(readAnnotation(annotatedText(both, { set: {}, unset }), 'x.csv.mlv')).toBeUndefined();
      }),
    );
  });

  it('survive a rewrite with another content, with comments and keys that mlv does not know', () => {
    const before = `${POINTER}# ours\nannotation:\n  licence: MIT # said so\n  later: 1\n`;
    const after = formatPointer(
      { path: 'x.csv', oid: OTHER, size: 4 },
      annotatedText(before, { set: { from: '2024' } }),
    );
    expect(after).toContain('# ours');
    expect(after).toContain('licence: MIT # said so');
    expect(after).toContain('later: 1');
    expect(readAnnotation(after, 'x.csv.mlv')).toEqual({ licence: 'MIT', from: '2024' });
  });

  it('that somebody wrote by hand are read with what they can mean, and never with a credential', () => {
    const by = (yaml: string): Annotation | undefined => readAnnotation(`${POINTER}annotation:\n${yaml}`, 'x.csv.mlv');
    expect(by('  from: 2024\n  urls: https://a.org\n')).toEqual({ from: '2024', urls: ['https://a.org'] });
    expect(by('  urls: ["https://u:p@h/x?token=1"]\n')).toEqual({ urls: ['https://***@h/x?token=***'] });
    for (const bad of [
      '  urls: [[a]]\n',
      '  from: {a: b}\n',
      '  facts: [a]\n',
      '  schema: 1\n',
      '  facts: &a {x: *a}\n',
    ]) {
      expect(() => by(bad), bad).toThrow(expect.objectContaining({ code: 'POINTER_INVALID' }));
    }
    expect(() => readAnnotation(`${POINTER}annotation: text\n`, 'x.csv.mlv')).toThrow(
      expect.objectContaining({ code: 'POINTER_INVALID' }),
    );
  });
});

describe('what an annotation may not say', () => {
  it.each<[Annotation, RegExp]>([
    [{ urls: ['data.csv'] }, /is not a URL/],
    [{ urls: ['https://user:secret@h/x'] }, /'https:\/\/\*\*\*@h\/x' holds a credential/],
    [{ facts: { a: 'see https://h/x?X-Amz-Signature=ab' } }, /holds a credential/],
    [{ from: 'yesterday' }, /is not a date/],
    [{ from: '2024-13' }, /is not a date/],
    [{ from: '2024-06', to: '2024-01-01' }, /is after/],
    [{ facts: { 'a b': 'x' } }, /cannot be the name of a fact/],
    [{ procedure: 'x'.repeat(2001) }, /longer than 2000/],
    [{ filters: Array.from({ length: 101 }, () => 'x') }, /more than 100/],
  ])('%j', (value, message) => {
    expect(annotationProblem(value)).toMatch(message);
  });

  it('and what it may', () => {
    expect(
      annotationProblem({ from: '2024-03', to: '2024', urls: ['doi:10.24432/C50P49', 's3://b/k'] }),
    ).toBeUndefined();
    expect(['CC-BY-4.0', 'MIT OR Apache-2.0', 'LicenseRef-ours'].map(isSpdxLicence)).toEqual([true, true, true]);
    expect(['ours', 'GPL', ''].map(isSpdxLicence)).toEqual([false, false, false]);
  });
});

describe('the source of a stage', () => {
  const read = (source: unknown): Annotation =>
    annotationOfSource(source, (reason) => {
      throw new Error(reason);
    });

  it('is a URL, or a mapping whose other plain values are facts', () => {
    expect(read('https://a.org')).toEqual({ urls: ['https://a.org'] });
    expect(
      read({ url: 'https://a.org', filter: ['x'], from: 2024, license: 'MIT', rows: 5, nested: { a: 1 } }),
    ).toEqual({
      urls: ['https://a.org'],
      filters: ['x'],
      from: '2024',
      licence: 'MIT',
      facts: { rows: '5' },
    });
  });

  it('is refused where it cannot be kept', () => {
    expect(() => read({ urls: { a: 1 } })).toThrow("'source.urls' must be text");
    expect(() => read({ licence: 'ours' })).toThrow('no SPDX licence');
    expect(() => read('https://u:p@h')).toThrow('credential');
  });
});
