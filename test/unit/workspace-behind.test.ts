import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadHash } from '../../src/objects/hash.js';
import type { DiffSide } from '../../src/objects/tree-diff.js';
import { editTree } from '../../src/objects/tree-edit.js';
import { encodeTree } from '../../src/objects/tree-format.js';
import { pathsBehind } from '../../src/workspace/workspace-behind.js';

const hash = await loadHash('blake3');

type Files = Readonly<Record<string, string>>;

/** Makes sides of a comparison in memory, of files by path. */
function sides() {
  const stored = new Map<string, Buffer>();
  const store = (bytes: Buffer): Buffer => {
    const digest = hash.digest(bytes);
    stored.set(digest.toString('hex'), bytes);
    return digest;
  };
  const load = (digest: Buffer): Buffer => stored.get(digest.toString('hex')) as Buffer;
  return (files: Files): DiffSide => {
    const edits = Object.entries(files).map(([path, content]) => ({
      path,
      entry: { kind: 'file' as const, name: '', size: content.length, digest: hash.digest(Buffer.from(content)) },
    }));
    return { digest: editTree(store(encodeTree([])), edits, { load, store }).digest, load };
  };
}

describe('pathsBehind', () => {
  it('names what others changed or removed and nobody touched here', () => {
    const of = sides();
    const base = { a: '1', 'd/b': '1', 'd/c': '1', e: '1' };
    const pointer = { a: '1', 'd/b': '2', e: '2', new: '1' };
    const now = { a: '2', 'd/b': '1', 'd/c': '1', e: '3' };
    const trees = { base: of(base), pointer: of(pointer), now: of(now) };
    expect(pathsBehind(trees, { known: true })).toEqual(['d/b', 'd/c']);
    expect(pathsBehind(trees)).toEqual(['d/b', 'd/c', 'new']);
    expect(pathsBehind({ ...trees, pointer: undefined })).toEqual(['d/b', 'd/c']);
  });

  it('agrees with a look at every path', () => {
    const path = fc.constantFrom('a', 'b', 'd/a', 'd/b', 'd/e/a', 'f/a');
    const files = fc.dictionary(path, fc.constantFrom('1', '2', '3'));
    fc.assert(
      fc.property(files, files, files, (base, pointer, now) => {
        const of = sides();
        const every = [...new Set([...Object.keys(base), ...Object.keys(pointer)])].sort();
        const expected = every.filter((at) => pointer[at] !== base[at] && now[at] === base[at]);
        const trees = { base: of(base), pointer: of(pointer), now: of(now) };
        expect(pathsBehind(trees).sort()).toEqual(expected);
        expect(pathsBehind(trees, { known: true }).sort()).toEqual(expected.filter((at) => base[at] !== undefined));
      }),
    );
  });
});
