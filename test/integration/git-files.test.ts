import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { GitSource } from '../../src/git/git.js';
import { openGit } from '../../src/git/open.js';
import { gitTestEnvironment, processCounter, type TestRepository, testRepository } from '../helpers/git.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

const env = gitTestEnvironment();
const index: GitSource = { kind: 'index' };
const head: GitSource = { kind: 'revision', revision: 'HEAD' };

const HOSTILE = [
  '-f.mlv',
  '--.mlv',
  ':(top)a.mlv',
  ':!x.mlv',
  'a b.mlv',
  'back\\slash.mlv',
  'data/ü 😀.mlv',
  'glob*[a-z]?.mlv',
  'new\nline.mlv',
  'quote"\'.mlv',
  'tab\t.mlv',
  '!bang.mlv',
  '#hash.mlv',
  'cr\r.mlv',
].sort();

function hostileRepository(): TestRepository {
  const repository = testRepository();
  for (const path of HOSTILE) repository.write(path, `content of ${path}`);
  repository.write('code.py', 'print()');
  return repository;
}

describe('hostile file names', () => {
  test('survive listing, staging, reading, history and taking out', async () => {
    const repository = hostileRepository();
    const git = await openGit(repository.dir, { env });
    expect(await git.listWorkspaceFiles('.mlv')).toEqual(HOSTILE);
    await git.stage(HOSTILE);
    expect(await git.trackedFiles(HOSTILE)).toEqual(HOSTILE);
    repository.git('commit', '--quiet', '-m', 'all');
    const files = await git.listFiles(head, '.mlv');
    expect(files.map((file) => file.path).sort()).toEqual(HOSTILE);
    expect(await git.listFiles(index, '.mlv')).toEqual(files);
    const contents = await git.readBlobs(files.map((file) => file.blob));
    for (const { path, blob } of files) expect(contents.get(blob)?.toString()).toBe(`content of ${path}`);
    const history = await git.pathHistory(HOSTILE, { revisions: ['HEAD'], limit: 3 });
    for (const { path, blob } of files) expect(history.get(path)).toEqual([blob]);
    await git.unstage(HOSTILE);
    expect(await git.trackedFiles([''])).toEqual([]);
    expect(await git.listWorkspaceFiles('.mlv')).toEqual(HOSTILE);
  });

  test('survive the question what is ignored', async () => {
    const repository = hostileRepository();
    repository.write('.gitignore', '*.mlv\n');
    const git = await openGit(repository.dir, { env });
    expect([...(await git.ignoredPaths([...HOSTILE, 'code.py']))].sort()).toEqual(HOSTILE);
  });

  test('a pathspec is never a pattern', async () => {
    const repository = testRepository();
    for (const path of ['a1', 'a2', 'a*']) repository.write(path, path);
    const git = await openGit(repository.dir, { env });
    await git.stage(['a*']);
    expect(await git.trackedFiles([''])).toEqual(['a*']);
  });

  test('a name that is not UTF-8 is an error only where it is asked for', async () => {
    const repository = testRepository();
    repository.write('a.mlv', 'a');
    repository.git('add', '.');
    const blob = repository.git('rev-parse', ':a.mlv');
    const latin = Buffer.concat([Buffer.from(`100644 ${blob}\tn`), Buffer.from([0xe9]), Buffer.from('.bin\0')]);
    execFileSync('git', ['update-index', '-z', '--index-info'], { cwd: repository.dir, env, input: latin });
    const git = await openGit(repository.dir, { env });
    expect((await git.listFiles(index, '.mlv')).map((file) => file.path)).toEqual(['a.mlv']);
    await expect(git.listFiles(index, '.bin')).rejects.toMatchObject({ code: 'PATH_UNSUPPORTED' });
  });
});

