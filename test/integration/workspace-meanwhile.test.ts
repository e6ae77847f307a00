import { appendFileSync, lstatSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Reporter } from '../../src/core/reporter.js';
import { silentReporter } from '../../src/core/reporter.js';
import { CacheBatch } from '../../src/objects/cache-batch.js';
import type { HashFunction } from '../../src/objects/hash.js';
import { Ingester } from '../../src/objects/link-ingest.js';
import { type FsckReport, fsckCache } from '../../src/workspace/fsck.js';
import type { IndexedTarget } from '../../src/workspace/index-format.js';
import { loadTargets } from '../../src/workspace/pointers.js';
import { remove } from '../../src/workspace/remove.js';
import { isWorkspaceTemporary } from '../../src/workspace/workspace-temporary.js';
import { type TestWorkspace, testWorkspace } from '../helpers/workspace.js';

/** More than one buffer of the copy, so that something can happen in the middle of it. */
const LARGE = 9 * 1024 * 1024;

let workspace: TestWorkspace;

/** A reporter that acts once, at the first bytes that are reported. */
function atFirstBytes(action: () => void): Reporter {
  let done = false;
  const advance = ({ bytes }: { bytes?: number }): void => {
    if (done || !bytes) return;
    done = true;
    action();
  };
  return { ...silentReporter, phase: () => ({ expect() {}, advance, end() {} }) };
}

function leftovers(directory = ''): string[] {
  return readdirSync(workspace.at(directory)).filter(isWorkspaceTemporary);
}

beforeEach(async () => {
  // Copies: what is done here while a file is read on its way to the workspace would find nothing to wait for with reflinks.
  workspace = await testWorkspace({ linkModes: ['copy'] });
});

describe('what is written while a large file is being copied', () => {
  it.each(['model', 'data/model'])('stays where the checkout would replace an older %s', async (path) => {
    const target = path === 'model' ? 'model' : 'data';
    workspace.write(path, Buffer.alloc(LARGE, 1));
    await workspace.add(target);
    workspace.git.commit('one');
    workspace.write(path, 'two');
    await workspace.add(target);
    workspace.git.commit('two');
    workspace.git.git('checkout', '-q', 'main~1');
    const reporter = atFirstBytes(() => workspace.write(path, 'mine'));
    const report = await workspace.checkout([], { reporter });
    expect(report).toMatchObject({ written: 0, refused: [{ path, reason: 'modified' }] });
    expect(workspace.read(path)).toBe('mine');
    expect([...leftovers(), ...(target === 'data' ? leftovers('data') : [])]).toEqual([]);
    await workspace.checkout([], { force: true });
    expect(lstatSync(workspace.at(path)).size).toBe(LARGE);
  });

  it.each(['model', 'data/model'])('stays where there was no %s before', async (path) => {
    workspace.write(path, Buffer.alloc(LARGE, 1));
    await workspace.add(path === 'model' ? 'model' : 'data');
    workspace.delete(path);
    const reporter = atFirstBytes(() => writeFileSync(workspace.at(path), 'mine'));
    const report = await workspace.checkout([], { reporter });
    expect(report).toMatchObject({ written: 0, refused: [{ path, reason: 'untracked' }] });
    expect(workspace.read(path)).toBe('mine');
  });
});

describe('a file that changes while add stores again what the cache lost', () => {
  it('is stored as it is now, under trees that name it', async () => {
    workspace.write('data/sub/a', 'before');
    workspace.write('data/b', 'b');
    await setTimeout(50);
    await workspace.add('data');
    const { cache } = workspace.repository;
    for (const { oid } of [...cache.list()]) cache.remove(oid);
    let changed = false;
    const expectation = (): void => {
      if (!changed) workspace.write('data/sub/a', 'meanwhile');
      changed = true;
    };
    const reporter = { ...silentReporter, phase: () => ({ expect: expectation, advance() {}, end() {} }) };
    await workspace.add('data', { reporter });
    const { targets } = await loadTargets(workspace.repository);
    const report = await fsckCache(workspace.repository, targets);
    expect(report).toMatchObject({ objects: 4, damaged: [], contradicted: [], incomplete: [] });
    workspace.delete('data');
    await workspace.checkout();
    expect(workspace.read('data/sub/a')).toBe('meanwhile');
  });

  it('costs nothing where the cache lost only trees', async () => {
    workspace.write('data/sub/a', 'a');
    await setTimeout(50);
    await workspace.add('data');
    const { cache } = workspace.repository;
    const { oid } = workspace.pointer('data');
    cache.remove(oid);
    const { targets } = await workspace.add('data');
    expect(targets).toMatchObject([{ state: 'unchanged', read: { items: 0 } }]);
    await cache.verify(oid);
  });
});

