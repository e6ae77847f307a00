import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { TreeEntry } from '../../src/objects/tree-format.js';
import { joinSides, type PlanOptions, planStep, type ThreeWay } from '../../src/workspace/checkout-plan.js';

const digest = (seed: number): Buffer => Buffer.alloc(32, seed);
const file = (seed: number, kind: 'file' | 'executable' = 'file'): TreeEntry => ({
  kind,
  name: 'n',
  size: seed,
  digest: digest(seed),
});
const link = (target: string): TreeEntry => ({ kind: 'link', name: 'n', target });
const tree = (seed: number): TreeEntry => ({ kind: 'tree', name: 'n', size: 1, files: 1, digest: digest(seed) });

/** Files with an even seed are in the cache. */
const options: PlanOptions = {
  isSaved: (entry) => entry.kind !== 'link' && entry.size % 2 === 0,
  force: false,
  clean: false,
};
const none = undefined;

type Side = TreeEntry | undefined;

/** Target, base and workspace of one name, and what is to be done. */
it.each<[string, [Side, Side, Side], string]>([
  ['nothing there yet', [file(2), none, none], 'place nothing'],
  ['deleted by the user', [file(2), file(2), none], 'place nothing'],
  ['already there', [file(2), file(2), file(2)], 'keep'],
  ['already there, unknown before', [file(3), none, file(3)], 'keep'],
  ['other bits', [file(2), file(2), file(2, 'executable')], 'mode'],
  ['other bits, not in the cache', [file(3), none, file(3, 'executable')], 'mode'],
  ['older version', [file(4), file(2), file(2)], 'place file'],
  ['edited and saved', [file(4), file(2), file(6)], 'place file'],
  ['edited and not saved', [file(4), file(2), file(3)], 'refuse modified'],
  ['in the way and not saved', [file(4), none, file(3)], 'refuse untracked'],
  ['gone from the target', [none, file(2), file(2)], 'remove'],
  ['gone from the target, edited', [none, file(2), file(3)], 'refuse modified'],
  ['gone everywhere', [none, file(2), none], 'keep'],
  ['never tracked', [none, none, file(3)], 'leave'],
  ['never tracked, saved', [none, none, file(2)], 'leave'],
  ['directory on both sides', [tree(4), tree(2), tree(6)], 'enter'],
  ['directory gone from the target', [none, tree(2), tree(2)], 'remove'],
  ['directory never tracked', [none, none, tree(2)], 'leave'],
  ['directory that stands for a tracked file', [none, file(2), tree(2)], 'leave'],
  ['file for a directory', [tree(2), file(2), file(2)], 'place file'],
  ['unsaved file for a directory', [tree(2), tree(2), file(3)], 'refuse modified'],
  ['directory for a file', [file(2), tree(2), tree(2)], 'place directory'],
  ['link as it was set', [link('b'), link('a'), link('a')], 'place file'],
  ['link that the user changed', [link('b'), link('a'), link('c')], 'refuse modified'],
  ['link that the user made', [file(2), none, link('c')], 'refuse untracked'],
  ['link for a file', [link('a'), file(2), file(2)], 'place file'],
])('%s', (_, [target, base, workspace], expected) => {
  const step = planStep({ name: 'n', target, base, workspace }, options);
  const detail = step.do === 'place' ? ` ${step.over}` : step.do === 'refuse' ? ` ${step.reason}` : '';
  expect(step.do + detail).toBe(expected);
});

const anyEntry = fc.oneof(
  fc.constant(none),
  fc.integer({ min: 1, max: 6 }).chain((seed) => fc.constantFrom(file(seed), file(seed, 'executable'), tree(seed))),
  fc.constantFrom(link('a'), link('b')),
);
const anySides: fc.Arbitrary<ThreeWay> = fc.record({
  name: fc.constant('n'),
  target: anyEntry,
  base: anyEntry,
  workspace: anyEntry,
});

it('never removes or replaces what is in no object, unless forced', () => {
  fc.assert(
    fc.property(anySides, fc.boolean(), (sides, clean) => {
      const step = planStep(sides, { ...options, clean });
      const now = sides.workspace;
      const destroys = (step.do === 'place' && step.over === 'file') || (step.do === 'remove' && !step.directory);
      if (!destroys) return;
      const setByMlv = now?.kind === 'link' && sides.base?.kind === 'link' && sides.base.target === now.target;
      expect(setByMlv || (now !== undefined && options.isSaved(now))).toBe(true);
    }),
    { numRuns: 2000 },
  );
});

it('reaches the target wherever it does not refuse', () => {
  fc.assert(
    fc.property(anySides, fc.boolean(), (sides, force) => {
      const step = planStep(sides, { ...options, force });
      if (!sides.target || step.do === 'refuse') return;
      const reaches = step.do === 'place' || step.do === 'enter' || step.do === 'mode' || step.do === 'keep';
      expect(reaches).toBe(true);
      if (force) expect(step.do).not.toBe('refuse');
    }),
    { numRuns: 2000 },
  );
});

it('joins three sorted lists name by name', () => {
  const names = fc.uniqueArray(fc.constantFrom<string[]>('a', 'b', '\uffff', '😀', 'aa', '~'), { maxLength: 6 });
  const sorted = (list: string[]): TreeEntry[] =>
    list
      .sort((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)))
      .map((name) => ({ ...link('x'), name }) as TreeEntry);
  fc.assert(
    fc.property(names, names, names, (one, two, three) => {
      const joined = [...joinSides(sorted(one), sorted(two), sorted(three))];
      expect(joined.map(({ name }) => name)).toEqual(
        sorted([...new Set([...one, ...two, ...three])]).map(({ name }) => name),
      );
      for (const { name, target, base, workspace } of joined) {
        expect([target?.name, base?.name, workspace?.name]).toEqual(
          [one, two, three].map((list) => (list.includes(name) ? name : undefined)),
        );
      }
    }),
  );
});
