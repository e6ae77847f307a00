import { describe, expect, it } from 'vitest';
import { MlvError } from '../../src/core/errors.js';
import { toOid } from '../../src/objects/oid.js';
import { encodeTree, type TreeEntry } from '../../src/objects/tree-format.js';
import { compareVersionsOf, flatEnvironment } from '../../src/registry/compare.js';
import { listingDiff } from '../../src/registry/compare-items.js';
import type { Manifest } from '../../src/registry/manifest.js';
import type { ComponentDetail } from '../../src/registry/version-detail.js';
import { testManifest } from '../helpers/registry.js';
import { madeDigest } from '../helpers/registry-state.js';

const COMMIT = 'a'.repeat(40);

function compared(...changes: Partial<Manifest>[]): ReturnType<typeof compareVersionsOf> {
  return comparedWith([], ...changes);
}

function comparedWith(
  components: readonly ComponentDetail[][],
  ...changes: Partial<Manifest>[]
): ReturnType<typeof compareVersionsOf> {
  const versions = changes.map((change, index) => ({
    manifest: testManifest(COMMIT, { version: `1.${index}.0`, params: {}, metrics: {}, ...change }),
    evaluations: {},
    components: components[index] ?? [],
  }));
  return compareVersionsOf(versions, () => undefined);
}

describe('versions beside one another', () => {
  it('mark figures against the first, each in its own direction', () => {
    const { metrics } = compared(
      { metrics: { auc: { value: 0.9 }, rmse: { value: 2 }, odd: { value: 5, better: 'lower' } } },
      { metrics: { auc: { value: 0.8 }, rmse: { value: 1 }, odd: { value: 5 } } },
      { metrics: { auc: { value: 0.95 }, f1: { value: 0.5 } } },
    );
    expect(metrics.map(({ name, better, marks }) => [name, better, marks])).toEqual([
      ['auc', 'higher', [undefined, 'worse', 'better']],
      ['f1', 'higher', [undefined, undefined, undefined]],
      ['odd', 'lower', [undefined, 'same', undefined]],
      ['rmse', 'lower', [undefined, 'better', undefined]],
    ]);
  });

  it('tell what is the same, what is another value, and what one of them has not', () => {
    const { params } = compared({ params: { a: 1, b: [1, 2], c: 'x' } }, { params: { a: 1, b: [2, 1] } });
    expect(params).toEqual([
      { name: 'a', values: [1, 1], same: true },
      {
        name: 'b',
        values: [
          [1, 2],
          [2, 1],
        ],
        same: false,
      },
      { name: 'c', values: ['x', undefined], same: false },
    ]);
  });

  it('tell of code as a range, of components, and of items that came and went', () => {
    const item = { path: 'extra', oid: madeDigest('x'), sha256: madeDigest('x', 'sha256'), size: 3 };
    const component = (model: string, version: string, inner: ComponentDetail[] = []): ComponentDetail => ({
      model,
      version,
      manifest: madeDigest(model + version, 'sha256'),
      stages: [],
      metrics: {},
      components: inner,
    });
    const made = [
      [component('ranker', '1.0.0', [component('encoder', '0.1.0')])],
      [component('ranker', '1.1.0', [component('encoder', '0.2.0'), component('tokeniser', '1.0.0')])],
    ];
    const { code, data, components } = comparedWith(
      made,
      { data: [item] },
      { commit: 'b'.repeat(40), difference: madeDigest('d') },
    );
    expect(code).toEqual([
      { commit: COMMIT, unsaved: false },
      { commit: 'b'.repeat(40), range: `${COMMIT}..${'b'.repeat(40)}`, unsaved: true },
    ]);
    expect(data[0]?.changes).toEqual([undefined, { kind: 'removed' }]);
    expect(components).toEqual([
      { name: 'ranker', values: ['1.0.0', '1.1.0'], same: false },
      { name: 'ranker > encoder', values: ['0.1.0', '0.2.0'], same: false },
      { name: 'ranker > tokeniser', values: [undefined, '1.0.0'], same: false },
    ]);
  });

  it('compare environments package by package', () => {
    const facts = flatEnvironment({
      python: '3.11.2',
      cores: 8,
      gpus: ['A100', 'A100'],
      packages: ['numpy==1.26.0', 'local'],
      locks: { 'uv.lock': 'sha256:00' },
      variables: { OMP_NUM_THREADS: '4' },
      absent: ['r'],
    });
    expect(facts).toEqual({
      python: '3.11.2',
      cores: '8',
      gpus: 'A100, A100',
      'package numpy': '1.26.0',
      'package local': '',
      'lock uv.lock': 'sha256:00',
      'variable OMP_NUM_THREADS': '4',
    });
  });
});

describe('directories of two versions', () => {
  const file = (name: string, content: string): TreeEntry => ({
    kind: 'file',
    name,
    size: content.length,
    digest: Buffer.from(madeDigest(content).slice(7), 'hex'),
  });
  const trees = new Map<string, Buffer>();
  const tree = (label: string, entries: TreeEntry[]): ReturnType<typeof toOid> => {
    const oid = toOid('blake3', madeDigest(label).slice(7));
    trees.set(oid.slice(7), encodeTree(entries));
    return oid;
  };
  const diff = listingDiff((digest) => {
    const bytes = trees.get(digest.toString('hex'));
    if (bytes) return bytes;
    throw new MlvError('OBJECT_MISSING', 'not here');
  }, 'blake3');
  const before = tree('before', [file('a', 'one'), file('b', 'two'), file('c', 'three')]);
  const after = tree('after', [file('a', 'other'), file('b', 'two'), file('d', 'three'), file('e', 'new one')]);

  it('are compared file by file', () => {
    expect(diff(before, after)).toEqual({
      added: 1,
      modified: 1,
      deleted: 0,
      renamed: 1,
      bytesAdded: 12,
      bytesDeleted: 3,
    });
  });

  it('are only said to differ where a listing is not at hand, or is named by another hash', () => {
    expect(diff(before, toOid('blake3', 'f'.repeat(64)))).toBeUndefined();
    expect(diff(before, toOid('sha256', 'f'.repeat(64)))).toBeUndefined();
  });
});
