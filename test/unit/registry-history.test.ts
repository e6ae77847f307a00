import { describe, expect, it } from 'vitest';
import type { RegistryEvent } from '../../src/registry/event.js';
import { emptyModel, foldModel, versionFacts } from '../../src/registry/fold.js';
import { describeEvent, tellHistory } from '../../src/registry/history.js';
import { manifestDigest } from '../../src/registry/manifest-format.js';
import type { PlacedEvent } from '../../src/registry/registry.js';
import { testEvent, testManifest } from '../helpers/registry.js';

const manifests = ['1.0.0', '1.1.0', '2.0.0'].map((version) => testManifest('a'.repeat(40), { version }));
const [one, two, three] = manifests as [(typeof manifests)[0], (typeof manifests)[0], (typeof manifests)[0]];

function placed(...events: RegistryEvent[]): PlacedEvent[] {
  return events.map((event, index) => ({ seq: index + 1, id: `${index}`.padStart(12, '0'), event }));
}

const promoted = (manifest: typeof one, stage: string, from = 'none', traffic = 100): RegistryEvent =>
  testEvent(manifest, { type: 'promoted', stage, from, traffic });

describe('the history of a stage', () => {
  const events = placed(
    ...manifests.map((manifest) => testEvent(manifest, { type: 'registered' })),
    promoted(one, 'production'),
    promoted(two, 'staging'),
    testEvent(two, { type: 'approved', stage: 'production' }),
    promoted(two, 'production', 'staging', 10),
    promoted(two, 'production', 'production'),
    testEvent(one, { type: 'archived' }),
    promoted(three, 'staging'),
    testEvent(two, { type: 'archived' }),
  );

  it('has what was done there and what left it, and nothing else', () => {
    const told = tellHistory(events, 'production').map(({ event, what }) => `${event.version} ${what}`);
    expect(told).toEqual([
      '1.0.0 promoted to production',
      '1.1.0 approved for production',
      '1.1.0 promoted from staging to production with 10 % of the traffic',
      '1.1.0 promoted to production',
      '1.1.0 archived',
    ]);
    expect(tellHistory(events, 'staging').map(({ what }) => what)).toEqual([
      'promoted to staging',
      'promoted from staging to production with 10 % of the traffic',
      'promoted to staging',
    ]);
  });

  it('ends with those on the stage that the fold has there', () => {
    const facts = new Map(manifests.map((each) => [each.version, versionFacts(each, manifestDigest(each))]));
    const state = foldModel(emptyModel('fraud'), events, { manifests: facts });
    expect([...state.stages.keys()].sort()).toEqual(['archived', 'staging']);
    const last = tellHistory(events, 'staging').at(-1);
    expect(last?.event.version).toBe(state.stages.get('staging')?.[0]?.version);
  });
});

describe('an event in words', () => {
  it.each([
    [testEvent(one, { type: 'demoted', stage: 'production', to: 'staging' }), 'demoted from production to staging'],
    [
      testEvent(one, { type: 'rolled-back', stage: 'production', replaces: ['1.1.0'] }),
      'put back on production instead of 1.1.0',
    ],
    [
      testEvent(one, { type: 'evaluated', on: 'holdout', metrics: { auc: { value: 0.9 }, f1: { value: 0.5 } } }),
      'evaluated on holdout: auc 0.9, f1 0.5',
    ],
    [testEvent(one, { type: 'deprecated', successor: 'fraud@1.1.0' }), 'deprecated, fraud@1.1.0 follows'],
    [
      testEvent(one, { type: 'deployed', target: 'eu-west', stage: 'production', note: 'blue' }),
      'deployed to eu-west, stage production: blue',
    ],
    [testEvent(one, { type: 'deployed' }), 'deployed'],
    [
      testEvent(one, { type: 'guarded', stage: 'production', verdict: 'data-fault', signals: [] }),
      'guarded on production: data fault',
    ],
    [
      testEvent(one, { type: 'reproduced', verdict: 'different', found: ['model.pkl'] }),
      'reproduced: different (model.pkl)',
    ],
    [
      testEvent(one, { type: 'checked', check: 'smoke', command: 'make smoke', exit: 2 }),
      'checked by smoke: exit code 2',
    ],
  ])('%#: %s', (event, words) => {
    expect(describeEvent(event)).toBe(words);
  });

  it('tells failed gates, and that they were overridden', () => {
    const gate = { gate: 'metrics', rule: 'auc >= 0.95', passed: false, found: 'auc is 0.9' };
    const event = testEvent(one, {
      type: 'promoted',
      stage: 'production',
      from: 'none',
      traffic: 100,
      override: true,
      gates: [gate, { ...gate, passed: true }],
    });
    expect(tellHistory(placed(event))[0]).toMatchObject({ override: true, failed: [gate] });
  });
});
