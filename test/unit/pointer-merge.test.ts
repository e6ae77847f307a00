import { describe, expect, it } from 'vitest';
import { listTree } from '../../src/objects/tree-listing.js';
import { readBase, readSide } from '../../src/workspace/conflicts.js';
import { type MergedPointer, mergePointers, type Winner } from '../../src/workspace/pointer-merge.js';
import { type Directory, TreeStore } from '../helpers/tree-of.js';

const OIDS = ['1', '2', '3'].map((digit) => `blake3:${digit.repeat(64)}`);
const store = new TreeStore();

function file(oid: string | undefined, rest = ''): string {
  return `mlv: 1\npath: model\noid: ${oid}\nsize: 5\n${rest}`;
}

function directory(content: Directory, rest = ''): string {
  return `mlv: 1\npath: model\noid: blake3:${store.put(content).toString('hex')}\nsize: 1\nfiles: 1\n${rest}`;
}

function run(digit: string): string {
  return `run:\n  oid: blake3:${digit.repeat(64)}\n  size: 1\n  files: 1\n  key: ${digit.repeat(64)}\n`;
}

function merge(base: string, ours: string, theirs: string, choose: () => Winner = () => 'left'): MergedPointer {
  const sides = {
    base: readBase(base, 'model.mlv'),
    ours: readSide(ours, 'model.mlv'),
    theirs: readSide(theirs, 'model.mlv'),
  };
  return mergePointers(sides, 'model', { hash: store.hash, load: store.load, store: store.store, choose });
}

describe('a pointer on three sides', () => {
  it('takes the content of the side that changed it, with its run, and the keys of both', () => {
    const base = file(OIDS[0], `desc: old\n${run('a')}`);
    const ours = file(OIDS[0], `desc: new\nlabels:\n  - mine\n${run('a')}`);
    const theirs = file(OIDS[1], `desc: old\nlabels:\n  - yours\n${run('b')}`);
    const { pointer, text, conflicts, runDropped } = merge(base, ours, theirs);
    expect([pointer.oid, pointer.run?.key, conflicts, runDropped]).toEqual([OIDS[1], 'b'.repeat(64), [], false]);
    expect(text).toContain('desc: new');
    expect(text).toMatch(/labels:\n {2}- mine\n {2}- yours\n/);
  });

  it('is in conflict where both changed the bytes, and keeps ours, or takes what is chosen', () => {
    const merged = merge(file(OIDS[0]), file(OIDS[1]), file(OIDS[2]));
    expect([merged.pointer.oid, merged.conflicts[0]?.kind]).toEqual([OIDS[1], 'both-modified']);
    expect(merge(file(OIDS[0]), file(OIDS[1]), file(OIDS[2]), () => 'theirs').pointer.oid).toBe(OIDS[2]);
    expect(merge(file(OIDS[0]), file(OIDS[1]), file(OIDS[2]), () => 'base').pointer.oid).toBe(OIDS[0]);
    expect(merge('', file(OIDS[1]), file(OIDS[2])).conflicts[0]?.kind).toBe('both-added');
    expect(merge(file(OIDS[0]), file(OIDS[1]), directory({})).conflicts[0]?.kind).toBe('type');
  });

  it('merges the executable bit apart from the bytes', () => {
    const merged = merge(file(OIDS[0]), file(OIDS[0], 'executable: true\n'), file(OIDS[1]));
    expect([merged.pointer.oid, merged.pointer.executable, merged.conflicts]).toEqual([OIDS[1], true, []]);
  });

  it('loses the run where the content is what no side had', () => {
    const merged = merge(
      directory({ a: '1' }),
      directory({ a: '1', b: '1' }, run('a')),
      directory({ a: '2' }, run('b')),
    );
    expect([merged.pointer.run, merged.runDropped, merged.pointer.files]).toEqual([undefined, true, 2]);
    expect(merged.text).not.toContain('run:');
  });

  it('names the key that both changed, and takes no side of it but the one chosen', () => {
    const merged = merge(file(OIDS[0], 'remote: a\n'), file(OIDS[0], 'remote: b\n'), file(OIDS[0], 'remote: c\n'));
    expect([merged.conflicts, merged.text]).toEqual([
      [{ path: '', kind: 'key', key: 'remote' }],
      expect.stringContaining('remote: b'),
    ]);
    const gone = merge(file(OIDS[0], 'remote: a\n'), file(OIDS[0], 'remote: a\n'), file(OIDS[0]));
    expect(gone.text).not.toContain('remote');
  });

  it('has no beginning where that is the outcome of a merge with conflicts', () => {
    const base = '<<<<<<< ours\nmlv: 1\n=======\n>>>>>>> theirs\n';
    expect(merge(base, directory({ a: '1' }), directory({ b: '1' })).pointer.files).toBe(2);
  });
});

describe('the listing of a tree for a diff', () => {
  const list = (content: Directory, limit: number): string[] =>
    listTree(store.put(content), { load: store.load, digest: store.hash.digest, limit }).map((each) =>
      'entry' in each ? each.path : `${each.path} to ${each.last}`,
    );

  it('has every file where they fit, and otherwise as many levels as do', () => {
    const content = { a: { x: '1', y: '1' }, b: '1', empty: {} };
    expect(list(content, 10)).toEqual(['a/x', 'a/y', 'b', 'empty']);
    expect(list(content, 3)).toEqual(['a', 'b', 'empty']);
  });

  it('tells neighbours together where one level is too long; a new file changes one of the groups', () => {
    const many = Object.fromEntries(Array.from({ length: 2000 }, (_, at) => [`file-${at}`, '1']));
    const before = listTree(store.put(many), { load: store.load, digest: store.hash.digest, limit: 200 });
    const after = listTree(store.put({ ...many, 'file-1000a': '2' }), {
      load: store.load,
      digest: store.hash.digest,
      limit: 200,
    });
    expect(before.length).toBeLessThanOrEqual(250);
    const lines = (listed: typeof before): Set<string> => new Set(listed.map((each) => JSON.stringify(each)));
    const fresh = [...lines(after)].filter((line) => !lines(before).has(line));
    expect(fresh.length).toBeGreaterThan(0);
    expect(fresh.length).toBeLessThanOrEqual(2);
  });
});
