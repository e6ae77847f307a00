import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mlv, runMlv } from '../helpers/cli.js';
import { tryGit as git, gitWithMlv as mustGit } from '../helpers/git-with-mlv.js';
import { makeMlvRepository, writeFiles } from '../helpers/mlv-repository.js';
import { makeRepository } from '../helpers/repository.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

/** A repository with hooks, a remote, and two branches: `main` with model 1 and `two` with model 2 and another file. */
async function twoBranches(): Promise<{ cwd: string; remote: string }> {
  const cwd = await makeMlvRepository({ model: 'one', 'data/a': 'a' });
  const remote = temporaryDirectory('remote');
  await mlv(['remote', 'add', 'origin', remote], { cwd });
  await mlv(['hooks', 'install', '-q'], { cwd });
  await mlv(['add', '-q', 'model', 'data'], { cwd });
  mustGit(cwd, 'add', '--all');
  mustGit(cwd, 'commit', '-qm', 'one');
  mustGit(cwd, 'switch', '-qc', 'two');
  writeFiles(cwd, { model: 'two', 'data/b': 'b', extra: 'extra' });
  await mlv(['add', '-q', 'model', 'data', 'extra'], { cwd });
  mustGit(cwd, 'add', '--all');
  mustGit(cwd, 'commit', '-qm', 'two');
  return { cwd, remote };
}

function content(cwd: string): Record<string, string | undefined> {
  const read = (name: string): string | undefined =>
    existsSync(join(cwd, name)) ? readFileSync(join(cwd, name), 'utf8') : undefined;
  return { model: read('model'), a: read('data/a'), b: read('data/b'), extra: read('extra') };
}

const ONE = { model: 'one', a: 'a', b: undefined, extra: undefined };
const TWO = { model: 'two', a: 'a', b: 'b', extra: 'extra' };

describe('hooks after Git moved the working tree', () => {
  it('bring the content to the pointers that changed, and take away what has none any more', async () => {
    const { cwd } = await twoBranches();
    expect(mustGit(cwd, 'switch', 'main')).toContain('mlv: ');
    expect(content(cwd)).toEqual(ONE);
    mustGit(cwd, 'switch', 'two');
    expect(content(cwd)).toEqual(TWO);
    mustGit(cwd, 'switch', 'main');
    mustGit(cwd, 'merge', '-q', 'two');
    expect(content(cwd)).toEqual(TWO);
  });

  it('lose no work: what is in no object stays, and is named', async () => {
    const { cwd } = await twoBranches();
    writeFiles(cwd, { model: 'mine', extra: 'mine too' });
    const said = mustGit(cwd, 'switch', 'main');
    expect(said).toMatch(/1 file with content that is in no object was kept/);
    expect(said).toContain('extra stays');
    expect(said).toContain('MLV_HOOKS=0');
    expect(content(cwd)).toEqual({ ...ONE, model: 'mine', extra: 'mine too' });
  });

  it('leave what could not be brought back: a file whose pointer is gone, and whose object is not in the cache', async () => {
    const { cwd } = await twoBranches();
    const oid = /blake3:(..)([0-9a-f]+)/.exec(readFileSync(join(cwd, 'extra.mlv'), 'utf8')) as RegExpExecArray;
    rmSync(join(cwd, '.git/mlv/objects/blake3', oid[1] as string, oid[2] as string), { force: true });
    expect(mustGit(cwd, 'switch', 'main')).toContain('extra stays');
    expect(content(cwd)).toEqual({ ...ONE, extra: 'extra' });
  });

  it('do nothing during a rebase until its end', async () => {
    const { cwd } = await twoBranches();
    mustGit(cwd, 'switch', '-q', 'main');
    writeFiles(cwd, { 'code.py': '1' });
    mustGit(cwd, 'add', 'code.py');
    mustGit(cwd, 'commit', '-qm', 'code');
    mustGit(cwd, 'switch', '-q', 'two');
    writeFileSync(join(cwd, 'look.sh'), 'cat model > seen\n');
    mustGit(cwd, 'rebase', '-q', '--exec', 'sh look.sh', 'main');
    // The content never left: the checkout of `main` in between changed the pointers alone.
    expect(readFileSync(join(cwd, 'seen'), 'utf8')).toBe('two');
    expect(content(cwd)).toEqual(TWO);
  });

  it('work in a new linked worktree, and can be skipped', async () => {
    const { cwd } = await twoBranches();
    const linked = join(temporaryDirectory('linked'), 'tree');
    mustGit(cwd, 'worktree', 'add', '-q', linked, 'main');
    expect(content(linked)).toEqual(ONE);
    const { status } = git(linked, ['checkout', '-q', '--detach', 'two'], { MLV_HOOKS: '0' });
    expect([status, content(linked)]).toEqual([0, ONE]);
  });
});

