import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planImport } from '../../src/interop/mlflow/plan.js';
import type { MlflowRun, MlflowVersion } from '../../src/interop/mlflow/store.js';
import { latestPoint, modelNameOf, paramValue, statusName } from '../../src/interop/mlflow/values.js';
import { modelNameProblem } from '../../src/registry/model-name.js';

const run = (id: string, more: Partial<MlflowRun> = {}): MlflowRun => ({
  id,
  experiment: 'Churn study',
  status: 'FINISHED',
  started: 1000,
  params: new Map(),
  metrics: new Map(),
  tags: new Map(),
  artifacts: `/x/${id}/artifacts`,
  models: [],
  ...more,
});
const version = (number: string, more: Partial<MlflowVersion> = {}): MlflowVersion => ({
  model: 'Fraud',
  version: number,
  created: 5000,
  aliases: [],
  tags: new Map(),
  status: 'READY',
  artifacts: '/x',
  ...more,
});
const plan = (
  facts: { runs?: MlflowRun[]; versions?: MlflowVersion[] },
  more: Partial<Parameters<typeof planImport>[1]> = {},
) => planImport({ runs: [], versions: [], ...facts }, { known: [], source: 'mlruns', models: [], ...more });

describe('what comes of a store of MLflow', () => {
  it('version 3 is 3.0.0; finished runs are 0.1.0, 0.2.0, … in the order in which they began', () => {
    const { versions, passedOver } = plan({
      runs: [run('b', { started: 2000 }), run('a'), run('f', { status: 'FAILED' }), run('r', { status: 'RUNNING' })],
      versions: [version('10'), version('2'), version('x'), version('4', { status: 'PENDING_REGISTRATION' })],
    });
    expect(versions.map(({ model, version: number, origin }) => [model, number, origin.id])).toEqual([
      ['churn-study', '0.1.0', 'runs:/a'],
      ['churn-study', '0.2.0', 'runs:/b'],
      ['fraud', '2.0.0', 'models:/Fraud/2'],
      ['fraud', '10.0.0', 'models:/Fraud/10'],
    ]);
    expect(passedOver.map(({ id }) => id)).toEqual(['models:/Fraud/4', 'models:/Fraud/x', 'runs:/f', 'runs:/r'].sort());
  });

  it('repeating it finds what was imported and numbers what is new behind it', () => {
    const first = plan({ runs: [run('a')], versions: [version('1', { run: 'a' })] });
    const known = first.versions.map(({ model, version: number, origin }) => ({ model, version: number, origin }));
    const again = plan({ runs: [run('a'), run('b')], versions: [version('1', { run: 'a' }), version('2')] }, { known });
    expect(again.present.map(({ id }) => id).sort()).toEqual(['models:/Fraud/1', 'runs:/a']);
    expect(again.versions.map(({ model, version: number }) => `${model}@${number}`).sort()).toEqual([
      'churn-study@0.2.0',
      'fraud@2.0.0',
    ]);
  });

  it('a number that something else has, and names that come to one, are passed over', () => {
    const taken = plan({ versions: [version('1')] }, { known: [{ model: 'fraud', version: '1.0.0' }] });
    expect([taken.versions, taken.passedOver[0]?.reason]).toEqual([[], expect.stringContaining('fraud@1.0.0')]);
    const mixed = plan({ versions: [version('1'), version('2', { model: 'fraud!' })] });
    expect(mixed.versions.map(({ origin }) => origin.id)).toHaveLength(1);
    expect(mixed.passedOver[0]?.reason).toContain('would both be called fraud');
    const other = plan(
      { versions: [version('1', { run: 'z' })] },
      { known: [{ model: 'fraud', version: '1.0.0', origin: { id: 'models:/Fraud/1', facts: { run: 'y' } } }] },
    );
    expect(other.versions).toEqual([]);
  });

  it('parameters, figures, tags, stages and aliases are kept; what is no figure is said', () => {
    const source = run('a', {
      params: new Map([
        ['depth', '3'],
        ['lr', '1e-3'],
        ['on', 'True'],
        ['bad\nname', 'x'],
      ]),
      metrics: new Map([
        ['auc', 0.9],
        ['loss', Number.NaN],
      ]),
      tags: new Map([
        ['team', 'risk'],
        ['mlflow.log-model.history', '[…]'],
        ['repo', 'https://ada:pw@example.com/x'],
      ]),
    });
    const { versions } = plan(
      {
        runs: [source],
        versions: [
          version('1', { run: 'a', stage: 'Production', aliases: ['Champion'], tags: new Map([['ok', 'yes']]) }),
        ],
      },
      { models: ['Fraud'] },
    );
    expect(versions).toHaveLength(1);
    expect(versions[0]).toMatchObject({
      params: { depth: 3, lr: '1e-3', on: true },
      metrics: { auc: { value: 0.9 } },
      stages: ['production', 'champion'],
      origin: {
        created: '1970-01-01T00:00:05Z',
        facts: {
          experiment: 'Churn study',
          run: 'a',
          stage: 'Production',
          aliases: 'Champion',
          metrics_without_number: 'loss',
        },
        tags: { team: 'risk', ok: 'yes', repo: 'https://***@example.com/x' },
      },
    });
    expect(Object.keys(versions[0]?.params ?? {})).not.toContain('bad\nname');
  });

  it('a parameter that reads as a number is exactly that number again', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.double().map(String), fc.integer().map(String)), (text) => {
        const value = paramValue(text);
        expect(typeof value === 'boolean' ? (value ? 'True' : 'False') : String(value)).toBe(text);
      }),
    );
    expect([paramValue('-0'), paramValue('NaN'), paramValue(' 1'), paramValue('')]).toEqual(['-0', 'NaN', ' 1', '']);
  });

  it('whatever an experiment is called, its model has a name that models can have', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.string({ maxLength: 200 })), (name) => {
        const model = modelNameOf(name);
        if (
          model !== undefined &&
          !model.endsWith('.lock') &&
          !/^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/.test(model)
        ) {
          expect(modelNameProblem(model)).toBeUndefined();
        }
      }),
    );
    expect(modelNameOf('Churn study (v2)')).toBe('churn-study-v2');
    expect([modelNameOf('AUX'), modelNameOf('yarn.lock')]).toEqual(['aux-model', 'yarn.lock-model']);
    expect(modelNameOf('Größe')).toBe('gro-e');
    expect(modelNameOf('☃')).toBeUndefined();
  });

  it('the latest point is that of the highest step, then the newest', () => {
    expect(
      latestPoint([
        { value: 1, step: 2, time: 0 },
        { value: 2, step: 1, time: 9 },
      ])?.value,
    ).toBe(1);
    expect(
      latestPoint([
        { value: 1, step: 0, time: 1 },
        { value: 2, step: 0, time: 2 },
      ])?.value,
    ).toBe(2);
    expect(latestPoint([])).toBeUndefined();
    expect([statusName(3), statusName('FAILED')]).toEqual(['FINISHED', 'FAILED']);
  });
});
