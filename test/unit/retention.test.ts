import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planRetention } from '../../src/registry/retention.js';
import { digestOf, modelState, versionState } from '../helpers/model-state.js';

const TODAY = '2026-06-30';

function until(version: string, retain_until: string) {
  const state = versionState(version);
  return { ...state, summary: { ...state.summary, retain_until } };
}

describe('the versions that retention rules keep', () => {
  it('are those on a stage, those before them, those to be retained, and the newest', () => {
    const model = modelState(
      [
        versionState('1.0.0', { stages: ['production'] }),
        versionState('0.9.0'),
        versionState('0.8.0', { stages: ['archived'] }),
        until('0.7.0', '2026-06-30'),
        until('0.6.0', '2026-06-29'),
        versionState('1.1.0'),
        versionState('1.10.0'),
        versionState('1.9.0'),
      ],
      { production: [['0.8.0'], ['0.9.0'], ['1.0.0']], archived: [['0.6.0'], ['0.8.0']] },
    );
    expect(planRetention([model], { last: 2 }, TODAY)).toEqual({
      kept: [
        { model: 'fraud', version: '1.10.0', reasons: ['one of the last 2'] },
        { model: 'fraud', version: '1.9.0', reasons: ['one of the last 2'] },
        { model: 'fraud', version: '1.0.0', reasons: ['on production'] },
        { model: 'fraud', version: '0.9.0', reasons: ['on production before'] },
        { model: 'fraud', version: '0.7.0', reasons: ['until 2026-06-30'] },
      ],
      released: ['fraud@1.1.0', 'fraud@0.8.0', 'fraud@0.6.0'],
    });
    expect(planRetention([model], { last: undefined }, TODAY).kept.map(({ version }) => version)).toEqual([
      '1.0.0',
      '0.9.0',
      '0.7.0',
    ]);
  });

  it('bring what they consist of, however deep', () => {
    const part = { ...versionState('1.0.0'), model: 'part', manifest: digestOf('part') };
    const whole = versionState('2.0.0');
    const middle = { ...whole, model: 'middle', manifest: digestOf('middle') };
    const bundle = versionState('3.0.0', { stages: ['staging'] });
    const models = [
      { ...modelState([part]), name: 'part' },
      { ...modelState([{ ...middle, summary: { ...middle.summary, components: [part.manifest] } }]), name: 'middle' },
      modelState([{ ...bundle, summary: { ...bundle.summary, components: [middle.manifest] } }, versionState('1.0.0')]),
    ];
    const plan = planRetention(models, { last: undefined }, TODAY);
    expect(plan.kept.map(({ model, reasons }) => [model, ...reasons])).toEqual([
      ['part', 'part of middle@2.0.0'],
      ['middle', 'part of fraud@3.0.0'],
      ['fraud', 'on staging'],
    ]);
    expect(plan.released).toEqual(['fraud@1.0.0']);
  });

  it('grow with the rule, and are told apart from the others without a rest', () => {
    const versions = fc.uniqueArray(fc.integer({ min: 0, max: 50 }), { maxLength: 20 });
    fc.assert(
      fc.property(versions, fc.integer({ min: 1, max: 10 }), (numbers, last) => {
        const model = modelState(numbers.map((number) => versionState(`1.${number}.0`)));
        const plan = planRetention([model], { last }, TODAY);
        const more = planRetention([model], { last: last + 1 }, TODAY);
        expect(plan.kept.length + plan.released.length).toBe(numbers.length);
        expect(plan.kept).toHaveLength(Math.min(last, numbers.length));
        const names = new Set(more.kept.map(({ version }) => version));
        expect(plan.kept.every(({ version }) => names.has(version))).toBe(true);
      }),
    );
  });
});
