import { chmodSync, existsSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mlv, type RunResult, runMlv } from '../helpers/cli.js';
import { parseDocument } from '../helpers/json-schemas.js';
import { makeMlvRepository, writeFiles } from '../helpers/mlv-repository.js';
import { commitAll, git, makeRepository } from '../helpers/repository.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

describe('mlv init', () => {
  it('writes mlv.yaml at the top, from any directory, and says what comes next', async () => {
    const cwd = makeRepository();
    writeFiles(cwd, { 'deep/er/file': '' });
    const result = await runMlv(['init'], { cwd: join(cwd, 'deep', 'er') });
    expect(result.exitCode).toBe(0);
    expect(readFileSync(join(cwd, 'mlv.yaml'), 'utf8')).toMatch(/^mlv: 1\nrepository: [0-9a-f-]{36}\nhash: blake3$/m);
    expect(result.stdout).toContain(cwd);
    expect(result.stderr).toContain('git add ../../mlv.yaml');
  });

  it('changes nothing when it is run again, and refuses another hash', async () => {
    const cwd = makeRepository();
    const first = parseDocument('init', await mlv(['init', '--hash', 'sha256', '--json'], { cwd }));
    const before = readFileSync(join(cwd, 'mlv.yaml'), 'utf8');
    const again = parseDocument('init', await mlv(['init', '--json'], { cwd }));
    expect(again).toEqual({ ...first, created: false });
    const other = await runMlv(['init', '--hash', 'blake3'], { cwd });
    expect(other.exitCode).toBe(2);
    expect(other.stderr).toContain('sha256');
    expect(readFileSync(join(cwd, 'mlv.yaml'), 'utf8')).toBe(before);
    writeFiles(cwd, { model: 'm' });
    const added = parseDocument('add', await mlv(['add', '--json', 'model'], { cwd }));
    expect(added.targets[0]?.oid).toMatch(/^sha256:/);
  });

  it('warns when Git ignores mlv.yaml', async () => {
    const cwd = makeRepository();
    writeFiles(cwd, { '.gitignore': '*.yaml\n' });
    expect((await runMlv(['init'], { cwd })).stderr).toContain('warning: Git ignores mlv.yaml');
  });

  it('is asked for by every verb that needs it, and Git before it', async () => {
    const cwd = makeRepository();
    const status = await runMlv(['status'], { cwd });
    expect([status.exitCode, status.stdout]).toEqual([1, '']);
    expect(status.stderr).toContain('hint: start with: mlv init');
    const outside = await runMlv(['status', '--json'], { cwd: temporaryDirectory() });
    expect(outside.exitCode).toBe(1);
    expect(JSON.parse(outside.stdout)).toMatchObject({ error: { code: 'NOT_A_GIT_REPOSITORY' } });
  });
});

