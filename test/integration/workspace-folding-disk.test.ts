import { execFileSync } from 'node:child_process';
import { lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { move } from '../../src/workspace/move.js';
import { foldingDisk } from '../helpers/folding-disk.js';
import { gitTestEnvironment, testRepository } from '../helpers/git.js';
import { type TestWorkspace, testWorkspace } from '../helpers/workspace.js';

const disk = foldingDisk();
const name = disk
  ? 'a disk without case, modes and links'
  : 'a disk without case, modes and links (skipped: no FAT or exFAT can be mounted here)';

/** Where the pointers come from: a clone on a disk that keeps everything. */
let origin: TestWorkspace;
let count = 0;

/** A clone on the disk, with the cache of the origin. */
async function cloned(): Promise<TestWorkspace> {
  const dir = join(disk as string, `clone${count++}`);
  execFileSync('git', ['clone', '--quiet', origin.dir, dir], { env: gitTestEnvironment() });
  const git = testRepository({ dir, init: false });
  return testWorkspace({ git, cache: join(origin.repository.layout.commonDir, 'mlv') });
}

async function recorded(files: Readonly<Record<string, string>>, message: string): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(origin.at(path)), { recursive: true });
    writeFileSync(origin.at(path), content, { mode: path.endsWith('.sh') ? 0o755 : 0o644 });
  }
  await origin.add('data');
  origin.git.commit(message);
}

function pull({ git }: TestWorkspace): void {
  git.git('pull', '--quiet', '--ff-only');
}

describe.skipIf(!disk)(name, () => {
  beforeEach(async () => {
    origin = await testWorkspace({ git: testRepository() });
    origin.git.git('config', 'core.fileMode', 'true');
  });

  it('has a directory as its pointer says, and takes over what is changed there', async () => {
    mkdirSync(origin.at('data'));
    symlinkSync('run.sh', origin.at('data/link'));
    await recorded({ 'data/run.sh': 'run', 'data/in/plain': 'plain' }, 'one');
    const clone = await cloned();
    expect(await clone.checkout()).toMatchObject({ written: 3, refused: [], failed: [] });
    expect(await clone.changes()).toEqual([]);
    clone.write('data/in/plain', 'other');
    clone.write('data/new', 'new');
    expect(await clone.changes()).toEqual(['added data/new', 'modified data/in/plain']);
    await clone.add('data');
    clone.git.commit('two');
    origin.git.git('pull', '--quiet', clone.dir, 'main');
    expect(await origin.checkout()).toMatchObject({ written: 2, removed: 0, refused: [], failed: [] });
    expect(lstatSync(origin.at('data/link')).isSymbolicLink()).toBe(true);
    expect(lstatSync(origin.at('data/run.sh')).mode & 0o100).toBe(0o100);
    expect(lstatSync(origin.at('data/new')).mode & 0o100).toBe(0);
    expect(await origin.changes()).toEqual([]);
  });

  it('has one target by one name, as it is written', async () => {
    await recorded({ 'data/a': 'a' }, 'one');
    const clone = await cloned();
    await clone.checkout();
    await expect(clone.add('DATA')).rejects.toMatchObject({ code: 'PATH_UNSUPPORTED' });
    clone.write('Model', 'new');
    await expect(clone.add('model')).rejects.toMatchObject({ code: 'PATH_UNSUPPORTED' });
    await expect(move(clone.repository, 'data', 'Data')).rejects.toMatchObject({ code: 'TARGET_EXISTS' });
    expect(readdirSync(clone.dir).filter((each) => each.endsWith('.mlv'))).toEqual(['data.mlv']);
  });

  it('gets all but what it has no name for, and says so', async () => {
    await recorded(
      { 'data/A': '1', 'data/a': '2', 'data/b': '3', 'data/x:y': '4', 'data/q?/z': '5', 'data/z': '6' },
      'one',
    );
    const clone = await cloned();
    for (const force of [false, true, false]) {
      const report = await clone.checkout([], { force });
      expect(report.refused).toEqual([]);
      expect(report.failed.map(({ path, error }) => [path, error.code]).sort()).toEqual([
        ['data/a', 'NAME_REFUSED'],
        ['data/q?', 'NAME_REFUSED'],
        ['data/x:y', 'NAME_REFUSED'],
      ]);
      expect(readdirSync(clone.at('data')).sort()).toEqual(['A', 'b', 'z']);
      expect(clone.read('data/A')).toBe('1');
    }
  });

  it('gets the new name of what was renamed only in case', async () => {
    await recorded({ 'data/Readme': 'same', 'data/Table': 'one', 'data/Sub/x': 'x', 'data/upper': 'u' }, 'one');
    const clone = await cloned();
    await clone.checkout();
    origin.delete('data');
    await recorded({ 'data/README': 'same', 'data/TABLE': 'two', 'data/SUB/x': 'x', 'data/UPPER': 'u' }, 'two');
    pull(clone);
    expect(await clone.checkout()).toMatchObject({ refused: [], failed: [] });
    expect(readdirSync(clone.at('data')).sort()).toEqual(['README', 'SUB', 'TABLE', 'UPPER']);
    expect([clone.read('data/TABLE'), clone.read('data/SUB/x')]).toEqual(['two', 'x']);
    expect(await clone.changes()).toEqual([]);
  });

  it('keeps what was changed here when its name changes in case', async () => {
    await recorded({ 'data/Table': 'one', 'data/b': 'b' }, 'one');
    const clone = await cloned();
    await clone.checkout();
    clone.write('data/Table', 'mine');
    origin.delete('data');
    await recorded({ 'data/TABLE': 'two', 'data/b': 'b' }, 'two');
    pull(clone);
    const { refused } = await clone.checkout();
    expect(refused.map(({ path }) => path)).toEqual(['data/TABLE']);
    expect(readFileSync(clone.at('data/TABLE'), 'utf8')).toBe('mine');
  });
});
