import { describe, expect, it } from 'vitest';
import type { RegistryEvent } from '../../src/registry/event.js';
import type { PlacedEvent } from '../../src/registry/registry.js';
import { lastGood } from '../../src/registry/rollback.js';
import { modelState, type VersionSketch, versionState } from '../helpers/model-state.js';

function good(
  held: readonly (readonly string[])[],
  given: { events?: Partial<RegistryEvent>[]; sketches?: Record<string, VersionSketch> } = {},
): string {
  const names = [...new Set(held.flat())];
  const model = modelState(
    names.map((name) => versionState(name, given.sketches?.[name])),
    { production: held },
  );
  const events = (given.events ?? []).map((event, at) => ({ seq: at + 1, id: '0'.repeat(12), event }) as PlacedEvent);
  return lastGood(model, 'production', events).version;
}

function back(version: string, ...replaces: string[]): Partial<RegistryEvent> {
  return { type: 'rolled-back', stage: 'production', version, replaces };
}

describe('the last good version of a stage', () => {
  it('is what stood there before', () => {
    expect(good([['1.0.0'], ['2.0.0']])).toBe('1.0.0');
    expect(good([['1.0.0'], ['2.0.0'], ['3.0.0']])).toBe('2.0.0');
  });

  it('passes over what is deprecated or rejected for the stage', () => {
    const rejection = { stage: 'production', by: 'Bob <b@x>', approved: false, seq: 9 };
    const deprecated = { by: 'Bob <b@x>', at: '2026-01-01T00:00:00Z' };
    expect(good([['1.0.0'], ['2.0.0'], ['3.0.0']], { sketches: { '2.0.0': { deprecated } } })).toBe('1.0.0');
    expect(good([['1.0.0'], ['2.0.0'], ['3.0.0']], { sketches: { '2.0.0': { approvals: [rejection] } } })).toBe(
      '1.0.0',
    );
  });

  it('is not what was rolled back itself, until it is promoted again', () => {
    const held = [['1.0.0'], ['2.0.0'], ['3.0.0'], ['2.0.0']];
    const rolled = back('2.0.0', '3.0.0');
    expect(good(held, { events: [rolled] })).toBe('1.0.0');
    const again: Partial<RegistryEvent> = { type: 'promoted', stage: 'production', version: '3.0.0' };
    expect(good(held, { events: [rolled, again] })).toBe('3.0.0');
  });

  it('is there, or an error says what was passed over', () => {
    expect(() => good([['1.0.0']])).toThrow(expect.objectContaining({ code: 'VERSION_UNKNOWN' }));
    const events = [back('1.0.0', '2.0.0')];
    expect(() => good([['1.0.0'], ['2.0.0'], ['1.0.0']], { events })).toThrow(/2\.0\.0 was rolled back itself/);
  });
});
