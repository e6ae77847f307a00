import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { collectGitRoots, type GitRoots, type RootOptions } from '../../src/transfer/collection-roots.js';
import { testRepository } from '../helpers/git.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';
import { type TestWorkspace, testWorkspace } from '../helpers/workspace.js';

function oid(digit: string): string {
  return `blake3:${digit.repeat(64)}`;
}

function pointer(digit: string, path = 'a'): string {
  return `mlv: 1\npath: ${path}\noid: ${oid(digit)}\nsize: 1\n`;
}

async function roots(workspace: TestWorkspace, options?: RootOptions): Promise<GitRoots> {
  return collectGitRoots(workspace.repository, options);
}

/** The digits that the oids of the roots are made of, sorted. */
async function digits(workspace: TestWorkspace, options?: RootOptions): Promise<string> {
  const found = (await roots(workspace, options)).roots.map((root) => root.oid.at(-1));
  return found.sort().join('');
}

describe('the roots of a collection', () => {
  it('are what pointers name in history, stash, reflog, index, working tree and other working trees', async () => {
    const workspace = await testWorkspace();
    const { git } = workspace;
    git.commit('first', { 'a.mlv': pointer('1') });
    git.commit('second', { 'a.mlv': pointer('2') });
    git.git('checkout', '--quiet', '-b', 'side');
    git.commit('side', { 'a.mlv': pointer('3') });
    git.git('checkout', '--quiet', 'main');
    git.git('branch', '-D', 'side');
    git.write('a.mlv', pointer('4'));
    git.git('stash', 'push', '--quiet');
    git.write('a.mlv', pointer('5'));
    git.git('add', 'a.mlv');
    git.write('a.mlv', pointer('6'));
    git.write('untracked.mlv', pointer('7', 'untracked'));
    git.write('not-a-pointer.txt', pointer('8'));
    const dir = join(temporaryDirectory(), 'linked');
    git.git('worktree', 'add', '--quiet', '--detach', dir);
    const linked = testRepository({ dir, init: false });
    linked.write('a.mlv', pointer('9'));
    linked.git('add', 'a.mlv');
    linked.write('a.mlv', pointer('a'));
    expect(await digits(workspace)).toBe('12345679a');
    expect(await digits(await testWorkspace({ git: linked }))).toBe('12345679a');
  });

  it('know directories from files, and the path that each has', async () => {
    const workspace = await testWorkspace();
    workspace.git.commit('all', {
      'models/a.mlv': pointer('1'),
      'data.mlv': `${pointer('2', 'data')}files: 3\n`,
    });
    expect((await roots(workspace)).roots).toEqual([
      { oid: oid('2'), path: 'data', directory: true },
      { oid: oid('1'), path: 'models/a', directory: false },
    ]);
  });

  it('are the records of runs, too', async () => {
    const workspace = await testWorkspace();
    const run = `run:\n  oid: ${oid('9')}\n  size: 3\n  files: 1\n  key: ${'ce'.repeat(32)}\n`;
    workspace.git.commit('run', { 'a.mlv': `${pointer('1')}${run}` });
    workspace.git.commit('gone', { 'a.mlv': pointer('2') });
    const { roots } = await collectGitRoots(workspace.repository);
    expect(roots).toContainEqual({ oid: oid('9'), path: 'a (record of its run)', directory: true });
    expect(roots.map((root) => root.oid).sort()).toEqual([oid('1'), oid('2'), oid('9')]);
  });

  it('are all that a broken pointer names: a conflict, one that was renamed by hand', async () => {
    const workspace = await testWorkspace();
    workspace.git.commit('broken', {
      'a.mlv': `<<<<<<< ours\n${pointer('1')}=======\n${pointer('2')}>>>>>>> theirs\n`,
      'renamed.mlv': pointer('3', 'original'),
    });
    workspace.git.commit('mended', { 'a.mlv': pointer('4') });
    expect(await roots(workspace)).toMatchObject({ unreadable: [] });
    expect(await digits(workspace)).toBe('1234');
  });

  it('cannot be told where a pointer names nothing, anywhere; each is named, by path, and can be passed over', async () => {
    const workspace = await testWorkspace();
    workspace.git.commit('large', { 'a.mlv': pointer('1'), 'large.mlv': `mlv: 1\n${'x'.repeat(300_000)}` });
    workspace.git.commit('bad', { 'video.mlv': 'MLVI' });
    workspace.git.git('rm', '--quiet', 'video.mlv', 'large.mlv');
    workspace.git.commit('gone');
    workspace.write('here.mlv', '');
    const error = await roots(workspace).catch((reason: unknown) => reason);
    const commit = workspace.git.git('rev-parse', 'HEAD');
    expect(error).toMatchObject({
      code: 'POINTER_INVALID',
      data: {
        pointers: [{ path: 'here.mlv' }, { path: 'large.mlv', commit }, { path: 'video.mlv', commit }],
      },
    });
    const passed = await roots(workspace, { ignoreUnreadable: true });
    expect(passed.unreadable.map(({ path }) => path)).toEqual(['here.mlv', 'large.mlv', 'video.mlv']);
    expect(passed.roots).toHaveLength(1);
  });

  it('are never those of a later version, not even when told to pass over', async () => {
    const workspace = await testWorkspace();
    workspace.git.commit('later', { 'a.mlv': `mlv: 2\npath: a\nobject: ${oid('1')}\n` });
    await expect(roots(workspace, { ignoreUnreadable: true })).rejects.toMatchObject({ code: 'FORMAT_TOO_NEW' });
  });

  it('cannot be told in a shallow clone', async () => {
    const origin = testRepository();
    origin.commit('first', { 'a.mlv': pointer('1') });
    origin.commit('second', { 'a.mlv': pointer('2') });
    const dir = join(temporaryDirectory(), 'shallow');
    mkdirSync(dir);
    const clone = testRepository({ dir, init: false });
    clone.git('clone', '--quiet', '--depth=1', `file://${origin.dir}`, '.');
    await expect(roots(await testWorkspace({ git: clone }))).rejects.toMatchObject({
      code: 'HISTORY_INCOMPLETE',
      hint: expect.stringContaining('--unshallow'),
    });
  });

  it('cannot be told by a clone that lacks a branch or tag of its Git remote, unless it is offline', async () => {
    const origin = testRepository();
    origin.commit('first', { 'a.mlv': pointer('1') });
    const clone = testRepository({ init: false });
    clone.git('clone', '--quiet', origin.dir, '.');
    const workspace = await testWorkspace({ git: clone });
    expect(await digits(workspace)).toBe('1');
    origin.git('checkout', '--quiet', '-b', 'new');
    origin.commit('new', { 'a.mlv': pointer('2') });
    await expect(roots(workspace)).rejects.toMatchObject({
      code: 'HISTORY_INCOMPLETE',
      data: { refs: [{ remote: 'origin', ref: 'refs/heads/new' }] },
    });
    expect(await digits(workspace, { offline: true })).toBe('1');
    clone.git('fetch', '--quiet', '--all', '--tags');
    expect(await digits(workspace)).toBe('12');
  });

  it('are those of a branch of the Git remote whose commits are here without a branch', async () => {
    const origin = testRepository();
    origin.commit('first', { 'a.mlv': pointer('1') });
    const clone = testRepository({ init: false });
    clone.git('clone', '--quiet', origin.dir, '.');
    origin.git('checkout', '--quiet', '-b', 'new');
    const commit = origin.commit('new', { 'a.mlv': pointer('2') });
    clone.git('fetch', '--quiet', 'origin', commit);
    rmSync(join(clone.dir, '.git/FETCH_HEAD'));
    expect(await digits(await testWorkspace({ git: clone }))).toBe('12');
  });

  it('cannot be told where a Git remote does not answer, unless offline', async () => {
    const workspace = await testWorkspace();
    workspace.git.commit('first', { 'a.mlv': pointer('1') });
    workspace.git.git('remote', 'add', 'gone', join(temporaryDirectory(), 'gone'));
    await expect(roots(workspace)).rejects.toMatchObject({
      code: 'GIT_FAILED',
      hint: expect.stringContaining('--offline'),
    });
    expect(await digits(workspace, { offline: true })).toBe('1');
  });

  it('cannot be told while a locked working tree is not there', async () => {
    const workspace = await testWorkspace();
    workspace.git.commit('first', { 'a.mlv': pointer('1') });
    const dir = join(temporaryDirectory(), 'linked');
    workspace.git.git('worktree', 'add', '--quiet', '--detach', '--lock', dir);
    rmSync(dir, { recursive: true });
    await expect(roots(workspace)).rejects.toMatchObject({ code: 'HISTORY_INCOMPLETE', data: { worktrees: [dir] } });
    workspace.git.git('worktree', 'unlock', dir);
    expect(await digits(workspace)).toBe('1');
  });
});
