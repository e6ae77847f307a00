import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Oid } from '../../src/objects/oid.js';
import {
  type CollectionPlan,
  type CollectionView,
  type ListedPack,
  type ListedRecord,
  parentsFirst,
  planCollection,
} from '../../src/transfer/collection-plan.js';

const NOW = 1000;
const GRACE = 100;

function oid(number: number): Oid {
  return `blake3:${number.toString(16).padStart(64, '0')}`;
}
function pack(number: number): string {
  return number.toString(16).padStart(64, '0');
}
function record(number: number, modified: number): ListedRecord {
  return { oid: oid(number), size: 1, modified };
}
function listedPack(number: number, modified: number): ListedPack {
  return { name: pack(number), size: 10, modified };
}

function plan(view: Partial<CollectionView>): CollectionPlan {
  return planCollection({
    records: [],
    aside: [],
    packs: [],
    marks: [],
    liveRecords: new Set(),
    livePacks: new Set(),
    packsOf: () => [],
    now: NOW,
    graceMs: GRACE,
    ...view,
  });
}

const NOTHING: CollectionPlan = {
  restore: [],
  superfluous: [],
  setAside: [],
  mark: [],
  sweepRecords: [],
  sweepPacks: [],
  dropMarks: [],
  waiting: { records: [], packs: [], until: undefined },
};
const OLD = NOW - GRACE;
const YOUNG = OLD + 1;
const live = { liveRecords: new Set([oid(1)]), livePacks: new Set([pack(1)]) };
const marks = (marked: number, ...packs: number[]) => ({ key: `marks-${marked}`, marked, packs: packs.map(pack) });

describe('the plan of a collection', () => {
  it.each<[string, Partial<CollectionView>, Partial<CollectionPlan>]>([
    ['nothing is there', {}, {}],
    ['a record in use is needed', { ...live, records: [record(1, 0)], packs: [listedPack(1, 0)] }, {}],
    ['a record is not needed and old', { records: [record(2, OLD)] }, { setAside: [record(2, OLD)] }],
    ['a record is not needed and young', { records: [record(2, YOUNG)] }, {}],
    ['a pack is not needed and old', { packs: [listedPack(2, OLD)] }, { mark: [listedPack(2, OLD)] }],
    ['a pack is not needed and young', { packs: [listedPack(2, YOUNG)] }, {}],
    ['a record set aside is needed', { ...live, aside: [record(1, 0)] }, { restore: [record(1, 0)] }],
    [
      'a needed record is in use and was set aside long ago, too',
      { ...live, records: [record(1, 0)], aside: [record(1, OLD)] },
      { superfluous: [record(1, OLD)] },
    ],
    [
      'a needed record is in use and was set aside lately, too',
      { ...live, records: [record(1, 0)], aside: [record(1, YOUNG)] },
      {},
    ],
    ['a record was set aside long ago', { aside: [record(2, OLD)] }, { sweepRecords: [record(2, OLD)] }],
    [
      'a record was set aside lately',
      { aside: [record(2, YOUNG)] },
      { waiting: { records: [record(2, YOUNG)], packs: [], until: NOW + 1 } },
    ],
    [
      'a record was set aside long ago, and is in use again, and is not needed',
      { records: [record(2, OLD)], aside: [record(2, OLD)] },
      { setAside: [record(2, OLD)] },
    ],
    [
      'a pack was marked long ago',
      { packs: [listedPack(2, 0)], marks: [marks(OLD, 2)] },
      { sweepPacks: [listedPack(2, 0)], dropMarks: [`marks-${OLD}`] },
    ],
    [
      'a pack was marked lately',
      { packs: [listedPack(2, 0)], marks: [marks(YOUNG, 2)] },
      { waiting: { records: [], packs: [listedPack(2, 0)], until: NOW + 1 } },
    ],
    [
      'a pack was marked twice',
      { packs: [listedPack(2, 0)], marks: [marks(YOUNG, 2), marks(OLD, 2)] },
      { sweepPacks: [listedPack(2, 0)], dropMarks: [`marks-${YOUNG}`, `marks-${OLD}`] },
    ],
    [
      'a marked pack is needed again',
      { ...live, packs: [listedPack(1, 0)], marks: [marks(OLD, 1)] },
      { dropMarks: [`marks-${OLD}`] },
    ],
    [
      'one of two marked packs is needed again',
      { ...live, packs: [listedPack(1, 0), listedPack(2, 0)], marks: [marks(YOUNG, 1, 2)] },
      { waiting: { records: [], packs: [listedPack(2, 0)], until: NOW + 1 } },
    ],
    [
      'a pack was uploaded again after it was marked, or in the same moment',
      { packs: [listedPack(2, OLD)], marks: [marks(OLD, 2)] },
      { mark: [listedPack(2, OLD)], dropMarks: [`marks-${OLD}`] },
    ],
    ['a marked pack is gone', { marks: [marks(YOUNG, 2)] }, { dropMarks: [`marks-${YOUNG}`] }],
    [
      'a pack was marked long ago, and a record that is only set aside now names it',
      { records: [record(2, OLD)], packs: [listedPack(2, 0)], marks: [marks(OLD, 2)], packsOf: () => [pack(2)] },
      {
        setAside: [record(2, OLD)],
        waiting: { records: [], packs: [listedPack(2, 0)], until: NOW },
      },
    ],
    [
      'a pack was marked long ago, and a record that was set aside lately names it',
      { aside: [record(2, YOUNG)], packs: [listedPack(2, 0)], marks: [marks(OLD, 2)], packsOf: () => [pack(2)] },
      { waiting: { records: [record(2, YOUNG)], packs: [listedPack(2, 0)], until: NOW } },
    ],
    [
      'a pack was marked long ago, and only a record that is deleted now names it',
      { aside: [record(2, OLD)], packs: [listedPack(2, 0)], marks: [marks(OLD, 2)], packsOf: () => [pack(2)] },
      { sweepRecords: [record(2, OLD)], sweepPacks: [listedPack(2, 0)], dropMarks: [`marks-${OLD}`] },
    ],
    [
      'the clock of the remote was wrong for a while',
      { records: [record(2, NOW + 5000)], aside: [record(3, NOW + 5000)], packs: [listedPack(2, NOW + 5000)] },
      { waiting: { records: [record(3, NOW + 5000)], packs: [], until: NOW + 5000 + GRACE } },
    ],
  ])('when %s', (_, view, expected) => {
    expect(plan(view)).toEqual({ ...NOTHING, ...expected });
  });

  it('never takes away what is needed, named by what stays, young, or not out of use for the grace', () => {
    const time = fc.integer({ min: NOW - 2 * GRACE, max: NOW + GRACE });
    const number = fc.integer({ min: 0, max: 6 });
    const records = fc.uniqueArray(fc.tuple(number, time), { selector: ([each]) => each });
    const views = fc.record({
      records,
      aside: records,
      packs: records,
      marks: fc.array(fc.tuple(time, fc.array(number))),
      live: fc.array(number),
      names: fc.array(fc.array(number, { maxLength: 3 }), { minLength: 7, maxLength: 7 }),
    });
    fc.assert(
      fc.property(views, ({ records, aside, packs, marks: marked, live, names }) => {
        const packsOf = (each: Oid): string[] => (names[Number.parseInt(each.slice(-1), 16)] ?? []).map(pack);
        // What is young is needed: that is how the caller marks.
        const needed = new Set([
          ...live.map(oid),
          ...records.filter(([, at]) => NOW - at < GRACE).map(([n]) => oid(n)),
        ]);
        const view: CollectionView = {
          records: records.map(([n, at]) => record(n, at)),
          aside: aside.map(([n, at]) => record(n, at)),
          packs: packs.map(([n, at]) => listedPack(n, at)),
          marks: marked.map(([at, of], index) => ({ ...marks(at, ...of), key: `${index}` })),
          liveRecords: needed,
          livePacks: new Set([...needed].flatMap(packsOf)),
          packsOf,
          now: NOW,
          graceMs: GRACE,
        };
        checkPlan(view, planCollection(view));
      }),
      { numRuns: 2000 },
    );
  });
});

