import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { openGit } from '../../src/git/open.js';
import { gitTestEnvironment, processCounter, testRepository } from '../helpers/git.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

const env = gitTestEnvironment();

describe('staging', () => {
  test('takes 2,000 paths in one process, far beyond one command line', async () => {
    const repository = testRepository();
    const directory = `a-long-directory-name-${'x'.repeat(150)}`;
    const paths = Array.from({ length: 2000 }, (_, number) => `${directory}/${number}.mlv`);
    for (const path of paths) repository.write(path, path);
    const { tracing, count } = processCounter();
    const git = await openGit(repository.dir, { env: { ...env, ...tracing } });
    await git.stage(paths);
    expect(count()).toBe(2);
    expect(repository.git('ls-files').split('\n')).toEqual([...paths].sort());
    await git.unstage(paths);
    expect(count()).toBe(3);
    expect(repository.git('ls-files')).toBe('');
  });

  test('stages changes and deletions of just the paths given', async () => {
    const repository = testRepository();
    repository.commit('first', { a: '1', b: '1', c: '1' });
    repository.write('a', '2');
    repository.write('c', '2');
    rmSync(join(repository.dir, 'b'));
    const git = await openGit(repository.dir, { env });
    await git.stage(['a', 'b']);
    expect(repository.git('diff', '--cached', '--name-status')).toBe('M\ta\nD\tb');
    await git.stage([]);
    expect(repository.git('diff', '--name-status')).toBe('M\tc');
  });

  test('refuses an ignored path in the words of Git, and takes it with force', async () => {
    const repository = testRepository();
    repository.write('.gitignore', 'secret\n');
    repository.write('secret', '1');
    const git = await openGit(repository.dir, { env });
    await expect(git.stage(['secret'])).rejects.toMatchObject({
      code: 'GIT_FAILED',
      message: expect.stringContaining('secret'),
    });
    await git.stage(['secret'], { force: true });
    expect(repository.git('ls-files')).toBe('secret');
  });

  test('a path that is nowhere is an error that names it', async () => {
    const git = await openGit(testRepository().dir, { env });
    await expect(git.stage(['nowhere'])).rejects.toMatchObject({
      code: 'GIT_FAILED',
      message: expect.stringContaining('nowhere'),
    });
  });

  test('waits for another process that holds the index', async () => {
    const repository = testRepository();
    repository.write('a', '1');
    const git = await openGit(repository.dir, { env });
    const lock = join(repository.dir, '.git/index.lock');
    writeFileSync(lock, '');
    const staged = git.stage(['a']);
    await sleep(200);
    rmSync(lock);
    await staged;
    expect(repository.git('ls-files')).toBe('a');
  });

  test('goes on as long as others change the index, though it never sees the lock of one', async () => {
    const repository = testRepository();
    repository.write('a', '1');
    const bin = temporaryDirectory('bin');
    const real = execFileSync('sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim();
    const rival = 'echo >> "$0.tries"; cp .git/index .git/new 2>&-; echo >> .git/new; mv .git/new .git/index; exit 128';
    const enough = '[ "$(cat "$0.tries" 2>&- | wc -l)" -ge 30 ]';
    const script = `#!/bin/sh\ncase "$*" in *--pathspec-from-file*) ${enough} && rm -f .git/index || { ${rival}; };; esac`;
    writeFileSync(join(bin, 'git'), `${script}\nexec '${real}' "$@"\n`, { mode: 0o755 });
    const git = await openGit(repository.dir, { env: { ...env, PATH: `${bin}:${env.PATH}` } });
    await git.stage(['a']);
    expect(repository.git('ls-files')).toBe('a');
  });

  test('many at once all arrive', async () => {
    const repository = testRepository();
    const git = await openGit(repository.dir, { env });
    const paths = Array.from({ length: 24 }, (_, number) => `file-${number}`);
    for (const path of paths) repository.write(path, path);
    await Promise.all(paths.map((path) => git.stage([path])));
    expect(repository.git('ls-files').split('\n')).toEqual([...paths].sort());
  });
});

describe('taking out of the index', () => {
  test('leaves the working tree alone, takes directories, and lets pass what is not there', async () => {
    const repository = testRepository();
    repository.commit('first', { 'data/a': '1', 'data/b': '1', keep: '1' });
    repository.write('data/a', 'staged');
    repository.git('add', 'data/a');
    repository.write('data/a', 'and changed again');
    const git = await openGit(repository.dir, { env });
    await git.unstage(['data', 'nowhere']);
    expect(repository.git('ls-files')).toBe('keep');
    expect(repository.git('ls-files', '--others')).toBe('data/a\ndata/b');
    await git.unstage([]);
  });
});
