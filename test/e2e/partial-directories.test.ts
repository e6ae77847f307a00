import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { cleanEnvironment, MLV_BIN, mlv, runMlv } from '../helpers/cli.js';
import { describeTree } from '../helpers/describe-tree.js';
import { parseDocument } from '../helpers/json-schemas.js';
import { makeMlvRepository, writeFiles } from '../helpers/mlv-repository.js';
import { cloneRepository, commitAll } from '../helpers/repository.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

const FILES = {
  'data/images/0/a.png': 'a'.repeat(2000),
  'data/images/0/b.png': 'b'.repeat(2000),
  'data/images/1/c.png': 'c'.repeat(2000),
  'data/images/1/meta.csv': '1,2',
  'data/labels.csv': 'x,y',
  'data/raw/huge.bin': 'h'.repeat(600_000),
};

const programs = temporaryDirectory('bin');
writeFileSync(join(programs, 'mlv'), `#!/bin/sh\nexec '${process.execPath}' '${MLV_BIN}' "$@"\n`, { mode: 0o755 });

/** Git whose hooks find the program under test; gives its standard output. */
function git(cwd: string, ...args: string[]): string {
  const env = { ...cleanEnvironment(), PATH: `${programs}:${process.env.PATH}` };
  const { status, stdout, stderr } = spawnSync('git', args, { cwd, env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`git ${args.join(' ')} ended with ${status}: ${stderr}`);
  return stdout;
}

let origin: string;
let store: string;

beforeAll(async () => {
  store = join(temporaryDirectory('store'), 'new');
  origin = await makeMlvRepository(FILES);
  await mlv(['add', 'data'], { cwd: origin });
  await mlv(['remote', 'add', 'origin', store], { cwd: origin });
  commitAll(origin);
  await mlv(['push'], { cwd: origin });
});

const cached = (clone: string): number =>
  readdirSync(join(clone, '.git/mlv/objects'), { recursive: true, encoding: 'utf8' }).filter((name) => name.length > 60)
    .length;

const listed = async (clone: string): Promise<string[]> =>
  (await mlv(['ls', '-r', 'data'], { cwd: clone })).trim().split('\n');

describe('single paths of a directory that is not here', () => {
  it('are added, moved and removed with no content but what is new, there and on the way to the remote', async () => {
    const clone = cloneRepository(origin);
    await mlv(['hooks', 'install'], { cwd: clone });
    writeFiles(clone, { 'data/images/0/new.png': 'new' });
    const added = parseDocument('add', await mlv(['add', '--json', 'data/images/0/new.png'], { cwd: clone }));
    expect(added).toMatchObject({ files: ['data.mlv'], targets: [{ path: 'data', state: 'updated', files: 7 }] });
    const moved = await runMlv(['mv', 'data/raw', 'data/images/raw'], { cwd: clone });
    expect([moved.exitCode, moved.stdout]).toEqual([0, 'data/raw -> data/images/raw\n']);
    await mlv(['mv', 'labels.csv', 'images/1/'], { cwd: join(clone, 'data') });
    expect(await mlv(['rm', 'data/images/0/a.png'], { cwd: clone })).toBe('data/images/0/a.png was removed\n');
    expect(Object.keys(describeTree(join(clone, 'data')))).toHaveLength(3);
    const status = await mlv(['status'], { cwd: clone });
    expect(status).toMatch(/^data\/ {2}unchanged\n {4}partial: images\/0\/new\.png; 5 files \(.*\) not here\n$/);

    git(clone, 'commit', '-qam', 'edited without the data');
    const [pushed] = parseDocument('push', await mlv(['push', '--json'], { cwd: clone })).remotes;
    expect([pushed?.packs, pushed?.failed]).toEqual([1, []]);
    expect(pushed?.bytesUp).toBeLessThan(10_000);
    expect(cached(clone)).toBeLessThan(20);

    const check = cloneRepository(clone);
    await mlv(['pull'], { cwd: check });
    expect(readFileSync(join(check, 'data/images/raw/huge.bin'), 'utf8')).toBe(FILES['data/raw/huge.bin']);
    expect(readFileSync(join(check, 'data/images/1/labels.csv'), 'utf8')).toBe('x,y');
    expect(readdirSync(join(check, 'data/images/0')).sort()).toEqual(['b.png', 'new.png']);
    expect((await runMlv(['fsck', '--remote'], { cwd: check })).exitCode).toBe(0);
    const { targets } = parseDocument('add', await mlv(['add', '--json', 'data'], { cwd: check }));
    expect(targets[0]?.state).toBe('unchanged');
  });

  it('are refused by a push to a remote that lacks what is not here, and by a commit when nobody ever had it', async () => {
    const clone = cloneRepository(origin);
    writeFiles(clone, { 'data/new.png': 'new' });
    await mlv(['add', 'data/new.png'], { cwd: clone });
    await mlv(['remote', 'add', 'empty', join(temporaryDirectory('store'), 'empty')], { cwd: clone });
    const pushed = await runMlv(['push', '--remote', 'empty', '--json'], { cwd: clone });
    expect(pushed.exitCode).toBe(4);
    expect(parseDocument('push', pushed.stdout).failed.map(({ path }) => path)).toContain('data/images');
    await mlv(['hooks', 'install'], { cwd: clone });
    git(clone, 'add', 'data.mlv');
    const [hex = ''] = /[0-9a-f]{64}/.exec(await mlv(['ls', '-l', '--json', 'data/new.png'], { cwd: clone })) ?? [];
    rmSync(join(clone, '.git/mlv/objects/blake3', hex.slice(0, 2), hex.slice(2)));
    expect(() => git(clone, 'commit', '-m', 'lost')).toThrow(/1 object of data is not in the cache/);
    await mlv(['add', 'data/new.png'], { cwd: clone });
    git(clone, 'commit', '-m', 'found');
  });

  it('say what they cannot do, and what can', async () => {
    const clone = cloneRepository(origin);
    const run = (...args: string[]) => runMlv(args, { cwd: clone });
    const cases: [args: string[], exitCode: number, words: string][] = [
      [['rm', 'data/nothing'], 2, 'mlv ls data shows what is'],
      [['mv', 'data/labels.csv', 'data/images/0/a.png'], 1, 'is there already'],
      [['mv', 'data/labels.csv', 'elsewhere.csv'], 2, 'mlv cat data/labels.csv > elsewhere.csv && mlv add'],
      [['mv', 'data/labels.csv', 'data/nowhere/'], 2, 'is not a directory'],
      [['mv', 'data/images', 'data/images/0/deep'], 2, 'which is in it'],
      [['mv', 'data/labels.csv', 'data/.git/hooks'], 2, "Git's own directory"],
      [['add', 'data/../../outside'], 2, 'outside the repository'],
      [['pull', 'data/typo'], 2, "'data/typo' is not in the tracked directory"],
      [['pull', 'data/*.typo'], 2, 'matches nothing'],
      [['sparse', 'set', 'data'], 2, "mlv pull 'data'"],
      [['sparse', 'add', 'data/images'], 2, 'mlv pull <path>'],
    ];
    for (const [args, exitCode, words] of cases) {
      const { exitCode: ended, stderr } = await run(...args);
      expect([args, ended], stderr).toEqual([args, exitCode]);
      expect(stderr).toContain(words);
    }
    expect(git(clone, 'status', '--porcelain')).toBe('');
  });
});

describe('a part of a directory', () => {
  it('is brought, edited, recorded and followed through commits; the rest stays as it is', async () => {
    const clone = cloneRepository(origin);
    await mlv(['hooks', 'install'], { cwd: clone });
    const pulled = parseDocument('pull', await mlv(['pull', '--json', 'data/images/0', 'data/*.csv'], { cwd: clone }));
    expect(pulled.checkout).toMatchObject({ written: 3, failed: [] });
    expect(existsSync(join(clone, 'data/raw'))).toBe(false);
    const [target] = parseDocument('status', await mlv(['status', '--json', '--exit-code'], { cwd: clone })).targets;
    expect(target).toMatchObject({ state: 'unchanged', missing: { objects: 0 }, partial: { absent: { files: 3 } } });
    expect(await mlv(['sparse', 'list'], { cwd: clone })).toBe('data/images/0\ndata/*.csv\n');

    writeFiles(clone, { 'data/images/0/a.png': 'changed', 'data/more.csv': 'm' });
    rmSync(join(clone, 'data/images/0/b.png'));
    expect(await mlv(['diff', '--stat'], { cwd: clone })).toMatch(/^3? ?1 added, 1 modified, 1 deleted/);
    git(clone, 'switch', '-qc', 'work');
    await mlv(['add', 'data'], { cwd: clone });
    git(clone, 'commit', '-qam', 'work on a part');
    expect(await listed(clone)).toEqual([
      ...['data/images/0/a.png', 'data/images/1/c.png', 'data/images/1/meta.csv', 'data/labels.csv', 'data/more.csv'],
      'data/raw/huge.bin',
    ]);
    await mlv(['push'], { cwd: clone });

    git(clone, 'switch', '-q', '-');
    expect(readdirSync(join(clone, 'data')).sort()).toEqual(['images', 'labels.csv']);
    expect(readFileSync(join(clone, 'data/images/0/a.png'), 'utf8')).toBe(FILES['data/images/0/a.png']);
    git(clone, 'switch', '-q', 'work');
    expect(readdirSync(join(clone, 'data')).sort()).toEqual(['images', 'labels.csv', 'more.csv']);
    expect(readdirSync(join(clone, 'data/images'))).toEqual(['0']);
    expect((await runMlv(['status', '--exit-code'], { cwd: clone })).exitCode).toBe(0);

    const run = await runMlv(['run', '-d', 'data', '--', 'true'], { cwd: clone });
    expect([run.exitCode, run.stderr]).toEqual([4, expect.stringContaining("only a part of 'data' is here")]);
    expect((await runMlv(['run', '-o', 'data', '--', 'true'], { cwd: clone })).exitCode).toBe(4);
    expect((await runMlv(['run', '-d', 'data/images/0', '--', 'true'], { cwd: clone })).exitCode).toBe(0);

    await mlv(['pull', 'data'], { cwd: clone });
    expect(readFileSync(join(clone, 'data/raw/huge.bin'), 'utf8')).toBe(FILES['data/raw/huge.bin']);
    expect(await mlv(['sparse', 'list'], { cwd: clone })).toBe('no directory is partial\n');
    expect(await mlv(['status'], { cwd: clone })).toBe('1 target, nothing changed\n');
  });

  it('is chosen anew; what would be lost stays, and what goes comes back', async () => {
    const clone = cloneRepository(origin);
    await mlv(['pull'], { cwd: clone });
    writeFiles(clone, { 'data/raw/notes.txt': 'mine', 'data/images/1/c.png': 'changed' });
    const set = await runMlv(['sparse', 'set', 'data/images/0', '--json'], { cwd: clone });
    expect(set.exitCode).toBe(1);
    expect(parseDocument('sparse set', set.stdout).directories).toMatchObject([
      {
        directory: 'data',
        paths: ['images/0'],
        removed: { files: 3 },
        kept: ['data/images/1/c.png', 'data/raw/notes.txt'],
      },
    ]);
    expect(await mlv(['diff'], { cwd: clone })).toMatch(
      /^M data\/images\/1\/c\.png .*\nA data\/raw\/notes\.txt .*\n1 added/,
    );
    rmSync(join(clone, 'data/raw'), { recursive: true });
    await mlv(['checkout', '--force'], { cwd: clone });
    expect(readFileSync(join(clone, 'data/images/1/c.png'), 'utf8')).toBe(FILES['data/images/1/c.png']);
    expect(await mlv(['sparse', 'set', 'data/labels.csv'], { cwd: clone })).toContain('left the workspace');
    expect(readdirSync(join(clone, 'data'))).toEqual(['labels.csv']);
    await mlv(['mv', 'data', 'moved'], { cwd: clone });
    expect(await mlv(['status'], { cwd: clone })).toMatch(/partial: labels\.csv; 5 files/);
    await mlv(['checkout', 'moved'], { cwd: clone });
    expect(describeTree(join(clone, 'moved'))).toEqual(describeTree(join(origin, 'data')));
  });

  it('is dropped where a remote is proved to have it, and is a deletion neither then nor after a pull', async () => {
    const clone = cloneRepository(origin);
    await mlv(['pull'], { cwd: clone });
    const before = cached(clone);
    writeFiles(clone, { 'data/raw/huge.bin': 'changed' });
    const refused = await runMlv(['drop', 'data/raw'], { cwd: clone });
    expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringContaining("'data/raw/huge.bin' differs")]);
    await mlv(['checkout', '--force'], { cwd: clone });
    const packs = join(store, 'packs');
    renameSync(packs, `${packs}-away`);
    const lost = await runMlv(['drop', 'data/raw', 'data/labels.csv'], { cwd: clone });
    renameSync(`${packs}-away`, packs);
    expect([lost.exitCode, existsSync(join(clone, 'data/raw/huge.bin'))]).toEqual([4, true]);
    const dropped = parseDocument('drop', await mlv(['drop', '--json', 'data/raw', 'data/labels.csv'], { cwd: clone }));
    expect(dropped).toMatchObject({
      targets: [{ path: 'data/raw' }, { path: 'data/labels.csv' }],
      cache: { objects: 2 },
    });
    expect([cached(clone), existsSync(join(clone, 'data/raw'))]).toEqual([before - 2, false]);
    expect(await mlv(['pull'], { cwd: clone })).toContain('everything is as the pointers say');
    expect(await mlv(['status'], { cwd: clone })).toContain('partial: everything without labels.csv, raw; 2 files');
    await mlv(['pull', 'data/raw'], { cwd: clone });
    expect(await mlv(['sparse', 'list'], { cwd: clone })).toBe('data\nnot data/labels.csv\n');
    await mlv(['drop', 'data'], { cwd: clone });
    await mlv(['pull', 'data/labels.csv'], { cwd: clone });
    expect(await mlv(['status'], { cwd: clone })).toContain('partial: labels.csv; 5 files');
  });
});
