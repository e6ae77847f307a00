import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RegistryEvent } from '../../src/registry/event.js';
import { emptyModel, foldModel, type VersionFacts, versionFacts } from '../../src/registry/fold.js';
import { manifestDigest } from '../../src/registry/manifest-format.js';
import type { ModelState, PlacedEvent } from '../../src/registry/registry.js';
import { testEvent, testManifest } from '../helpers/registry.js';

const VERSIONS = ['1.0.0', '1.1.0', '1.2.0'];
const MANIFESTS = new Map(VERSIONS.map((version) => [version, testManifest('c'.repeat(40), { version })]));
const FACTS = new Map<string, VersionFacts>(
  [...MANIFESTS].map(([version, manifest]) => [version, versionFacts(manifest, manifestDigest(manifest))]),
);

function event<E extends Partial<RegistryEvent> & { type: RegistryEvent['type'] }>(
  version: string,
  more: E,
): RegistryEvent {
  return testEvent(MANIFESTS.get(version)!, more);
}

const REGISTERED = VERSIONS.map((version) => event(version, { type: 'registered' }));

function placed(events: readonly RegistryEvent[], from = 1): PlacedEvent[] {
  return events.map((each, index) => ({ seq: from + index, id: '0'.repeat(12), event: each }));
}

function fold(...events: RegistryEvent[]): ModelState {
  return foldModel(emptyModel('fraud'), placed([...REGISTERED, ...events]), { manifests: FACTS });
}

function promoted(version: string, stage: string, { from = 'none', traffic = 100 } = {}): RegistryEvent {
  return event(version, { type: 'promoted', stage, from, traffic });
}

function shares(state: ModelState, stage: string): Record<string, number> {
  return Object.fromEntries((state.stages.get(stage) ?? []).map(({ version, traffic }) => [version, traffic]));
}

const stage = fc.constantFrom('staging', 'production', 'archived');
const life = fc.constantFrom('staging', 'production');
const version = fc.constantFrom(...VERSIONS);
const anyEvent: fc.Arbitrary<RegistryEvent> = fc.oneof(
  fc
    .tuple(
      version,
      stage,
      fc.constantFrom('none', 'staging', 'production', 'archived'),
      fc.integer({ min: 1, max: 100 }),
    )
    .map(([of, to, from, traffic]) => promoted(of, to, { from, traffic })),
  fc
    .tuple(version, life, fc.constantFrom('none', 'staging', 'archived'))
    .map(([of, from, to]) => event(of, { type: 'demoted', stage: from, to })),
  version.map((of) => event(of, { type: 'archived' })),
  fc.tuple(version, life).map(([of, on]) => event(of, { type: 'rolled-back', stage: on, replaces: [] })),
  fc
    .tuple(
      version,
      life,
      fc.constantFrom('approved' as const, 'rejected' as const),
      fc.constantFrom('Ada <ada@x>', 'Bob <bob@x>', 'ADA <Ada@x>'),
    )
    .map(([of, on, type, by]) => event(of, { type, stage: on, by })),
  fc
    .tuple(version, fc.constantFrom('auc', 'f1'), fc.double({ noNaN: true }))
    .map(([of, name, value]) => event(of, { type: 'evaluated', on: 'holdout', metrics: { [name]: { value } } })),
  version.map((of) => event(of, { type: 'deprecated' })),
);

describe('the fold of a model', () => {
  it('in pieces gives what it gives at once', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 30 }), fc.nat(33), (events, cut) => {
        const all = placed([...REGISTERED, ...events]);
        const at = Math.max(0, Math.min(cut, all.length));
        const first = foldModel(emptyModel('fraud'), all.slice(0, at), { manifests: FACTS });
        const frozen = JSON.stringify([...first.versions, ...first.stages, ...first.held]);
        const second = foldModel(first, all.slice(at), { manifests: FACTS, nextSeq: at + 1 });
        expect(second).toEqual(foldModel(emptyModel('fraud'), all, { manifests: FACTS }));
        expect(JSON.stringify([...first.versions, ...first.stages, ...first.held])).toBe(frozen);
      }),
    );
  });

  it('keeps shares that make 100, and stages that agree with what versions say', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 30 }), (events) => {
        const state = fold(...events);
        for (const [name, assignments] of state.stages) {
          if (name !== 'archived') {
            expect(assignments.reduce((sum, { traffic }) => sum + traffic, 0)).toBeCloseTo(100, 5);
            expect(assignments.every(({ traffic }) => traffic >= 0)).toBe(true);
            expect(state.held.get(name)?.at(-1)).toEqual(assignments);
          }
          for (const { version: each } of assignments) expect(state.versions.get(each)?.stages).toContain(name);
        }
        for (const each of state.versions.values()) {
          expect(new Set(each.stages).size).toBe(each.stages.length);
          for (const name of each.stages) {
            expect(state.stages.get(name)?.filter((one) => one.version === each.version)).toHaveLength(1);
          }
          if (each.stages.includes('archived')) expect(each.stages).toEqual(['archived']);
        }
      }),
    );
  });
});

