import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ConflictChoice, TreeConflict } from '../../src/objects/tree-conflict.js';
import { walkTree } from '../../src/objects/tree-diff.js';
import { type MergedTree, mergeTrees } from '../../src/objects/tree-merge.js';
import { type Content, type Directory, TreeStore } from '../helpers/tree-of.js';

/** Ours, or what is left where one side deleted it. */
const keepOurs: ConflictChoice = ({ ours, theirs }) => ours ?? theirs;

interface Outcome extends MergedTree {
  content: Record<string, string>;
  found: string[];
}

/** Merges three directories; `base` is undefined where the sides have none. */
function merge(
  base: Directory | undefined,
  ours: Directory,
  theirs: Directory,
  { store = new TreeStore(), choose = keepOurs }: { store?: TreeStore; choose?: ConflictChoice } = {},
): Outcome {
  const sides = { base: base && store.put(base), ours: store.put(ours), theirs: store.put(theirs) };
  const merged = mergeTrees(sides, { hash: store.hash, load: store.load, store: store.store, choose });
  const found = merged.conflicts.map(({ path, kind }) => `${kind} ${path}`);
  return { ...merged, content: store.list(merged.digest), found };
}

describe('two directories that began as one', () => {
  it('come together where each added, changed or removed other files', () => {
    const base = { a: '1', b: '1', c: '1', sub: { x: '1', y: '1' } };
    const ours = { a: '2', b: '1', sub: { x: '1', y: '1', z: 'new' } };
    const theirs = { a: '1', b: '3', c: '1', d: 'new', sub: { x: '4', y: '1' } };
    const { content, found, size, files } = merge(base, ours, theirs);
    expect(found).toEqual([]);
    expect(content).toEqual({
      a: 'file 2',
      b: 'file 3',
      d: 'file new',
      'sub/x': 'file 4',
      'sub/y': 'file 1',
      'sub/z': 'file new',
    });
    expect([size, files]).toEqual([10, 6]);
  });

  it('agree where both did the same: addition, change, deletion, move', () => {
    const base = { a: '1', gone: 'x', old: 'moved' };
    const both = { a: '2', new: 'moved', added: 'same' };
    expect(merge(base, both, both)).toMatchObject({ found: [], content: { a: 'file 2', added: 'file same' } });
  });

  it('name each file that both changed, and keep ours there', () => {
    const { content, found } = merge(
      { a: '1', s: { b: '1' } },
      { a: '2', s: { b: '2' }, n: '1' },
      { a: '3', s: { b: '3' }, n: '2' },
    );
    expect(found).toEqual(['both-modified a', 'both-added n', 'both-modified s/b']);
    expect(content).toEqual({ a: 'file 2', n: 'file 1', 's/b': 'file 2' });
  });

  it('keep what one side changed where the other deleted it, alone or with its directory', () => {
    const base = { a: '1', d: { b: '1', c: '1' } };
    const mine = merge(base, { d: { b: '2', c: '1', n: 'new' } }, { a: '3' });
    expect(mine.found).toEqual(['deleted-by-ours a', 'deleted-by-theirs d/b']);
    expect(mine.content).toEqual({ a: 'file 3', 'd/b': 'file 2', 'd/n': 'file new' });
  });

  it('leave no empty directory of which one side took all and the other changed nothing', () => {
    expect(merge({ d: { b: '1', c: '1' } }, { d: { b: '1' } }, {}).content).toEqual({});
    expect(merge({ d: {} }, { d: {}, a: '1' }, { d: {}, b: '1' }).content).toEqual({
      a: 'file 1',
      b: 'file 1',
      d: 'directory',
    });
  });

  it('call a change of type on one side a conflict only where the other changed it too', () => {
    expect(merge({ a: '1', b: '1' }, { a: { link: 'b' }, b: '1' }, { a: '1', b: '2' }).content).toEqual({
      a: '-> b',
      b: 'file 2',
    });
    expect(merge({ a: '1' }, { a: { x: '1' } }, { a: '2' }).found).toEqual(['type a']);
    expect(merge({ a: { x: '1' } }, { a: { x: '2' } }, { a: 'file' }).found).toEqual(['type a']);
    expect(merge({ a: '1' }, { a: { link: 'x' } }, { a: { link: 'y' } }).found).toEqual(['both-modified a']);
  });

  it('merge the executable bit apart from the content', () => {
    expect(merge({ a: '1' }, { a: { run: '1' } }, { a: '2' })).toMatchObject({
      found: [],
      content: { a: 'executable 2' },
    });
    expect(merge({ a: { run: '1' } }, { a: '1' }, { a: { run: '2' } }).content).toEqual({ a: 'file 2' });
    expect(merge({}, { a: '1' }, { a: { run: '1' } }).content).toEqual({ a: 'executable 1' });
    expect(merge({ a: '1' }, { a: { run: '2' } }, { a: '3' }).found).toEqual(['both-modified a']);
  });

  it('carry a change to where the other side moved the file, also in and out of directories', () => {
    const base = { a: 'one', keep: 'k', d: { b: 'two' } };
    const moved = { keep: 'k', b: 'two', e: { a: 'one' } };
    const changed = { a: 'one!', keep: 'k', d: { b: 'two!' } };
    const expected = { 'e/a': 'file one!', b: 'file two!', keep: 'file k' };
    expect(merge(base, moved, changed)).toMatchObject({ found: [], content: expected });
    expect(merge(base, changed, moved)).toMatchObject({ found: [], content: expected });
  });

  it('do not guess where a file was moved to: of two copies, or onto a name that is taken', () => {
    const two = merge({ a: '1', x: 'x' }, { b: '1', c: '1', x: 'x' }, { a: '2', x: 'x' });
    expect(two.found).toEqual(['deleted-by-ours a']);
    const taken = merge({ a: '1' }, { b: '1' }, { a: '2', b: '3' });
    expect(taken.found).toEqual(['deleted-by-ours a', 'both-added b']);
    expect(merge({ a: '1' }, { b: '1' }, { a: '2', b: { c: '3' } }).found).toContain('deleted-by-ours a');
  });

  it('without a common beginning hold what either has', () => {
    const { content, found } = merge(undefined, { a: '1', same: 's' }, { b: '2', same: 's' });
    expect([found, content]).toEqual([[], { a: 'file 1', b: 'file 2', same: 'file s' }]);
  });

  it('take at a conflict what is chosen, nothing included', () => {
    const base = { a: '1', b: '1' };
    const choose = ({ theirs }: TreeConflict) => theirs;
    expect(merge(base, { a: '2', b: '2' }, { a: '3' }, { choose }).content).toEqual({ a: 'file 3' });
  });

  it('open no directory that only one side changed', () => {
    const store = new TreeStore();
    const ours = { a: { x: '2' }, b: { y: '1' } };
    const theirs = { a: { x: '1' }, b: { y: '2' } };
    const base = { a: { x: '1' }, b: { y: '1' } };
    const sides = { base: store.put(base), ours: store.put(ours), theirs: store.put(theirs) };
    let opened = 0;
    const load = (digest: Buffer): Buffer => {
      opened += 1;
      return store.load(digest);
    };
    mergeTrees(sides, { hash: store.hash, load, store: store.store, choose: keepOurs });
    expect(opened).toBe(3);
  });
});