describe('mlv add', () => {
  it('tracks files and directories, tells what it did, and names the git command that really records it', async () => {
    const cwd = await makeMlvRepository({ 'data/a.txt': 'aa', 'data/sub/b.txt': 'b', 'my model.pkl': 'mmm' });
    const result = await runMlv(['add', 'data/', 'my model.pkl'], { cwd });
    expect(result.stdout.split('\n').slice(0, 2)).toEqual([
      expect.stringMatching(/^added +data\/ +2 files +3 B$/),
      expect.stringMatching(/^added +my model\.pkl +1 file +3 B$/),
    ]);
    const command = /^ {2}(git add .*)$/m.exec(result.stderr)?.[1] as string;
    expect(command).toBe("git add -- .gitignore data.mlv 'my model.pkl.mlv'");
    git(cwd, 'add', '--', '.gitignore', 'data.mlv', 'my model.pkl.mlv');
    expect(git(cwd, 'status', '--short')).not.toContain('data/');
    const again = await runMlv(['add', 'data', 'my model.pkl'], { cwd });
    expect(again.stdout).toMatch(/^unchanged .*\nunchanged /);
    expect(again.stderr).toBe('');
  });

  it('stages with --stage or core.stage, and not with --no-stage', async () => {
    const cwd = await makeMlvRepository({ a: '1', b: '2', c: '3' });
    const staged = (): string[] => git(cwd, 'diff', '--cached', '--name-only').split('\n').filter(Boolean);
    await mlv(['add', '--stage', 'a'], { cwd });
    expect(staged()).toEqual(['.gitignore', 'a.mlv']);
    await mlv(['config', 'set', 'core.stage', 'true'], { cwd });
    await mlv(['add', 'b'], { cwd });
    expect(staged()).toContain('b.mlv');
    const json = parseDocument('add', await mlv(['add', '--no-stage', '--json', 'c'], { cwd }));
    expect(json.staged).toBe(false);
    expect(staged()).not.toContain('c.mlv');
  });

  it('expands patterns that the shell left alone: no dot files, no pointers, nothing twice', async () => {
    const cwd = await makeMlvRepository({
      'in/a.bin': '1',
      'in/.hidden.bin': '2',
      'in/deep/b.bin': '3',
      'in/c.txt': '4',
      'in/[x].bin': '5',
    });
    const first = parseDocument('add', await mlv(['add', '--json', '**/*.bin'], { cwd: join(cwd, 'in') }));
    expect(first.targets.map(({ path }) => path)).toEqual(['in/[x].bin', 'in/a.bin', 'in/deep/b.bin']);
    const again = parseDocument('add', await mlv(['add', '--json', 'in/*.bin*', 'in/[x].bin'], { cwd }));
    expect(again.targets.map(({ path, state }) => [path, state])).toEqual([
      ['in/[x].bin', 'unchanged'],
      ['in/a.bin', 'unchanged'],
    ]);
    const none = await runMlv(['add', '*.nothing'], { cwd });
    expect(none.exitCode).toBe(2);
    expect(none.stderr).toContain("'*.nothing' matches nothing");
  });

  it('takes names with leading dashes behind --', async () => {
    const cwd = await makeMlvRepository({ '-rf': 'x', '--json': 'y' });
    await mlv(['add', '--', '-rf', '--json'], { cwd });
    expect(await mlv(['ls'], { cwd })).toBe('--json\n-rf\n');
    expect(await mlv(['cat', '--', '-rf'], { cwd })).toBe('x');
  });

  it('refuses to write a pointer that Git would ignore', async () => {
    const cwd = await makeMlvRepository({ '.gitignore': '*.mlv\n', model: 'm' });
    const result = await runMlv(['add', 'model'], { cwd });
    expect(result.stderr).toMatch(/model\.mlv[\s\S]*ignored by Git[\s\S]*git check-ignore/);
    expect([result.exitCode, existsSync(join(cwd, 'model.mlv'))]).toEqual([2, false]);
  });

  it('refuses what cannot be tracked, with a reason and a way out', async () => {
    const cwd = await makeMlvRepository({ 'tracked.txt': 't', done: 'd', 'data/inside': 'i' });
    symlinkSync('tracked.txt', join(cwd, 'link'));
    git(cwd, 'add', 'tracked.txt');
    await mlv(['add', 'done', 'data'], { cwd });
    const cases: [argument: string, exitCode: number, words: string][] = [
      ['nothing-here', 2, 'is not there'],
      ['..', 2, 'outside the repository'],
      ['.git/config', 2, 'belongs to Git'],
      ['tracked.txt', 1, 'git rm --cached'],
      ['done.mlv', 2, "mlv add 'done'"],
      ['data/not-there', 2, "mlv rm 'data/not-there'"],
      ['link', 2, 'symbolic link'],
      ['.', 2, 'mlv add data/'],
    ];
    const results = await Promise.all(cases.map(([argument]) => runMlv(['add', argument], { cwd })));
    for (const [at, [argument, exitCode, words]] of cases.entries()) {
      const { exitCode: ended, stderr } = results[at] as RunResult;
      expect([argument, ended], stderr).toEqual([argument, exitCode]);
      expect(stderr).toContain(words);
      expect(stderr).not.toMatch(/^ {4}at /m);
    }
  });
});

