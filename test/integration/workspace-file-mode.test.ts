import { chmodSync, lstatSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { openGit } from '../../src/git/open.js';
import { gitTestEnvironment, type TestRepository, testRepository } from '../helpers/git.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';
import { type TestWorkspace, testWorkspace } from '../helpers/workspace.js';

const isExecutable = (path: string): boolean => (lstatSync(path).mode & 0o100) !== 0;

async function trusts(git: TestRepository, env: NodeJS.ProcessEnv = gitTestEnvironment()): Promise<boolean> {
  return (await openGit(git.dir, { env })).trustsFileMode();
}

describe.skipIf(process.platform === 'win32')('core.fileMode', () => {
  it('is what the clone says', async () => {
    const git = testRepository();
    git.git('config', 'core.fileMode', 'true');
    expect(await trusts(git)).toBe(true);
    git.git('config', 'core.fileMode', 'no');
    expect(await trusts(git)).toBe(false);
  });

  it('is true where nobody says anything, and what the user says where the clone does not', async () => {
    const git = testRepository();
    git.git('config', '--unset-all', 'core.fileMode');
    expect(await trusts(git)).toBe(true);
    const file = join(temporaryDirectory(), 'config');
    git.git('config', '--file', file, 'core.fileMode', 'false');
    expect(await trusts(git, gitTestEnvironment({ GIT_CONFIG_GLOBAL: file }))).toBe(false);
  });

  it('is overruled by what is said for one run, for one working tree, and by files that are included', async () => {
    const git = testRepository();
    git.git('config', 'core.fileMode', 'true');
    const ofRun = { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'core.filemode', GIT_CONFIG_VALUE_0: 'false' };
    expect(await trusts(git, gitTestEnvironment(ofRun))).toBe(false);
    const file = join(temporaryDirectory(), 'config');
    git.git('config', '--file', file, 'core.fileMode', 'false');
    git.git('config', 'include.path', file);
    expect(await trusts(git)).toBe(false);
    git.git('config', '--unset', 'include.path');
    git.git('config', 'extensions.worktreeConfig', 'true');
    git.git('config', '--worktree', 'core.fileMode', 'false');
    expect(await trusts(git)).toBe(false);
  });

  it('is of the section it stands in', async () => {
    const git = testRepository();
    git.git('config', '--unset-all', 'core.fileMode');
    git.git('config', 'other.fileMode', 'true');
    git.git('config', 'core.fileMode', 'false');
    expect(await trusts(git)).toBe(false);
  });
});

// The bits of a disk that has none: every file is executable, or none is, whatever the pointer says.
describe.skipIf(process.platform === 'win32')('a disk whose executable bits say nothing', () => {
  let workspace: TestWorkspace;

  const setBits = (bits: number): void => {
    for (const path of ['data/plain', 'data/in/run.sh', 'data/in/plain', 'tool', 'table']) {
      chmodSync(workspace.at(path), bits);
    }
  };

  beforeEach(async () => {
    const git = testRepository();
    const onLinux = await testWorkspace({ git });
    onLinux.write('data/plain', 'one', 0o644);
    onLinux.write('data/in/run.sh', 'two', 0o755);
    onLinux.write('data/in/plain', 'three', 0o644);
    onLinux.write('tool', 'four', 0o755);
    onLinux.write('table', 'five', 0o644);
    await onLinux.add(['data', 'tool', 'table']);
    git.commit('one');
    git.git('config', 'core.fileMode', 'false');
    workspace = await testWorkspace({ git });
  });

  it.each([0o777, 0o644])('shows no change of mode, with an index and without (all %o)', async (bits) => {
    await workspace.status();
    setBits(bits);
    expect(await workspace.changes()).toEqual([]);
    rmSync(join(workspace.dir, '.git/mlv/index'), { recursive: true });
    expect(await workspace.changes()).toEqual([]);
    expect(await workspace.changes()).toEqual([]);
  });

  it('forgets what a status with bits had seen before', async () => {
    setBits(0o777);
    workspace.git.git('config', 'core.fileMode', 'true');
    const trusting = await testWorkspace({ git: workspace.git });
    expect(await trusting.changes()).toEqual(['mode data/in/plain', 'mode data/plain', 'mode table']);
    workspace.git.git('config', 'core.fileMode', 'false');
    expect(await (await testWorkspace({ git: workspace.git })).changes()).toEqual([]);
  });

  it('records the modes that were recorded, and new files as not executable', async () => {
    const before = workspace.pointer('data').oid;
    setBits(0o777);
    await workspace.add(['data', 'tool', 'table']);
    expect(workspace.pointer('data').oid).toBe(before);
    expect([workspace.pointer('tool').executable, workspace.pointer('table').executable]).toEqual([true, undefined]);
    workspace.write('data/in/run.sh', 'changed', 0o777);
    workspace.write('data/in/new.sh', 'new', 0o777);
    workspace.write('data/other/new', 'new', 0o777);
    workspace.write('fresh', 'new', 0o777);
    await workspace.add(['data', 'fresh']);
    expect(workspace.pointer('fresh').executable).toBeUndefined();
    workspace.git.git('config', 'core.fileMode', 'true');
    const onLinux = await testWorkspace({ git: workspace.git });
    workspace.delete('data');
    await onLinux.checkout(['data']);
    const files = ['data/in/run.sh', 'data/in/new.sh', 'data/other/new', 'data/in/plain'];
    expect(files.filter((path) => isExecutable(workspace.at(path)))).toEqual(['data/in/run.sh']);
  });

  it('checks out what is changed and leaves what is not', async () => {
    setBits(0o777);
    workspace.write('data/plain', 'changed', 0o777);
    workspace.write('tool', 'changed', 0o777);
    await workspace.add(['data', 'tool']);
    workspace.git.commit('two');
    setBits(0o777);
    workspace.git.git('checkout', '-q', 'HEAD~1');
    expect(await workspace.changes()).toEqual(['modified data/plain', 'modified tool']);
    const report = await workspace.checkout();
    expect(report).toMatchObject({ written: 2, refused: [], failed: [] });
    setBits(0o777);
    expect(await workspace.changes()).toEqual([]);
  });

  it('takes a mode that somebody else recorded for done, whether or not the disk keeps it', async () => {
    workspace.git.git('config', 'core.fileMode', 'true');
    const onLinux = await testWorkspace({ git: workspace.git });
    chmodSync(workspace.at('data/plain'), 0o755);
    await onLinux.add('data');
    workspace.git.commit('two');
    workspace.git.git('checkout', '-q', 'HEAD~1');
    await onLinux.checkout();
    workspace.git.git('config', 'core.fileMode', 'false');
    workspace.git.git('checkout', '-q', 'main');
    const again = await testWorkspace({ git: workspace.git });
    await again.checkout();
    expect(isExecutable(workspace.at('data/plain'))).toBe(true);
    setBits(0o644);
    expect(await again.changes()).toEqual([]);
    expect(await again.checkout()).toMatchObject({ written: 0, refused: [], failed: [] });
  });
});

describe.skipIf(process.platform === 'win32')('a disk that keeps no links', () => {
  let workspace: TestWorkspace;

  beforeEach(async () => {
    const git = testRepository();
    const onLinux = await testWorkspace({ git });
    onLinux.write('data/in/a', 'one');
    symlinkSync('a', onLinux.at('data/in/link'));
    symlinkSync('in/a', onLinux.at('data/link'));
    await onLinux.add('data');
    git.commit('one');
    git.git('config', 'core.fileMode', 'false');
    git.git('config', 'core.symlinks', 'false');
    workspace = await testWorkspace({ git });
    workspace.delete('data');
  });

  it('gets files with the targets in them, which are the links, with an index and without', async () => {
    expect(await workspace.checkout()).toMatchObject({ refused: [], failed: [] });
    expect(workspace.read('data/in/link')).toBe('a');
    expect(lstatSync(workspace.at('data/link')).isFile()).toBe(true);
    expect(await workspace.changes()).toEqual([]);
    rmSync(join(workspace.dir, '.git/mlv/index'), { recursive: true });
    expect(await workspace.changes()).toEqual([]);
    expect(await workspace.checkout()).toMatchObject({ written: 0, refused: [], failed: [] });
  });

  it('records links as links, and takes another target over', async () => {
    await workspace.checkout();
    const before = workspace.pointer('data').oid;
    expect((await workspace.add('data')).targets[0]?.state).toBe('unchanged');
    writeFileSync(workspace.at('data/link'), 'in/link');
    writeFileSync(workspace.at('data/new'), 'in/a');
    await workspace.add('data');
    expect(workspace.pointer('data').oid).not.toBe(before);
    workspace.git.commit('two');
    workspace.delete('data');
    workspace.git.git('config', 'core.symlinks', 'true');
    await (await testWorkspace({ git: workspace.git })).checkout();
    expect(readlinkSync(workspace.at('data/link'))).toBe('in/link');
    expect(lstatSync(workspace.at('data/new')).isFile()).toBe(true);
  });

  it('goes from a version to another, and takes only away what it wrote', async () => {
    await workspace.checkout();
    rmSync(workspace.at('data/link'));
    workspace.write('data/in/link', 'no link any more\n');
    await workspace.add('data');
    workspace.git.commit('two');
    workspace.git.git('checkout', '-q', 'HEAD~1');
    expect(await workspace.checkout()).toMatchObject({ written: 2, refused: [], failed: [] });
    expect([workspace.read('data/link'), workspace.read('data/in/link')]).toEqual(['in/a', 'a']);
    workspace.git.git('checkout', '-q', 'main');
    workspace.write('data/link', 'my notes\n');
    expect((await workspace.checkout()).refused).toEqual([{ path: 'data/link', reason: 'modified' }]);
    expect(workspace.read('data/link')).toBe('my notes\n');
    expect(workspace.read('data/in/link')).toBe('no link any more\n');
  });

  it('is told that a file which leads out of the directory is a file', async () => {
    await workspace.checkout();
    workspace.write('data/link', '../../secret');
    expect(await workspace.changes()).toEqual(['type data/link']);
    expect((await workspace.statusOf('data')).problems).toEqual([]);
  });
});
