import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseCommits } from '../../src/transfer/commit-scope.js';

/** A history: each commit with parents of lower numbers, and a file that some commits write. */
const histories = fc
  .array(fc.record({ parents: fc.array(fc.nat(), { maxLength: 2 }), writes: fc.boolean(), skew: fc.nat(3) }), {
    minLength: 1,
    maxLength: 25,
  })
  .map((raw) => {
    const commits = new Map<string, { parents: string[]; time: number }>();
    const trees = new Map<string, string>();
    const changed = new Map<string, string>();
    for (const [at, { parents, writes, skew }] of raw.entries()) {
      const names = at === 0 ? [] : [...new Set(parents.map((parent) => String(parent % at)))];
      commits.set(String(at), { parents: names, time: 10 * at - 7 * skew });
      const inherited = names.map((name) => trees.get(name) as string);
      // A merge whose parents differ takes one side, which is then no change of its own.
      const tree = writes || names.length === 0 ? `written by ${at}` : (inherited[0] as string);
      trees.set(String(at), tree);
      if (!inherited.includes(tree)) changed.set(String(at), tree);
    }
    return { commits, trees, changed, tip: String(raw.length - 1) };
  });

describe('the commits that a collection keeps', () => {
  it('lead to every tree of theirs, from whole ones and from what the others changed', () => {
    fc.assert(
      fc.property(histories, fc.integer({ min: 1, max: 30 }), fc.option(fc.nat(250)), (history, last, since) => {
        const depth = { last, since: since ?? undefined };
        const { commits, whole } = chooseCommits(history.commits, [history.tip, '0'], depth);
        const wanted = new Set([...commits, ...whole].map((commit) => history.trees.get(commit)));
        const seen = new Set([
          ...whole.map((commit) => history.trees.get(commit)),
          ...commits.flatMap((commit) => history.changed.get(commit) ?? []),
        ]);
        expect(seen).toEqual(wanted);
      }),
    );
  });

  it('are the newest by their dates, from each start, and all since a date', () => {
    const commits = new Map([
      ['c', { parents: ['b', 'x'], time: 30 }],
      ['x', { parents: ['a'], time: 25 }],
      ['b', { parents: ['a'], time: 20 }],
      ['a', { parents: [], time: 10 }],
    ]);
    const all = (last: number, since?: number): string => {
      const { commits: inner, whole } = chooseCommits(commits, ['c'], { last, since });
      return `${inner.sort().join('')}+${whole.sort().join('')}`;
    };
    expect([all(1), all(2), all(3), all(9)]).toEqual(['+c', '+cx', 'c+bx', 'bcx+a']);
    expect([all(1, 20), all(1, 10), all(1, 99)]).toEqual(['c+bx', 'bcx+a', '+c']);
    expect(chooseCommits(new Map(), ['z'], { last: 1, since: undefined })).toEqual({ commits: [], whole: ['z'] });
    expect(chooseCommits(commits, ['c'], { last: 0, since: undefined })).toEqual({ commits: [], whole: [] });
  });
});