/** Says again, in other words than the plan, what must be true of it. */
function checkPlan(view: CollectionView, made: CollectionPlan): void {
  const goes = new Set([...made.setAside, ...made.sweepRecords].map((each) => each.oid));
  for (const each of goes) expect(view.liveRecords.has(each)).toBe(false);
  for (const { modified } of [...made.setAside, ...made.sweepRecords, ...made.superfluous, ...made.mark])
    expect(NOW - modified).toBeGreaterThanOrEqual(GRACE);
  const swept = new Set(made.sweepRecords.map((each) => each.oid));
  const stays = [...view.records, ...view.aside].map((each) => each.oid).filter((each) => !swept.has(each));
  const named = new Set(stays.flatMap(view.packsOf));
  for (const each of made.sweepPacks) {
    expect(named.has(each.name)).toBe(false);
    expect(view.livePacks.has(each.name)).toBe(false);
    const since = view.marks.filter(({ packs, marked }) => packs.includes(each.name) && marked > each.modified);
    expect(Math.min(...since.map(({ marked }) => marked))).toBeLessThanOrEqual(NOW - GRACE);
  }
  // Whoever looks at the marks afterwards still sees every pack that may be deleted later.
  const gone = new Set(made.sweepPacks.map(({ name }) => name));
  const shown = new Set([
    ...view.marks.filter(({ key }) => !made.dropMarks.includes(key)).flatMap(({ packs }) => packs),
    ...made.mark.map(({ name }) => name),
  ]);
  for (const each of made.waiting.packs) expect(shown.has(each.name) && !gone.has(each.name)).toBe(true);
  // Nothing is done twice, and all that waits is told.
  for (const each of view.aside) {
    const steps = [made.restore, made.superfluous, made.sweepRecords, made.waiting.records];
    expect(steps.filter((step) => step.includes(each)).length).toBeLessThanOrEqual(1);
  }
}

describe('the order of objects', () => {
  it('puts each before all that it refers to', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.nat(30), { maxLength: 4 }), { maxLength: 30 }),
        fc.array(fc.nat(29)),
        (graph, left) => {
          // An object can only refer to what existed before it.
          const childrenOf = (each: Oid): Oid[] => {
            const index = Number.parseInt(each.slice(7), 16);
            return (graph[index] ?? []).filter((child) => child < index).map(oid);
          };
          const members = [...graph.keys()].filter((index) => !left.includes(index)).map(oid);
          const groups = parentsFirst(members, childrenOf);
          expect(groups.flat().sort()).toEqual([...members].sort());
          const position = new Map(groups.flatMap((group, index) => group.map((each) => [each, index] as const)));
          for (const each of members)
            for (const child of childrenOf(each))
              expect(position.get(child) ?? Number.POSITIVE_INFINITY).toBeGreaterThan(position.get(each) as number);
        },
      ),
    );
  });
});
