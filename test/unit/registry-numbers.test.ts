import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BumpFacts, chooseBump, codePaths } from '../../src/registry/auto-bump.js';
import { relevantDirt } from '../../src/registry/clean-workspace.js';
import { listingLine, listingOrder } from '../../src/registry/listing.js';
import type { Manifest, ManifestItem } from '../../src/registry/manifest.js';
import { defaultParent, nextNumber } from '../../src/registry/next-version.js';
import type { ModelState, VersionState } from '../../src/registry/registry.js';
import { contentDifferences } from '../../src/registry/same-content.js';

const item = (path: string, content = 'a', files?: number): ManifestItem => ({
  path,
  oid: `blake3:${content.repeat(64)}`,
  sha256: `sha256:${content.repeat(64)}`,
  size: 1,
  ...(files !== undefined && { files }),
});
const BEFORE: BumpFacts = { artifacts: [item('model.pkl')], data: [item('data')], params: { depth: 3, lr: 0.1 } };
const NO_CODE = { paths: [] };

const manifest = (version: string, extra: Partial<Manifest> = {}): Manifest => ({
  mlv: 1,
  model: 'fraud',
  version,
  ...BEFORE,
  metrics: {},
  commit: '1'.repeat(40),
  author: 'Ada <ada@example.com>',
  created: '2026-03-01T10:00:00Z',
  ...extra,
});

describe('the part of the number that a change raises', () => {
  it.each<[string, Partial<BumpFacts>, { paths: string[] }, [five: string, three: string, reason: string]]>([
    ['a new artifact', { artifacts: [item('model.pkl'), item('b.onnx')] }, NO_CODE, ['major', 'major', 'interface']],
    ['a missing artifact', { artifacts: [] }, NO_CODE, ['major', 'major', 'interface']],
    ['another format', { artifacts: [item('model.onnx')] }, NO_CODE, ['major', 'major', 'interface']],
    ['a directory for a file', { artifacts: [item('model.pkl', 'a', 3)] }, NO_CODE, ['major', 'major', 'interface']],
    ['new code', {}, { paths: ['train.py'] }, ['patch', 'minor', 'code']],
    ['uncommitted code', { difference: `blake3:${'b'.repeat(64)}` }, NO_CODE, ['patch', 'minor', 'code']],
    ['other data', { data: [item('data', 'b')] }, NO_CODE, ['data', 'minor', 'data']],
    ['more data', { data: [item('data'), item('more')] }, NO_CODE, ['data', 'minor', 'data']],
    ['another parameter', { params: { depth: 4, lr: 0.1 } }, NO_CODE, ['experiment', 'patch', 'params']],
    ['a lost parameter', { params: { depth: 3 } }, NO_CODE, ['experiment', 'patch', 'params']],
    ['trained anew', { artifacts: [item('model.pkl', 'b')] }, NO_CODE, ['experiment', 'patch', 'retrained']],
  ])('%s', (_, change, code, [five, three, reason]) => {
    const after = { ...BEFORE, ...change };
    expect(chooseBump(BEFORE, after, { code, fivePart: true })?.part).toBe(five);
    const chosen = chooseBump(BEFORE, after, { code, fivePart: false });
    expect(chosen?.part).toBe(three);
    expect(chosen?.reasons[0]).toMatch(new RegExp(`^${reason}: `));
  });

  it('the gravest change decides, and every reason is told', () => {
    const after = { ...BEFORE, artifacts: [item('model.pkl', 'b')], data: [item('data', 'b')], params: { depth: 4 } };
    expect(chooseBump(BEFORE, after, { code: NO_CODE, fivePart: true })).toEqual({
      part: 'data',
      reasons: [
        'data: data has other content',
        'params: depth 3 → 4, lr 0.1 → (none)',
        'retrained: model.pkl has other content',
      ],
    });
  });

  it('components count: another model as interface, another version of one as code', () => {
    const component = (model: string, version: string) => ({ model, version, manifest: `sha256:${version}` });
    const before = { ...BEFORE, components: [component('geo', '1.0.0')] };
    const newer = { ...BEFORE, components: [component('geo', '1.1.0')] };
    const other = { ...BEFORE, components: [component('geo', '1.0.0'), component('text', '1.0.0')] };
    expect(chooseBump(before, newer, { code: NO_CODE, fivePart: true })?.part).toBe('patch');
    expect(chooseBump(before, other, { code: NO_CODE, fivePart: true })?.part).toBe('major');
  });

  it('a commit that is not there counts as changed code, and says so', () => {
    const chosen = chooseBump(BEFORE, BEFORE, { code: { unknown: 'the commit is not here' }, fivePart: false });
    expect(chosen).toEqual({ part: 'minor', reasons: ['code: the commit is not here'] });
  });

  it('nothing changed is nothing', () => {
    expect(chooseBump(BEFORE, structuredClone(BEFORE), { code: NO_CODE, fivePart: true })).toBeUndefined();
  });

  it('pointers, documents and the files that were read are no code', () => {
    const paths = ['README.md', 'data.mlv', 'params.yaml', 'train.py', '.gitignore', 'requirements.txt'];
    expect(codePaths(paths, ['params.yaml'])).toEqual(['train.py', 'requirements.txt']);
  });
});

