import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type FinishedRequest, firstLevel, type Level, nextLevel } from '../../src/remotes/level.js';

const MIB = 1 << 20;

/** How a server that is asked for a body treats it, when so many requests are under way there. */
type Server = (under: number) => { milliseconds: number; overload: boolean };

interface Run {
  levels: number[];
  /** Requests that were refused, by the time at which they ended. */
  refused: number[];
  now: number;
}

/** Always more to do than there are places: the level after each of `count` requests to a server. */
function simulate(server: Server, options: { most: number; start?: number; bytes: number; count: number }): Run {
  const { most, start = 4, bytes, count } = options;
  let level = firstLevel({ start, most });
  const under: { began: number; ends: number; overload: boolean }[] = [];
  const run: Run = { levels: [], refused: [], now: 0 };
  for (let ended = 0; ended < count; ended++) {
    while (under.length < level.level) {
      const { milliseconds, overload } = server(under.length + 1);
      under.push({ began: run.now, ends: run.now + milliseconds, overload });
    }
    under.sort((left, right) => left.ends - right.ends);
    const { began, ends, overload } = under.shift()!;
    run.now = ends;
    if (overload) run.refused.push(ends);
    level = nextLevel(level, { began, ended: ends, bytes: overload ? 0 : bytes, overload, waiting: true }, most);
    run.levels.push(level.level);
  }
  return run;
}

const last = (run: Run, count: number): number[] => run.levels.slice(-count);

describe('the level', () => {
  it('grows to the most where every request takes the same time, however many there are', () => {
    const run = simulate(() => ({ milliseconds: 50, overload: false }), { most: 32, bytes: 1000, count: 1000 });
    expect(run.levels.at(-1)).toBe(32);
    expect(run.levels.indexOf(32)).toBeLessThan(300);
  });

  it('stays low where more at once only take longer', () => {
    const oneLine: Server = (under) => ({ milliseconds: 100 * under, overload: false });
    const run = simulate(oneLine, { most: 64, bytes: 10 * MIB, count: 2000 });
    expect(Math.max(...last(run, 1000))).toBeLessThanOrEqual(8);
  });

  it.each([1, 2, 3, 5, 11, 20])('settles at what the server takes: %i at once', (takes) => {
    const server: Server = (under) =>
      under > takes ? { milliseconds: 5, overload: true } : { milliseconds: 40, overload: false };
    const run = simulate(server, { most: 64, bytes: 100_000, count: 4000 });
    const settled = last(run, 2000);
    expect(settled.filter((level) => level > takes).length).toBeLessThan(100);
    expect(Math.max(...settled)).toBeLessThanOrEqual(takes + 1);
    // And it uses what it may: refusals are rare.
    expect(run.refused.filter((time) => time > run.now / 2).length).toBeLessThan(20);
    expect(settled.reduce((sum, level) => sum + level, 0) / settled.length).toBeGreaterThan(takes * 0.6);
  });

  it('finds its way up again when a server recovers', () => {
    let takes = 2;
    const server: Server = (under) =>
      under > takes ? { milliseconds: 5, overload: true } : { milliseconds: 40, overload: false };
    let asked = 0;
    const recovering: Server = (under) => {
      asked++;
      if (asked === 500) takes = 16;
      return server(under);
    };
    const run = simulate(recovering, { most: 16, bytes: 100_000, count: 20_000 });
    expect(run.levels[450]).toBeLessThanOrEqual(3);
    expect(run.levels.at(-1)).toBeGreaterThanOrEqual(12);
  });

  it('is halved once for all that were under way together', () => {
    const at = (began: number, ended: number): FinishedRequest => ({
      began,
      ended,
      bytes: 0,
      overload: true,
      waiting: true,
    });
    let level = firstLevel({ start: 32, most: 64 });
    for (let index = 0; index < 32; index++) level = nextLevel(level, at(0, 100 + index), 64);
    expect(level.level).toBe(16);
    level = nextLevel(level, at(101, 200), 64);
    expect(level.level).toBe(8);
  });

  it('does not change while there is less to do than there are places', () => {
    let level = firstLevel({ start: 6, most: 64 });
    for (let index = 0; index < 200; index++) {
      const request = { began: index * 50, ended: index * 50 + 50, bytes: MIB, overload: false, waiting: false };
      level = nextLevel(level, request, 64);
    }
    expect(level.level).toBe(6);
  });

  it('is always from 1 to the most, whatever happens, and never grows by a refusal', () => {
    const request = fc.record({
      wait: fc.integer({ min: 0, max: 500 }),
      lasts: fc.integer({ min: 0, max: 2000 }),
      bytes: fc.integer({ min: 0, max: 1 << 30 }),
      overload: fc.boolean(),
      waiting: fc.boolean(),
    });
    const limits = fc.record({ start: fc.integer({ min: 1, max: 32 }), most: fc.integer({ min: 1, max: 64 }) });
    fc.assert(
      fc.property(limits, fc.array(request, { maxLength: 400 }), (options, requests) => {
        let level: Level = firstLevel(options);
        let now = 0;
        for (const { wait, lasts, ...rest } of requests) {
          now += wait;
          const before = level.level;
          level = nextLevel(level, { began: now - lasts, ended: now, ...rest }, options.most);
          expect(level.level).toBeGreaterThanOrEqual(1);
          expect(level.level).toBeLessThanOrEqual(options.most);
          if (rest.overload) expect(level.level).toBeLessThanOrEqual(before);
        }
      }),
    );
  });
});