const file = fc.constantFrom<Content>('1', '2', '3', { run: '1' }, { run: '2' }, { link: 'a' }, { link: 'b' });
const { directory } = fc.letrec<{ directory: Directory; content: Content }>((tie) => ({
  directory: fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd', 'é'), tie('content'), {
    maxKeys: 4,
    noNullPrototype: true,
  }),
  content: fc.oneof({ maxDepth: 2, depthIdentifier: 'tree' }, file, tie('directory')),
}));

describe('any two directories', () => {
  it('merge to the side that changed, where only one did, and to either where both are the same', () => {
    fc.assert(
      fc.property(directory, directory, (base, side) => {
        const store = new TreeStore();
        const wanted = store.put(side);
        for (const [ours, theirs] of [
          [side, base],
          [base, side],
          [side, side],
        ] as const) {
          const merged = merge(base, ours, theirs, { store });
          expect([merged.digest.toString('hex'), merged.found]).toEqual([wanted.toString('hex'), []]);
        }
      }),
    );
  });

  it('merge to the same whichever is ours, with conflicts at the same paths', () => {
    fc.assert(
      fc.property(directory, directory, directory, (base, left, right) => {
        const first = merge(base, left, right);
        const second = merge(base, right, left);
        const paths = ({ conflicts }: Outcome): string[] => conflicts.map(({ path }) => path);
        expect(paths(first)).toEqual(paths(second));
        if (first.conflicts.length === 0) expect(first.content).toEqual(second.content);
      }),
    );
  });

  it('lose no content that a side added or changed, and invent none; the totals are right', () => {
    const contents = (content: Record<string, string>): Set<string> =>
      new Set(Object.values(content).map((each) => each.replace(/^(file|executable) /, '')));
    fc.assert(
      fc.property(fc.option(directory, { nil: undefined }), directory, directory, (base, left, right) => {
        const store = new TreeStore();
        const merged = merge(base, left, right, { store });
        const before = base ? store.list(store.put(base)) : {};
        const sides = [left, right].map((side) => store.list(store.put(side)));
        for (const side of sides) {
          for (const [path, content] of Object.entries(side)) {
            const disputed = merged.conflicts.some((each) => path === each.path || path.startsWith(`${each.path}/`));
            const bytes = content.replace(/^(file|executable) /, '');
            if (disputed || content === 'directory' || contents(before).has(bytes)) continue;
            expect(contents(merged.content)).toContain(bytes);
          }
        }
        const known = contents({ ...prefixed(sides[0] ?? {}, '0'), ...prefixed(sides[1] ?? {}, '1') });
        // A directory may be left empty where the one side took one half of it and the other the rest.
        for (const content of contents(merged.content)) if (content !== 'directory') expect(known).toContain(content);
        let [size, files] = [0, 0];
        for (const { entry } of walkTree(merged.digest, store.load)) {
          if (entry.kind !== 'tree') files += 1;
          if (entry.kind === 'file' || entry.kind === 'executable') size += entry.size;
        }
        expect([merged.size, merged.files]).toEqual([size, files]);
      }),
    );
  });
});

function prefixed(content: Record<string, string>, prefix: string): Record<string, string> {
  return Object.fromEntries(Object.entries(content).map(([path, each]) => [`${prefix}${path}`, each]));
}
