import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assignmentFor, mainAssignment, stageLine } from '../../src/registry/traffic.js';
import { assignments } from '../helpers/registry-state.js';

const KEYS = Array.from({ length: 4000 }, (_, index) => `user-${index}`);

function split(...traffic: readonly (readonly [string, number])[]): Map<string, string | undefined> {
  const assigned = assignments(...traffic);
  return new Map(
    KEYS.map((key) => [key, assignmentFor(assigned, { model: 'fraud', stage: 'production', key })?.version]),
  );
}

function share(callers: Map<string, string | undefined>, version: string): number {
  return [...callers.values()].filter((each) => each === version).length / callers.size;
}

describe('the version that a caller gets', () => {
  it('is that of the golden example in docs/references.md', () => {
    const assigned = assignments(['1.0.0', 90], ['1.1.0', 10]);
    const given = ['user-1', 'user-2', 'user-3', 'user-17'].map(
      (key) => assignmentFor(assigned, { model: 'fraud', stage: 'production', key })?.version,
    );
    expect(given).toEqual(['1.0.0', '1.0.0', '1.1.0', '1.0.0']);
  });

  it('follows the shares of the traffic', () => {
    const callers = split(['1.0.0', 70], ['1.1.0', 20], ['2.0.0', 10]);
    expect(share(callers, '1.0.0')).toBeCloseTo(0.7, 1);
    expect(share(callers, '1.1.0')).toBeCloseTo(0.2, 1);
    expect(share(callers, '2.0.0')).toBeCloseTo(0.1, 1);
  });

  it('changes for the share of a canary only, and to the canary only', () => {
    const before = split(['1.0.0', 60], ['1.1.0', 40]);
    const after = split(['1.0.0', 54], ['1.1.0', 36], ['2.0.0', 10]);
    for (const [key, version] of after) expect([before.get(key), '2.0.0']).toContain(version);
    expect(share(after, '2.0.0')).toBeCloseTo(0.1, 1);
  });

  it('goes over only from what loses weight to what wins weight, whatever the weights', () => {
    const weight = fc.integer({ min: 1, max: 100 });
    fc.assert(
      fc.property(weight, weight, weight, fc.nat(99), (one, other, raised, seed) => {
        const caller = { model: 'fraud', stage: 'production', key: `caller-${seed}` };
        const before = assignmentFor(assignments(['1.0.0', one], ['1.1.0', other]), caller)?.version;
        const after = assignmentFor(assignments(['1.0.0', one], ['1.1.0', other + raised]), caller)?.version;
        if (before === '1.1.0') expect(after).toBe('1.1.0');
      }),
    );
  });

  it('does not depend on the order in which the versions are told', () => {
    const [left, right] = [assignments(['a', 30], ['b', 30], ['c', 40]), assignments(['c', 40], ['b', 30], ['a', 30])];
    for (const key of KEYS.slice(0, 200)) {
      const caller = { model: 'fraud', stage: 'production', key };
      expect(assignmentFor(left, caller)?.version).toBe(assignmentFor(right, caller)?.version);
    }
  });

  it('is never one without traffic while another has some', () => {
    expect(share(split(['1.0.0', 100], ['shadow', 0]), '1.0.0')).toBe(1);
    expect(share(split(['1.0.0', 0]), '1.0.0')).toBe(1);
    expect(assignmentFor([], { model: 'fraud', stage: 'production', key: 'x' })).toBeUndefined();
  });
});

describe('the version that speaks for a stage', () => {
  it('has the most traffic, or has been there longest', () => {
    expect(mainAssignment(assignments(['1.0.0', 10], ['1.1.0', 90]))?.version).toBe('1.1.0');
    expect(mainAssignment(assignments(['1.0.0', 50], ['1.1.0', 50]))?.version).toBe('1.0.0');
    expect(mainAssignment([...assignments(['1.0.0', 50], ['1.1.0', 50])].reverse())?.version).toBe('1.0.0');
    expect(mainAssignment([])).toBeUndefined();
  });

  it('is told once for as long as it spoke, canaries and empty times left out', () => {
    const a = assignments(['a', 100]);
    const canary = assignments(['a', 90], ['b', 10]);
    const b = assignments(['b', 100]);
    expect(stageLine([a, canary, b])).toEqual(['a', 'b']);
    expect(stageLine([a, [], a, b, a])).toEqual(['a', 'b', 'a']);
    expect(stageLine([a, b, []])).toEqual(['a', 'b', undefined]);
    expect(stageLine([])).toEqual([]);
  });
});