describe('mlv status', () => {
  it('tells what changed, file by file, as text and as JSON', async () => {
    const files = {
      'data/gone': 'gone',
      'data/edit': 'edit',
      'data/old-name': 'renamed',
      'data/run': '#!',
      model: 'm',
    };
    const cwd = await makeMlvRepository(files);
    await mlv(['add', 'data', 'model'], { cwd });
    const clean = await runMlv(['status', '--exit-code'], { cwd });
    expect([clean.stdout, clean.exitCode]).toEqual(['2 targets, nothing changed\n', 0]);
    rmSync(join(cwd, 'data/gone'));
    rmSync(join(cwd, 'data/old-name'));
    writeFiles(cwd, { 'data/edit': 'edited', 'data/new-name': 'renamed', 'data/new': 'n' });
    chmodSync(join(cwd, 'data/run'), 0o755);
    rmSync(join(cwd, 'model'));
    const text = await runMlv(['status', '--exit-code'], { cwd });
    expect(text.exitCode).toBe(3);
    for (const line of [
      'M data/edit (4 B -> 6 B)',
      'A data/new (1 B)',
      'D data/gone (4 B)',
      'R data/old-name -> data/new-name',
      'M data/run (now executable)',
      'model  not in the workspace',
    ]) {
      expect(text.stdout).toContain(line);
    }
    const { targets } = parseDocument('status', await mlv(['status', '--json'], { cwd }));
    expect(targets.map(({ path, state }) => [path, state])).toEqual([
      ['data', 'modified'],
      ['model', 'deleted'],
    ]);
    const part = parseDocument('status', await mlv(['status', '--json', 'new'], { cwd: join(cwd, 'data') }));
    expect(part.targets.flatMap(({ changes }) => changes.map(({ path }) => path))).toEqual(['data/new']);
  });

  it('shortens long lists, unless --all asks for everything', async () => {
    const cwd = await makeMlvRepository({ 'data/first': '' });
    await mlv(['add', 'data'], { cwd });
    writeFiles(cwd, Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`data/new-${at}`, `${at}`])));
    const short = await mlv(['status'], { cwd });
    expect(short.match(/ A /g)).toHaveLength(20);
    expect(short).toContain('… and 10 more (--all shows them)');
    expect((await mlv(['status', '--all'], { cwd })).match(/ A /g)).toHaveLength(30);
  });

  it('goes on past a pointer that cannot be read, and ends with 5', async () => {
    const cwd = await makeMlvRepository({ good: 'g', bad: 'b' });
    await mlv(['add', 'good', 'bad'], { cwd });
    writeFileSync(join(cwd, 'bad.mlv'), 'mlv: 1\npath: ../../etc/passwd\n');
    const result = await runMlv(['status', '--json'], { cwd });
    expect(result.exitCode).toBe(5);
    const document = parseDocument('status', result.stdout);
    expect(document.targets.map(({ path }) => path)).toEqual(['good']);
    expect(document.problems).toHaveLength(1);
    expect(document.error?.code).toMatch(/^POINTER_/);
    expect(result.stderr).toContain('bad.mlv');
  });

  it('says when nothing is tracked', async () => {
    expect(await mlv(['status'], { cwd: await makeMlvRepository() })).toBe('nothing is tracked yet\n');
  });
});

