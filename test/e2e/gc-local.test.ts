import { chmodSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { collect, mlv, runMlv, startMlv } from '../helpers/cli.js';
import { parseDocument } from '../helpers/json-schemas.js';
import { makeMlvRepository, writeFiles } from '../helpers/mlv-repository.js';
import { testEvent, testManifest, testRegistry } from '../helpers/registry.js';
import { commitAll, git } from '../helpers/repository.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

let top: string;

const read = (path: string): string => readFileSync(join(top, path), 'utf8');
const oidOf = (pointer: string): string => /^oid: (\S+)$/m.exec(read(pointer))?.[1] ?? '';
const objects = (): string[] =>
  readdirSync(join(top, '.git/mlv/objects'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.length > 60)
    .map((name) => name.replace(/\W/g, '').replace('blake3', ''));
const holds = (oid: string): boolean => objects().includes(oid.replace('blake3:', ''));

async function gc(...args: string[]) {
  return parseDocument('gc', await mlv(['gc', '--json', ...args], { cwd: top })) as Record<string, unknown> & {
    removed: { objects: number; versions: { path: string; commit: string }[] };
    unproven: { path: string; commit: string }[];
    unnamed: { objects: number };
    kept: { reason: string }[];
  };
}

/** A commit of one version of the data; gives its name and that of its tree. */
async function version(text: string, { push = true } = {}): Promise<{ commit: string; oid: string }> {
  writeFiles(top, { 'data/file.txt': text, 'data/deep/same.txt': 'always the same' });
  await mlv(['add', '-q', 'data'], { cwd: top });
  const commit = commitAll(top, text);
  if (push) await mlv(['push', '-q'], { cwd: top });
  return { commit, oid: oidOf('data.mlv') };
}

beforeEach(async () => {
  top = await makeMlvRepository();
  await mlv(['remote', 'add', '-q', 'store', join(temporaryDirectory('store'), 'remote')], { cwd: top });
});

describe('mlv gc of the cache', () => {
  it('keeps what the scope needs and what no remote has; the rest comes back by a pull', async () => {
    const first = await version('first');
    const second = await version('second');
    git(top, 'checkout', '--quiet', '-b', 'side');
    const unpushed = await version('never pushed', { push: false });
    git(top, 'checkout', '--quiet', 'main');
    await mlv(['checkout', '-q'], { cwd: top });
    writeFiles(top, { 'data/file.txt': 'added, and given up' });
    await mlv(['add', '-q', 'data'], { cwd: top });
    const givenUp = oidOf('data.mlv');
    git(top, 'checkout', '--quiet', 'data.mlv');
    await mlv(['checkout', '-q', 'data'], { cwd: top });

    expect(await gc()).toMatchObject({ dryRun: true, scope: null, removed: { objects: 0 }, unnamed: { objects: 2 } });
    const shown = await gc('--workspace');
    expect(shown.removed.versions).toMatchObject([{ path: 'data', commit: first.commit, objects: 2, remote: 'store' }]);
    expect(shown.unproven).toMatchObject([{ path: 'data', commit: unpushed.commit }]);
    expect((await gc('--last', '2')).removed.objects).toBe(0);
    expect((await gc('--since', '2020-01-01')).removed.objects).toBe(0);
    expect(holds(first.oid)).toBe(true);

    const text = await mlv(['gc', '--workspace', '--yes'], { cwd: top });
    expect(text).toContain(`    data@${first.commit.slice(0, 12)}  2 objects (`);
    expect([first, second, unpushed].map(({ oid }) => holds(oid))).toEqual([false, true, true]);
    expect(holds(givenUp)).toBe(true);
    git(top, 'checkout', '--quiet', first.commit);
    await mlv(['pull', '-q'], { cwd: top });
    expect([read('data/file.txt'), read('data/deep/same.txt')]).toEqual(['first', 'always the same']);

    expect((await gc('--unnamed', '--yes')).unnamed.objects).toBe(2);
    expect(holds(givenUp)).toBe(true);
    expect(await gc('--unnamed', '--grace', '0h', '--yes')).toMatchObject({
      removed: { objects: 2, unnamed: { lost: { objects: 2 } } },
    });
    expect([holds(givenUp), holds(unpushed.oid)]).toEqual([false, true]);
    await mlv(['fsck'], { cwd: top });
  });

  it('keeps the stash, other working trees with index and HEAD, and what links lead to', async () => {
    const stashed = await version('stashed');
    git(top, 'reset', '--quiet', '--hard', 'HEAD~0');
    const other = await version('of the other working tree');
    const linked = join(temporaryDirectory('linked'), 'tree');
    git(top, 'worktree', 'add', '--quiet', '--detach', linked);
    await version('newest');
    writeFiles(top, { 'data.mlv': git(top, 'show', `${stashed.commit}:data.mlv`) });
    git(top, 'stash', '--quiet');
    await mlv(['config', 'set', '-q', 'cache.link', 'symlink'], { cwd: linked });
    await mlv(['checkout', '-q'], { cwd: linked });
    const gone = await gc('--workspace', '--yes');
    expect(gone.kept.map(({ reason }) => reason)).toEqual(['working trees', 'stash']);
    expect([holds(stashed.oid), holds(other.oid)]).toEqual([true, true]);
    // The pointer moves on, and the files of the workspace are links still.
    git(linked, 'checkout', '--quiet', 'main~2');
    git(top, 'stash', 'drop', '--quiet');
    await gc('--workspace', '--yes');
    expect(readFileSync(join(linked, 'data/file.txt'), 'utf8')).toBe('of the other working tree');
  });

  it('keeps versions on a stage and the newest, and says which rule keeps what', async () => {
    const registry = await testRegistry(top, { judge: () => {} });
    const made: { commit: string; oid: string }[] = [];
    for (const [at, text] of ['one', 'two', 'three', 'four'].entries()) {
      const each = await version(text);
      made.push(each);
      const item = { path: 'data', oid: each.oid, sha256: `sha256:${'b'.repeat(64)}`, size: 20, files: 2 };
      const manifest = testManifest(each.commit, { version: `1.${at}.0`, artifacts: [item] });
      const events =
        at === 0 ? [testEvent(manifest, { type: 'promoted', stage: 'production', from: 'none', traffic: 100 })] : [];
      await registry.change(() => ({ subject: text, register: { manifest }, events }));
    }
    await version('after all of them');
    await mlv(['config', 'set', '-q', '--project', 'retention.last', '2'], { cwd: top });
    const shown = await mlv(['gc', '--workspace'], { cwd: top });
    expect(shown).toMatch(/fraud@1\.3\.0 {2}one of the last 2\n {4}fraud@1\.2\.0 {2}one of the last 2\n/);
    expect(shown).toMatch(/fraud@1\.0\.0 {2}on production\n {4}1 version that no rule keeps/);
    await gc('--workspace', '--yes');
    expect(made.map(({ oid }) => holds(oid))).toEqual([true, false, true, true]);
    expect(await gc()).toMatchObject({ retention: { released: ['fraud@1.1.0'] } });
    const wrong = await runMlv(['config', 'set', '--project', 'retention.last', '0'], { cwd: top });
    expect(wrong.exitCode).toBe(2);
    writeFiles(top, { 'mlv.yaml': `${read('mlv.yaml')}\n`.replace('last: 2', 'lats: 2') });
    const misspelt = await runMlv(['gc'], { cwd: top });
    expect([misspelt.exitCode, misspelt.stderr]).toEqual([2, expect.stringMatching(/mlv\.yaml:\d+.*retention\.lats/s)]);
  });

  it('loses nothing that commands name beside it, again and again', async () => {
    await version('base');
    const contents = Array.from({ length: 40 }, (_, at) => [`many/${at}.txt`, `content ${at}`] as const);
    for (let round = 0; round < 4; round++) {
      // What nothing names now is about to be named again.
      writeFiles(top, Object.fromEntries(contents));
      await mlv(['add', '-q', 'many'], { cwd: top });
      await mlv(['rm', '-q', '--keep', 'many'], { cwd: top });
      const adding = collect(startMlv(['add', '-q', 'many'], { cwd: top }));
      const collecting = ['gc', '--unnamed', '--grace', '0h', '--yes', '-q'];
      const collections = [1, 2].map(() => collect(startMlv(collecting, { cwd: top })));
      expect((await adding).exitCode).toBe(0);
      for (const { exitCode, stderr } of await Promise.all(collections)) expect([exitCode, stderr]).toEqual([0, '']);
      const { targets } = parseDocument('status', await mlv(['status', '--json'], { cwd: top })) as unknown as {
        targets: { missing: { objects: number } }[];
      };
      expect(targets.map(({ missing }) => missing.objects)).toEqual([0, 0]);
      await mlv(['rm', '-q', '--keep', 'many'], { cwd: top });
    }
  });

  it('killed anywhere is finished by the next', async () => {
    const first = await version('first');
    const second = await version('second');
    for (let round = 0; round < 3; round++) {
      const child = startMlv(['gc', '--workspace', '--yes'], { cwd: top });
      const ended = collect(child);
      const watching = setInterval(() => holds(first.oid) || child.kill('SIGKILL'), 1);
      await ended;
      clearInterval(watching);
    }
    await gc('--workspace', '--yes');
    expect([holds(first.oid), holds(second.oid)]).toEqual([false, true]);
    await mlv(['fsck'], { cwd: top });
  });

  it('removes nothing where it cannot ask a remote, or may not write', async () => {
    const first = await version('first');
    await version('second');
    if (process.getuid?.() !== 0) {
      chmodSync(join(top, '.git/mlv'), 0o555);
      const denied = await runMlv(['gc', '--workspace', '--yes'], { cwd: top });
      chmodSync(join(top, '.git/mlv'), 0o755);
      expect([denied.exitCode, denied.stderr]).toEqual([1, expect.stringContaining('permission denied')]);
    }
    await mlv(['config', 'set', '-q', '--project', 'remote.store.url', join(temporaryDirectory(), 'gone')], {
      cwd: top,
    });
    const offline = await runMlv(['gc', '--workspace', '--yes', '--json'], { cwd: top });
    expect(JSON.parse(offline.stdout)).toMatchObject({ removed: { objects: 0 } });
    rmSync(join(top, 'mlv.yaml'));
    git(top, 'checkout', '--quiet', 'mlv.yaml');
    await mlv(['remote', 'remove', '-q', 'store'], { cwd: top });
    const none = await runMlv(['gc', '--workspace', '--yes'], { cwd: top });
    expect([none.exitCode, none.stderr]).toEqual([0, expect.stringContaining('there is no remote')]);
    expect(holds(first.oid)).toBe(true);
  });
});
