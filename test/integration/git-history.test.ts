import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { openGit } from '../../src/git/open.js';
import { gitTestEnvironment, type TestRepository, testRepository } from '../helpers/git.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

const env = gitTestEnvironment();

/** The contents that a path had, through pathHistory and readBlobs. */
async function versions(
  repository: TestRepository,
  path: string,
  options: { revisions?: string[]; limit?: number } = {},
) {
  const git = await openGit(repository.dir, { env: repository.env });
  const { revisions = ['HEAD'], limit = 100 } = options;
  const blobs = (await git.pathHistory([path], { revisions, limit })).get(path) ?? [];
  const contents = await git.readBlobs(blobs);
  return blobs.map((blob) => contents.get(blob)?.toString());
}

/** Commit dates that rise by a minute a commit, so that newest first has one meaning. */
function datedRepository(): TestRepository {
  let minute = 0;
  const clock: NodeJS.ProcessEnv = gitTestEnvironment();
  const repository = testRepository({ env: clock });
  return {
    ...repository,
    commit: (message, files) => {
      minute += 1;
      clock.GIT_COMMITTER_DATE = `2024-01-01T00:${String(minute).padStart(2, '0')}:00Z`;
      return repository.commit(message, files);
    },
  };
}

describe('the history of a path', () => {
  test('gives distinct versions, newest first, as many as asked for, without deletions', async () => {
    const repository = datedRepository();
    for (const content of ['one', 'two', 'one', 'three']) repository.commit(content, { 'a.mlv': content });
    repository.git('rm', '--quiet', 'a.mlv');
    repository.commit('gone');
    expect(await versions(repository, 'a.mlv')).toEqual(['three', 'one', 'two']);
    expect(await versions(repository, 'a.mlv', { limit: 2 })).toEqual(['three', 'one']);
    expect(await versions(repository, 'a.mlv', { limit: 0 })).toEqual([]);
    expect(await versions(repository, 'never.mlv')).toEqual([]);
    expect(await versions(repository, 'a.mlv', { revisions: [] })).toEqual([]);
  });

  test('sees both sides of a merge, a side that lost, and what only the merge made', async () => {
    const repository = datedRepository();
    repository.commit('base', { 'a.mlv': 'base' });
    repository.git('checkout', '--quiet', '-b', 'lost');
    repository.commit('lost', { 'a.mlv': 'lost' });
    repository.git('checkout', '--quiet', 'main');
    repository.commit('ours', { 'a.mlv': 'ours' });
    repository.git('merge', '--quiet', '--strategy=ours', '--no-commit', 'lost');
    repository.commit('merge');
    expect(await versions(repository, 'a.mlv')).toEqual(['ours', 'lost', 'base']);
    repository.git('checkout', '--quiet', '-b', 'side', 'main~1');
    repository.commit('side', { 'a.mlv': 'side' });
    repository.git('checkout', '--quiet', 'main');
    repository.git('merge', '--quiet', '--strategy=ours', '--no-commit', 'side');
    repository.commit('evil merge', { 'a.mlv': 'made by the merge' });
    expect(await versions(repository, 'a.mlv')).toEqual(['made by the merge', 'side', 'ours', 'lost', 'base']);
  });

  test('of a renamed file begins with the rename, and the old name keeps its own', async () => {
    const repository = datedRepository();
    repository.commit('one', { 'old.mlv': 'one' });
    repository.git('mv', 'old.mlv', 'new.mlv');
    repository.commit('rename');
    repository.commit('two', { 'new.mlv': 'two' });
    expect(await versions(repository, 'new.mlv')).toEqual(['two', 'one']);
    expect(await versions(repository, 'old.mlv')).toEqual(['one']);
  });

  test('starts from every revision given, and only from those', async () => {
    const repository = datedRepository();
    repository.commit('base', { 'a.mlv': 'base' });
    repository.git('checkout', '--quiet', '-b', 'other');
    repository.commit('other', { 'a.mlv': 'other' });
    repository.git('tag', '-a', '-m', 'a tag', 'v1');
    repository.git('checkout', '--quiet', 'main');
    expect(await versions(repository, 'a.mlv')).toEqual(['base']);
    expect(await versions(repository, 'a.mlv', { revisions: ['main', 'v1'] })).toEqual(['other', 'base']);
  });

  test('of very many paths is right too, directories and neighbours left out', async () => {
    const repository = datedRepository();
    const files = Object.fromEntries(Array.from({ length: 2000 }, (_, number) => [`d/${number}.mlv`, `${number}`]));
    repository.commit('one', { ...files, 'd/neighbour': 'x' });
    repository.commit('two', { 'd/7.mlv': 'changed' });
    const git = await openGit(repository.dir, { env });
    const history = await git.pathHistory(Object.keys(files), { revisions: ['HEAD'], limit: 2 });
    expect(history.size).toBe(2000);
    expect(history.get('d/7.mlv')).toHaveLength(2);
    expect(history.get('d/8.mlv')).toEqual([repository.git('rev-parse', 'HEAD:d/8.mlv')]);
    expect(history.has('d/neighbour')).toBe(false);
  });

  test('is the same under settings that change what git log walks and prints', async () => {
    const repository = datedRepository();
    repository.commit('one', { 'a.mlv': 'one' });
    repository.git('mv', 'a.mlv', 'b.mlv');
    repository.commit('two', { 'b.mlv': 'one' });
    const settings = {
      'log.follow': 'true',
      'log.showRoot': 'false',
      'log.showSignature': 'true',
      'color.ui': 'always',
    };
    for (const [key, value] of Object.entries(settings)) repository.git('config', key, value);
    repository.git('config', 'format.pretty', 'fuller');
    repository.git('config', 'diff.renames', 'copies');
    expect(await versions(repository, 'a.mlv')).toEqual(['one']);
    expect(await versions(repository, 'b.mlv')).toEqual(['one']);
  });

  test('of a shallow clone is what is there', async () => {
    const repository = datedRepository();
    for (const content of ['one', 'two', 'three']) repository.commit(content, { 'a.mlv': content });
    const dir = join(temporaryDirectory(), 'shallow');
    execFileSync('git', ['clone', '--quiet', '--depth=2', pathToFileURL(repository.dir).href, dir], { env });
    const shallow = testRepository({ dir, init: false });
    expect(await versions(shallow, 'a.mlv')).toEqual(['three', 'two']);
  });

  test('from a revision that is not there is an error that names it', async () => {
    const repository = datedRepository();
    repository.commit('one', { 'a.mlv': 'one' });
    const git = await openGit(repository.dir, { env });
    for (const revision of ['nope', '-p', '--all', 'x\n--']) {
      await expect(git.pathHistory(['a.mlv'], { revisions: ['HEAD', revision], limit: 1 })).rejects.toMatchObject({
        code: 'REVISION_UNKNOWN',
        data: { revision },
      });
    }
  });
});

