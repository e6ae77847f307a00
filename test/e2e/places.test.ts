import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mlv, runMlv } from '../helpers/cli.js';
import { makeMlvRepository, writeFiles } from '../helpers/mlv-repository.js';
import { commitAll, git, makeRepository } from '../helpers/repository.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

describe('where mlv can be run', () => {
  it('in any sub-directory, with paths as typed there, and with -C from elsewhere', async () => {
    const cwd = await makeMlvRepository({ 'a/b/one.bin': '1', 'a/two.bin': '2', 'three.bin': '3' });
    const deep = join(cwd, 'a/b');
    await mlv(['add', 'one.bin', '../two.bin', join(cwd, 'three.bin')], { cwd: deep });
    expect(existsSync(join(deep, 'one.bin.mlv'))).toBe(true);
    writeFiles(cwd, { 'three.bin': 'changed' });
    expect(await mlv(['status'], { cwd: deep })).toContain('../../three.bin  modified');
    expect(await mlv(['-C', deep, 'ls'], { cwd: temporaryDirectory() })).toBe('one.bin\n');
    await mlv(['checkout', '--force', '../../three.bin'], { cwd: deep });
    expect(readFileSync(join(cwd, 'three.bin'), 'utf8')).toBe('3');
    const nowhere = await runMlv(['-C', 'not-there', 'ls'], { cwd });
    expect([nowhere.exitCode, nowhere.stderr]).toEqual([2, expect.stringContaining("'not-there'")]);
  });

  it('in a linked worktree, which shares the cache and the local configuration', async () => {
    const main = await makeMlvRepository({ model: 'm' });
    await mlv(['add', 'model'], { cwd: main });
    await mlv(['config', 'set', 'core.jobs', '3'], { cwd: main });
    commitAll(main);
    const linked = join(temporaryDirectory('linked'), 'tree');
    git(main, 'worktree', 'add', '--quiet', linked, '-b', 'side');
    expect(await mlv(['config', 'get', 'core.jobs'], { cwd: linked })).toBe('3\n');
    expect(await mlv(['checkout'], { cwd: linked })).toContain('1 file written');
    expect(readFileSync(join(linked, 'model'), 'utf8')).toBe('m');
    writeFiles(linked, { model: 'side' });
    await mlv(['add', 'model'], { cwd: linked });
    expect(await mlv(['status'], { cwd: main })).toContain('1 target, nothing changed');
  });

  it('in a submodule, which is a repository of its own', async () => {
    const library = await makeMlvRepository({ weights: 'w' });
    await mlv(['add', 'weights'], { cwd: library });
    commitAll(library);
    const outer = makeRepository();
    writeFiles(outer, { readme: '' });
    commitAll(outer);
    git(outer, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', library, 'lib');
    const inner = join(outer, 'lib');
    writeFiles(inner, { more: 'x' });
    await mlv(['add', 'more'], { cwd: inner });
    expect(existsSync(join(outer, '.git/modules/lib/mlv/objects'))).toBe(true);
    expect(await mlv(['ls'], { cwd: inner })).toBe('more\nweights\n');
    expect((await runMlv(['status'], { cwd: outer })).stderr).toContain('mlv init');
    await mlv(['init', '-q'], { cwd: outer });
    writeFiles(inner, { third: 'y' });
    const into = await runMlv(['add', 'lib/third'], { cwd: outer });
    expect([into.exitCode, into.stderr]).toEqual([2, expect.stringContaining("mlv -C 'lib' add 'third'")]);
    const whole = await runMlv(['add', 'lib'], { cwd: outer });
    expect([whole.exitCode, whole.stderr]).toEqual([2, expect.stringContaining('it is a submodule')]);
  });

  it('with GIT_DIR and GIT_WORK_TREE apart, as for dotfiles', async () => {
    const gitDir = makeRepository({ bare: true });
    const worktree = temporaryDirectory('worktree');
    const env = { GIT_DIR: gitDir, GIT_WORK_TREE: worktree };
    mkdirSync(join(worktree, 'sub'));
    writeFiles(worktree, { 'sub/model': 'm' });
    await mlv(['init', '-q'], { cwd: worktree, env });
    await mlv(['add', '--stage', 'model'], { cwd: join(worktree, 'sub'), env });
    rmSync(join(worktree, 'sub/model'));
    await mlv(['checkout'], { cwd: join(worktree, 'sub'), env });
    expect(readFileSync(join(worktree, 'sub/model'), 'utf8')).toBe('m');
    expect(existsSync(join(gitDir, 'mlv/objects'))).toBe(true);
    const bare = await runMlv(['status'], { cwd: gitDir });
    expect([bare.exitCode, bare.stderr]).toEqual([1, expect.stringContaining('bare repository')]);
  });
});
