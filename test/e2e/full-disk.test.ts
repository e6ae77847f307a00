import { cpSync, mkdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { randomBytes } from '../helpers/big-data.js';
import { describeTree } from '../helpers/describe-tree.js';
import { cloneDvc, dvcFiles, dvcFixtures } from '../helpers/dvc-fixture.js';
import { writeFiles } from '../helpers/mlv-repository.js';
import { quickly } from '../helpers/quick-probe.js';
import { commitAll, git } from '../helpers/repository.js';
import { smallDisk } from '../helpers/small-disk.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

const { mlv, run: runMlv } = quickly;
const KIB = 1024;

interface Disk {
  /** An empty directory on it. */
  path: string;
  /** Runs mlv while so many KiB are free; gives the code of the error, or `done`. Then there is room again. */
  withFree(kibibytes: number, args: readonly string[], cwd: string): Promise<string>;
}

function diskOf(skip: (note: string) => never): Disk {
  const { path } = smallDisk(12_000) ?? skip('needs the right to mount');
  const filler = join(path, 'filler');
  return {
    path,
    async withFree(kibibytes, args, cwd) {
      const { bavail, bsize } = statfsSync(path);
      writeFileSync(filler, Buffer.alloc(bavail * bsize - kibibytes * KIB));
      const { exitCode, stdout, stderr } = await runMlv([...args, '--json'], { cwd });
      rmSync(filler);
      if (exitCode === 0) return 'done';
      const { error } = JSON.parse(stdout) as { error: { code: string; hint?: string } };
      expect([exitCode, error.hint], stderr).toEqual([1, expect.stringContaining('free some space')]);
      return error.code;
    },
  };
}

/** Everything but what Git and mlv keep for themselves. */
const visible = (path: string): Record<string, string> => describeTree(path, (name) => /(^|\/)\.git$/.test(name));
const objectsOf = (cwd: string): number =>
  Object.keys(describeTree(join(cwd, '.git', 'mlv', 'objects'))).filter((name) => name.length > 60).length;

/** A repository on the disk, with files that are tracked and committed, and on a remote elsewhere where one is wanted. */
async function repositoryOn({ path }: Disk, files: Record<string, Uint8Array>, remote = true): Promise<string> {
  const cwd = join(path, 'repository');
  mkdirSync(cwd);
  git(cwd, 'init', '--quiet', '--initial-branch=main');
  await mlv(['init', '-q'], { cwd });
  writeFiles(cwd, files);
  await mlv(['add', '-q', ...new Set(Object.keys(files).map((name) => name.split('/')[0] ?? ''))], { cwd });
  if (remote) await mlv(['remote', 'add', 'origin', temporaryDirectory('store'), '-q'], { cwd });
  commitAll(cwd, 'one');
  if (remote) await mlv(['push', '-q'], { cwd });
  return cwd;
}

const PARTS = Object.fromEntries(
  [0, 1, 2, 3].map((index) => [`data/${index % 2}/${index}`, randomBytes(20_000, index)]),
);

describe('on a full disk', () => {
  it('gc and drop of whole targets free it: they need no room', async ({ skip }) => {
    const disk = diskOf(skip);
    const cwd = await repositoryOn(disk, { ...PARTS, big: randomBytes(300_000, 9) });
    const before = visible(cwd);
    writeFiles(cwd, { big: randomBytes(200_000, 10) });
    await mlv(['add', '-q', 'big'], { cwd });
    commitAll(cwd, 'two');
    await mlv(['push', '-q'], { cwd });
    const all = objectsOf(cwd);
    expect(await disk.withFree(0, ['gc', '--workspace', '--yes'], cwd)).toBe('done');
    expect(objectsOf(cwd)).toBe(all - 1);
    await mlv(['fsck'], { cwd });
    expect(await disk.withFree(0, ['drop', 'big'], cwd)).toBe('done');
    expect(objectsOf(cwd)).toBe(all - 2);
    git(cwd, 'checkout', '--quiet', 'HEAD~1');
    await mlv(['pull', 'big', 'data'], { cwd });
    expect(visible(cwd)).toEqual(before);
  });

  it('drop of a part, and sparse, change nothing before there is room for what they note', async ({ skip }) => {
    const disk = diskOf(skip);
    const cwd = await repositoryOn(disk, PARTS);
    const before = visible(cwd);
    for (const free of [0, 4]) {
      expect(await disk.withFree(free, ['drop', 'data/0'], cwd)).toBe('DISK_FULL');
      expect(visible(cwd)).toEqual(before);
    }
    expect(await disk.withFree(100, ['drop', 'data/0'], cwd)).toBe('done');
    const kept = visible(join(cwd, 'data'));
    for (const free of [0, 12, 32, 60]) {
      expect(await disk.withFree(free, ['sparse', 'set', 'data/0'], cwd)).toBe('DISK_FULL');
      expect(visible(join(cwd, 'data'))).toMatchObject(kept);
      await mlv(['fsck'], { cwd });
    }
    await mlv(['sparse', 'set', 'data/0'], { cwd });
    await mlv(['pull', 'data'], { cwd });
    expect(visible(cwd)).toEqual(before);
  });

  it('cache migrate stops anywhere, and is finished by the next call', async ({ skip }) => {
    const disk = diskOf(skip);
    const cwd = await repositoryOn(disk, { ...PARTS, big: randomBytes(300_000, 9) }, false);
    const args = ['cache', 'migrate', join(disk.path, 'cache')];
    const codes: string[] = [];
    for (let free = 0; codes.at(-1) !== 'done'; free += 4) {
      codes.push(await disk.withFree(free, args, cwd));
      const { exitCode, stderr } = await runMlv(['status'], { cwd });
      // Between the two switches commands say where the cache is, and touch nothing.
      if (exitCode !== 0) expect(stderr).toContain('was moved to');
    }
    expect(codes.length).toBeGreaterThan(2);
    await mlv(args, { cwd });
    expect(await mlv(['fsck'], { cwd })).toContain('0 damaged');
    expect(await mlv(['cache', 'dir'], { cwd })).toContain(join(disk.path, 'cache'));

    // To another disk, which has no room for all of it: each object is copied, and the former cache stays whole.
    const other = diskOf(skip);
    const away = ['cache', 'migrate', join(other.path, 'cache')];
    for (const free of [0, 60, 200]) {
      expect(await other.withFree(free, away, cwd)).toBe('DISK_FULL');
      expect(await mlv(['fsck'], { cwd })).toContain('0 damaged');
    }
    await mlv(away, { cwd });
    expect(await mlv(['fsck'], { cwd })).toContain('0 damaged');
    rmSync(join(cwd, 'big'));
    await mlv(['checkout', '-q', 'big'], { cwd });
    expect(readFileSync(join(cwd, 'big')).equals(Buffer.from(randomBytes(300_000, 9)))).toBe(true);
  });

  it('restore, reproduce and export leave nothing behind that passes for a whole', async ({ skip }) => {
    const disk = diskOf(skip);
    const cwd = await repositoryOn(disk, PARTS, false);
    writeFiles(cwd, { 'train.sh': Buffer.from('cat data/*/* > model.bin; echo \'{"auc": 0.5}\' > metrics.json\n') });
    const what = ['-d', 'data', '-d', 'train.sh', '-o', 'model.bin', '-m', 'metrics.json'];
    await mlv(['run', '-q', ...what, '--', 'sh', 'train.sh'], { cwd });
    commitAll(cwd, 'trained');
    await mlv(['register', 'fraud', 'model.bin', '--data', 'data', '--metrics', 'metrics.json'], { cwd });
    const before = visible(disk.path);
    const to = join(disk.path, 'restored');
    for (const free of [0, 40, 80, 160]) {
      expect(await disk.withFree(free, ['restore', 'fraud@1.0.0', '--to', to], cwd)).toBe('DISK_FULL');
      expect(visible(disk.path)).toEqual(before);
    }
    await mlv(['restore', 'fraud@1.0.0', '--to', to], { cwd });
    expect(readFileSync(join(to, 'model.bin'))).toEqual(readFileSync(join(cwd, 'model.bin')));
    const restored = visible(disk.path);

    // The working tree of a reproduction is on another disk; here is the registry that the event goes to.
    expect(await disk.withFree(0, ['reproduce', 'fraud@1.0.0'], cwd)).toBe('DISK_FULL');
    expect(visible(disk.path)).toEqual(restored);
    expect(await mlv(['reproduce', 'fraud@1.0.0'], { cwd })).toContain('bit-identical');
    git(cwd, 'fsck', '--no-dangling');

    const [bom, runs] = [join(disk.path, 'bom.json'), join(disk.path, 'runs')];
    writeFileSync(bom, 'mine');
    for (const [free, format, output] of [
      [0, 'cyclonedx', bom],
      [4, 'cyclonedx', bom],
      [0, 'mlflow', runs],
      [80, 'mlflow', runs],
    ] as const) {
      const args = ['export', 'fraud@1.0.0', '--format', format, '-o', output];
      const forced = format === 'cyclonedx' ? [...args, '--force'] : args;
      expect(await disk.withFree(free, forced, cwd)).toBe('DISK_FULL');
      expect(readFileSync(bom, 'utf8')).toBe('mine');
      rmSync(bom);
      expect(visible(disk.path)).toEqual(restored);
      writeFileSync(bom, 'mine');
    }
    await mlv(['export', 'fraud@1.0.0', '--format', 'cyclonedx', '-o', bom, '--force'], { cwd });
    await mlv(['export', 'fraud@1.0.0', '--format', 'mlflow', '-o', runs], { cwd });
  });

  it('migrate dvc leaves DVC as it is until all of it is there', async ({ skip }) => {
    const disk = diskOf(skip);
    const { directory } = dvcFixtures()[0] ?? skip('no fixture');
    const cwd = join(disk.path, 'repository');
    cpSync(cloneDvc(directory), cwd, { recursive: true, preserveTimestamps: true });
    const expected = dvcFiles(cwd, directory, 'HEAD');
    const before = [visible(cwd), git(cwd, 'rev-parse', 'HEAD'), git(cwd, 'status', '--porcelain')];
    for (const free of [0, 24, 64, 24, 0]) {
      expect(await disk.withFree(free, ['migrate', 'dvc'], cwd)).toBe('DISK_FULL');
      expect([visible(cwd), git(cwd, 'rev-parse', 'HEAD'), git(cwd, 'status', '--porcelain')]).toEqual(before);
    }
    await mlv(['migrate', 'dvc'], { cwd });
    await mlv(['checkout', '-q'], { cwd });
    for (const [path, bytes] of expected) expect(readFileSync(join(cwd, path)), path).toEqual(bytes);
    await mlv(['fsck'], { cwd });
    git(cwd, 'fsck', '--no-dangling');
  });
});
