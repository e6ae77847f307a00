import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openGit } from '../../src/git/open.js';
import { gitTestEnvironment, type TestRepository, testRepository } from '../helpers/git.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

const env = gitTestEnvironment();

async function open(repository: TestRepository) {
  return openGit(repository.dir, { env: repository.env });
}

/** The contents of every version of `*.mlv` that Git could bring back, sorted. */
async function versions(repository: TestRepository, also: string[] = []): Promise<string[]> {
  const git = await open(repository);
  const found = (await git.reachableFiles('.mlv', { also })).versions;
  const blobs = await git.readBlobs(found.map(({ blob }) => blob));
  return found.map(({ blob }) => `${blobs.get(blob)}`).sort();
}

describe('the files that a repository could still bring back', () => {
  test('are none in a new repository', async () => {
    expect(await versions(testRepository())).toEqual([]);
  });

  test('are every version of every branch, tag, merge and stash, with paths of any name', async () => {
    const repository = testRepository();
    repository.commit('base', { 'a.mlv': 'base', 'deep/new\nline.mlv': 'odd name', 'b.txt': 'not asked for' });
    repository.git('checkout', '--quiet', '-b', 'side');
    repository.commit('side', { 'a.mlv': 'side' });
    repository.git('tag', '--annotate', '--message=t', 'kept');
    repository.git('checkout', '--quiet', 'main');
    repository.git('branch', '--quiet', '-D', 'side');
    repository.commit('ours', { 'a.mlv': 'ours' });
    repository.git('merge', '--quiet', '--strategy=ours', '--no-commit', 'kept');
    repository.commit('merge', { 'a.mlv': 'only in the merge' });
    for (const content of ['first stash', 'second stash']) {
      repository.write('a.mlv', content);
      repository.git('stash', 'push', '--quiet');
    }
    repository.write('untracked.mlv', 'stashed untracked');
    repository.git('stash', 'push', '--quiet', '--include-untracked');
    expect(await versions(repository)).toEqual([
      'base',
      'first stash',
      'odd name',
      'only in the merge',
      'ours',
      'second stash',
      'side',
      'stashed untracked',
    ]);
  });

  test('hold what only a reflog knows, until it is expired', async () => {
    const repository = testRepository();
    repository.commit('base', { 'a.mlv': 'base' });
    repository.commit('dropped', { 'a.mlv': 'dropped' });
    repository.git('reset', '--quiet', '--hard', 'HEAD~1');
    repository.git('update-ref', '-d', 'ORIG_HEAD');
    expect(await versions(repository)).toEqual(['base', 'dropped']);
    repository.git('reflog', 'expire', '--expire=now', '--expire-unreachable=now', '--all');
    expect(await versions(repository)).toEqual(['base']);
  });

  test('hold what was reset away, and what is staged', async () => {
    const repository = testRepository();
    repository.commit('base', { 'a.mlv': 'base' });
    repository.commit('reset', { 'a.mlv': 'reset' });
    repository.git('reset', '--quiet', '--hard', 'HEAD~1');
    repository.git('reflog', 'expire', '--expire=now', '--expire-unreachable=now', '--all');
    expect(await versions(repository)).toContain('reset');
    repository.write('staged.mlv', 'staged');
    repository.git('add', 'staged.mlv');
    repository.write('staged.mlv', 'written over');
    expect(await versions(repository)).toContain('staged');
  });

  test('hold the sides of a merge that fetched a branch without a ref', async () => {
    const other = testRepository();
    other.commit('base', { 'a.mlv': 'base' });
    const repository = testRepository({ init: false });
    repository.git('clone', '--quiet', other.dir, '.');
    repository.commit('ours', { 'a.mlv': 'ours' });
    other.commit('theirs', { 'a.mlv': 'theirs' });
    repository.git('fetch', '--quiet', other.dir, 'main');
    expect(() => repository.git('merge', 'FETCH_HEAD')).toThrow();
    rmSync(join(repository.dir, '.git/FETCH_HEAD'));
    expect(await versions(repository)).toContain('theirs');
  });

  test('hold indexes, commits and files of other working trees, seen from any of them', async () => {
    const repository = testRepository();
    repository.commit('base', { 'a.mlv': 'base' });
    const dir = join(temporaryDirectory(), 'linked');
    repository.git('worktree', 'add', '--quiet', '--detach', dir);
    const linked = testRepository({ dir, init: false });
    linked.commit('detached', { 'a.mlv': 'detached' });
    linked.write('staged.mlv', 'staged there');
    linked.git('add', 'staged.mlv');
    linked.write('untracked.mlv', 'untracked');
    linked.git('update-ref', 'refs/worktree/mine', linked.commit('own ref', { 'a.mlv': 'own ref' }));
    linked.git('reset', '--quiet', '--hard', 'main');
    linked.write('untracked.mlv', 'not in Git at all');
    linked.git('reflog', 'expire', '--expire=now', '--expire-unreachable=now', '--all');
    linked.git('update-ref', '-d', 'ORIG_HEAD');
    repository.write('staged.mlv', 'staged at home');
    repository.git('add', 'staged.mlv');
    for (const from of [repository, linked]) {
      expect(await versions(from)).toEqual([
        'base',
        'detached',
        'own ref',
        'staged at home',
        'staged there',
        'untracked',
      ]);
      const { files } = await (await open(from)).reachableFiles('.mlv');
      expect(files).toContainEqual({ top: dir, path: 'untracked.mlv' });
      expect(files).toContainEqual({ top: repository.dir, path: 'a.mlv' });
    }
  });

  test('hold the index of a working tree whose directory is gone, and name it when it is locked', async () => {
    const repository = testRepository();
    repository.commit('base', { 'a.mlv': 'base' });
    const dir = join(temporaryDirectory(), 'linked');
    repository.git('worktree', 'add', '--quiet', '--detach', dir);
    const linked = testRepository({ dir, init: false });
    linked.write('staged.mlv', 'staged there');
    linked.git('add', 'staged.mlv');
    renameSync(dir, `${dir}-elsewhere`);
    expect(await versions(repository)).toEqual(['base', 'staged there']);
    const git = await open(repository);
    expect((await git.reachableFiles('.mlv')).missing).toEqual([]);
    repository.git('worktree', 'lock', dir);
    expect((await git.reachableFiles('.mlv')).missing).toEqual([dir]);
  });

  test('are those of the repository and not of what replaces parts of it', async () => {
    const repository = testRepository();
    const replaced = repository.commit('replaced', { 'a.mlv': 'replaced' });
    repository.git('checkout', '--quiet', '--orphan', 'other');
    const replacement = repository.commit('replacement', { 'a.mlv': 'replacement' });
    repository.git('checkout', '--quiet', 'main');
    repository.git('branch', '-D', 'other');
    repository.git('replace', replaced, replacement);
    expect(await versions(repository)).toEqual(['replaced', 'replacement']);
  });

  test('fail to be told where a ref leads to what is not there', async () => {
    const repository = testRepository();
    const commit = repository.commit('base', { 'a.mlv': 'base' });
    writeFileSync(join(repository.dir, '.git/refs/heads/broken'), `${commit.replace(/./g, '1')}\n`);
    await expect(versions(repository)).rejects.toMatchObject({ code: 'GIT_FAILED' });
  });

  test('name the commit that brought a blob', async () => {
    const repository = testRepository();
    repository.commit('base', { 'a.mlv': 'base' });
    const commit = repository.commit('second', { 'a.mlv': 'second' });
    repository.commit('third', { 'a.mlv': 'third' });
    const git = await open(repository);
    const blob = repository.git('rev-parse', `${commit}:a.mlv`);
    expect(await git.commitWith(repository.git('hash-object', '-w', '.git/HEAD'))).toBeUndefined();
    // The commit that takes a version away counts, too: it shows where to look.
    expect(await git.commitWith(blob)).toBe(repository.git('rev-parse', 'HEAD'));
  });
});

