import { execFileSync } from 'node:child_process';
import { chmodSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Git } from '../../src/git/git.js';
import { openGit } from '../../src/git/open.js';
import { gitTestEnvironment, type TestRepository, testRepository } from '../helpers/git.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

async function open(): Promise<{ git: Git; repository: TestRepository; scratch: string }> {
  const repository = testRepository();
  const git = await openGit(repository.dir, { env: gitTestEnvironment() });
  return { git, repository, scratch: join(temporaryDirectory(), 'index') };
}

describe('the difference of the working tree', () => {
  it('is none for a clean one, ignored files or not', async () => {
    const { git, repository, scratch } = await open();
    repository.commit('first', { 'a.txt': 'a\n', '.gitignore': '/data\n' });
    repository.write('data/x', 'x');
    expect(await git.workingDifference(scratch)).toBeUndefined();
  });

  it('makes the working tree again from the commit: changed, staged, deleted, binary, new, executable, link', async () => {
    const { git, repository, scratch } = await open();
    const head = repository.commit('first', { 'a.txt': 'a\n', 'b.txt': 'b\n', 'c.txt': 'c\n', 'image.png': 'p\0\x01' });
    repository.write('a.txt', 'other\n');
    repository.write('b.txt', 'staged\n');
    repository.git('add', 'b.txt');
    rmSync(join(repository.dir, 'c.txt'));
    repository.write('image.png', Buffer.from([0, 255, 254, 10, 0]));
    repository.write('sub dir/"new"\n.sh', 'echo\n');
    chmodSync(join(repository.dir, 'sub dir/"new"\n.sh'), 0o755);
    symlinkSync('a.txt', join(repository.dir, 'link'));
    const before = repository.git('status', '--porcelain');

    const difference = await git.workingDifference(scratch);

    expect(difference?.leftOut).toEqual([]);
    expect(difference?.paths).toEqual(['a.txt', 'b.txt', 'c.txt', 'image.png', 'link', 'sub dir/"new"\n.sh']);
    expect(repository.git('status', '--porcelain')).toBe(before);
    const clone = testRepository({ init: false });
    clone.git('clone', '--quiet', repository.dir, '.');
    clone.git('checkout', '--quiet', head);
    writeFileSync(join(clone.dir, '.git', 'patch'), difference?.patch ?? '');
    clone.git('apply', '--index', '.git/patch');
    repository.git('add', '--all');
    expect(clone.git('write-tree')).toBe(repository.git('write-tree'));
  });

  it('leaves large untracked files out, and those named as secrets are, and names them', async () => {
    const { git, repository, scratch } = await open();
    repository.write('deploy/.env', 'PASSWORD=x\n');
    repository.write('server.PEM', 'x\n');
    repository.write('large.bin', Buffer.alloc(1024 * 1024 + 1));
    repository.write('small.txt', 'x\n');
    const difference = await git.workingDifference(scratch);
    expect(difference?.leftOut).toEqual(['deploy/.env', 'large.bin', 'server.PEM']);
    expect(difference?.patch?.toString()).toContain('+++ b/small.txt');
    expect(difference?.patch?.toString()).not.toContain('large.bin');
  });

  it.each([false, true])(
    'has a change that only its content tells from the index (with a new file: %s)',
    async (withNew) => {
      const { git, repository, scratch } = await open();
      const index = join(repository.dir, '.git', 'index');
      // As when a script edits a file in the second of its commit, which Git sees by the age of the index.
      const second = 1_700_000_000;
      const write = (content: string): void => {
        repository.write('a.txt', content);
        utimesSync(join(repository.dir, 'a.txt'), second, second);
      };
      repository.git('config', 'core.trustctime', 'false');
      write('a\n');
      repository.commit('first');
      utimesSync(index, second, second);
      write('b\n');
      if (withNew) repository.write('new.txt', 'new\n');
      const patch = (await git.workingDifference(scratch))?.patch?.toString();
      expect(patch).toContain('-a\n+b\n');
      expect(patch?.includes('+new\n')).toBe(withNew);
    },
  );

  it('does not run a diff driver that the user has set up', async () => {
    const { git, repository, scratch } = await open();
    repository.commit('first', { 'a.txt': 'a\n', '.gitattributes': '*.txt diff=shout\n' });
    repository.git('config', 'diff.shout.command', 'echo shouted');
    repository.git('config', 'diff.noprefix', 'true');
    repository.write('a.txt', 'b\n');
    const patch = (await git.workingDifference(scratch))?.patch?.toString();
    expect(patch).toContain('--- a/a.txt\n+++ b/a.txt');
    expect(patch).not.toContain('shouted');
  });
});

describe('files of the working tree', () => {
  it('are found below a path and have the blobs that git add would make', async () => {
    const { git, repository } = await open();
    repository.commit('first', {
      'src/a.py': 'a\n',
      'src/é "x"\t.py': 'q\n',
      'other.py': 'o\n',
      '.gitignore': '*.pyc\n',
    });
    repository.write('src/a.py', 'changed\r\n');
    repository.write('src/new.py', 'new\n');
    repository.write('src/a.pyc', 'x');
    const files = await git.filesBelow(['src']);
    expect(files).toEqual(['src/a.py', 'src/new.py', 'src/é "x"\t.py']);
    const hashed = await git.hashFiles(files);
    const one = (path: string): string =>
      execFileSync('git', ['hash-object', '--', path], { cwd: repository.dir, encoding: 'utf8' }).trim();
    expect(hashed).toEqual(files.map((path) => ({ path, blob: one(path) })));
    expect(await git.filesBelow(['nowhere'])).toEqual([]);
    expect(await git.hashFiles([])).toEqual([]);
  });
});