describe('resolving revisions', () => {
  test('gives the commit behind branches, tags, tags of tags and expressions', async () => {
    const repository = datedRepository();
    const first = repository.commit('one', { 'a.mlv': 'one' });
    const second = repository.commit('two', { 'a.mlv': 'two' });
    repository.git('tag', '-a', '-m', 'tag', 'v1');
    repository.git('tag', '-a', '-m', 'tag of a tag', 'v1-signed', 'v1');
    const git = await openGit(repository.dir, { env });
    for (const revision of ['main', 'HEAD', 'v1', 'v1-signed', second.slice(0, 10)]) {
      expect(await git.resolve(revision)).toBe(second);
    }
    expect(await git.resolve('HEAD~1')).toBe(first);
    expect(await git.head()).toBe(second);
  });

  test('refuses what names no commit, as an option or otherwise', async () => {
    const repository = datedRepository();
    repository.commit('one', { 'a.mlv': 'one' });
    const git = await openGit(repository.dir, { env });
    for (const revision of ['', 'nope', '--help', '-x', 'HEAD:a.mlv', 'HEAD~7', '@{upstream}', 'a\0b']) {
      await expect(git.resolve(revision)).rejects.toMatchObject({ code: 'REVISION_UNKNOWN', data: { revision } });
      const source = { kind: 'revision', revision } as const;
      await expect(git.listFiles(source, '.mlv')).rejects.toMatchObject({ code: 'REVISION_UNKNOWN' });
    }
  });
});

describe('refs', () => {
  test('are given by kind, peeled, without symbolic ones and ones that lead to no commit', async () => {
    const origin = datedRepository();
    const first = origin.commit('one', { 'a.mlv': 'one' });
    const repository = testRepository({ dir: join(temporaryDirectory(), 'clone'), init: false });
    execFileSync('git', ['clone', '--quiet', origin.dir, repository.dir], { env });
    const second = repository.commit('two', { 'a.mlv': 'two' });
    repository.git('tag', '-a', '-m', 'tag', 'v1');
    repository.git('tag', '-a', '-m', 'tag of a tag', 'v1-nested', 'v1');
    repository.git('tag', 'light', first);
    repository.git('tag', 'a-blob', 'HEAD:a.mlv');
    repository.git('tag', '-a', '-m', 'tag of a blob', 'a-tagged-blob', 'a-blob');
    const git = await openGit(repository.dir, { env });
    expect(await git.refs({ branches: true })).toEqual([{ name: 'refs/heads/main', commit: second }]);
    expect(await git.refs({ tags: true })).toEqual([
      { name: 'refs/tags/light', commit: first },
      { name: 'refs/tags/v1', commit: second },
      { name: 'refs/tags/v1-nested', commit: second },
    ]);
    expect(await git.refs({ remoteBranches: true })).toEqual([{ name: 'refs/remotes/origin/main', commit: first }]);
    expect(await git.refs({})).toEqual([]);
  });
});