describe('the pre-commit hook', () => {
  it('refuses a large file that Git would have, with the command that gives it to mlv', async () => {
    const { cwd } = await twoBranches();
    await mlv(['config', 'set', 'hooks.large-file', String(2 ** 20)], { cwd });
    writeFiles(cwd, { 'big file': new Uint8Array(2 ** 20 + 1), small: 'x' });
    mustGit(cwd, 'add', 'big file', 'small');
    const refused = git(cwd, ['commit', '-m', 'big']);
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain("git rm --cached -- 'big file' && mlv add 'big file'");
    expect(refused.stderr).toContain('MLV_HOOKS=0');
    expect(git(cwd, ['commit', '-qm', 'big'], { MLV_HOOKS: '0' }).status).toBe(0);
  });

  it('refuses a pointer whose object is not in the cache, in the first commit of a repository, too', async () => {
    const { cwd } = await twoBranches();
    const other = await makeMlvRepository();
    await mlv(['hooks', 'install', '-q'], { cwd: other });
    writeFiles(other, { 'model.mlv': readFileSync(join(cwd, 'model.mlv')) });
    mustGit(other, 'add', '--all');
    const refused = git(other, ['commit', '-m', 'stolen']);
    expect([refused.status, refused.stderr]).toEqual([
      1,
      expect.stringContaining('1 object of model is not in the cache'),
    ]);
    mustGit(other, 'rm', '-q', '--cached', 'model.mlv');
    mustGit(other, 'commit', '-qm', 'nothing of the kind');
  });
});

describe('the pre-push hook', () => {
  it('sends the objects of what is pushed, and of nothing else, before Git does', async () => {
    const { cwd, remote } = await twoBranches();
    const hub = makeRepository({ bare: true });
    mustGit(cwd, 'remote', 'add', 'hub', hub);
    const count = (): number => readdirSync(remote, { recursive: true }).length;
    expect(mustGit(cwd, 'push', 'hub', 'main')).toContain('pushed');
    const fresh = temporaryDirectory('fresh');
    mustGit(fresh, 'clone', '-q', '--branch', 'main', hub, 'main');
    await mlv(['pull', '-q'], { cwd: join(fresh, 'main') });
    expect(content(join(fresh, 'main'))).toEqual(ONE);
    // The workspace has branch `two` checked out; none of its objects went.
    const of = await runMlv(['status', '--remote', '--json'], { cwd });
    expect(JSON.parse(of.stdout)).toMatchObject({ targets: expect.anything() });
    const before = count();
    expect(mustGit(cwd, 'push', 'hub', 'main')).not.toContain('mlv:');
    expect(count()).toBe(before);
    mustGit(cwd, 'push', '-q', 'hub', 'two');
    expect(count()).toBeGreaterThan(before);
  });

  it('stops Git where the objects cannot be sent', async () => {
    const { cwd } = await twoBranches();
    const hub = makeRepository({ bare: true });
    mustGit(cwd, 'remote', 'add', 'hub', hub);
    const refused = git(cwd, ['push', 'hub', 'main'], { MLV_REMOTE_ORIGIN_URL: join(cwd, 'mlv.yaml') });
    expect(refused.status).not.toBe(0);
    expect(mustGit(cwd, 'ls-remote', 'hub')).toBe('');
  });
});

