import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadHash } from '../../src/objects/hash.js';
import { walkTree } from '../../src/objects/tree-diff.js';
import { type EditedTree, editTree, type TreeEdit } from '../../src/objects/tree-edit.js';
import { encodeTree, type TreeEntry } from '../../src/objects/tree-format.js';

const hash = await loadHash('blake3');

/** Trees in memory. */
function memory(): { store: (bytes: Buffer) => Buffer; load: (digest: Buffer) => Buffer; loads: string[] } {
  const trees = new Map<string, Buffer>();
  const loads: string[] = [];
  return {
    loads,
    store: (bytes) => {
      const digest = hash.digest(bytes);
      trees.set(digest.toString('hex'), bytes);
      return digest;
    },
    load: (digest) => {
      loads.push(digest.toString('hex'));
      const bytes = trees.get(digest.toString('hex'));
      if (!bytes) throw new RangeError('no such tree');
      return bytes;
    },
  };
}

const file = (content: string): TreeEntry => ({
  ...{ kind: 'file', name: '', size: content.length },
  digest: hash.digest(Buffer.from(content)),
});

function treeOf(files: Record<string, string>): EditedTree & ReturnType<typeof memory> {
  const trees = memory();
  const edits = Object.entries(files).map(([path, content]) => ({ path, entry: file(content) }));
  return { ...trees, ...editTree(trees.store(encodeTree([])), edits, trees) };
}

describe('editTree', () => {
  it('comes to the tree that is made of the same files from nothing, with its sums', () => {
    const name = fc.constantFrom('a', 'b', 'é', '\u{1f600}', '\uffee');
    const path = fc.tuple(name, name, fc.constantFrom('x', 'y')).map(([a, b, c]) => `${a}/${b}.d/${c}`);
    fc.assert(
      fc.property(fc.dictionary(path, fc.string()), fc.dictionary(path, fc.string()), (before, changes) => {
        const start = treeOf(before);
        const edits = Object.entries(changes).map(([at, content]): TreeEdit => ({ path: at, entry: file(content) }));
        const edited = editTree(start.digest, edits, start);
        const whole = treeOf({ ...before, ...changes });
        expect(edited).toEqual({ digest: whole.digest, size: whole.size, files: whole.files });
      }),
    );
  });

  it('reads only the trees on the way', () => {
    const tree = treeOf({ 'a/x': '1', 'b/x': '2', 'b/c/x': '3' });
    tree.loads.length = 0;
    editTree(tree.digest, [{ path: 'a/y', entry: file('4') }], tree);
    expect(tree.loads).toHaveLength(2);
  });

  it('takes edits in their order: into what was put there before, and over what was taken away', () => {
    const tree = treeOf({ 'a/x': '1' });
    const moved = [...walkTree(tree.digest, tree.load)][0]?.entry as TreeEntry;
    const edits: TreeEdit[] = [
      { path: 'a', entry: undefined },
      { path: 'b/a', entry: moved },
      { path: 'b/a/y', entry: file('2') },
      { path: 'a', entry: file('3') },
    ];
    const edited = editTree(tree.digest, edits, tree);
    expect([...walkTree(edited.digest, tree.load)].map(({ path }) => path)).toEqual([
      'a',
      'b',
      'b/a',
      'b/a/x',
      'b/a/y',
    ]);
  });

  it('refuses to remove what is not there, to go through a file, and names that no tree may hold', () => {
    const tree = treeOf({ a: '1' });
    const edit = (path: string, entry?: TreeEntry) => () => editTree(tree.digest, [{ path, entry } as TreeEdit], tree);
    expect(edit('b')).toThrow(expect.objectContaining({ code: 'PATH_NOT_FOUND' }));
    expect(edit('a/b', file('2'))).toThrow(expect.objectContaining({ code: 'TARGET_EXISTS' }));
    expect(edit('.git/config', file('2'))).toThrow(expect.objectContaining({ code: 'TREE_INVALID' }));
    expect(edit('..', file('2'))).toThrow(expect.objectContaining({ code: 'TREE_INVALID' }));
  });
});