describe('the number of a new version', () => {
  const code = async () => NO_CODE;

  it.each([
    ['auto', '1.0.0'],
    ['major', '1.0.0'],
    ['data', '1.0.0.0.0'],
    ['experiment', '1.0.0.0.0'],
  ] as const)('the first with --bump %s is %s', async (bump, version) => {
    expect(await nextNumber({ bump }, { parent: undefined, now: BEFORE, code })).toMatchObject({ version });
  });

  it.each([
    ['1.2.3', { params: {} }, '1.2.4'],
    ['1.2.3', { data: [] }, '1.3.0'],
    ['1.2.3.4.5', { data: [] }, '1.2.3.5.0'],
    ['1.2.3.4.5', { params: {} }, '1.2.3.4.6'],
    ['1.2.3.4.5', { artifacts: [] }, '2.0.0.0.0'],
  ])('after %s, with %j changed, it is %s', async (before, change, version) => {
    const parent = manifest(before);
    expect(await nextNumber({ bump: 'auto' }, { parent, now: { ...BEFORE, ...change }, code })).toMatchObject({
      version,
    });
  });

  it('is the one that was given, and no reason with it', async () => {
    expect(await nextNumber({ version: '4.5.6-rc.1' }, { parent: manifest('1.0.0'), now: BEFORE, code })).toEqual({
      version: '4.5.6-rc.1',
    });
    await expect(nextNumber({ version: '4.5' }, { parent: undefined, now: BEFORE, code })).rejects.toMatchObject({
      code: 'VERSION_INVALID',
    });
  });

  it('comes after the highest version, or after the highest below the number given', () => {
    const versions = new Map(
      ['1.2.0', '1.10.0', '2.0.0', '1.10.0-rc.1'].map((version) => [version, { version } as VersionState]),
    );
    const model = { versions } as unknown as ModelState;
    expect(defaultParent(model, { bump: 'auto' })?.version).toBe('2.0.0');
    expect(defaultParent(model, { version: '1.10.1' })?.version).toBe('1.10.0');
    expect(defaultParent(model, { version: '1.10.0' })?.version).toBe('1.10.0-rc.1');
    expect(defaultParent(model, { version: '0.1.0' })).toBeUndefined();
    expect(defaultParent(undefined, { bump: 'auto' })).toBeUndefined();
  });
});

describe('the same content', () => {
  it('does not depend on who registered it, when, under which number, and in which order things are named', () => {
    const left = manifest('1.0.0', { data: [item('a'), item('b')], params: { x: 1, y: [1, 2] }, branch: 'main' });
    const right = manifest('1.0.1', {
      data: [item('b'), item('a')],
      params: { y: [1, 2], x: 1 },
      branch: 'other',
      author: 'Eve <eve@example.com>',
      created: '2027-01-01T00:00:00Z',
      parent: '1.0.0',
      environment: { os: 'linux' },
    });
    expect(contentDifferences(left, right)).toEqual([]);
  });

  it('tells in which parts it differs', () => {
    const left = manifest('1.0.0', { params: { y: [1, 2] }, metrics: { auc: { value: 1 } } });
    const right = manifest('1.0.0', {
      params: { y: [2, 1] },
      metrics: { auc: { value: 1 } },
      retain_until: '2030-01-01',
    });
    expect(contentDifferences(left, right)).toEqual(['params', 'retain until']);
  });
});

describe('the listing of a directory', () => {
  const digest = Buffer.alloc(32, 1);

  it('escapes names as sha256sum does', () => {
    const hex = '01'.repeat(32);
    expect(listingLine('a b.txt', digest)).toBe(`${hex}  a b.txt\n`);
    expect(listingLine('a\\b\nc', digest)).toBe(`\\${hex}  a\\\\b\\nc\n`);
  });

  it('no two lists of paths give the same text', () => {
    const text = (paths: string[]): string => paths.map((path) => listingLine(path, digest)).join('');
    const paths = fc.array(
      fc.string({ minLength: 1, unit: fc.constantFrom('a', '\\', '\n', '\r', 'n', ' ', '0', '1') }),
    );
    fc.assert(
      fc.property(paths, paths, (left, right) => {
        expect(text(left) === text(right)).toBe(JSON.stringify(left) === JSON.stringify(right));
      }),
    );
  });

  it('comes in the order of whole paths', () => {
    const tree = (name: string) => ({ kind: 'tree' as const, name, size: 0, files: 0, digest });
    const file = (name: string) => ({ kind: 'file' as const, name, size: 0, digest });
    const order = listingOrder([tree('a'), file('a-b'), file('a.txt'), tree('b')]).map(({ name }) => name);
    expect(order).toEqual(['a-b', 'a.txt', 'a', 'b']);
  });
});

describe('what makes a workspace dirty', () => {
  it('untracked files count where they look like code and were not read', () => {
    const untracked = [
      'notes.txt',
      'train.py',
      'plot.png',
      'metrics.json',
      'Dockerfile',
      'new.mlv',
      'requirements-dev.txt',
    ];
    expect(relevantDirt({ changed: [], untracked, targets: [] }, ['metrics.json']).untracked).toEqual([
      'train.py',
      'Dockerfile',
      'new.mlv',
      'requirements-dev.txt',
    ]);
  });
});
