import { existsSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { mlv, runMlv } from '../helpers/cli.js';
import { parseDocument } from '../helpers/json-schemas.js';
import { makeMlvRepository, writeFiles } from '../helpers/mlv-repository.js';
import { cloneRepository, commitAll, git } from '../helpers/repository.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

const DAY = 24 * 60 * 60 * 1000;

let origin: string;
let store: string;

/** Lets time pass at the remote. */
function pass(days: number): void {
  for (const name of readdirSync(store, { recursive: true, encoding: 'utf8' })) {
    const then = (statSync(join(store, name)).mtimeMs - days * DAY) / 1000;
    utimesSync(join(store, name), then, then);
  }
}

/** Commits and pushes one version of the data. */
async function version(text: string): Promise<void> {
  writeFiles(origin, { 'data/file.txt': `${text} `.repeat(1000), 'data/nested/other.txt': text });
  await mlv(['add', '-q', 'data'], { cwd: origin });
  commitAll(origin, text);
  await mlv(['push', '-q'], { cwd: origin });
}

/** Forgets the newest commit so that not even a reflog knows it. */
function forgetCommit(): void {
  git(origin, 'reset', '--quiet', '--hard', 'HEAD~1');
  git(origin, 'update-ref', '-d', 'ORIG_HEAD');
  git(origin, 'reflog', 'expire', '--expire=now', '--expire-unreachable=now', '--all');
}

beforeEach(async () => {
  store = join(temporaryDirectory('store'), 'remote');
  origin = await makeMlvRepository();
  await mlv(['remote', 'add', '-q', 'origin', store], { cwd: origin });
  await version('kept');
  await version('dropped');
});

describe('mlv gc --remote', () => {
  it('shows what would go, sets it aside, deletes it after the grace; what is needed is there all the time', async () => {
    forgetCommit();
    pass(14);
    const shown = await runMlv(['gc', '--remote'], { cwd: origin });
    expect(shown.exitCode).toBe(0);
    expect(shown.stdout).toMatch(
      /would set aside 2 records that nothing needs:\n {4}blake3:\S+ {2}a directory, 2 files, .*: file.txt, nested/,
    );
    expect(shown.stdout).toMatch(/would mark 1 pack \(.*\) for deletion/);
    expect(shown.stderr).toContain('mlv gc --remote --yes');
    expect(existsSync(join(store, 'gc/aside'))).toBe(false);

    const first = parseDocument('gc', await mlv(['gc', '--remote', '--yes', '--json'], { cwd: origin }));
    expect(first).toMatchObject({
      remote: 'origin',
      dryRun: false,
      grace: (14 * DAY) / 1000,
      setAside: { records: 2, objects: [{ kind: 'directory', files: 2, names: ['file.txt', 'nested'] }] },
      marked: { packs: 1 },
      swept: { records: 0, packs: 0 },
    });
    const again = await mlv(['gc', '--remote=origin', '--yes'], { cwd: origin });
    expect(again).toMatch(/nothing was taken away\nwaiting for their grace to be over: 2 records and 1 pack/);

    pass(14);
    const last = await mlv(['gc', '--remote', '--yes'], { cwd: origin });
    expect(last).toMatch(/deleted 2 records and 1 pack/);
    const clone = cloneRepository(origin);
    await mlv(['pull', '-q'], { cwd: clone });
    expect(await mlv(['fsck', '--remote'], { cwd: clone })).toBeDefined();
  });

  it('keeps what only a stash and another working tree still need', async () => {
    git(origin, 'worktree', 'add', '--quiet', '--detach', join(temporaryDirectory('linked'), 'tree'));
    writeFiles(origin, { 'data/file.txt': 'only in the stash' });
    await mlv(['add', '-q', 'data'], { cwd: origin });
    await mlv(['push', '-q'], { cwd: origin });
    git(origin, 'stash', 'push', '--quiet');
    git(origin, 'reset', '--quiet', '--hard', 'HEAD~1');
    git(origin, 'update-ref', '-d', 'ORIG_HEAD');
    git(origin, 'reflog', 'expire', '--expire=now', '--expire-unreachable=now', 'HEAD', 'main');
    pass(30);
    expect(await mlv(['gc', '--remote', '--yes'], { cwd: origin })).toContain('nothing was taken away');
  });

  it('brings back what a branch needs again, and a pull finds it even before', async () => {
    const clone = cloneRepository(origin);
    forgetCommit();
    pass(14);
    await mlv(['gc', '--remote', '--yes', '-q'], { cwd: origin });
    await mlv(['pull', '-q'], { cwd: clone });
    git(origin, 'fetch', '--quiet', clone, 'main:back');
    expect(await mlv(['gc', '--remote', '--yes'], { cwd: origin })).toContain('brought back 2 records');
    expect(await mlv(['push', '--all-branches'], { cwd: origin })).toMatch(/^up to date/);
  });

  it('refuses in a clone that does not see everything, and says what to do', async () => {
    const clone = cloneRepository(origin);
    writeFiles(origin, { 'other.txt': 'other' });
    commitAll(origin);
    const stale = await runMlv(['gc', '--remote', '--json'], { cwd: clone });
    expect(stale.exitCode).toBe(1);
    expect(parseError(stale.stdout)).toMatchObject({
      code: 'HISTORY_INCOMPLETE',
      hint: expect.stringMatching(/git fetch/),
    });
    const offline = await runMlv(['gc', '--remote', '--offline'], { cwd: clone });
    expect([offline.exitCode, offline.stderr]).toEqual([0, expect.stringContaining('the Git remotes were not asked')]);
    const shallow = cloneRepository(`file://${origin}`, '--depth=1');
    expect(parseError((await runMlv(['gc', '--remote', '--json'], { cwd: shallow })).stdout)).toMatchObject({
      code: 'HISTORY_INCOMPLETE',
      hint: expect.stringContaining('--unshallow'),
    });
  });

  it('refuses where a pointer of the past cannot be read, names it, and goes on when told to', async () => {
    writeFileSync(join(origin, 'video.mlv'), 'MLVI');
    commitAll(origin);
    const refused = await runMlv(['gc', '--remote'], { cwd: origin });
    expect([refused.exitCode, refused.stderr]).toEqual([
      5,
      expect.stringMatching(/'video\.mlv'.*\(commit [0-9a-f]{12}\)/),
    ]);
    const passed = await runMlv(['gc', '--remote', '--ignore-unreadable'], { cwd: origin });
    expect([passed.exitCode, passed.stderr]).toEqual([0, expect.stringContaining("passed over: 'video.mlv'")]);
  });

  it('needs a duration that is one, and not too short, and no options of the other collection', async () => {
    const wrong = [
      ['--remote', '--grace', 'soon'],
      ['--remote', '--grace', '0h'],
      ['--remote', '--workspace'],
      ['--offline'],
    ];
    for (const options of wrong) {
      const args = ['gc', ...options];
      const result = await runMlv(args, { cwd: origin });
      expect([result.exitCode, result.stdout]).toEqual([2, '']);
    }
    forgetCommit();
    pass(1);
    const short = await mlv(['gc', '--remote', '--grace', '12h'], { cwd: origin });
    expect(short).toContain('would set aside 2 records');
    expect((await runMlv(['gc', '--remote=nowhere'], { cwd: origin })).exitCode).toBe(2);
  });
});

describe('mlv remote copy', () => {
  it('says what it would copy, copies it, and a clone can be restored from the copy alone', async () => {
    const backup = join(temporaryDirectory('backup'), 'remote');
    await mlv(['remote', 'add', '-q', 'backup', backup], { cwd: origin });
    commitAll(origin);
    expect(await mlv(['remote', 'copy', 'origin', 'backup', '--dry-run'], { cwd: origin })).toMatch(
      /^would copy 2 packs and 4 records/,
    );
    expect(existsSync(backup)).toBe(false);
    const copied = parseDocument(
      'remote copy',
      await mlv(['remote', 'copy', 'origin', 'backup', '--json'], { cwd: origin }),
    );
    expect(copied).toMatchObject({ dryRun: false, packs: 2, records: 4, present: 0, failed: [] });
    expect(copied.bytesUp).toBeGreaterThanOrEqual(copied.bytes);
    expect(await mlv(['remote', 'copy', 'origin', 'backup'], { cwd: origin })).toMatch(
      /^copied 0 packs and 0 records, 0 B, 6 were there already/,
    );
    rmSync(store, { recursive: true });
    const clone = cloneRepository(origin);
    await mlv(['pull', '-q', '--remote', 'backup'], { cwd: clone });
    expect(git(clone, 'status', '--porcelain')).toBe('');
    expect(existsSync(join(clone, 'data/nested/other.txt'))).toBe(true);
  });

  it('ends with 5 and names what is damaged, with everything else copied', async () => {
    const backup = join(temporaryDirectory('backup'), 'remote');
    await mlv(['remote', 'add', '-q', 'backup', backup], { cwd: origin });
    const packs = readdirSync(join(store, 'packs'), { recursive: true, encoding: 'utf8' }).filter(
      (name) => name.length > 60,
    );
    writeFileSync(join(store, 'packs', packs[0] as string), 'damaged');
    const result = await runMlv(['remote', 'copy', 'origin', 'backup', '--json'], { cwd: origin });
    expect(result.exitCode).toBe(5);
    const document = parseDocument('remote copy', result.stdout);
    expect(document).toMatchObject({ packs: 1, error: { code: 'OBJECT_CORRUPT' } });
    expect(document.failed.length).toBeGreaterThan(1);
    expect((await runMlv(['remote', 'copy', 'origin', 'origin'], { cwd: origin })).exitCode).toBe(2);
    expect((await runMlv(['remote', 'copy', 'origin', 'nowhere'], { cwd: origin })).exitCode).toBe(2);
  });
});

function parseError(stdout: string): unknown {
  return (JSON.parse(stdout) as { error: unknown }).error;
}