describe('listing files', () => {
  test('works before the first commit, with paths from the top whatever the directory', async () => {
    const repository = testRepository();
    repository.write('sub/deep/a.mlv', 'a');
    repository.write('b.mlv', 'b');
    const git = await openGit(join(repository.dir, 'sub/deep'), { env });
    expect(git.layout.prefix).toBe('sub/deep');
    expect(await git.head()).toBeUndefined();
    expect(await git.listFiles(index, '.mlv')).toEqual([]);
    await git.stage(['sub/deep/a.mlv']);
    expect(await git.listWorkspaceFiles('.mlv')).toEqual(['b.mlv', 'sub/deep/a.mlv']);
    expect((await git.listFiles(index, '.mlv')).map((file) => file.path)).toEqual(['sub/deep/a.mlv']);
    await expect(git.listFiles(head, '.mlv')).rejects.toMatchObject({ code: 'REVISION_UNKNOWN' });
    expect(await git.refs({ branches: true, tags: true, remoteBranches: true })).toEqual([]);
  });

  test('leaves out what is ignored, and keeps what was deleted from the working tree only', async () => {
    const repository = testRepository();
    repository.commit('first', { 'gone.mlv': '1', '.gitignore': 'build/\n' });
    repository.write('build/x.mlv', '2');
    rmSync(join(repository.dir, 'gone.mlv'));
    const git = await openGit(repository.dir, { env });
    expect(await git.listWorkspaceFiles('.mlv')).toEqual(['gone.mlv']);
  });

  test('tells modes apart and leaves submodules out', async () => {
    const library = testRepository();
    library.commit('library', { 'lib.mlv': '1' });
    const repository = testRepository();
    repository.git('-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', library.dir, 'libs.mlv');
    repository.commit('second', { 'plain.mlv': 'p', 'run.mlv': 'r' });
    repository.git('update-index', '--chmod=+x', 'run.mlv');
    const git = await openGit(repository.dir, { env });
    const modes = (await git.listFiles(index, '.mlv')).map((file) => `${file.mode} ${file.path}`);
    expect(modes).toEqual(['100644 plain.mlv', '100755 run.mlv']);
    expect((await git.listFiles(head, '.mlv')).map((file) => file.path)).toEqual(['plain.mlv', 'run.mlv']);
  });

  test('inside a submodule sees the files of the submodule', async () => {
    const library = testRepository();
    library.commit('library', { 'lib.mlv': '1' });
    const repository = testRepository();
    repository.git('-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', library.dir, 'libs');
    const git = await openGit(join(repository.dir, 'libs'), { env });
    expect(await git.listWorkspaceFiles('.mlv')).toEqual(['lib.mlv']);
    expect(await git.head()).toBe(library.git('rev-parse', 'HEAD'));
  });

  test('a path in conflict is listed once, with our version', async () => {
    const repository = testRepository();
    repository.commit('base', { 'a.mlv': 'base' });
    repository.git('checkout', '--quiet', '-b', 'theirs');
    repository.commit('theirs', { 'a.mlv': 'theirs' });
    repository.git('checkout', '--quiet', 'main');
    repository.commit('ours', { 'a.mlv': 'ours' });
    expect(() => repository.git('merge', 'theirs')).toThrow();
    const git = await openGit(repository.dir, { env });
    const files = await git.listFiles(index, '.mlv');
    expect(files).toHaveLength(1);
    expect((await git.readBlobs([files[0]!.blob])).get(files[0]!.blob)?.toString()).toBe('ours');
    expect(await git.listWorkspaceFiles('.mlv')).toEqual(['a.mlv']);
  });

  test('a linked worktree has its own index', async () => {
    const repository = testRepository();
    repository.commit('first', { 'a.mlv': '1' });
    const linked = testRepository({ dir: join(temporaryDirectory(), 'linked'), init: false });
    repository.git('worktree', 'add', '--quiet', linked.dir);
    linked.write('b.mlv', '2');
    const git = await openGit(linked.dir, { env });
    await git.stage(['b.mlv']);
    expect(await git.trackedFiles([''])).toEqual(['a.mlv', 'b.mlv']);
    expect(repository.git('ls-files')).toBe('a.mlv');
  });

  test('works in a bare repository with a working tree elsewhere, from outside of it', async () => {
    const bare = testRepository({ init: ['--bare'] });
    const work = testRepository({ init: false });
    work.write('a.mlv', '1');
    const explicit = { ...env, GIT_DIR: bare.dir, GIT_WORK_TREE: work.dir };
    const git = await openGit(temporaryDirectory(), { env: explicit });
    await git.stage(['a.mlv']);
    expect((await git.listFiles(index, '.mlv')).map((file) => file.path)).toEqual(['a.mlv']);
  });

  test('works in a repository with sha256 object names', async () => {
    const repository = testRepository({ init: ['--object-format=sha256'] });
    const commit = repository.commit('first', { 'a.mlv': 'one' });
    const git = await openGit(repository.dir, { env });
    expect(commit).toHaveLength(64);
    expect(await git.resolve('HEAD')).toBe(commit);
    const [file] = await git.listFiles(head, '.mlv');
    expect((await git.readBlobs([file!.blob])).get(file!.blob)?.toString()).toBe('one');
    const history = await git.pathHistory(['a.mlv'], { revisions: ['HEAD'], limit: 1 });
    expect(history.get('a.mlv')).toEqual([file!.blob]);
  });
});

