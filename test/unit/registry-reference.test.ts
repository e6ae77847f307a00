import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isExplicitReference, parseReference, readMoment, tryReference } from '../../src/registry/reference.js';
import { resolveReference, versionName } from '../../src/registry/reference-resolve.js';
import type { RegistryView } from '../../src/registry/registry.js';
import { fitting, latestOf } from '../../src/registry/version-order.js';
import { assignments, madeDigest, memoryView, modelState, versionState } from '../helpers/registry-state.js';

const COMMIT = 'abcdef1234567890abcdef1234567890abcdef12';
const SHARED = madeDigest('shared');
const fraud = modelState(
  'fraud',
  [
    versionState('fraud@1.0.0', { summary: { artifacts: [SHARED] } }),
    versionState('fraud@1.2.0'),
    versionState('fraud@1.10.0'),
    versionState('fraud@2.0.0', { deprecated: { by: 'Ada <ada@example.com>', at: '2026-03-02T10:00:00Z' } }),
    versionState('fraud@3.0.0-rc.1'),
  ],
  {
    staging: [assignments(['3.0.0-rc.1', 100])],
    production: [assignments(['1.0.0', 100]), assignments(['1.2.0', 100]), assignments(['1.2.0', 90], ['1.10.0', 10])],
    canary: [assignments(['1.0.0', 100]), []],
  },
);
const churn = modelState('churn', [
  versionState('churn@0.1.0-beta', { summary: { commit: COMMIT } }),
  versionState('churn@0.2.0', {
    summary: { commit: 'abcdef1900000000000000000000000000000000', artifacts: [SHARED] },
    stages: ['archived'],
  }),
]);
const deadbeef = modelState('deadbeef', [
  versionState('deadbeef@1.0.0', { summary: { commit: 'deadbeef00000000000000000000000000000000' } }),
]);
const view = memoryView([fraud, churn, deadbeef]);
const older = memoryView([
  modelState('fraud', [versionState('fraud@1.0.0')], { production: [assignments(['1.0.0', 100])] }),
]);
const viewAtTime = async (time: Date): Promise<RegistryView | undefined> =>
  time < new Date('2026-01-01') ? undefined : older;

async function resolved(text: string, key?: string): Promise<string> {
  const { version } = await resolveReference(view, text, { viewAtTime, ...(key === undefined ? {} : { key }) });
  return versionName(version);
}