describe('the tips of Git remotes', () => {
  test('are told with whether this clone has them, tags peeled', async () => {
    const origin = testRepository();
    const first = origin.commit('first');
    origin.git('tag', '--annotate', '--message=t', 'v1');
    const clone = testRepository({ init: false });
    clone.git('clone', '--quiet', origin.dir, '.');
    const second = origin.commit('second');
    origin.git('branch', 'new');
    const tips = await (await open(clone)).remoteTips();
    expect(tips).toEqual([
      { remote: 'origin', ref: 'refs/heads/main', object: second, known: false },
      { remote: 'origin', ref: 'refs/heads/new', object: second, known: false },
      { remote: 'origin', ref: 'refs/tags/v1', object: first, known: true },
    ]);
    clone.git('fetch', '--quiet');
    expect((await (await open(clone)).remoteTips()).every(({ known }) => known)).toBe(true);
  });

  test('of no remote are none, of a remote that is gone an error', async () => {
    const repository = testRepository();
    expect(await (await open(repository)).remoteTips()).toEqual([]);
    repository.git('remote', 'add', 'gone', join(temporaryDirectory(), 'gone'));
    await expect((await open(repository)).remoteTips()).rejects.toMatchObject({ code: 'GIT_FAILED' });
  });
});

test('a shallow clone is told from a whole one', async () => {
  const origin = testRepository();
  origin.commit('first');
  origin.commit('second');
  const dir = temporaryDirectory();
  mkdirSync(join(dir, 'shallow'));
  const shallow = testRepository({ dir: join(dir, 'shallow'), init: false, env });
  shallow.git('clone', '--quiet', '--depth=1', `file://${origin.dir}`, '.');
  expect(await (await open(shallow)).isShallow()).toBe(true);
  expect(await (await open(origin)).isShallow()).toBe(false);
});