describe('mlv hooks', () => {
  it('lets hooks that were there run first, and puts them back', async () => {
    const cwd = await makeMlvRepository();
    const hook = join(cwd, '.git/hooks/pre-push');
    mkdirSync(join(cwd, '.git/hooks'), { recursive: true });
    const before = '#!/bin/sh\ncat > seen\nexit 3\n';
    writeFileSync(hook, before, { mode: 0o755 });
    await mlv(['hooks', 'install'], { cwd });
    await mlv(['hooks', 'install'], { cwd });
    const state = JSON.parse(await mlv(['hooks', 'status', '--json'], { cwd }));
    expect(state.hooks).toContainEqual({ name: 'pre-push', state: 'current', previous: true });
    const hub = makeRepository({ bare: true });
    mustGit(cwd, 'remote', 'add', 'hub', hub);
    mustGit(cwd, 'commit', '-q', '--allow-empty', '-m', 'x');
    expect(git(cwd, ['push', '-q', 'hub', 'HEAD:refs/heads/x']).status).not.toBe(0);
    expect(readFileSync(join(cwd, 'seen'), 'utf8')).toMatch(/^HEAD [0-9a-f]+ refs\/heads\/x 0+\n/);
    await mlv(['hooks', 'uninstall'], { cwd });
    expect(readFileSync(hook, 'utf8')).toBe(before);
    expect(existsSync(join(cwd, '.git/hooks/post-merge'))).toBe(false);
  });

  it('follows core.hooksPath inside the repository, and asks before it touches one that is shared', async () => {
    const cwd = await makeMlvRepository();
    mustGit(cwd, 'config', 'core.hooksPath', '.githooks');
    expect(await mlv(['hooks', 'install'], { cwd })).toContain('.githooks');
    expect(existsSync(join(cwd, '.githooks/pre-push'))).toBe(true);
    const shared = temporaryDirectory('shared');
    mustGit(cwd, 'config', 'core.hooksPath', shared);
    const refused = await runMlv(['hooks', 'install'], { cwd });
    expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringContaining('--shared')]);
    expect(readdirSync(shared)).toEqual([]);
    await mlv(['hooks', 'install', '--shared'], { cwd });
    expect(existsSync(join(shared, 'pre-push'))).toBe(true);
  });

  it('gives husky its hooks, not the ones that husky makes', async () => {
    const cwd = await makeMlvRepository();
    mkdirSync(join(cwd, '.husky/_'), { recursive: true });
    mustGit(cwd, 'config', 'core.hooksPath', '.husky/_');
    await mlv(['hooks', 'install'], { cwd });
    expect(existsSync(join(cwd, '.husky/pre-push'))).toBe(true);
    expect(readdirSync(join(cwd, '.husky/_'))).toEqual([]);
  });

  it('replaces no hook that it cannot keep', async () => {
    const cwd = await makeMlvRepository();
    mkdirSync(join(cwd, '.git/hooks'), { recursive: true });
    writeFileSync(join(cwd, '.git/hooks/pre-push'), 'mine', { mode: 0o755 });
    symlinkSync('nowhere', join(cwd, '.git/hooks/pre-push.before-mlv'));
    chmodSync(join(cwd, '.git/hooks/pre-push'), 0o755);
    const refused = await runMlv(['hooks', 'install'], { cwd });
    expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringContaining('two hooks already')]);
    expect(readFileSync(join(cwd, '.git/hooks/pre-push'), 'utf8')).toBe('mine');
  });

  it('finds out by itself what there is to check, wherever options stand', async () => {
    const { cwd } = await twoBranches();
    writeFiles(cwd, { 'dir/x': '', big: new Uint8Array(11 * 2 ** 20) });
    mustGit(cwd, 'add', 'big');
    const forms = [
      ['hook', 'pre-commit'],
      ['-C', '..', 'hook', 'pre-commit'],
      ['--no-color', '-C', '..', 'hook', 'pre-commit'],
      ['hook', 'pre-commit', '-C', '..'],
    ];
    for (const form of forms) {
      const { exitCode, stderr } = await runMlv(form, { cwd: join(cwd, 'dir') });
      expect([form, exitCode, stderr]).toEqual([form, 1, expect.stringContaining('mlv add big')]);
    }
    const skipped = await runMlv(['-C', cwd, 'hook', 'pre-commit'], { cwd, env: { MLV_HOOKS: '0' } });
    expect(skipped.exitCode).toBe(0);
    const main = mustGit(cwd, 'rev-parse', 'main').trim();
    const two = mustGit(cwd, 'rev-parse', 'two').trim();
    mustGit(cwd, '-c', 'core.hooksPath=/dev/null', 'switch', 'main');
    await mlv(['-C', cwd, 'hook', 'post-checkout', two, main, '1'], { cwd: temporaryDirectory('elsewhere') });
    expect(content(cwd)).toEqual(ONE);
  });

  it('refuses a hook that there is none of', async () => {
    const { cwd } = await twoBranches();
    const { exitCode, stderr } = await runMlv(['hook', 'pre-comit'], { cwd });
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('mlv hooks install')]);
  });

  it('does nothing where mlv is not in use', async () => {
    const cwd = makeRepository();
    await mlv(['hooks', 'install', '-q'], { cwd });
    writeFiles(cwd, { 'x.mlv': 'no pointer of ours', big: new Uint8Array(10 * 2 ** 20 + 1) });
    mustGit(cwd, 'add', '--all');
    mustGit(cwd, 'commit', '-qm', 'x');
    expect(mustGit(cwd, 'show', '--name-only', '--format=').trim().split('\n')).toEqual([
      '.gitattributes',
      'big',
      'x.mlv',
    ]);
  });
});
