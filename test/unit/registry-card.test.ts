import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { frontMatter, modelCard } from '../../src/registry/card.js';
import type { Manifest } from '../../src/registry/manifest.js';
import type { ModelMeta, VersionState } from '../../src/registry/registry.js';
import { testManifest } from '../helpers/registry.js';
import { versionState } from '../helpers/registry-state.js';

function source(
  manifest: Partial<Manifest> = {},
  meta: Partial<ModelMeta> = {},
  state: Partial<VersionState> = {},
): Parameters<typeof modelCard>[0] {
  const { summary: _, ...rest } = state;
  return {
    manifest: testManifest('a'.repeat(40), manifest),
    meta: { mlv: 1, ...meta },
    state: versionState('fraud@1.0.0', rest),
  };
}

describe('the front matter of a card', () => {
  it('is that of model.yaml, filled with what the manifest knows', () => {
    const card = { license: 'other', tags: ['tabular'], language: 'en' };
    expect(frontMatter(source({ licence: 'Apache-2.0' }, { card }))).toEqual({
      license: 'other',
      tags: ['tabular'],
      language: 'en',
      metrics: ['auc'],
      model_name: 'fraud@1.0.0',
    });
    expect(frontMatter(source({}, { licence: 'Apache-2.0' }))).toMatchObject({ license: 'apache-2.0' });
  });

  it('names data sets that came from the Hub, and no others', () => {
    const item = testManifest('a'.repeat(40)).artifacts[0]!;
    const data = [
      'https://huggingface.co/datasets/acme/fraud/tree/main',
      'hf://datasets/squad',
      's3://bucket/x',
      undefined,
    ];
    const items = data.map((from, index) => ({
      ...item,
      path: `d${index}`,
      ...(from !== undefined && { source: from }),
    }));
    expect(frontMatter(source({ data: items })).datasets).toEqual(['acme/fraud', 'squad']);
  });

  it('has results as the Hub lists them where the card says the task', () => {
    const given = source(
      { metrics: { auc: { value: 0.91, on: 'data/test' } } },
      { card: { pipeline_tag: 'tabular-classification' } },
      { evaluations: { holdout: { auc: { value: 0.9 } } } },
    );
    expect(frontMatter(given)['model-index']).toEqual([
      {
        name: 'fraud',
        results: [
          {
            task: { type: 'tabular-classification' },
            dataset: { name: 'data/test', type: 'data/test' },
            metrics: [{ type: 'auc', value: 0.91, name: 'auc' }],
          },
          {
            task: { type: 'tabular-classification' },
            dataset: { name: 'holdout', type: 'holdout' },
            metrics: [{ type: 'auc', value: 0.9, name: 'auc' }],
          },
        ],
      },
    ]);
    const index = [{ name: 'mine', results: [] }];
    expect(frontMatter(source({}, { card: { pipeline_tag: 'x', 'model-index': index } }))['model-index']).toBe(index);
  });
});

describe('the card', () => {
  it('says of a deprecated version what to use instead', () => {
    const deprecated = { by: 'Ada', at: '2026-03-02T10:00:00Z', reason: 'it drifts', successor: 'fraud@2.0.0' };
    expect(modelCard(source({}, {}, { deprecated }))).toContain('**Deprecated.** it drifts Use `fraud@2.0.0` instead.');
  });

  it('cannot be made into anything else by text from the registry', () => {
    const hostile = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        'a\n# Heading',
        '<script>x</script>',
        '| a | b |',
        '---\nlicense: mit',
        '![x](http://x)',
        '`|`',
        '\u202edrow',
      ),
    );
    fc.assert(
      fc.property(hostile, hostile, (text, other) => {
        const card = modelCard(
          source(
            { description: text, params: { [other]: text }, branch: other, author: text, owners: [other] },
            { card: { title: text } },
          ),
        );
        const [, front = '', body = ''] = /^---\n([\s\S]*?)\n---\n\n(# [\s\S]*)$/.exec(card) ?? [];
        expect(parse(front)).toMatchObject({ title: text });
        expect(body.split('\n').filter((line) => /^#+ /.test(line))).toEqual([
          '# fraud 1.0.0',
          '## Metrics',
          '## Files',
          '## Parameters',
          '## Provenance',
        ]);
        // Within a code span, HTML is text.
        expect(body.replace(/`[^`\n]*`/g, '')).not.toMatch(/<(?!br>)/);
        expect(body).not.toMatch(/[\u202e\u0007]/);
      }),
    );
  });
});