describe('an object that somebody mends while fsck --repair looks at it', () => {
  /** Finds the object of 'model' damaged, and acts before it is moved away. */
  async function repairWhile(action: (path: string) => void): Promise<FsckReport> {
    workspace.write('model', 'model');
    await workspace.add('model');
    const { cache } = workspace.repository;
    const { oid } = workspace.pointer('model');
    const path = workspace.objectPath(oid);
    rmSync(path);
    writeFileSync(path, 'wrong');
    const verify = cache.verify.bind(cache);
    cache.verify = (...given) => verify(...given).finally(() => action(path));
    const { targets } = await loadTargets(workspace.repository);
    return fsckCache(workspace.repository, targets, { repair: true });
  }

  it('stays where it is', async () => {
    const report = await repairWhile((path) => {
      rmSync(path);
      writeFileSync(path, 'model');
    });
    expect(report).toMatchObject({ objects: 1, damaged: [], incomplete: [] });
    expect(workspace.repository.cache.has(workspace.pointer('model').oid, 5)).toBe(true);
  });

  it('is no error where it is gone by then', async () => {
    expect(await repairWhile((path) => rmSync(path))).toMatchObject({ damaged: [], incomplete: [{ path: 'model' }] });
  });

  it('is moved away where nobody did', async () => {
    const report = await repairWhile(() => {});
    expect(report).toMatchObject({ damaged: [{ oid: workspace.pointer('model').oid }] });
    expect(readFileSync(report.damaged[0]?.movedTo ?? '', 'utf8')).toBe('wrong');
  });
});

describe('a pointer that its object contradicts', () => {
  it('is named by fsck and counted by status, and stops neither', async () => {
    workspace.write('model', 'model');
    workspace.write('other', 'other');
    await workspace.add(['model', 'other']);
    workspace.write('model.mlv', `${workspace.pointerText('model')}files: 1\n`);
    workspace.repository.cache.remove(workspace.oidOf('other'));
    const { targets } = await loadTargets(workspace.repository);
    const report = await fsckCache(workspace.repository, targets);
    expect(report.contradicted.map(({ path }) => path)).toEqual(['model.mlv']);
    expect(report.incomplete.map(({ path }) => path)).toEqual(['model', 'other']);
    expect((await workspace.status()).targets.map(({ missing }) => missing.objects)).toEqual([1, 1]);
  });
});

describe('what is written after remove has looked', () => {
  /** Acts when the file with the content 'trigger' is read for the removal of 'one', after the check of all targets. */
  function removeWhile(paths: string[], action: () => void): Promise<unknown> {
    const { repository } = workspace;
    let loads = 0;
    const load = (target: string): IndexedTarget | undefined => {
      if (target === 'one') loads++;
      return loads < 2 ? repository.index.load(target) : undefined;
    };
    const digest = (bytes: Buffer): Buffer => {
      if (loads === 2 && bytes.toString() === 'trigger') action();
      return repository.hash.digest(bytes);
    };
    const index = Object.assign(Object.create(repository.index), { load });
    return remove({ ...repository, index, hash: { ...repository.hash, digest } as HashFunction }, paths);
  }

  it('is never removed: an edit of another target stops the removal of that one', async () => {
    for (const target of ['one', 'two']) workspace.write(`${target}/a`, target === 'one' ? 'trigger' : 'two');
    await workspace.add(['one', 'two']);
    await expect(removeWhile(['one', 'two'], () => workspace.write('two/a', 'mine'))).rejects.toMatchObject({
      code: 'UNSAVED_CHANGES',
      data: { paths: ['two'] },
    });
    expect(workspace.read('two/a')).toBe('mine');
    expect([workspace.has('one'), workspace.has('one.mlv'), workspace.has('two.mlv')]).toEqual([false, false, true]);
  });

  it('is never removed: a file that is new, or edited, in the directory that is being looked at', async () => {
    workspace.write('one/a', 'a');
    workspace.write('one/b', 'trigger');
    await workspace.add('one');
    const change = (): void => {
      workspace.write('one/new', 'mine');
      workspace.write('one/a', 'edited');
    };
    await expect(removeWhile(['one'], change)).rejects.toMatchObject({
      code: 'UNSAVED_CHANGES',
      data: { paths: ['one/a'] },
    });
    expect([workspace.read('one/new'), workspace.read('one/a')]).toEqual(['mine', 'edited']);
    expect(workspace.has('one.mlv')).toBe(true);
  });
});

