import { vol } from 'memfs';
import { afterEach, expect, test, vi } from 'vitest';
import { KIND } from '../../src/objects/tree-format.js';
import type { DirectoryBlock } from '../../src/workspace/directory-block.js';
import { IgnoreRules } from '../../src/workspace/ignore-rules.js';
import { type Walk, type WalkOptions, walkDirectory } from '../../src/workspace/walk.js';

// The walk decides by names, kinds and stats alone: a file system in memory shows all of them, on any platform.
vi.mock('node:fs', async () => (await import('memfs')).fs);

afterEach(() => vol.reset());

function walk(previous?: DirectoryBlock, rules = IgnoreRules.none, settled?: WalkOptions['settled']) {
  return walkDirectory({
    worktree: '/work',
    directory: 'data',
    rules,
    objectOfLink: () => undefined,
    inodeOfObject: () => undefined,
    ...(previous && { previous }),
    ...(settled && { settled }),
  });
}

function pendingPaths({ pending }: Walk): string[] {
  return Array.from({ length: pending.length }, (_, at) => pending.pathAt(at));
}

test('lists entries by the bytes of their names, with kinds, and asks for the content of every file that is new', () => {
  vol.fromNestedJSON({ '/work/data': { b: '22', a: '1', ä: '333', dir: { c: '4444' }, empty: {} } });
  vol.symlinkSync('a', '/work/data/link');
  vol.chmodSync('/work/data/b', 0o755);
  const first = walk();
  const { root, pending, problems } = first;
  expect(root.names).toEqual(['a', 'b', 'dir', 'empty', 'link', 'ä']);
  const kinds = [KIND.file, KIND.executable, KIND.tree, KIND.tree, KIND.link, KIND.file];
  expect(root.names.map((_, index) => root.kindAt(index))).toEqual(kinds);
  expect(pendingPaths(first).sort()).toEqual(['data/a', 'data/b', 'data/dir/c', 'data/ä']);
  expect(pending.bytes).toBe(1 + 2 + 3 + 4);
  expect(problems).toEqual([]);
});

test('takes what did not change from the index, and asks again for what did', () => {
  vol.fromNestedJSON({ '/work/data': { kept: 'same', changed: 'old', dir: { inner: 'x' } } });
  const first = walk();
  first.root.setDigest(first.root.find('kept'), Buffer.alloc(32, 7));
  vol.writeFileSync('/work/data/changed', 'newer');
  const second = walk(first.root);
  expect(pendingPaths(second)).toEqual(['data/changed']);
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

test('tells what changed in a directory from all that did not, wherever it stands, and notices what is only executable now', () => {
  const names = ['a', 'b', 'c', 'd', 'e'];
  vol.fromNestedJSON({ '/work/data': { part: Object.fromEntries(names.map((name) => [name, 'same'])) } });
  const first = walk().root;
  const digestOfName = (name: string) => Buffer.alloc(32, name.charCodeAt(0));
  const part = first.childNamed('part') as DirectoryBlock;
  for (const name of names) part.setDigest(part.find(name), digestOfName(name));
  vol.writeFileSync('/work/data/part/b', 'other');
  vol.chmodSync('/work/data/part/d', 0o755);
  vol.unlinkSync('/work/data/part/c');
  vol.writeFileSync('/work/data/part/bb', 'new');
  const second = walk(first);
  const found = second.root.childNamed('part') as DirectoryBlock;
  expect(second.root.unchanged || found.unchanged).toBe(false);
  expect(found.names).toEqual(['a', 'b', 'bb', 'd', 'e']);
  // Whether the executable one is read again, too, is for its change time to say.
  expect(pendingPaths(second).filter((path) => path !== 'data/part/d')).toEqual(['data/part/b', 'data/part/bb']);
  expect(found.kindAt(found.find('d'))).toBe(KIND.executable);
  for (const name of ['a', 'e']) expect(found.digestAt(found.find(name))).toEqual(digestOfName(name));
});

test('a directory in which something is missing at the end is not the same', () => {
  vol.fromNestedJSON({ '/work/data': { part: { a: '', b: '' } } });
  const first = walk().root;
  vol.unlinkSync('/work/data/part/b');
  const second = walk(first).root.childNamed('part');
  expect(second?.names).toEqual(['a']);
  expect(second?.unchanged).toBe(false);
});

test('takes what is settled as it was, so that the next walk finds what was written to it since', () => {
  vol.fromNestedJSON({ '/work/data': { a: 'old', b: 'old', dir: { c: 'old' }, gone: 'old' } });
  const before = walk();
  for (const name of ['a', 'b']) vol.writeFileSync(`/work/data/${name}`, 'newer');
  vol.writeFileSync('/work/data/dir/c', 'newer');
  vol.unlinkSync('/work/data/gone');
  vol.writeFileSync('/work/data/new', '');
  const touched = new Set(['data/b']);
  const after = walk(before.root, IgnoreRules.none, (directory, name) => !touched.has(`${directory}/${name}`));
  expect(after.root.names).toEqual(['a', 'b', 'dir', 'new']);
  expect(pendingPaths(after)).toEqual(['data/b', 'data/new']);
  expect(after.root.entryAt(0)).toEqual(before.root.entryAt(0));
  expect(pendingPaths(walk(after.root)).sort()).toEqual(['data/a', 'data/dir/c']);
});

test('looks at what is settled all the same where it was too young to be trusted, or is ignored by now', () => {
  vol.fromNestedJSON({ '/work/data': { young: 'same', ignored: 'same', old: 'same' } });
  const before = walk();
  before.root.distrust(before.root.find('young'));
  const after = walk(before.root, IgnoreRules.none.with('data', 'ignored\n'), () => true);
  expect(after.root.names).toEqual(['old', 'young']);
  expect(pendingPaths(after)).toEqual(['data/young']);
});
