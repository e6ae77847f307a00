import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChangeReport } from '../../src/cli/change-report.js';
import { REPORT_MARK, reportMarkdown } from '../../src/cli/render/change-report.js';
import { codeOf } from '../../src/cli/render/markdown.js';
import { figureChanges } from '../../src/provenance/figure-changes.js';
import type { Metric } from '../../src/provenance/metrics.js';
import type { ParamValue } from '../../src/provenance/params.js';

const HOSTILE = '|`<img src=x onerror=alert(1)>`@bob #1 https://evil.example [a](b) \n*x*';

const EMPTY: ChangeReport = {
  base: { revision: 'main', commit: 'a'.repeat(40) },
  head: { revision: 'HEAD', commit: 'b'.repeat(40) },
  data: [],
  params: [],
  metrics: [],
  unchanged: { params: 0, metrics: 0 },
  schemas: [],
  versions: [],
  notes: [],
};

describe('text of somebody else in Markdown', () => {
  it('is code in which nothing has a meaning', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.string({ unit: 'grapheme' }), fc.constantFrom(HOSTILE, 'www.evil.example')),
        (text) => {
          const plain = /^`[A-Za-z0-9_./+=% -]+`$/;
          const escaped = /^<code>(?:[A-Za-z0-9 ]|&#\d+;)+<\/code>$/;
          const code = codeOf(text);
          expect(code === '' || plain.test(code) || escaped.test(code), code).toBe(true);
          expect(code === '').toBe(text === '');
          expect(code.startsWith('`www')).toBe(false);
        },
      ),
    );
  });

  it('is as it was where it is harmless, and not long', () => {
    expect(codeOf('data/train set.csv')).toBe('`data/train set.csv`');
    expect(codeOf('a|b')).toBe('<code>a&#124;b</code>');
    expect(codeOf('x'.repeat(500), 10)).toBe('<code>xxxxxxxxx&#8230;</code>');
  });
});

describe('a report as Markdown', () => {
  const report: ChangeReport = {
    ...EMPTY,
    data: [
      {
        path: HOSTILE,
        change: 'changed',
        bytes: { before: 10, after: 2048 },
        files: { before: 1, after: 2 },
        changes: [{ kind: 'added', path: `${HOSTILE}/x`, bytesBefore: 0, bytesAfter: 2038 }],
      },
    ],
    params: [{ source: HOSTILE, name: HOSTILE, before: HOSTILE, after: [1, HOSTILE] }],
    metrics: [{ source: HOSTILE, name: HOSTILE, before: 0.5, after: 0.75, better: 'higher', verdict: 'better' }],
    schemas: [
      {
        path: HOSTILE,
        drift: true,
        rows: { before: 1, after: 1 },
        findings: [{ what: 'values', column: HOSTILE, drift: true, before: [], after: [HOSTILE] }],
      },
    ],
    versions: [{ name: HOSTILE, commit: 'c'.repeat(40), stages: [HOSTILE], deprecated: true }],
    notes: [HOSTILE],
  };

  it('does nothing that its data says', () => {
    const markdown = reportMarkdown(report);
    const own = markdown
      .replace(REPORT_MARK, '')
      .replaceAll(/<code>(?:[A-Za-z0-9 ]|&#\d+;)*<\/code>/g, '')
      .replaceAll(/<\/?(?:details|summary)>/g, '');
    expect(own).not.toMatch(/[<@]|evil|https|onerror/);
    const bars = markdown.split('\n').filter((line) => line.startsWith('|'));
    for (const [at, line] of bars.entries()) {
      // Titles, rule and one row: all three of a table have as many cells.
      expect(line.split('|').length).toBe(bars[at - (at % 3)]?.split('|').length);
    }
    expect(markdown).toContain('| 0.5 | 0.75 | +0.25 | better |');
    expect(markdown).toContain('| changed | 1 → 2 | 10 B → 2.0 KiB |');
  });

  it('says when there is nothing', () => {
    expect(reportMarkdown(EMPTY)).toContain('Neither data nor parameters, metrics or versions changed.');
  });

  it('is never too long for a comment, and whole where it ends', () => {
    const changes = Array.from({ length: 30 }, (_, at) => ({
      kind: 'added' as const,
      path: `${'ü'.repeat(190)}${at}`,
      bytesBefore: 0,
      bytesAfter: 1,
    }));
    const many = Array.from({ length: 60 }, (_, at) => ({
      path: `d${at}`,
      change: 'added' as const,
      bytes: { before: 0, after: 1 },
      files: { before: 0, after: 30 },
      changes,
    }));
    const markdown = reportMarkdown({ ...EMPTY, data: many });
    expect(markdown.length).toBeLessThan(65_536);
    expect(markdown.split('<details>').length).toBe(markdown.split('</details>').length);
    expect(markdown).toContain('There is more: `mlv report --json`');
  });
});

describe('parameters and metrics before and after', () => {
  const of = (params: Record<string, ParamValue>, metrics: Record<string, Metric>) => ({
    params: new Map([['params.yaml', params]]),
    metrics: new Map([['metrics.json', metrics]]),
  });

  it('tells what changed, came and went, and which way metrics moved', () => {
    const before = of({ lr: 0.1, gone: 1, same: [1] }, { auc: { value: 0.8 }, loss: { value: 1 }, n: { value: 1 } });
    const after = of({ lr: 0.2, come: 'x', same: [1] }, { auc: { value: 0.7 }, loss: { value: 0.5 }, m: { value: 1 } });
    expect(figureChanges(before, after)).toEqual({
      params: [
        { source: 'params.yaml', name: 'come', after: 'x' },
        { source: 'params.yaml', name: 'gone', before: 1 },
        { source: 'params.yaml', name: 'lr', before: 0.1, after: 0.2 },
      ],
      metrics: [
        { source: 'metrics.json', name: 'auc', before: 0.8, after: 0.7, better: 'higher', verdict: 'worse' },
        { source: 'metrics.json', name: 'loss', before: 1, after: 0.5, better: 'lower', verdict: 'better' },
        { source: 'metrics.json', name: 'm', after: 1, better: 'higher' },
        { source: 'metrics.json', name: 'n', before: 1, better: 'higher' },
      ],
      unchanged: { params: 1, metrics: 0 },
    });
  });

  it('is nothing between a commit and itself', () => {
    const values = fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.double(), fc.boolean(), fc.constant(null)));
    fc.assert(
      fc.property(values, (params) => {
        const { params: found, unchanged } = figureChanges(of(params, {}), of(params, {}));
        expect([found, unchanged.params]).toEqual([[], Object.keys(params).length]);
      }),
    );
  });
});
