import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WantedPart } from '../../src/workspace/wanted-part.js';

const name = fc.constantFrom('a', 'b', 'c');
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));

/** Every path of up to four components. */
function* allPaths(above = '', level = 0): Generator<string> {
  for (const each of ['a', 'b', 'c']) {
    const at = above === '' ? each : `${above}/${each}`;
    yield at;
    if (level < 3) yield* allPaths(at, level + 1);
  }
}

const isWithin = (at: string, above: string): boolean => above === '' || at === above || at.startsWith(`${above}/`);

describe('WantedPart', () => {
  it('has what the last rule on a path said, whatever was said before', () => {
    const rule = fc.tuple(path, fc.boolean());
    fc.assert(
      fc.property(fc.boolean(), fc.array(rule, { maxLength: 8 }), (whole, rules) => {
        let part = whole ? WantedPart.everything : WantedPart.nothing;
        for (const [at, wanted] of rules) part = wanted ? part.with(at) : part.except(at);
        const isWanted = (at: string): boolean =>
          rules.reduce((before, [above, wanted]) => (isWithin(at, above) ? wanted : before), whole);
        for (const at of allPaths()) {
          expect(part.covers(at, false)).toBe(isWanted(at) ? 'all' : 'none');
          const below = [...allPaths()].filter((each) => isWithin(each, at)).map(isWanted);
          const coverage = part.covers(at, true);
          if (coverage === 'all') expect(below).not.toContain(false);
          if (coverage === 'none') expect(below).not.toContain(true);
        }
        expect(new WantedPart(part.text).key).toBe(part.key);
        const more = rules.map(([at]) => at);
        const all = more.reduce((sum, at) => sum.with(at), part);
        for (const at of allPaths()) expect(part.withAll(more).covers(at, true)).toBe(all.covers(at, true));
      }),
      { numRuns: 30 },
    );
  });

  it('wants what a pattern matches, and all below a directory that it matches', () => {
    const part = WantedPart.nothing.withPattern('images/*/train').withPattern('**/*.csv').with('meta');
    expect(part.covers('images/0/train/x', false)).toBe('all');
    expect(part.covers('images/0/train', true)).toBe('all');
    expect(part.covers('images/0/test/x', false)).toBe('none');
    expect(part.covers('images/0', true)).toBe('some');
    expect(part.covers('deep/er/x.csv', false)).toBe('all');
    expect(part.covers('meta/a', false)).toBe('all');
    expect(WantedPart.nothing.withPattern('images/*.png').covers('other', true)).toBe('none');
    expect(WantedPart.nothing.withPattern('images/*.png').covers('images/deep', true)).toBe('none');
    expect(part.except('deep').covers('deep/x.csv', false)).toBe('none');
  });

  it('refuses a pattern that can match nothing', () => {
    for (const pattern of ['', 'a[', 'a\nb']) expect(() => WantedPart.nothing.withPattern(pattern)).toThrow(RangeError);
  });

  it('follows what was moved', () => {
    const part = WantedPart.nothing.with('a/b').except('a/b/c');
    const moved = part.moved('a', 'c');
    expect(moved.covers('c/b/x', false)).toBe('all');
    expect(moved.covers('c/b/c', false)).toBe('none');
    expect(moved.covers('c/x', false)).toBe('none');
    expect(WantedPart.nothing.with('in').moved('out', 'in/out').covers('in/out', false)).toBe('none');
    expect(WantedPart.nothing.with('in').moved('in/x', 'y').covers('y', false)).toBe('all');
  });
});
