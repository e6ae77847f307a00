import { setTimeout as wait } from 'node:timers/promises';

/** Waits before a further attempt; `attempt` counts from 0. */
export type Pause = (attempt: number) => Promise<void>;

const SHORTEST_MS = 10;
const LONGEST_MS = 250;

/** Waits a random time below a bound that doubles with each attempt, so that those who race get apart. */
export const randomPause: Pause = async (attempt) => {
  const bound = Math.min(LONGEST_MS, SHORTEST_MS * 2 ** attempt);
  await wait(bound * Math.random());
};
