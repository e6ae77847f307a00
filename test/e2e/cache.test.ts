import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { cleanEnvironment, collect, MLV_BIN, mlv, runMlv, startMlv } from '../helpers/cli.js';
import { parseDocument } from '../helpers/json-schemas.js';
import { makeMlvRepository } from '../helpers/mlv-repository.js';
import { commitAll, git } from '../helpers/repository.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

const FILES = Object.fromEntries(Array.from({ length: 60 }, (_, at) => [`data/${at}.txt`, `content ${at}`]));

let top: string;

const read = (path: string): string => readFileSync(join(top, path), 'utf8');

function objectsIn(directory: string): string[] {
  const objects = join(directory, 'objects');
  if (!existsSync(objects)) return [];
  return readdirSync(objects, { recursive: true, encoding: 'utf8' }).filter((name) => name.length > 60);
}

beforeEach(async () => {
  top = await makeMlvRepository({ ...FILES, 'model.pkl': 'weights' });
  await mlv(['add', '-q', 'data', 'model.pkl'], { cwd: top });
  commitAll(top);
});

describe('mlv cache', () => {
  it('says where it is and what it holds', async () => {
    const info = parseDocument('cache info', await mlv(['cache', 'info', '--json'], { cwd: top }));
    expect(info).toMatchObject({
      directory: join(top, '.git/mlv'),
      own: true,
      algorithms: [{ algorithm: 'blake3', objects: 62 }],
      links: { configured: ['reflink', 'copy'] },
    });
    writeFileSync(join(top, '.git/mlv/tmp', `${'elsewhere'}-4194999-0a-1`), 'left');
    expect(await mlv(['cache', 'info'], { cwd: top })).toMatch(/62 objects, .*\n.*work here.*\ntemporary {3}1 file/s);
    expect(await mlv(['cache', 'dir'], { cwd: top })).toBe(`${join(top, '.git/mlv')}\n`);
  });

  it('moves with links and other working trees, and a command that knew the former place finds it', async () => {
    const to = join(temporaryDirectory('elsewhere'), 'mlv cache');
    const linked = join(temporaryDirectory('linked'), 'tree');
    git(top, 'worktree', 'add', '--quiet', '--detach', linked);
    await mlv(['config', 'set', '-q', 'cache.link', 'symlink'], { cwd: top });
    await mlv(['checkout', '-q'], { cwd: linked });
    const from = join(top, '.git/mlv');
    const moved = parseDocument('cache migrate', await mlv(['cache', 'migrate', to, '--json'], { cwd: linked }));
    expect(moved).toMatchObject({ from, to, linked: 62, copied: 0, relinked: 61, removed: true });
    expect([objectsIn(from).length, objectsIn(to).length]).toEqual([0, 62]);
    expect(readlinkSync(join(linked, 'model.pkl')).startsWith(to)).toBe(true);
    for (const cwd of [top, linked]) expect(await mlv(['status'], { cwd })).toContain('nothing changed');
    await mlv(['fsck'], { cwd: top });
    expect(await mlv(['cache', 'migrate', to], { cwd: top })).toContain('already');
    const former = await runMlv(['-c', `cache.dir=${from}`, 'status'], { cwd: top });
    expect([former.exitCode, former.stderr]).toEqual([1, expect.stringContaining(`mlv cache dir '${to}'`)]);
    await mlv(['cache', 'migrate', '-q', from], { cwd: top });
    expect([objectsIn(from).length, objectsIn(to).length]).toEqual([62, 0]);
    expect(await mlv(['status'], { cwd: linked })).toContain('nothing changed');
  });

  it('is copied to another disk, each object checked, and killed anywhere loses nothing', async () => {
    const disk = '/dev/shm';
    const other = existsSync(disk) && statSync(disk).dev !== statSync(top).dev;
    const to = other ? join(disk, `mlv-test-${process.pid}`) : join(temporaryDirectory('elsewhere'), 'cache');
    try {
      for (let round = 0; round < 4; round++) {
        const child = startMlv(['cache', 'migrate', to], { cwd: top });
        const ended = collect(child);
        const watching = setInterval(() => objectsIn(to).length > round * 20 && child.kill('SIGKILL'), 1);
        await ended;
        clearInterval(watching);
        const held = new Set([...objectsIn(join(top, '.git/mlv')), ...objectsIn(to)]);
        expect(held.size).toBe(62);
      }
      const moved = parseDocument('cache migrate', await mlv(['cache', 'migrate', to, '--json'], { cwd: top }));
      if (other) expect(moved.linked).toBe(0);
      expect(objectsIn(to)).toHaveLength(62);
      expect(objectsIn(join(top, '.git/mlv'))).toEqual([]);
      rmSync(join(top, 'data'), { recursive: true });
      await mlv(['checkout', '-q'], { cwd: top });
      expect(read('data/7.txt')).toBe('content 7');
    } finally {
      rmSync(to, { recursive: true, force: true });
    }
  });

  it('takes the place of a damaged object that has the size, and not the name alone, of its own', async () => {
    const to = join(temporaryDirectory('elsewhere'), 'cache');
    cpSync(join(top, '.git/mlv/objects'), join(to, 'objects'), { recursive: true });
    const [name = ''] = objectsIn(to);
    const damaged = join(to, 'objects', name);
    const size = statSync(damaged).size;
    chmodSync(damaged, 0o644);
    writeFileSync(damaged, Buffer.alloc(size));
    const moved = parseDocument('cache migrate', await mlv(['cache', 'migrate', to, '--json'], { cwd: top }));
    expect(moved).toMatchObject({ present: 61, removed: true });
    expect(readdirSync(join(to, 'corrupt'))).toHaveLength(1);
    await mlv(['fsck'], { cwd: top });
  });

  it('stays where one place is in the other, and where a run is in progress', async () => {
    const inside = await runMlv(['cache', 'migrate', join(top, '.git/mlv/inner')], { cwd: top });
    expect(inside.exitCode).toBe(2);
    const link = join(temporaryDirectory('link'), 'git');
    symlinkSync(join(top, '.git'), link);
    expect((await runMlv(['cache', 'migrate', join(link, 'mlv')], { cwd: top })).exitCode).toBe(2);
    const to = join(temporaryDirectory('elsewhere'), 'cache');
    const started = join(top, 'started');
    const running = startMlv(['run', '-o', 'out', '--', 'sh', '-c', 'touch started; cat > out'], { cwd: top });
    const ended = collect(running);
    while (!existsSync(started)) await new Promise((resolve) => setTimeout(resolve, 10));
    const busy = await runMlv(['cache', 'migrate', to, '--json'], { cwd: top });
    expect(JSON.parse(busy.stdout)).toMatchObject({ error: { code: 'CACHE_BUSY' } });
    running.stdin.end('from the run');
    expect((await ended).exitCode).toBe(0);
    await mlv(['cache', 'migrate', '-q', to], { cwd: top });
    expect(await mlv(['status'], { cwd: top })).toContain('3 targets, nothing changed');
  });
});