describe('which paths the index holds', () => {
  test('counts files below a directory and never a name that only begins alike', async () => {
    const repository = testRepository();
    repository.commit('first', { 'data/a': '1', 'data/b/c': '2', data2: '3', other: '4' });
    const git = await openGit(repository.dir, { env });
    expect(await git.trackedFiles(['data', 'nothing'])).toEqual(['data/a', 'data/b/c']);
    expect(await git.trackedFiles(['data/b/', 'other'])).toEqual(['data/b/c', 'other']);
    expect(await git.trackedFiles([])).toEqual([]);
    const many = [
      'data',
      ...Array.from({ length: 5000 }, (_, number) => `a rather long path that is not there ${number}`),
    ];
    expect(await git.trackedFiles(many)).toEqual(['data/a', 'data/b/c']);
  });
});

describe('what Git ignores', () => {
  test('follows rules at every level, and never a file in the index', async () => {
    const repository = testRepository();
    repository.commit('first', { 'kept.bin': '1' });
    repository.write('.gitignore', '*.bin\nout/\n');
    repository.write('sub/.gitignore', '!free.bin\n/model.pkl\n');
    mkdirSync(join(repository.dir, 'out'));
    const git = await openGit(repository.dir, { env });
    const asked = ['kept.bin', 'new.bin', 'sub/free.bin', 'sub/model.pkl', 'model.pkl', 'out', 'out/x', 'later/out/'];
    const ignored = await git.ignoredPaths(asked);
    expect([...ignored].sort()).toEqual(['later/out/', 'new.bin', 'out', 'out/x', 'sub/model.pkl']);
    expect(await git.ignoredPaths(['model.pkl'])).toEqual(new Set());
  });
});

describe('reading blobs', () => {
  test('gives every byte of contents of any size and kind, in one process', async () => {
    const repository = testRepository();
    const contents = [
      Buffer.alloc(0),
      Buffer.from('\n\n'),
      Buffer.from([0, 255, 10, 13]),
      Buffer.alloc(300_000, 'x\n'),
    ];
    for (const [number, content] of contents.entries()) repository.write(`${number}.mlv`, content);
    for (let number = 100; number < 2100; number += 1) repository.write(`d/${number}.mlv`, `pointer ${number}\n`);
    repository.git('add', '.');
    const { tracing, count } = processCounter();
    const git = await openGit(repository.dir, { env: { ...env, ...tracing } });
    const files = await git.listFiles(index, '.mlv');
    const blobs = await git.readBlobs(files.map((file) => file.blob));
    expect(count()).toBe(3);
    for (const [number, content] of contents.entries()) {
      const file = files.find(({ path }) => path === `${number}.mlv`);
      expect(blobs.get(file!.blob)?.equals(content)).toBe(true);
    }
    expect(blobs.size).toBe(2004);
  });

  test('names the blobs that are missing', async () => {
    const repository = testRepository();
    repository.commit('first', { 'a.mlv': '1' });
    const git = await openGit(repository.dir, { env });
    const there = repository.git('rev-parse', 'HEAD:a.mlv');
    const missing = '1234567890123456789012345678901234567890';
    await expect(git.readBlobs([there, missing])).rejects.toMatchObject({
      code: 'GIT_FAILED',
      message: expect.stringContaining(missing),
      data: { missing: [missing] },
    });
  });

  test('in a partial clone fetches what is lacking, and is an error when that cannot be had', async () => {
    const origin = testRepository();
    origin.git('config', 'uploadpack.allowFilter', 'true');
    origin.commit('old', { 'a.mlv': 'old' });
    origin.commit('new', { 'a.mlv': 'new' });
    const dir = join(temporaryDirectory(), 'partial');
    execFileSync('git', ['clone', '--quiet', '--filter=blob:none', pathToFileURL(origin.dir).href, dir], { env });
    const git = await openGit(dir, { env });
    const read = async (revision: string): Promise<string | undefined> => {
      const [file] = await git.listFiles({ kind: 'revision', revision }, '.mlv');
      return (await git.readBlobs([file!.blob])).get(file!.blob)?.toString();
    };
    expect(await read('HEAD')).toBe('new');
    renameSync(origin.dir, `${origin.dir}-away`);
    const failure = await read('HEAD~1').catch((error: unknown) => error);
    renameSync(`${origin.dir}-away`, origin.dir);
    expect(failure).toMatchObject({ code: 'GIT_FAILED' });
    expect(await read('HEAD~1')).toBe('old');
  });

  test('refuses what is not a blob, and a blob that is far too large', async () => {
    const repository = testRepository();
    const commit = repository.commit('first', { 'a.mlv': 'x'.repeat(17 * 1024 * 1024) });
    const git = await openGit(repository.dir, { env });
    await expect(git.readBlobs([commit])).rejects.toMatchObject({ code: 'GIT_FAILED' });
    const large = repository.git('rev-parse', 'HEAD:a.mlv');
    await expect(git.readBlobs([large])).rejects.toMatchObject({ code: 'GIT_FAILED' });
    await expect(git.readBlobs(['--help\n'])).rejects.toMatchObject({ code: 'GIT_FAILED' });
  });
});
