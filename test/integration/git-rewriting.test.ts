import { execFileSync } from 'node:child_process';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openGit } from '../../src/git/open.js';
import { rewrittenCommits } from '../../src/interop/rewrite-commits.js';
import { cleanEnvironment } from '../helpers/cli.js';
import { commitAll, git, makeRepository } from '../helpers/repository.js';

/** A history with what histories have: merges of several, empty commits, several roots, odd names, links, submodules. */
function oddHistory(): string {
  const cwd = makeRepository();
  writeFileSync(join(cwd, 'a.txt'), 'one\n');
  writeFileSync(join(cwd, 'we"ird\tname\n.txt'), 'two\n');
  writeFileSync(join(cwd, 'schnee ☃.txt'), 'three\n');
  symlinkSync('nowhere', join(cwd, 'link'));
  const first = commitAll(cwd, 'first');
  const blob = git(cwd, 'rev-parse', 'HEAD:a.txt').trim();
  const entries = [`100755 ${blob}\tbad-`, Buffer.from([0xff, 0]), `160000 ${first}\tsubmodule\0`];
  const input = Buffer.concat(entries.map((each) => Buffer.from(each as string)));
  execFileSync('git', ['update-index', '-z', '--index-info'], { cwd, input, env: cleanEnvironment() });
  git(cwd, '-c', 'i18n.commitEncoding=ISO-8859-1', 'commit', '-q', '-m', 'Gr\u00fc\u00dfe\n\nwith a body');
  git(cwd, 'commit', '-q', '--allow-empty', '--allow-empty-message', '-m', '');
  for (const name of ['b1', 'b2', 'b3']) {
    git(cwd, 'switch', '-q', '-c', name, 'main');
    writeFileSync(join(cwd, `${name}.txt`), name);
    git(cwd, 'add', `${name}.txt`);
    git(cwd, 'commit', '-q', '-m', name);
  }
  git(cwd, 'switch', '-q', 'main');
  git(cwd, 'merge', '-q', '-m', 'of three', 'b1', 'b2', 'b3');
  git(cwd, 'rm', '-q', '--cached', 'a.txt', 'link');
  git(cwd, 'commit', '-q', '-m', 'without');
  git(cwd, 'checkout', '-q', '--orphan', 'other');
  git(cwd, 'commit', '-q', '-m', 'another root');
  return cwd;
}

describe('rewriting histories', () => {
  it.each([
    ['every file', true],
    ['no file', false],
  ])('gives the very same commits where nothing is to be changed, looking at %s', async (_what, relevant) => {
    const cwd = oddHistory();
    const rewriting = await (await openGit(cwd, { env: cleanEnvironment() })).rewriting();
    const tips = git(cwd, 'rev-parse', 'main', 'other').trim().split('\n');
    const commits = await rewriting.commits(tips);
    expect(commits).toHaveLength(9);
    const rewritten = rewrittenCommits(commits, { isRelevant: () => relevant, convert: (state) => new Map(state) });
    expect(await rewriting.writeCommits(rewritten)).toEqual(commits.map(({ commit }) => commit));
    expect(git(cwd, 'for-each-ref', 'refs/mlv')).toBe('');
  });

  it('gives files the place of others, also of directories', async () => {
    const cwd = makeRepository();
    writeFileSync(join(cwd, 'a'), '1\n');
    commitAll(cwd);
    const rewriting = await (await openGit(cwd, { env: cleanEnvironment() })).rewriting();
    const tree = await rewriting.writeTree(git(cwd, 'rev-parse', 'HEAD').trim(), [
      { path: 'a/b', file: { mode: '100644', text: 'ü' } },
      { path: 'a', file: undefined },
    ]);
    expect(git(cwd, 'ls-tree', '-r', '--name-only', tree)).toBe('a/b\n');
    expect(git(cwd, 'cat-file', 'blob', `${tree}:a/b`)).toBe('ü');
  });
});
