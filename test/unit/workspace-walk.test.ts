import { vol } from 'memfs';
import { afterEach, expect, test, vi } from 'vitest';
import { KIND } from '../../src/objects/tree-format.js';
import type { DirectoryBlock } from '../../src/workspace/directory-block.js';
import { IgnoreRules } from '../../src/workspace/ignore-rules.js';
import { walkDirectory } from '../../src/workspace/walk.js';

// The walk decides by names, kinds and stats alone: a file system in memory shows all of them, on any platform.
vi.mock('node:fs', async () => (await import('memfs')).fs);

afterEach(() => vol.reset());

function walk(previous?: DirectoryBlock, rules = IgnoreRules.none) {
  return walkDirectory({
    worktree: '/work',
    directory: 'data',
    rules,
    objectOfLink: () => undefined,
    inodeOfObject: () => undefined,
    ...(previous && { previous }),
  });
}

test('lists entries by the bytes of their names, with kinds, and asks for the content of every file that is new', () => {
  vol.fromNestedJSON({ '/work/data': { b: '22', a: '1', ä: '333', dir: { c: '4444' }, empty: {} } });
  vol.symlinkSync('a', '/work/data/link');
  vol.chmodSync('/work/data/b', 0o755);
  const { root, pending, problems } = walk();
  expect(root.names).toEqual(['a', 'b', 'dir', 'empty', 'link', 'ä']);
  const kinds = [KIND.file, KIND.executable, KIND.tree, KIND.tree, KIND.link, KIND.file];
  expect(root.names.map((_, index) => root.kindAt(index))).toEqual(kinds);
  expect(Array.from({ length: pending.length }, (_, at) => pending.pathAt(at)).sort()).toEqual([
    'data/a',
    'data/b',
    'data/dir/c',
    'data/ä',
  ]);
  expect(pending.bytes).toBe(1 + 2 + 3 + 4);
  expect(problems).toEqual([]);
});

test('takes what did not change from the index, and asks again for what did', () => {
  vol.fromNestedJSON({ '/work/data': { kept: 'same', changed: 'old', dir: { inner: 'x' } } });
  const first = walk();
  first.root.setDigest(first.root.find('kept'), Buffer.alloc(32, 7));
  vol.writeFileSync('/work/data/changed', 'newer');
  const second = walk(first.root);
  expect(Array.from({ length: second.pending.length }, (_, at) => second.pending.pathAt(at))).toEqual(['data/changed']);
  expect(second.root.digestAt(second.root.find('kept'))).toEqual(Buffer.alloc(32, 7));
  expect(second.root.unchanged).toBe(false);
  expect(second.root.childNamed('dir')?.unchanged).toBe(true);
});

test("leaves out what rules ignore, and Git's own directory, and names links that lead outside", () => {
  vol.fromNestedJSON({ '/work/data': { 'a.tmp': '', keep: '', '.git': { hooks: {} } } });
  vol.symlinkSync('../../etc', '/work/data/out');
  const { root, problems } = walk(undefined, IgnoreRules.none.with('data', '*.tmp\n'));
  expect(root.names).toEqual(['keep', 'out']);
  expect(problems.map(({ path }) => path)).toEqual(['data/out']);
});
