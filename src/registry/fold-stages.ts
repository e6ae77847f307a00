import type { Assignment } from './registry.js';

/** Digits behind the point that a share keeps. */
const PRECISION = 1e6;

/** Who comes to stand on a stage, and by which event. */
export type Newcomer = Omit<Assignment, 'traffic'>;

/**
 * A stage after a version was given a share of its callers. With 100 it stands there alone. With less, the others share
 * the rest in the proportion that they had, so that all shares make 100; a version that nobody else stands beside has
 * all of it.
 */
export function assign(stage: readonly Assignment[], newcomer: Newcomer, traffic: number): Assignment[] {
  const others = stage.filter(({ version }) => version !== newcomer.version);
  if (traffic >= 100 || others.length === 0) return [{ ...newcomer, traffic: 100 }];
  return [...scaled(others, 100 - traffic), { ...newcomer, traffic }];
}

/** A stage after a version left it: the others share what it had, in the proportion that they had. */
export function unassign(stage: readonly Assignment[], leaving: string): Assignment[] {
  return scaled(
    stage.filter(({ version }) => version !== leaving),
    100,
  );
}

function scaled(stage: readonly Assignment[], total: number): Assignment[] {
  const before = stage.reduce((sum, { traffic }) => sum + traffic, 0);
  let rest = total;
  return stage.map((assignment, index) => {
    const share = Math.round((assignment.traffic * total * PRECISION) / before) / PRECISION;
    // What rounding lost or gained goes to the last.
    const traffic = index === stage.length - 1 ? Math.round(rest * PRECISION) / PRECISION : share;
    rest -= share;
    return { ...assignment, traffic };
  });
}