describe('a cache that several repositories share', () => {
  let other: string;
  let shared: string;

  beforeEach(async () => {
    shared = join(temporaryDirectory('shared'), 'cache');
    other = await makeMlvRepository({ 'theirs.bin': 'theirs' });
    for (const cwd of [top, other]) await mlv(['cache', 'migrate', '-q', shared], { cwd });
    await mlv(['add', '-q', 'theirs.bin'], { cwd: other });
  });

  it('keeps what another repository needs, and is not collected where that cannot be read', async () => {
    const info = parseDocument('cache info', await mlv(['cache', 'info', '--json'], { cwd: top }));
    expect(info).toMatchObject({ own: false, repositories: [{ worktree: other }] });
    const unnamed = ['gc', '--unnamed', '--grace', '0h', '--yes', '--json'];
    const kept = parseDocument('gc', await mlv(unnamed, { cwd: top }));
    expect(kept).toMatchObject({ removed: { objects: 0 } });
    expect(kept).toMatchObject({ kept: [{}, { reason: 'other repositories', objects: 1 }] });

    await mlv(['rm', '-q', 'theirs.bin'], { cwd: other });
    expect(parseDocument('gc', await mlv(unnamed, { cwd: top }))).toMatchObject({ removed: { objects: 1 } });

    rmSync(other, { recursive: true });
    const refused = await runMlv(unnamed, { cwd: top });
    expect(JSON.parse(refused.stdout)).toMatchObject({
      error: { code: 'HISTORY_INCOMPLETE', data: { worktree: other } },
    });
    const { file } = JSON.parse(refused.stdout).error.data;
    rmSync(file);
    await mlv(unnamed, { cwd: top });
    writeFileSync(file, '{"commonDir": "relative", "worktree": 7}');
    expect((await runMlv(unnamed, { cwd: top })).exitCode).toBe(1);
  });

  it('stays where it is for the others when one repository moves away', async () => {
    const own = join(temporaryDirectory('own'), 'cache');
    const moved = await runMlv(['cache', 'migrate', own], { cwd: top });
    expect([moved.exitCode, moved.stderr]).toEqual([0, expect.stringContaining('other repositories use')]);
    expect(await mlv(['status'], { cwd: other })).toContain('1 target, nothing changed');
    const info = parseDocument('cache info', await mlv(['cache', 'info', '--json'], { cwd: other }));
    expect(info).toMatchObject({ repositories: [] });
  });
});

