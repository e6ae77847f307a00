import { chmodSync, lstatSync, mkdirSync, readlinkSync, statSync, symlinkSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { LinkMode } from '../../src/core/link-mode.js';
import { loadTargets, selectTargets } from '../../src/workspace/pointers.js';
import { unprotect } from '../../src/workspace/unprotect.js';
import { describeTree } from '../helpers/describe-tree.js';
import { hostileEntries, makeHostileTree } from '../helpers/hostile-tree.js';
import { type TestWorkspace, testWorkspace } from '../helpers/workspace.js';

const LARGE = Buffer.alloc(3_000_000, 'large');

function fill(workspace: TestWorkspace): void {
  workspace.write('model.bin', LARGE);
  workspace.write('tool', '#!/bin/sh\n', 0o755);
  workspace.write('empty', '');
  workspace.write('data/a.txt', 'a');
  workspace.write('data/zero', '');
  workspace.write('data/run.sh', 'run', 0o755);
  workspace.write('data/large.bin', LARGE);
  workspace.write('data/sub/deep/b.txt', 'b');
  mkdirSync(workspace.at('data/hollow/inside'), { recursive: true });
  symlinkSync('sub/deep/b.txt', workspace.at('data/link'));
  symlinkSync('../a.txt', workspace.at('data/sub/up'));
}

const TARGETS = ['model.bin', 'tool', 'empty', 'data'];
/** What is not data: Git's own and the pointers. */
const isOurs = (path: string): boolean => /^\.git/.test(path) || /^[^/]*\.mlv$/.test(path);

describe.each<{ name: string; linkModes: LinkMode[] }>([
  { name: 'reflink', linkModes: ['reflink', 'copy'] },
  { name: 'copy', linkModes: ['copy'] },
  { name: 'hardlink', linkModes: ['hardlink', 'copy'] },
  { name: 'symlink', linkModes: ['symlink', 'copy'] },
])('with link mode $name', ({ linkModes, name }) => {
  it('brings back every kind of entry, and sees nothing changed before and after', async () => {
    const workspace = await testWorkspace({ linkModes });
    fill(workspace);
    const bytes = contents(workspace);
    await workspace.add(TARGETS);
    expect(await workspace.changes()).toEqual([]);
    expect(contents(workspace)).toEqual(bytes);
    workspace.delete(...TARGETS);
    const report = await workspace.checkout();
    expect(report).toMatchObject({ refused: [], failed: [] });
    expect(contents(workspace)).toEqual(bytes);
    expect(await workspace.changes()).toEqual([]);
    expect(await workspace.checkout()).toMatchObject({ written: 0, removed: 0 });
  });

  it('goes from one version to another and back', async () => {
    const workspace = await testWorkspace({ linkModes });
    fill(workspace);
    await workspace.add(TARGETS);
    workspace.git.commit('one');
    const one = contents(workspace);
    workspace.delete('data/sub', 'data/a.txt', 'model.bin', 'data/run.sh', 'tool');
    workspace.write('data/sub', 'a file now');
    workspace.write('data/a.txt/inner', 'a directory now');
    workspace.write('model.bin', 'other');
    workspace.write('data/run.sh', 'run', 0o644);
    workspace.write('tool', '#!/bin/sh\n', 0o644);
    workspace.write('data/new/file', 'new');
    await workspace.add(TARGETS);
    workspace.git.commit('two');
    const two = contents(workspace);
    workspace.git.git('checkout', '-q', 'HEAD~1');
    expect(await workspace.checkout()).toMatchObject({ refused: [], failed: [] });
    expect(contents(workspace)).toEqual(one);
    workspace.git.git('checkout', '-q', 'main');
    expect(await workspace.checkout()).toMatchObject({ refused: [], failed: [] });
    expect(contents(workspace)).toEqual(two);
    expect(await workspace.changes()).toEqual([]);
  });

  it('never changes the mode of an object', async () => {
    const workspace = await testWorkspace({ linkModes });
    workspace.write('data/one', 'same bytes');
    workspace.write('data/two', 'same bytes');
    await workspace.add('data');
    workspace.git.commit('plain');
    workspace.delete('data/one');
    workspace.write('data/one', 'same bytes', 0o755);
    await workspace.add('data');
    workspace.git.commit('executable');
    for (const revision of ['HEAD~1', 'main', 'HEAD~1']) {
      workspace.git.git('checkout', '-q', revision);
      await workspace.checkout();
      expect(await workspace.changes()).toEqual([]);
      expect(statSync(workspace.objectPath(workspace.oidOf('same bytes'))).mode & 0o777).toBe(0o444);
      expect(statSync(workspace.at('data/two')).mode & 0o111).toBe(0);
    }
  });

  it(`places files as ${name} does`, async () => {
    const workspace = await testWorkspace({ linkModes });
    fill(workspace);
    await workspace.add(TARGETS);
    const stat = lstatSync(workspace.at('data/large.bin'));
    const object = statSync(workspace.objectPath(workspace.oidOf(LARGE)));
    expect(stat.isSymbolicLink()).toBe(name === 'symlink');
    expect(stat.ino === object.ino).toBe(name === 'hardlink');
    expect(lstatSync(workspace.at('data/run.sh')).nlink).toBe(1);
  });
});

/** Content by path, whatever the files are to the file system. */
function contents(workspace: TestWorkspace): Record<string, string> {
  const result = describeTree(workspace.dir, isOurs);
  for (const [path, text] of Object.entries(result)) {
    if (text.startsWith(`link -> ${workspace.repository.cache.directory}`)) {
      const hex = readlinkSync(workspace.at(path)).split('/').slice(-2).join('');
      result[path] = `object ${hex}`;
    }
  }
  return Object.fromEntries(Object.entries(result).map(([path, text]) => [path, byContent(workspace, path, text)]));
}

function byContent(workspace: TestWorkspace, path: string, text: string): string {
  if (text.startsWith('link') || text === 'directory') return text;
  const executable =
    (lstatSync(workspace.at(path)).mode & 0o100) !== 0 && !lstatSync(workspace.at(path)).isSymbolicLink();
  return `${executable ? 'executable' : 'file'} ${workspace.oidOf(workspace.read(path))}`;
}

describe('linked files', () => {
  it.each(['hardlink', 'symlink'] as const)('become private and writable by unprotect (%s)', async (mode) => {
    const workspace = await testWorkspace({ linkModes: [mode, 'copy'] });
    workspace.write('data/a', 'bytes of a');
    workspace.write('single', 'bytes of single');
    await workspace.add(['data', 'single']);
    const { targets } = await loadTargets(workspace.repository);
    expect((await unprotect(workspace.repository, selectTargets(targets, []))).sort()).toEqual(['data/a', 'single']);
    workspace.write('data/a', 'edited!!!!');
    expect(lstatSync(workspace.at('single')).isSymbolicLink()).toBe(false);
    expect(await workspace.changes()).toEqual(['modified data/a']);
    await workspace.repository.cache.verify(workspace.oidOf('bytes of a'));
    expect(await unprotect(workspace.repository, selectTargets(targets, []))).toEqual([]);
  });

  it('are left out of unprotect where they are not asked for', async () => {
    const workspace = await testWorkspace({ linkModes: ['hardlink', 'copy'] });
    workspace.write('data/a/one', 'one');
    workspace.write('data/b/two', 'two');
    await workspace.add('data');
    const { targets } = await loadTargets(workspace.repository);
    expect(await unprotect(workspace.repository, selectTargets(targets, ['data/a']))).toEqual(['data/a/one']);
  });
});

describe('hostile names', () => {
  it('survive add, deletion and checkout bit for bit', async () => {
    const workspace = await testWorkspace();
    const { made } = makeHostileTree(workspace.at('hostile'));
    const before = describeTree(workspace.at('hostile'));
    await workspace.add('hostile');
    expect(await workspace.changes()).toEqual([]);
    workspace.delete('hostile');
    expect(await workspace.checkout()).toMatchObject({ failed: [], refused: [] });
    expect(describeTree(workspace.at('hostile'))).toEqual(before);
    expect(made.length).toBeGreaterThan(20);
  });

  it('can each be tracked on their own, ignored by Git, and brought back, or are refused at once', async () => {
    const workspace = await testWorkspace();
    const names = new Set(
      hostileEntries()
        .filter(({ kind }) => kind === 'file')
        .map(({ name }) => name.split('/').at(-1) as string),
    );
    for (const name of names) workspace.write(`single/${name}`, `content of ${name}`);
    const tracked: string[] = [];
    for (const name of names) {
      try {
        await workspace.add(`single/${name}`);
        tracked.push(name);
      } catch (error) {
        expect(error).toMatchObject({
          code: expect.stringMatching(/^(PATH_UNSUPPORTED|TARGET_IS_POINTER|FILE_SYSTEM)$/),
        });
        expect(workspace.has(`single/${name}.mlv`)).toBe(false);
      }
    }
    expect(tracked.length).toBeGreaterThan(20);
    const { targets, problems } = await workspace.status();
    expect(problems).toEqual([]);
    expect(targets.map(({ path }) => path.slice('single/'.length)).sort()).toEqual([...tracked].sort());
    const ignored = await workspace.repository.git.ignoredPaths(tracked.map((name) => `single/${name}`));
    expect(ignored.size).toBe(tracked.length);
    for (const name of tracked) workspace.delete(`single/${name}`);
    await workspace.checkout();
    for (const name of tracked) expect(workspace.read(`single/${name}`)).toBe(`content of ${name}`);
  });
});

it('keeps a single file executable, and says when only that differs', async () => {
  const workspace = await testWorkspace();
  workspace.write('tool', 'x', 0o755);
  await workspace.add('tool');
  expect(workspace.pointer('tool')).toMatchObject({ executable: true });
  chmodSync(workspace.at('tool'), 0o644);
  expect(await workspace.changes()).toEqual(['mode tool']);
  await workspace.checkout();
  expect(statSync(workspace.at('tool')).mode & 0o111).toBe(0o111);
});

it('tracks an empty directory', async () => {
  const workspace = await testWorkspace();
  mkdirSync(workspace.at('void'));
  await workspace.add('void');
  expect(workspace.pointer('void')).toMatchObject({ files: 0, size: 0 });
  workspace.delete('void');
  await workspace.checkout();
  expect(describeTree(workspace.at('void'))).toEqual({});
  expect(await workspace.changes()).toEqual([]);
});

it('works with SHA-256 and with the portable BLAKE3', async () => {
  for (const options of [{ algorithm: 'sha256' }, { hash: 'wasm' }] as const) {
    const workspace = await testWorkspace(options);
    fill(workspace);
    await workspace.add(TARGETS);
    const before = describeTree(workspace.dir, isOurs);
    workspace.delete(...TARGETS);
    await workspace.checkout();
    expect(describeTree(workspace.dir, isOurs)).toEqual(before);
    expect(workspace.pointer('data').oid).toMatch('algorithm' in options ? /^sha256:/ : /^blake3:/);
  }
});
