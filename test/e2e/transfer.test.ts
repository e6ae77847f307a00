import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { mlv, runMlv } from '../helpers/cli.js';
import { describeTree } from '../helpers/describe-tree.js';
import { parseDocument } from '../helpers/json-schemas.js';
import { makeMlvRepository, writeFiles } from '../helpers/mlv-repository.js';
import { cloneRepository, commitAll, git } from '../helpers/repository.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

/** Bytes without a pattern, the same for the same seed. */
function noise(seed: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0, state = seed; at < length; at += 1) {
    state = (state * 1103515245 + 12345) & 0x7fffffff;
    bytes[at] = state >> 16;
  }
  return bytes;
}

let origin: string;
let store: string;

beforeAll(async () => {
  store = join(temporaryDirectory('store'), 'new');
  origin = await makeMlvRepository({
    'data/2023/a.bin': noise(1, 30_000),
    'data/2024/b.bin': noise(2, 30_000),
    'model.pkl': noise(3, 50_000),
  });
  await mlv(['add', 'data', 'model.pkl'], { cwd: origin });
  await mlv(['remote', 'add', 'origin', store], { cwd: origin });
  commitAll(origin);
});

describe('push, status --remote, pull', () => {
  it('say what would travel, what travelled, and that nothing has to any more', async () => {
    const before = await runMlv(['status', '--remote', '--exit-code', '--json'], { cwd: origin });
    expect(before.exitCode).toBe(3);
    expect(parseDocument('status', before.stdout).remotes).toMatchObject([
      { remote: 'origin', missing: ['data', 'model.pkl'] },
    ]);
    const planned = parseDocument('push', await mlv(['push', '--dry-run', '--json'], { cwd: origin }));
    expect(planned).toMatchObject({ dryRun: true, upToDate: 0 });
    expect([planned.objects > 0, existsSync(join(store, 'packs'))]).toEqual([true, false]);
    const pushed = parseDocument('push', await mlv(['push', '--json', '--jobs', '2'], { cwd: origin }));
    expect(pushed).toMatchObject({ dryRun: false, failed: [], remotes: [{ remote: 'origin', url: store }] });
    expect(pushed.bytesUp).toBeGreaterThan(100_000);
    expect(await mlv(['push'], { cwd: origin })).toMatch(/^up to date: 2 targets, on origin \(.*\) \(2 requests, /);
    const after = await runMlv(['status', '--remote=origin', '--exit-code'], { cwd: origin });
    expect([after.exitCode, after.stdout]).toEqual([0, expect.stringContaining('2 targets on origin')]);
  });

  it('say of what is in the cache that no remote was asked', async () => {
    const cwd = await makeMlvRepository({ 'model.pkl': 'm' });
    await mlv(['add', 'model.pkl'], { cwd });
    await mlv(['remote', 'add', 'origin', join(temporaryDirectory('store'), 'never')], { cwd });
    expect(await mlv(['fetch'], { cwd })).toBe('up to date: 1 target, all in the cache\n');
  });

  it('bring the same bytes to a clone: a part, then everything', async () => {
    const clone = cloneRepository(origin);
    const fresh = await runMlv(['status'], { cwd: clone });
    expect(fresh.stdout).toMatch(/^data\/ {2}not in the workspace\n {4}2 files \(.*\) not in the cache$/m);
    expect(fresh.stderr).toMatch(/^mlv pull gets 3 objects \(.*\) that are not in the cache from a remote$/m);
    const part = parseDocument('pull', await mlv(['pull', '--json', 'data/2024/'], { cwd: clone }));
    expect(part.checkout?.written).toBe(1);
    expect([existsSync(join(clone, 'data/2024/b.bin')), existsSync(join(clone, 'data/2023'))]).toEqual([true, false]);
    const text = await runMlv(['pull', '.', '../model.pkl'], { cwd: join(clone, 'data') });
    expect(text.stdout).toMatch(
      /^fetched \d+ objects, \d packs?, .* from origin \(.*\n2 files written \(78\.1 KiB\)\n$/,
    );
    expect(describeTree(join(clone, 'data'))).toEqual(describeTree(join(origin, 'data')));
    expect(readFileSync(join(clone, 'model.pkl')).equals(readFileSync(join(origin, 'model.pkl')))).toBe(true);
    const again = parseDocument('pull', await mlv(['pull', '--json'], { cwd: clone }));
    expect(again).toMatchObject({ objects: 0, bytes: 0, checkout: { written: 0, refused: [] } });
  });

  it('listings come from the remote alone where ls, du and diff need them, and no content', async () => {
    const look = async (...args: string[]): Promise<{ stdout: string; objects: string[] }> => {
      const clone = cloneRepository(origin);
      const stdout = await mlv(args, { cwd: clone });
      return { stdout, objects: readdirSync(join(clone, '.git/mlv/objects'), { recursive: true }).map(String) };
    };
    const files = (objects: readonly string[]): number => objects.filter((name) => /[0-9a-f]{30,}$/.test(name)).length;
    const top = await look('ls', 'data');
    expect(top.stdout).toBe('data/2023/\ndata/2024/\n');
    expect(files(top.objects)).toBe(1);
    const all = await look('ls', '-r');
    expect(all.stdout).toBe('data/2023/a.bin\ndata/2024/b.bin\nmodel.pkl\n');
    expect(files(all.objects)).toBe(3);
    expect((await look('du', 'data')).stdout).toContain('data/2024/');
    expect((await look('diff')).stdout).toContain('data/2023/a.bin');
    // Without its remote, the reason is told, and what would help.
    const clone = cloneRepository(origin);
    await mlv(['config', 'set', 'remote.origin.url', join(store, 'nowhere/at/all')], { cwd: clone });
    const lost = await runMlv(['ls', 'data'], { cwd: clone });
    expect([lost.exitCode, lost.stderr]).toEqual([4, expect.stringContaining('mlv fetch')]);
    expect(lost.stderr).toContain('a listing could not be fetched');
  });

  it('fetch fills the cache for a revision and leaves the workspace alone; cat fetches what it prints', async () => {
    const clone = cloneRepository(origin);
    expect((await runMlv(['cat', 'data/2023/a.bin'], { cwd: clone })).stdoutBytes.equals(noise(1, 30_000))).toBe(true);
    const planned = parseDocument('fetch', await mlv(['fetch', '--dry-run', '--json'], { cwd: clone }));
    expect(planned.bytes).toBeGreaterThan(80_000);
    const fetched = parseDocument('fetch', await mlv(['fetch', '--rev', 'HEAD', '--json'], { cwd: clone }));
    expect(fetched.failed).toEqual([]);
    expect(existsSync(join(clone, 'model.pkl'))).toBe(false);
    expect(await mlv(['checkout'], { cwd: clone })).toContain('3 files written');
  });

  it('keep unsaved work and end with 1, like checkout', async () => {
    const clone = cloneRepository(origin);
    writeFiles(clone, { 'model.pkl': 'mine' });
    const result = await runMlv(['pull', '--json'], { cwd: clone });
    expect(result.exitCode).toBe(1);
    expect(parseDocument('pull', result.stdout)).toMatchObject({
      checkout: { written: 2, refused: [{ path: 'model.pkl' }] },
      error: { code: 'UNSAVED_CHANGES' },
    });
    expect(readFileSync(join(clone, 'model.pkl'), 'utf8')).toBe('mine');
    await mlv(['pull', '--force'], { cwd: clone });
    expect(readFileSync(join(clone, 'model.pkl')).equals(noise(3, 50_000))).toBe(true);
  });

  it('push every branch and tag on request', async () => {
    const clone = cloneRepository(origin);
    await mlv(['pull'], { cwd: clone });
    git(clone, 'checkout', '--quiet', '-b', 'side');
    writeFiles(clone, { 'model.pkl': 'side' });
    await mlv(['add', 'model.pkl'], { cwd: clone });
    commitAll(clone);
    git(clone, 'tag', 'exp');
    git(clone, 'checkout', '--quiet', 'main');
    expect(parseDocument('push', await mlv(['push', '--json'], { cwd: clone })).objects).toBe(0);
    expect(
      parseDocument('push', await mlv(['push', '--json', '--all-branches', '--dry-run'], { cwd: clone })).objects,
    ).toBe(1);
    expect(parseDocument('push', await mlv(['push', '--json', '--all-tags'], { cwd: clone })).objects).toBe(1);
    expect(
      parseDocument('push', await mlv(['push', '--json', '--rev', 'side', '--rev', 'main'], { cwd: clone })),
    ).toMatchObject({ objects: 0, upToDate: 3 });
  });

  it('bring what exists, list the rest, and end with 4', async () => {
    const own = await makeMlvRepository({ a: 'aaa', b: 'bbb' });
    const { targets } = parseDocument('add', await mlv(['add', '--json', 'a', 'b'], { cwd: own }));
    await mlv(['remote', 'add', 'origin', join(temporaryDirectory('store'), 's')], { cwd: own });
    commitAll(own);
    const hex = targets[1]?.oid.split(':')[1] as string;
    rmSync(join(own, '.git/mlv/objects/blake3', hex.slice(0, 2), hex.slice(2)));
    const pushed = await runMlv(['push', '--json'], { cwd: own });
    expect(pushed.exitCode).toBe(4);
    expect(parseDocument('push', pushed.stdout)).toMatchObject({
      objects: 1,
      failed: [{ path: 'b', reason: 'missing' }],
    });
    const clone = cloneRepository(own);
    const pulled = await runMlv(['pull'], { cwd: clone });
    expect(pulled.exitCode).toBe(4);
    expect([pulled.stdout, pulled.stderr]).toEqual([
      expect.stringContaining('1 file written'),
      expect.stringContaining('    b\n'),
    ]);
    expect(readFileSync(join(clone, 'a'), 'utf8')).toBe('aaa');
  });

  it('name a remote that is missing, or that cannot be used', async () => {
    const own = await makeMlvRepository({ a: 'aaa' });
    await mlv(['add', 'a'], { cwd: own });
    const none = await runMlv(['push'], { cwd: own });
    expect([none.exitCode, none.stderr]).toEqual([2, expect.stringContaining('mlv remote add')]);
    await mlv(['remote', 'add', 'nas', '/nowhere/at/all/store'], { cwd: own });
    expect((await runMlv(['push', '--remote', 'typo'], { cwd: own })).stderr).toContain('the remotes are: nas');
    const broken = await runMlv(['push', '--json'], { cwd: own });
    expect([broken.exitCode, JSON.parse(broken.stdout).error.code]).toEqual([7, expect.stringMatching(/^REMOTE_/)]);
  });
});

describe('add in a directory of which only a part was pulled', () => {
  it('refuses to leave out what came into the cache by another way, and was never in this workspace', async () => {
    const cwd = await makeMlvRepository({ 'data/a': 'a', 'data/sub/b': 'b' });
    await mlv(['add', '-q', 'data'], { cwd });
    commitAll(cwd);
    const linked = join(temporaryDirectory(), 'linked');
    git(cwd, 'worktree', 'add', '--quiet', '--detach', linked);
    await mlv(['checkout', '-q'], { cwd: linked });
    writeFiles(cwd, { 'data/new': 'new', 'data/sub/new': 'new', 'data/other/new': 'new' });
    await mlv(['add', '-q', 'data'], { cwd });
    commitAll(cwd);
    git(linked, 'checkout', '--quiet', '--detach', git(cwd, 'rev-parse', 'HEAD').trim());
    writeFiles(linked, { 'data/sub/own': 'own' });
    for (const [path, unseen] of [
      ['data', ['data/new', 'data/other/new', 'data/sub/new']],
      ['data/sub', ['data/sub/new']],
    ] as const) {
      const refused = await runMlv(['add', '--json', path], { cwd: linked });
      expect(JSON.parse(refused.stdout).error).toMatchObject({ code: 'OBJECT_MISSING', data: { paths: unseen } });
    }
    await mlv(['checkout', '-q'], { cwd: linked });
    rmSync(join(linked, 'data/a'));
    const added = parseDocument('add', await mlv(['add', '--json', 'data'], { cwd: linked }));
    expect(added.targets).toMatchObject([{ state: 'updated', files: 5 }]);
  });

  it('refuses to leave out what was never fetched, and takes up changes after the rest was pulled', async () => {
    const cwd = cloneRepository(origin);
    writeFiles(cwd, { 'data/2024/new.txt': 'new' });
    const pointer = readFileSync(join(cwd, 'data.mlv'), 'utf8');
    const refused = await runMlv(['add', 'data'], { cwd });
    expect(refused.exitCode).toBe(4);
    expect(refused.stderr).toContain("mlv pull 'data'");
    expect(readFileSync(join(cwd, 'data.mlv'), 'utf8')).toBe(pointer);
    await mlv(['pull', 'data/2024'], { cwd });
    const kept = parseDocument('add', await mlv(['add', '--json', 'data'], { cwd }));
    expect(kept.targets).toMatchObject([{ state: 'updated', files: 3 }]);
    await mlv(['pull', 'data'], { cwd });
    expect(readFileSync(join(cwd, 'data/2024/new.txt'), 'utf8')).toBe('new');
    rmSync(join(cwd, 'data/2023/a.bin'));
    const added = parseDocument('add', await mlv(['add', '--json', 'data'], { cwd }));
    expect(added.targets).toMatchObject([{ state: 'updated', files: 2 }]);
  });
});

describe('add in a workspace that is older than its pointer', () => {
  it('refuses to take back what others changed, until their change is here; who goes back on purpose may', async () => {
    const cwd = await makeMlvRepository({ 'data/a': 'a1', 'data/b': 'b1' });
    await mlv(['add', '-q', 'data'], { cwd });
    commitAll(cwd);
    const linked = join(temporaryDirectory(), 'linked');
    git(cwd, 'worktree', 'add', '--quiet', '--detach', linked);
    await mlv(['checkout', '-q'], { cwd: linked });
    const older = git(cwd, 'rev-parse', 'HEAD').trim();
    writeFiles(cwd, { 'data/b': 'b2' });
    await mlv(['add', '-q', 'data'], { cwd });
    commitAll(cwd);
    git(linked, 'checkout', '--quiet', '--detach', git(cwd, 'rev-parse', 'HEAD').trim());
    writeFiles(linked, { 'data/a': 'a2' });

    const mixed = await runMlv(['status', '--json'], { cwd: linked });
    expect(parseDocument('status', mixed.stdout).targets).toMatchObject([{ state: 'modified', behind: true }]);
    const inside = await runMlv(['add', '--json', 'data/b'], { cwd: linked });
    expect(JSON.parse(inside.stdout).error).toMatchObject({ code: 'WORKSPACE_BEHIND', data: { path: 'data/b' } });

    const pointer = readFileSync(join(linked, 'data.mlv'), 'utf8');
    const refused = await runMlv(['add', '--json', 'data'], { cwd: linked });
    expect(refused.exitCode).toBe(1);
    expect(JSON.parse(refused.stdout).error).toMatchObject({
      code: 'WORKSPACE_BEHIND',
      data: { paths: ['data/b'] },
    });
    expect(readFileSync(join(linked, 'data.mlv'), 'utf8')).toBe(pointer);

    expect((await runMlv(['checkout'], { cwd: linked })).stderr).toContain('was kept');
    expect(['a', 'b'].map((name) => readFileSync(join(linked, 'data', name), 'utf8'))).toEqual(['a2', 'b2']);
    const added = parseDocument('add', await mlv(['add', '--json', 'data'], { cwd: linked }));
    expect(added.targets).toMatchObject([{ state: 'updated', files: 2 }]);

    // The pointer of before, and a workspace that came from the newer one: nobody's change is lost by recording it again.
    git(cwd, 'checkout', '--quiet', '--detach', older);
    const again = parseDocument('add', await mlv(['add', '--json', 'data'], { cwd }));
    expect(again.targets).toMatchObject([{ state: 'updated', files: 2 }]);
  });

  it('is told of content that another version left here by mlv checkout, and not to record it', async () => {
    const cwd = await makeMlvRepository({ 'model.pkl': 'm1', 'data/a': 'a1' });
    await mlv(['add', '-q', 'model.pkl', 'data'], { cwd });
    commitAll(cwd);
    writeFiles(cwd, { 'model.pkl': 'm2', 'data/a': 'a2' });
    await mlv(['add', '-q', 'model.pkl', 'data'], { cwd });
    commitAll(cwd);
    git(cwd, 'checkout', '--quiet', '--detach', 'HEAD~1');

    const text = await runMlv(['status'], { cwd });
    expect(text.stdout).toContain('model.pkl  as another version has it, and not changed here');
    expect(text.stderr).toContain('mlv checkout brings what the pointers name');
    expect(text.stderr).not.toContain('--force');
    writeFiles(cwd, { 'data/a': 'mine' });
    const { targets } = parseDocument('status', await mlv(['status', '--json'], { cwd }));
    expect(targets).toMatchObject([
      { path: 'data', state: 'modified' },
      { path: 'model.pkl', state: 'modified', otherVersion: true },
    ]);
    expect(targets[0]).not.toHaveProperty('otherVersion');
  });

  it('does the same for single files and for what lies inside a directory, and status says what is only old', async () => {
    const cwd = await makeMlvRepository({ 'model.pkl': 'm1', 'data/d/a': 'a1', 'data/d/b': 'b1', 'data/c': 'c1' });
    await mlv(['add', '-q', 'model.pkl', 'data'], { cwd });
    commitAll(cwd);
    const linked = join(temporaryDirectory(), 'linked');
    git(cwd, 'worktree', 'add', '--quiet', '--detach', linked);
    await mlv(['checkout', '-q'], { cwd: linked });
    const follow = (): string => git(linked, 'checkout', '--quiet', '--detach', git(cwd, 'rev-parse', 'HEAD').trim());
    const statusOf = async (): Promise<unknown[]> =>
      parseDocument('status', await mlv(['status', '--json'], { cwd: linked })).targets;
    const addOf = async (path: string): Promise<unknown> => {
      const { stdout } = await runMlv(['add', '--json', path], { cwd: linked });
      return JSON.parse(stdout).error?.data.paths ?? JSON.parse(stdout).targets[0].state;
    };
    writeFiles(cwd, { 'model.pkl': 'm2', 'data/d/b': 'b2', 'data/new': 'n' });
    await mlv(['add', '-q', 'model.pkl', 'data'], { cwd });
    commitAll(cwd);
    follow();

    expect(await statusOf()).toMatchObject([
      { path: 'data', state: 'behind', behind: true },
      { path: 'model.pkl', state: 'behind', behind: true },
    ]);
    const text = await runMlv(['status'], { cwd: linked });
    expect(text.stdout).toContain('model.pkl  behind its pointer, and not changed here');
    expect(text.stderr).toContain('mlv checkout brings what is behind');
    expect(text.stderr).not.toContain('mlv add');
    expect(await addOf('model.pkl')).toEqual(['model.pkl']);
    expect(await addOf('data/d/b')).toEqual(['data/d/b']);
    expect(await addOf('data/d')).toEqual(['data/d/b']);
    expect(await addOf('data/d/a')).toBe('unchanged');

    // What was changed here is no going back.
    writeFiles(linked, { 'model.pkl': 'mine', 'data/d/b': 'mine' });
    expect(await statusOf()).toMatchObject([{ state: 'modified', behind: true }, { state: 'modified' }]);
    expect(await addOf('data/d/b')).toBe('updated');
    expect(await addOf('model.pkl')).toBe('updated');

    // Nor is the content of before, where the newer one was here first.
    git(linked, 'checkout', '--quiet', '.');
    await mlv(['checkout', '-q', '--force'], { cwd: linked });
    expect(await statusOf()).toMatchObject([{ state: 'unchanged' }, { state: 'unchanged' }]);
    writeFiles(linked, { 'model.pkl': 'm1' });
    expect(await statusOf()).toMatchObject([{ state: 'unchanged' }, { state: 'modified' }]);
    expect(await addOf('model.pkl')).toBe('updated');
  });

  it('lets who was refused go back all the same, as the hint says', async () => {
    const cwd = await makeMlvRepository({ 'model.pkl': 'm1' });
    await mlv(['add', '-q', 'model.pkl'], { cwd });
    commitAll(cwd);
    const first = readFileSync(join(cwd, 'model.pkl.mlv'), 'utf8');
    writeFiles(cwd, { 'model.pkl': 'm2' });
    await mlv(['add', '-q', 'model.pkl'], { cwd });
    commitAll(cwd);
    git(cwd, 'checkout', '--quiet', 'HEAD~1');
    await mlv(['checkout', '-q'], { cwd });
    git(cwd, 'checkout', '--quiet', '-');
    expect((await runMlv(['add', 'model.pkl'], { cwd })).stderr).toContain("mlv rm --keep 'model.pkl' && mlv add");
    await mlv(['rm', '--keep', 'model.pkl'], { cwd });
    await mlv(['add', 'model.pkl'], { cwd });
    expect(readFileSync(join(cwd, 'model.pkl.mlv'), 'utf8')).toBe(first);
  });
});
