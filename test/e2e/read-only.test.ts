import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mlv, runMlv } from '../helpers/cli.js';
import { makeMlvRepository } from '../helpers/mlv-repository.js';
import { commitAll } from '../helpers/repository.js';
import { type SmallDisk, smallDisk } from '../helpers/small-disk.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

const FILES = { 'data/a/x': 'x', 'data/b/y': 'y', 'model.pkl': 'm' };

/** A repository on a disk of its own, pushed to a directory elsewhere, whose files nothing has looked at there yet. */
async function onDisk(disk: SmallDisk): Promise<string> {
  const origin = await makeMlvRepository(FILES);
  await mlv(['remote', 'add', 'origin', join(temporaryDirectory('store'), 'mlv')], { cwd: origin });
  await mlv(['add', 'data', 'model.pkl'], { cwd: origin });
  commitAll(origin, 'data');
  await mlv(['push'], { cwd: origin });
  const cwd = join(disk.path, 'repository');
  cpSync(origin, cwd, { recursive: true });
  return cwd;
}

describe('a repository where nothing can be written', () => {
  it('is checked out and pulled where nothing is to be done, whole, by name and in part', async ({ skip }) => {
    const disk = smallDisk(12_000) ?? skip('needs the right to mount');
    const cwd = await onDisk(disk);
    disk.makeReadOnly();
    for (const operands of [[], ['data'], ['model.pkl'], ['data/a'], ['data/b/y']]) {
      const checkedOut = await runMlv(['checkout', ...operands], { cwd });
      expect(checkedOut, operands.join()).toMatchObject({ exitCode: 0, stdout: 'everything is as the pointers say\n' });
      const pulled = await runMlv(['pull', ...operands, '--json'], { cwd });
      expect(pulled, operands.join()).toMatchObject({ exitCode: 0 });
      expect(JSON.parse(pulled.stdout)).toMatchObject({ checkout: { written: 0, refused: [], failed: [] } });
    }
  });

  it('says so where something is to be done, and what was changed there is not taken for what is tracked', async ({
    skip,
  }) => {
    const disk = smallDisk(12_000) ?? skip('needs the right to mount');
    const cwd = await onDisk(disk);
    await mlv(['checkout'], { cwd });
    writeFileSync(join(cwd, 'data/a/x'), 'z');
    writeFileSync(join(cwd, 'model.pkl'), 'n');
    disk.makeReadOnly();
    for (const path of ['data', 'model.pkl']) {
      const kept = await runMlv(['checkout', path, '--json'], { cwd });
      expect(kept.exitCode).not.toBe(0);
      const forced = await runMlv(['checkout', path, '--force', '--json'], { cwd });
      expect(JSON.parse(forced.stdout)).toMatchObject({ error: { code: 'FILE_SYSTEM' } });
      expect(forced.stdout).toContain('the file system is read-only');
    }
  });
});