describe('hard links to one object', () => {
  it('that a checkout makes itself are no change of the user', async () => {
    workspace = await testWorkspace({ linkModes: ['hardlink'] });
    workspace.write('data/a', 'first');
    workspace.write('data/b', 'second');
    await workspace.add('data');
    workspace.git.commit('one');
    workspace.delete('data');
    workspace.write('data/a', 'second');
    workspace.write('data/b', 'first');
    await workspace.add('data');
    workspace.git.commit('two');
    workspace.git.git('checkout', '-q', 'main~1');
    expect(await workspace.checkout()).toMatchObject({ written: 2, refused: [] });
    expect([workspace.read('data/a'), workspace.read('data/b')]).toEqual(['first', 'second']);
  });

  it('are removed, though each that goes moves the change time of the others', async () => {
    workspace = await testWorkspace({ linkModes: ['hardlink'] });
    for (const name of ['a', 'b', 'c']) workspace.write(`data/${name}`, 'same');
    await workspace.add('data');
    await remove(workspace.repository, ['data']);
    expect(workspace.has('data')).toBe(false);
  });
});

describe('a file that add takes in by a hard link', () => {
  const isWritable = (path: string): boolean => (lstatSync(workspace.at(path)).mode & 0o200) !== 0;

  beforeEach(async () => {
    workspace = await testWorkspace({ linkModes: ['hardlink'] });
    workspace.write('model', Buffer.alloc(LARGE, 1));
  });

  it('stays writable when it changes while it is read', async () => {
    const reporter = atFirstBytes(() => appendFileSync(workspace.at('model'), 'more'));
    await expect(workspace.add('model', { reporter })).rejects.toMatchObject({ code: 'FILE_CHANGED_WHILE_READ' });
    expect(isWritable('model')).toBe(true);
  });

  it('gets no name in the cache, and stays writable, when it changes before it is committed', async () => {
    const { cache } = workspace.repository;
    const batch = new CacheBatch(cache);
    await new Ingester(cache, batch, ['hardlink']).ingest(workspace.at('model'), { executable: false });
    expect(isWritable('model')).toBe(true);
    appendFileSync(workspace.at('model'), 'more');
    await expect(batch.commit()).rejects.toMatchObject({ code: 'FILE_CHANGED_WHILE_READ' });
    batch.abandon();
    expect([...cache.list()]).toEqual([]);
    expect(isWritable('model')).toBe(true);
  });

  it('stays writable when the cache has its content already', async () => {
    const { cache } = workspace.repository;
    for (const name of ['model', 'twin']) {
      workspace.write(name, Buffer.alloc(LARGE, 1));
      const batch = new CacheBatch(cache);
      await new Ingester(cache, batch, ['hardlink']).ingest(workspace.at(name), { executable: false });
      await batch.commit();
    }
    expect([isWritable('model'), isWritable('twin')]).toEqual([false, true]);
  });
});

describe('a checkout with nothing to do', () => {
  it('writes no index', async () => {
    workspace.write('model', 'model');
    workspace.write('data/a', 'a');
    await setTimeout(50);
    await workspace.add(['data', 'model']);
    const { index } = workspace.repository;
    const saved: string[] = [];
    const save = index.save.bind(index);
    index.save = (target, indexed) => {
      saved.push(target);
      save(target, indexed);
    };
    await workspace.checkout();
    expect(saved).toEqual([]);
    workspace.delete('model', 'data/a');
    expect(await workspace.checkout()).toMatchObject({ written: 2 });
    expect(saved.sort()).toEqual(['', 'data']);
  });
});