describe('mlv checkout', () => {
  it('brings back what is gone, keeps unsaved work, and overwrites it only with --force', async () => {
    const cwd = await makeMlvRepository({ 'data/a': 'a', 'data/b': 'b' });
    await mlv(['add', 'data'], { cwd });
    rmSync(join(cwd, 'data/a'));
    writeFiles(cwd, { 'data/b': 'unsaved', 'data/extra': 'e' });
    const result = await runMlv(['checkout'], { cwd });
    expect(result.exitCode).toBe(1);
    expect(result.stdout).toBe('1 file written (1 B)\n');
    expect(result.stderr).toContain('    data/b\n');
    expect(readFileSync(join(cwd, 'data/b'), 'utf8')).toBe('unsaved');
    const json = await runMlv(['checkout', '--json'], { cwd });
    const document = parseDocument('checkout', json.stdout);
    expect(document.refused).toEqual([{ path: 'data/b', reason: 'modified' }]);
    expect([json.exitCode, document.error?.code]).toEqual([1, 'UNSAVED_CHANGES']);
    await mlv(['checkout', '--force', 'data/b'], { cwd });
    expect(readFileSync(join(cwd, 'data/b'), 'utf8')).toBe('b');
    expect(existsSync(join(cwd, 'data/extra'))).toBe(true);
    await mlv(['checkout', '--clean', '--force'], { cwd });
    expect(existsSync(join(cwd, 'data/extra'))).toBe(false);
  });

  it('ends with 4 for missing objects and 5 for damaged ones, and does everything else', async () => {
    const cwd = await makeMlvRepository({ a: 'aaa', b: 'bbb', c: 'ccc' });
    const { targets } = parseDocument('add', await mlv(['add', '--json', 'a', 'b', 'c'], { cwd }));
    const objects = Object.fromEntries(
      targets.map(({ path, oid }) => {
        const hex = oid.split(':')[1] as string;
        return [path, join(cwd, '.git/mlv/objects/blake3', hex.slice(0, 2), hex.slice(2))];
      }),
    );
    for (const name of ['a', 'b', 'c']) rmSync(join(cwd, name));
    rmSync(objects.a as string);
    const missing = await runMlv(['checkout', '--json'], { cwd });
    expect(missing.exitCode).toBe(4);
    expect(parseDocument('checkout', missing.stdout)).toMatchObject({
      written: 2,
      failed: [{ path: 'a' }],
      error: { hint: expect.stringContaining('mlv pull') },
    });
    rmSync(join(cwd, 'b'));
    chmodSync(objects.b as string, 0o644);
    writeFileSync(objects.b as string, 'bad');
    const damaged = await runMlv(['checkout'], { cwd });
    expect(damaged.exitCode).toBe(5);
    expect(damaged.stderr).toMatch(/damaged[\s\S]* {4}b\n/);
    expect(existsSync(join(cwd, 'b'))).toBe(false);
  });

  it('follows git checkout', async () => {
    const cwd = await makeMlvRepository({ model: 'one' });
    await mlv(['add', 'model'], { cwd });
    commitAll(cwd);
    writeFiles(cwd, { model: 'two' });
    await mlv(['add', 'model'], { cwd });
    commitAll(cwd);
    git(cwd, 'checkout', '--quiet', 'HEAD~1');
    await mlv(['checkout'], { cwd });
    expect(readFileSync(join(cwd, 'model'), 'utf8')).toBe('one');
  });
});

