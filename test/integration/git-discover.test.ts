import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { discoverRepository } from '../../src/git/discover.js';
import { gitTestEnvironment, processCounter, testRepository } from '../helpers/git.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

const env = gitTestEnvironment();

describe('discovering the repository', () => {
  test('finds the top from the top, from below, and from a directory with a hostile name', async () => {
    const repository = testRepository();
    const below = join(repository.dir, '-data', 'a "quoted"\nnew line 😀');
    mkdirSync(below, { recursive: true });
    const gitDir = join(repository.dir, '.git');
    const top = { worktree: repository.dir, gitDir, commonDir: gitDir };
    expect(await discoverRepository(repository.dir, env)).toEqual({ ...top, prefix: '' });
    expect(await discoverRepository(below, env)).toEqual({ ...top, prefix: '-data/a "quoted"\nnew line 😀' });
  });

  test('keeps a repository apart whose own path contains newlines', async () => {
    const dir = join(temporaryDirectory(), 'true\nfalse\n');
    mkdirSync(dir);
    testRepository({ dir });
    expect(await discoverRepository(dir, env)).toMatchObject({ worktree: dir, gitDir: join(dir, '.git'), prefix: '' });
  });

  test('gives real paths where the way in is a symbolic link', async () => {
    const repository = testRepository();
    mkdirSync(join(repository.dir, 'sub'));
    const link = join(temporaryDirectory(), 'link');
    symlinkSync(repository.dir, link);
    const layout = await discoverRepository(join(link, 'sub'), env);
    expect(layout).toMatchObject({ worktree: repository.dir, gitDir: join(repository.dir, '.git'), prefix: 'sub' });
  });

  test('a linked worktree has its own Git directory and shares the common one', async () => {
    const repository = testRepository();
    repository.commit('first');
    const linked = join(temporaryDirectory(), 'linked');
    repository.git('worktree', 'add', '--quiet', linked);
    expect(await discoverRepository(linked, env)).toEqual({
      worktree: linked,
      gitDir: join(repository.dir, '.git/worktrees/linked'),
      commonDir: join(repository.dir, '.git'),
      prefix: '',
    });
  });

  test('a linked worktree of a bare repository is a working tree like any other', async () => {
    const origin = testRepository();
    origin.commit('first');
    const bare = join(temporaryDirectory(), 'bare.git');
    execFileSync('git', ['clone', '--quiet', '--bare', origin.dir, bare], { env });
    const linked = join(temporaryDirectory(), 'linked');
    execFileSync('git', ['worktree', 'add', '--quiet', linked], { cwd: bare, env });
    expect(await discoverRepository(linked, env)).toMatchObject({ worktree: linked, commonDir: bare });
  });

  test('a submodule is a repository of its own, kept in that of its parent', async () => {
    const library = testRepository();
    library.commit('library', { 'lib.txt': '1' });
    const repository = testRepository();
    repository.git('-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', library.dir, 'libs/one');
    const gitDir = join(repository.dir, '.git/modules/libs/one');
    expect(await discoverRepository(join(repository.dir, 'libs/one'), env)).toEqual({
      worktree: join(repository.dir, 'libs/one'),
      gitDir,
      commonDir: gitDir,
      prefix: '',
    });
  });

  test('GIT_DIR and GIT_WORK_TREE decide, relative or not, from inside and outside of the working tree', async () => {
    const bare = testRepository({ init: ['--bare'] });
    const work = temporaryDirectory();
    mkdirSync(join(work, 'sub'));
    const explicit = { ...env, GIT_DIR: bare.dir, GIT_WORK_TREE: work };
    const expected = { worktree: work, gitDir: bare.dir, commonDir: bare.dir };
    expect(await discoverRepository(join(work, 'sub'), explicit)).toEqual({ ...expected, prefix: 'sub' });
    expect(await discoverRepository(temporaryDirectory(), explicit)).toEqual({ ...expected, prefix: '' });
    const nearby = { ...env, GIT_DIR: relative(join(work, 'sub'), bare.dir), GIT_WORK_TREE: '..' };
    expect(await discoverRepository(join(work, 'sub'), nearby)).toEqual({ ...expected, prefix: 'sub' });
  });

  test('core.worktree decides', async () => {
    const repository = testRepository();
    const work = temporaryDirectory();
    repository.git('config', 'core.worktree', work);
    const layout = await discoverRepository(repository.dir, env);
    expect(layout).toMatchObject({ worktree: work, gitDir: join(repository.dir, '.git'), prefix: '' });
  });

  test('works in a repository with another object format, and asks Git once', async () => {
    const repository = testRepository({ init: ['--object-format=sha256'] });
    const { tracing, count } = processCounter();
    const layout = await discoverRepository(repository.dir, { ...env, ...tracing });
    expect(layout.worktree).toBe(repository.dir);
    expect(count()).toBe(1);
  });
});

describe('where there is no working tree', () => {
  test('outside of a repository the hint is git init', async () => {
    await expect(discoverRepository(temporaryDirectory(), env)).rejects.toMatchObject({
      code: 'NOT_A_GIT_REPOSITORY',
      hint: expect.stringContaining('git init'),
    });
  });

  test('GIT_DIR that names nothing is named', async () => {
    const wrong = { ...env, GIT_DIR: '/does/not/exist' };
    await expect(discoverRepository(temporaryDirectory(), wrong)).rejects.toMatchObject({
      code: 'NOT_A_GIT_REPOSITORY',
      message: expect.stringContaining("GIT_DIR names '/does/not/exist'"),
    });
  });

  test('a bare repository is called bare, whether found or named by GIT_DIR', async () => {
    const bare = testRepository({ init: ['--bare'] });
    const expected = {
      code: 'WORKTREE_MISSING',
      message: expect.stringContaining(`'${bare.dir}' is a bare repository`),
    };
    await expect(discoverRepository(bare.dir, env)).rejects.toMatchObject(expected);
    const named = { ...env, GIT_DIR: bare.dir };
    await expect(discoverRepository(temporaryDirectory(), named)).rejects.toMatchObject(expected);
  });

  test('inside the Git directory there is no working tree', async () => {
    const repository = testRepository();
    await expect(discoverRepository(join(repository.dir, '.git/refs'), env)).rejects.toMatchObject({
      code: 'WORKTREE_MISSING',
      message: expect.stringContaining('inside the Git directory'),
    });
  });

  test('a repository that Git refuses is reported with the words of Git, not as missing', async () => {
    const dir = temporaryDirectory();
    writeFileSync(join(dir, '.git'), 'gitdir: /nowhere\n');
    await expect(discoverRepository(dir, env)).rejects.toMatchObject({
      code: 'GIT_FAILED',
      message: expect.stringContaining('/nowhere'),
    });
  });

  test('without Git on the PATH the error says so', async () => {
    const nowhere = { ...env, PATH: temporaryDirectory() };
    await expect(discoverRepository(temporaryDirectory(), nowhere)).rejects.toMatchObject({ code: 'GIT_NOT_FOUND' });
  });

  test('a directory that is gone is not mistaken for a missing Git', async () => {
    const gone = join(temporaryDirectory(), 'gone');
    await expect(discoverRepository(gone, env)).rejects.toMatchObject({
      code: 'GIT_FAILED',
      message: expect.stringContaining(gone),
    });
  });
});
