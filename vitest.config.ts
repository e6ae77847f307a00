import { defineConfig } from 'vitest/config';

const SLOW = 'test/**/*.slow.test.ts';
const BUILD = ['./test/helpers/build.ts'];

/** One project a folder, so that `vitest --project unit` is the quick loop and `npm test` is everything. */
function project(name: string, options: { timeout: number; build?: boolean; slow?: boolean }) {
  return {
    test: {
      name,
      include: options.slow ? [SLOW] : [`test/${name}/**/*.test.ts`],
      exclude: options.slow ? [] : [SLOW],
      setupFiles: ['./test/helpers/isolate.ts'],
      globalSetup: options.build ? BUILD : [],
      testTimeout: options.timeout,
      hookTimeout: options.timeout,
      // Slow tests come last and one at a time: they load both cores by themselves.
      sequence: { groupOrder: options.slow ? 1 : 0 },
      ...(options.slow ? { maxWorkers: 1 } : {}),
    },
  };
}

export default defineConfig({
  test: {
    // Processes, not threads: tests change the working directory and the environment.
    pool: 'forks',
    // Tests mostly wait for processes that they started: with one worker less, half of a machine of two cores would rest.
    maxWorkers: '100%',
    // Limits are there to end what hangs, never to measure: a machine may be ten times slower than the usual one.
    projects: [
      project('unit', { timeout: 60_000 }),
      project('conformance', { timeout: 180_000 }),
      project('integration', { timeout: 180_000 }),
      project('e2e', { timeout: 300_000, build: true }),
      project('slow', { timeout: 600_000, build: true, slow: true }),
    ],
  },
});