describe('a reference', () => {
  it.each([
    ['fraud@1.0.0', 'fraud@1.0.0'],
    ['fraud@^1.2', 'fraud@1.10.0'],
    ['fraud@1.2', 'fraud@1.2.0'],
    ['fraud@~1.2.0', 'fraud@1.2.0'],
    ['fraud@>=1 <1.10', 'fraud@1.2.0'],
    ['fraud@*', 'fraud@1.10.0'],
    ['fraud@^3.0.0-rc.0', 'fraud@3.0.0-rc.1'],
    ['fraud@^2', 'fraud@2.0.0'],
    ['fraud@latest', 'fraud@1.10.0'],
    ['fraud@latest~1', 'fraud@1.2.0'],
    ['fraud', 'fraud@1.10.0'],
    ['fraud@production', 'fraud@1.2.0'],
    ['fraud@production~1', 'fraud@1.0.0'],
    ['fraud@canary~1', 'fraud@1.0.0'],
    ['fraud@staging', 'fraud@3.0.0-rc.1'],
    ['fraud@{2026-03-01}', 'fraud@1.0.0'],
    ['fraud@production@{2026-03-01}', 'fraud@1.0.0'],
    ['fraud@production@{2026-03-01T10:00:00Z}', 'fraud@1.0.0'],
    ['churn', 'churn@0.1.0-beta'],
    ['churn@archived', 'churn@0.2.0'],
    [COMMIT, 'churn@0.1.0-beta'],
    ['abcdef12', 'churn@0.1.0-beta'],
    [madeDigest('artifact fraud@1.2.0'), 'fraud@1.2.0'],
    [madeDigest('artifact fraud@1.2.0').slice(0, 20), 'fraud@1.2.0'],
    [madeDigest('manifest fraud@1.2.0', 'sha256'), 'fraud@1.2.0'],
    [`churn@${SHARED}`, 'churn@0.2.0'],
  ])('%s is %s', async (text, expected) => {
    expect(await resolved(text)).toBe(expected);
  });

  it('with a key is the version of that caller, with everything that shares the stage', async () => {
    const found = await resolveReference(view, 'fraud@production', { key: 'user-1' });
    expect(found.sharing).toHaveLength(2);
    const given = new Set<string>();
    for (let index = 0; index < 100; index += 1) given.add(await resolved('fraud@production', `user-${index}`));
    expect([...given].sort()).toEqual(['fraud@1.10.0', 'fraud@1.2.0']);
  });

  it.each([
    ['fruad@1.0.0', 'MODEL_UNKNOWN', 'did you mean fraud?'],
    ['fruad', 'MODEL_UNKNOWN', 'did you mean fraud?'],
    ['abcdef99', 'MODEL_UNKNOWN', 'mlv list'],
    ['fraud@1.2.1', 'VERSION_UNKNOWN', 'did you mean fraud@1.2.0?'],
    ['fraud@^4', 'VERSION_UNKNOWN', 'the newest are: 3.0.0-rc.1, 2.0.0, 1.10.0'],
    ['fraud@latest~9', 'VERSION_UNKNOWN', 'the newest are'],
    ['fraud@prodution', 'STAGE_UNKNOWN', 'did you mean fraud@production?'],
    ['fraud@canary', 'VERSION_UNKNOWN', 'before that, 1.0.0 did'],
    ['churn@production', 'VERSION_UNKNOWN', 'mlv promote churn@latest production'],
    ['fraud@production~2', 'VERSION_UNKNOWN', 'there stood, oldest first: 1.0.0, 1.2.0'],
    ['fraud@archived', 'VERSION_UNKNOWN', 'nothing of fraud ever stood'],
    ['fraud@{2025-03-01}', 'VERSION_UNKNOWN', 'mlv history'],
    [madeDigest('nothing'), 'VERSION_UNKNOWN', 'mlv list'],
    [madeDigest('data'), 'VERSION_UNKNOWN', 'it is data of 8 version(s): mlv select'],
  ])('%s is refused: %s, %s', async (text, code, hint) => {
    await expect(resolved(text)).rejects.toMatchObject({
      code,
      hint: expect.stringContaining(code === 'VERSION_UNKNOWN' && text === 'fraud@archived' ? 'mlv promote' : hint),
    });
  });

  it.each([
    ['abcdef1', ['churn@0.1.0-beta', 'churn@0.2.0']],
    [SHARED, ['fraud@1.0.0', 'churn@0.2.0']],
    ['deadbeef', ['deadbeef@1.0.0', 'deadbeef@latest']],
  ])('that several versions answer to names them: %s', async (text, candidates) => {
    const error = await resolved(text).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'VERSION_UNKNOWN', data: { candidates: expect.arrayContaining(candidates) } });
    for (const candidate of candidates) expect((error as Error).message).toContain(candidate);
  });

  it('to an empty registry says how to begin', async () => {
    for (const text of ['fraud', 'fraud@1.0.0', SHARED, 'abcdef12']) {
      const error = await resolveReference(memoryView([]), text).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'MODEL_UNKNOWN', hint: expect.stringContaining('mlv register') });
    }
  });

  it.each([
    './fraud',
    'models/fraud',
    '../x',
    '-fraud',
    '--json',
    '',
    '@production',
    'fraud@',
    'Fraud@1.0.0',
    'fraud@v1.0.0',
    'fraud@Production',
    'fraud@production~',
    'fraud@production~99999',
    'fraud@1.0.0@{2026-03-01',
    'fraud@{2026-13-01}',
    'fraud@{}',
    'fraud@1.0.0~1',
    'fraud@latest@production',
    'blake3:12',
    'sha256:XYZ12345',
    'con@1.0.0',
    'file@2x.png',
    'fraud@1.0.0\n',
    ' fraud',
    'fraud@production@{2026-03-01}@{2026-03-01}',
    'a'.repeat(600),
  ])('is never taken from %j', (text) => {
    expect(tryReference(text)).toBeUndefined();
    expect(() => parseReference(text)).toThrow(expect.objectContaining({ code: 'VERSION_INVALID' }));
  });

  it('is told from a path by what stands behind the @', () => {
    expect(['fraud@1.0.0', 'fraud@production', 'model.pkl@^1'].every(isExplicitReference)).toBe(true);
    expect(['fraud', 'model.pkl', 'data', 'data/x@1.0.0', 'logo@2x.png'].some(isExplicitReference)).toBe(false);
  });

  it('is read without an error of any other kind from any text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void tryReference(text)));
    const words = fc.constantFrom(
      'fraud',
      '@',
      '{',
      '}',
      '1.0',
      '~',
      '^',
      '2026-03-01',
      'production',
      '-',
      '.',
      ' ',
      '*',
    );
    fc.assert(
      fc.property(
        fc.array(words).map((list) => list.join('')),
        (text) => void tryReference(text),
      ),
    );
  });
});

describe('a date', () => {
  it('is the last moment of its day, or the moment itself', () => {
    expect(readMoment('2026-03-01')?.toISOString()).toBe('2026-03-01T23:59:59.999Z');
    expect(readMoment('2026-03-01T10:00:00Z')?.toISOString()).toBe('2026-03-01T10:00:00.000Z');
    expect(readMoment('2026-03-01 10:00')?.toISOString()).toBe('2026-03-01T10:00:00.000Z');
    expect(readMoment('2026-03-01T10:00:00+02:00')?.toISOString()).toBe('2026-03-01T08:00:00.000Z');
    expect(['2026-02-30', 'yesterday', '', '2026-3-1', '2026-03-01T25:00:00Z'].map(readMoment)).toEqual(
      Array(5).fill(undefined),
    );
  });
});

describe('the latest version', () => {
  it('is the first of those that latest may mean', () => {
    const version = fc.record({
      number: fc.tuple(fc.nat(2), fc.nat(2), fc.nat(2), fc.constantFrom('', '-rc.1', '-rc.2')),
      deprecated: fc.boolean(),
      archived: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(version), (given) => {
        const versions = given.map(({ number: [major, minor, patch, pre], deprecated, archived }) =>
          versionState(`fraud@${major}.${minor}.${patch}${pre}`, {
            ...(deprecated && { deprecated: { by: 'Ada', at: '2026-03-02T10:00:00Z' } }),
            stages: archived ? ['archived'] : [],
          }),
        );
        const model = modelState('fraud', versions);
        expect(latestOf(model)).toBe(fitting(model, undefined)[0]);
      }),
    );
  });
});
