import { createHash } from 'node:crypto';
import type { Assignment } from './registry.js';

/**
 * The version that speaks for a stage on which several stand: the one with the most traffic, of equals the one that has
 * been there longest. Undefined where nothing stands.
 */
export function mainAssignment(assigned: readonly Assignment[]): Assignment | undefined {
  return assigned.reduce<Assignment | undefined>(
    (best, each) => (best && !precedes(each, best) ? best : each),
    undefined,
  );
}

function precedes(each: Assignment, best: Assignment): boolean {
  return each.traffic === best.traffic ? each.seq < best.seq : each.traffic > best.traffic;
}

/** Callers of one stage: its model, its name, and what is known of the caller. */
export interface Caller {
  model: string;
  stage: string;
  key: string;
}

/**
 * The version that a caller of a stage gets, always the same for the same key. Weighted rendezvous hashing: each version
 * draws a number from the SHA-256 of model, stage, version and key, and the best for its weight wins. So the shares are
 * those of the traffic, and where a version comes, goes or changes its weight, only callers that it wins or loses move.
 * Undefined where nothing stands. docs/references.md has it in steps, for other programs.
 */
export function assignmentFor(assigned: readonly Assignment[], caller: Caller): Assignment | undefined {
  const weighted = assigned.filter(({ traffic }) => traffic > 0);
  let best: { assignment: Assignment; score: number } | undefined;
  for (const assignment of weighted) {
    const score = -Math.log(drawnNumber(assignment.version, caller)) / assignment.traffic;
    if (!best || score < best.score) best = { assignment, score };
  }
  return best?.assignment ?? mainAssignment(assigned);
}

/** Evenly spread between 0 and 1, both excluded. */
function drawnNumber(version: string, { model, stage, key }: Caller): number {
  const digest = createHash('sha256').update([model, stage, version, key].join('\0'), 'utf8').digest();
  return (digest.readUIntBE(0, 6) + 0.5) / 2 ** 48;
}

/**
 * What spoke for a stage, oldest first, each version once for as long as it did; the last entry is now, undefined where
 * nothing stands there.
 */
export function stageLine(held: readonly (readonly Assignment[])[]): (string | undefined)[] {
  const line: (string | undefined)[] = [];
  for (const [index, assigned] of held.entries()) {
    const version = mainAssignment(assigned)?.version;
    // That a stage was empty for a while is no version that was there.
    if (version === undefined && index < held.length - 1) continue;
    if (line.length === 0 || line.at(-1) !== version) line.push(version);
  }
  return line;
}