describe('promotions', () => {
  it('with all traffic replace what stood on the stage', () => {
    const state = fold(promoted('1.0.0', 'production'), promoted('1.1.0', 'production'));
    expect(shares(state, 'production')).toEqual({ '1.1.0': 100 });
    expect(state.versions.get('1.0.0')?.stages).toEqual([]);
    expect(state.held.get('production')?.map((set) => set.map(({ version: of }) => of))).toEqual([
      ['1.0.0'],
      ['1.1.0'],
    ]);
  });
  it('with less share it in the proportion that the others had', () => {
    const two = [promoted('1.0.0', 'production'), promoted('1.1.0', 'production', { traffic: 20 })];
    expect(shares(fold(...two), 'production')).toEqual({ '1.0.0': 80, '1.1.0': 20 });
    const three = [...two, promoted('1.2.0', 'production', { traffic: 50 })];
    expect(shares(fold(...three), 'production')).toEqual({ '1.0.0': 40, '1.1.0': 10, '1.2.0': 50 });
    const out = [...three, event('1.2.0', { type: 'demoted', stage: 'production', to: 'none' })];
    expect(shares(fold(...out), 'production')).toEqual({ '1.0.0': 80, '1.1.0': 20 });
  });
  it('give a version that is alone everything, whatever was asked', () => {
    expect(shares(fold(promoted('1.0.0', 'production', { traffic: 10 })), 'production')).toEqual({ '1.0.0': 100 });
  });
  it('take the version away from the stage it came from, and from no other', () => {
    const moved = fold(promoted('1.0.0', 'staging'), promoted('1.0.0', 'production', { from: 'staging' }));
    expect(moved.versions.get('1.0.0')?.stages).toEqual(['production']);
    const both = fold(promoted('1.0.0', 'staging'), promoted('1.0.0', 'production', { from: 'none' }));
    expect(both.versions.get('1.0.0')?.stages).toEqual(['staging', 'production']);
  });
  it('are undone by a rollback, which gives everything to what it names', () => {
    const state = fold(
      ...[promoted('1.0.0', 'production'), promoted('1.1.0', 'production', { traffic: 50 })],
      event('1.0.0', { type: 'rolled-back', stage: 'production', replaces: ['1.1.0'] }),
    );
    expect(shares(state, 'production')).toEqual({ '1.0.0': 100 });
    expect(state.versions.get('1.1.0')?.stages).toEqual([]);
  });
});

describe('what people say', () => {
  it('is counted by the last word of each person for each stage', () => {
    const state = fold(
      event('1.0.0', { type: 'approved', stage: 'production', by: 'Ada <ada@x>' }),
      event('1.0.0', { type: 'approved', stage: 'production', by: 'Bob <bob@x>' }),
      event('1.0.0', { type: 'rejected', stage: 'production', by: 'Ada L. <ADA@x>', reason: 'drift' }),
    );
    expect(state.versions.get('1.0.0')?.approvals.map(({ by, approved }) => [by, approved])).toEqual([
      ['Bob <bob@x>', true],
      ['Ada L. <ADA@x>', false],
    ]);
  });
});

describe('an event that cannot be', () => {
  const refused = (events: RegistryEvent[], from = 1) =>
    expect(() => foldModel(emptyModel('fraud'), placed(events, from), { manifests: FACTS })).toThrow(
      expect.objectContaining({ code: 'REGISTRY_INVALID' }),
    );
  it('is one of a version that was not registered', () => refused([promoted('1.0.0', 'staging')]));
  it('is a second registration', () => refused([REGISTERED[0]!, REGISTERED[0]!]));
  it('is one behind a gap', () => refused([REGISTERED[0]!], 2));
  it('is one that holds the manifest of another version', () =>
    refused([...REGISTERED, { ...promoted('1.0.0', 'staging'), manifest: FACTS.get('1.1.0')!.digest }]));
  it('is a registration with another manifest than the file', () =>
    refused([{ ...REGISTERED[0]!, manifest: FACTS.get('1.1.0')!.digest }]));
  it('is one of another model', () => refused([{ ...REGISTERED[0]!, model: 'other' }]));
});