const isRoot = process.getuid?.() === 0 && spawnSync('setpriv', ['--version']).status === 0;

describe.skipIf(!isRoot)('a cache that two users share (as root, with setpriv)', () => {
  const GROUP = 54_321;

  function as(user: number, cwd: string, ...args: string[]): { status: number | null; stdout: string; stderr: string } {
    const identity = ['--reuid', String(user), '--regid', String(user), '--groups', String(GROUP)];
    const home = join(dirname(cwd), `home-${user}`);
    const env = cleanEnvironment({ HOME: home, XDG_CONFIG_HOME: home, GIT_CONFIG_GLOBAL: '/dev/null' });
    return spawnSync('setpriv', [...identity, process.execPath, MLV_BIN, ...args], { cwd, env, encoding: 'utf8' });
  }

  function repositoryOf(user: number, base: string): string {
    const path = join(base, `of-${user}`);
    mkdirSync(path);
    git(base, 'init', '--quiet', '--initial-branch=main', path);
    execFileSync('chown', ['-R', `${user}:${user}`, path]);
    return path;
  }

  it('takes objects of both, whatever their umask, and changes nothing that is not its own', () => {
    const base = temporaryDirectory('users');
    for (let path = base; path !== dirname(path); path = dirname(path)) if (path === base) chmodSync(path, 0o777);
    const cache = join(base, 'cache');
    mkdirSync(cache);
    chownSync(cache, 0, GROUP);
    chmodSync(cache, 0o2775);
    const [ada, ben] = [61_001, 61_002];
    const repositories = [ada, ben].map((user) => [user, repositoryOf(user, base)] as const);
    for (const [user, cwd] of repositories) {
      expect(as(user, cwd, 'init', '-q').stderr).toBe('');
      expect(as(user, cwd, 'cache', 'dir', '-q', cache).stderr).toBe('');
      writeFileSync(join(cwd, 'same.txt'), 'the same for both');
      writeFileSync(join(cwd, 'own.txt'), `of ${user}`);
      const before = process.umask(0o077);
      try {
        expect(as(user, cwd, 'add', '-q', 'same.txt', 'own.txt').stderr).toBe('');
      } finally {
        process.umask(before);
      }
    }
    expect(objectsIn(cache)).toHaveLength(3);
    for (const name of readdirSync(cache, { recursive: true, encoding: 'utf8' })) {
      const stat = lstatSync(join(cache, name));
      expect([name, stat.gid]).toEqual([name, GROUP]);
      if (stat.isDirectory()) expect([name, stat.mode & 0o2070]).toEqual([name, 0o2070]);
    }
    expect([statSync(cache).uid, statSync(cache).mode & 0o7777]).toEqual([0, 0o2775]);
    const [, first = ''] = repositories[0] ?? [];
    const [, second = ''] = repositories[1] ?? [];
    rmSync(join(second, 'same.txt'));
    expect(as(ben, second, 'checkout', '-q').stderr).toBe('');
    expect(readFileSync(join(second, 'same.txt'), 'utf8')).toBe('the same for both');
    const refused = as(ada, first, 'gc', '--unnamed', '--grace', '0h', '--yes');
    expect([refused.status, refused.stderr]).toEqual([
      1,
      expect.stringContaining('shares this cache and cannot be read'),
    ]);
    chmodSync(cache, 0o2755);
    chmodSync(join(cache, 'tmp'), 0o2755);
    writeFileSync(join(first, 'new.txt'), 'not stored');
    execFileSync('chown', ['-R', `${ada}:${ada}`, first]);
    rmSync(join(cache, 'users'), { recursive: true });
    chownSync(join(cache, 'tmp'), 0, GROUP);
    const denied = as(ada, first, 'add', 'new.txt');
    expect([denied.status, denied.stderr]).toEqual([1, expect.stringMatching(/permission denied.*chmod g\+rwxs/s)]);
  });
});