describe('mlv rm, mv and unprotect', () => {
  it('rm removes what is saved, refuses what is not, and keeps files on request', async () => {
    const cwd = await makeMlvRepository({ a: 'a', b: 'b', c: 'c' });
    await mlv(['add', '--stage', 'a', 'b', 'c'], { cwd });
    writeFiles(cwd, { b: 'unsaved' });
    const refused = await runMlv(['rm', 'a', 'b'], { cwd });
    expect([refused.exitCode, existsSync(join(cwd, 'a'))]).toEqual([1, true]);
    const removed = await runMlv(['rm', 'a'], { cwd });
    expect(existsSync(join(cwd, 'a.mlv'))).toBe(false);
    const command = /^ {2}git (add -- .*)$/m.exec(removed.stderr)?.[1] as string;
    git(cwd, ...command.split(' '));
    expect(git(cwd, 'ls-files')).not.toContain('a.mlv');
    const kept = parseDocument('rm', await mlv(['rm', '--keep', '--json', 'b'], { cwd }));
    expect(kept).toEqual({ removed: ['b'], kept: true, staged: false });
    expect(readFileSync(join(cwd, 'b'), 'utf8')).toBe('unsaved');
    writeFiles(cwd, { c: 'lost' });
    await mlv(['rm', '--force', '--stage', 'c.mlv'], { cwd });
    expect(git(cwd, 'ls-files')).not.toContain('c.mlv');
  });

  it('mv moves data and pointer, also into a directory, and refuses what is there', async () => {
    const cwd = await makeMlvRepository({ a: 'a', b: 'b', 'dir/x': '' });
    await mlv(['add', 'a', 'b'], { cwd });
    expect(parseDocument('mv', await mlv(['mv', '--json', 'a', 'dir'], { cwd }))).toEqual({
      from: 'a',
      to: 'dir/a',
      staged: false,
    });
    expect([existsSync(join(cwd, 'dir/a.mlv')), existsSync(join(cwd, 'a.mlv'))]).toEqual([true, false]);
    const refused = await runMlv(['mv', '../b', 'a'], { cwd: join(cwd, 'dir') });
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain("'dir/a' is there already");
    expect(refused.stderr).toContain('choose another name');
    expect(await mlv(['status'], { cwd })).toBe('2 targets, nothing changed\n');
  });

  it('mv says what to do where somebody moved the file, or the pointer, without it', async () => {
    const cwd = await makeMlvRepository({ "Ada's a": 'a', b: 'b' });
    await mlv(['add', "Ada's a", 'b'], { cwd });
    renameSync(join(cwd, "Ada's a"), join(cwd, "Ada's c"));
    const refused = await runMlv(['mv', "Ada's a", "Ada's c"], { cwd });
    expect(refused.stderr).toContain(`mlv add 'Ada'\\''s c' && mlv rm 'Ada'\\''s a'`);
    await mlv(['add', "Ada's c"], { cwd });
    await mlv(['rm', "Ada's a"], { cwd });
    expect(await mlv(['ls'], { cwd })).toBe("Ada's c\nb\n");
    renameSync(join(cwd, 'b.mlv'), join(cwd, 'd.mlv'));
    expect((await runMlv(['status'], { cwd })).stderr).toContain("rename with: mlv mv 'b' 'd'");
  });

  it('unprotect makes a linked file a private copy', async () => {
    const cwd = await makeMlvRepository({ model: 'm' });
    await mlv(['config', 'set', 'cache.link', 'hardlink'], { cwd });
    await mlv(['add', 'model'], { cwd });
    rmSync(join(cwd, 'model'));
    await mlv(['checkout'], { cwd });
    expect(statSync(join(cwd, 'model')).nlink).toBe(2);
    expect(parseDocument('unprotect', await mlv(['unprotect', '--json', 'model'], { cwd })).files).toEqual(['model']);
    expect(statSync(join(cwd, 'model')).nlink).toBe(1);
    expect(await mlv(['unprotect', '.'], { cwd })).toContain('no file shares');
  });
});

describe('what a user may mistake', () => {
  it('refuses to take mlv.yaml out of Git', async () => {
    const cwd = await makeMlvRepository({});
    const result = await runMlv(['add', 'mlv.yaml'], { cwd });
    expect([result.exitCode, result.stdout]).toEqual([2, '']);
    expect(result.stderr).toContain('it belongs in Git');
  });

  it('takes a slash at the end of a name for a directory', async () => {
    const cwd = await makeMlvRepository({ 'a.bin': 'a' });
    await mlv(['add', 'a.bin'], { cwd });
    const result = await runMlv(['mv', 'a.bin', 'models/'], { cwd });
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain("'models/' is not a directory");
    expect(existsSync(join(cwd, 'a.bin'))).toBe(true);
  });

  it('tells how remotes and revisions are given where a path is asked for, and which help to read', async () => {
    const cwd = await makeMlvRepository({ 'a.bin': 'a' });
    await mlv(['add', 'a.bin'], { cwd });
    await mlv(['remote', 'add', 'nas', temporaryDirectory()], { cwd });
    commitAll(cwd);
    const hint = async (...args: string[]): Promise<string> => (await runMlv(args, { cwd })).stderr;
    expect(await hint('push', 'nas')).toContain('hint: a remote is given as an option: --remote nas');
    expect(await hint('fetch', 'HEAD')).toContain('--rev HEAD');
    expect(await hint('checkout', 'HEAD')).toContain('git checkout HEAD && mlv checkout');
    expect(await hint('pull', 'a.bim')).toContain('check the spelling');
    expect(await hint('remote', 'add', '--x')).toContain('mlv help remote add');
  });
});
