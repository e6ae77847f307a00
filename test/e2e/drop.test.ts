import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { mlv, runMlv } from '../helpers/cli.js';
import { parseDocument } from '../helpers/json-schemas.js';
import { makeMlvRepository, writeFiles } from '../helpers/mlv-repository.js';
import { commitAll, git } from '../helpers/repository.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

const FILES = { 'data/a.txt': 'first', 'data/deep/b.txt': 'second '.repeat(300_000), 'model.pkl': 'weights' };

let top: string;
let store: string;

const read = (path: string): string => readFileSync(join(top, path), 'utf8');
const objects = (): string[] =>
  readdirSync(join(top, '.git/mlv/objects'), { recursive: true, encoding: 'utf8' }).filter((name) => name.length > 60);

beforeEach(async () => {
  store = join(temporaryDirectory('store'), 'remote');
  top = await makeMlvRepository(FILES);
  await mlv(['remote', 'add', '-q', 'store', store], { cwd: top });
  await mlv(['add', '-q', 'data', 'model.pkl'], { cwd: top });
  commitAll(top);
});

describe('mlv drop', () => {
  it('frees workspace and cache of what a remote has; pull brings it back, hooks and a pull of everything do not', async () => {
    await mlv(['push', '-q'], { cwd: top });
    await mlv(['hooks', 'install', '-q'], { cwd: top });
    commitAll(top, 'the attributes of hooks');
    const before = objects().length;
    const dry = parseDocument('drop', await mlv(['drop', 'data', '--dry-run', '--json'], { cwd: top }));
    expect(dry).toMatchObject({ dryRun: true, targets: [{ path: 'data', remote: 'store' }], cache: { objects: 4 } });
    expect([read('data/a.txt'), objects().length]).toEqual(['first', before]);

    expect(await mlv(['drop', 'data'], { cwd: top })).toMatch(
      /data \(2\.0 MiB\) was dropped: it is on store\n4 objects/,
    );
    expect(existsSync(join(top, 'data'))).toBe(false);
    expect(objects()).toHaveLength(before - 4);
    expect(git(top, 'status', '--porcelain', '--untracked-files=no')).toBe('');
    const status = await runMlv(['status'], { cwd: top });
    expect([status.stdout, status.stderr]).toEqual([
      expect.stringMatching(/data\/ {2}not in the workspace/),
      'mlv pull <path> brings back what was dropped\n',
    ]);

    git(top, 'checkout', '--quiet', '-b', 'other');
    await mlv(['pull', '-q', 'data'], { cwd: top });
    writeFiles(top, { 'data/a.txt': 'changed' });
    await mlv(['add', '-q', 'data'], { cwd: top });
    commitAll(top, 'other data');
    await mlv(['push', '-q'], { cwd: top });
    await mlv(['drop', '-q', 'data', '--keep-cache'], { cwd: top });
    git(top, 'checkout', '--quiet', 'main');
    git(top, 'checkout', '--quiet', 'other');
    expect(existsSync(join(top, 'data'))).toBe(false);
    const pulled = await runMlv(['pull'], { cwd: top });
    expect([pulled.exitCode, existsSync(join(top, 'data'))]).toEqual([0, false]);
    expect(pulled.stderr).toContain('1 target that was dropped stay');

    git(top, 'checkout', '--quiet', 'main');
    await mlv(['pull', '-q', 'data'], { cwd: top });
    expect([read('data/a.txt'), read('data/deep/b.txt')]).toEqual(['first', FILES['data/deep/b.txt']]);
    rmSync(join(top, 'data'), { recursive: true });
    await mlv(['pull', '-q'], { cwd: top });
    expect(read('data/a.txt')).toBe('first');
  });

  it('refuses what no remote is proved to have, and local changes; nothing is removed then', async () => {
    const unpushed = await runMlv(['drop', 'data', 'model.pkl'], { cwd: top });
    expect([unpushed.exitCode, unpushed.stderr]).toEqual([4, expect.stringContaining('mlv push')]);
    await mlv(['push', '-q', 'model.pkl'], { cwd: top });
    const half = await runMlv(['drop', 'data', 'model.pkl', '--json'], { cwd: top });
    expect(half.exitCode).toBe(4);
    expect(JSON.parse(half.stdout).error).toMatchObject({ code: 'OBJECT_MISSING', data: { paths: ['data'] } });
    await mlv(['push', '-q'], { cwd: top });

    writeFiles(top, { 'data/new.txt': 'mine' });
    const changed = await runMlv(['drop', 'data'], { cwd: top });
    expect([changed.exitCode, changed.stderr]).toEqual([1, expect.stringContaining("'data' differs from its pointer")]);
    rmSync(join(top, 'data/new.txt'));

    const packs = join(store, 'packs');
    const [pack = ''] = readdirSync(packs, { recursive: true, encoding: 'utf8' }).filter((name) => name.length > 60);
    rmSync(join(packs, pack));
    for (const name of readdirSync(packs, { recursive: true, encoding: 'utf8' }))
      if (name.length > 60) rmSync(join(packs, name));
    const lost = await runMlv(['drop', 'data'], { cwd: top });
    expect([lost.exitCode, lost.stderr]).toEqual([4, expect.stringContaining('no remote has all of')]);
    expect([read('data/a.txt'), read('model.pkl')]).toEqual(['first', 'weights']);
    expect((await runMlv(['drop', 'data/deep'], { cwd: top })).exitCode).toBe(4);
    expect(read('data/deep/b.txt')).toBe(FILES['data/deep/b.txt']);
  });

  it('is no deletion: new files in the place of a dropped directory do not take it out of the pointer', async () => {
    await mlv(['push', '-q'], { cwd: top });
    await mlv(['drop', '-q', 'data', '--keep-cache'], { cwd: top });
    writeFiles(top, { 'data/new.txt': 'new' });
    const refused = JSON.parse((await runMlv(['add', 'data', '--json'], { cwd: top })).stdout);
    expect(refused.error).toMatchObject({ code: 'OBJECT_MISSING', data: { paths: ['data/a.txt', 'data/deep/b.txt'] } });
    await mlv(['pull', '-q', 'data'], { cwd: top });
    rmSync(join(top, 'data/a.txt'));
    const added = parseDocument('add', await mlv(['add', 'data', '--json'], { cwd: top }));
    expect(added.targets).toMatchObject([{ state: 'updated', files: 2 }]);
  });

  it('keeps in the cache what another target or another working tree needs', async () => {
    writeFiles(top, { 'copy.pkl': 'weights' });
    await mlv(['add', '-q', 'copy.pkl'], { cwd: top });
    commitAll(top, 'copy');
    await mlv(['push', '-q'], { cwd: top });
    const linked = join(temporaryDirectory('linked'), 'tree');
    git(top, 'worktree', 'add', '--quiet', '--detach', linked);
    const dropped = parseDocument('drop', await mlv(['drop', 'model.pkl', 'data', '--json'], { cwd: top }));
    expect(dropped).toMatchObject({ cache: { objects: 0 } });
    await mlv(['checkout', '-q'], { cwd: linked });
    expect(readFileSync(join(linked, 'data/a.txt'), 'utf8')).toBe('first');
    git(top, 'worktree', 'remove', '--force', linked);
    mkdirSync(join(top, 'data'));
    writeFileSync(join(top, 'data/a.txt'), 'first');
    expect(parseDocument('drop', await mlv(['drop', 'data', '--json'], { cwd: top }))).toMatchObject({
      cache: { objects: 4 },
    });
    await mlv(['drop', '-q', 'model.pkl'], { cwd: top });
    rmSync(join(top, 'copy.pkl'));
    await mlv(['checkout', '-q'], { cwd: top });
    expect([read('copy.pkl'), existsSync(join(top, 'model.pkl'))]).toEqual(['weights', false]);
  });
});
