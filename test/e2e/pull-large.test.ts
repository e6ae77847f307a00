import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { randomBytes } from '../helpers/big-data.js';
import { mlv, runMlv } from '../helpers/cli.js';
import { gitTestEnvironment } from '../helpers/git.js';
import { makeMlvRepository } from '../helpers/mlv-repository.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

const FIRST = randomBytes(6_000_000, 1);
const SECOND = Buffer.concat([FIRST.subarray(0, 3_000_000), randomBytes(60_000, 2), FIRST.subarray(3_000_000)]);

function git(cwd: string, ...args: string[]): void {
  execFileSync('git', args, { cwd, stdio: 'ignore', env: { ...process.env, ...gitTestEnvironment() } });
}

const leftovers = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) => name.includes('.mlv-'));

it('pulls large files, a new version of them, and leaves alone what was changed here', async () => {
  const ours = await makeMlvRepository({ 'model.bin': FIRST, 'data/deep/large.bin': FIRST, 'data/small': 'small' });
  const run = (cwd: string, ...args: string[]): Promise<string> => mlv(args, { cwd });
  await run(ours, 'remote', 'add', 'origin', temporaryDirectory('remote'));
  const save = async (message: string): Promise<void> => {
    await run(ours, 'add', 'model.bin', 'data');
    await run(ours, 'push');
    git(ours, 'add', '-A');
    git(ours, 'commit', '-qm', message);
  };
  await save('first');
  const theirs = join(temporaryDirectory('clones'), 'theirs');
  git(ours, 'clone', '-q', ours, theirs);
  await run(theirs, 'pull');
  const large = join(theirs, 'data/deep/large.bin');
  const model = join(theirs, 'model.bin');
  for (const path of [large, model]) expect(readFileSync(path).equals(FIRST)).toBe(true);
  expect(statSync(large).ino).not.toBe(statSync(model).ino);
  expect(statSync(model).mode & 0o777).toBe(0o666 & ~process.umask());
  expect(leftovers(theirs)).toEqual([]);
  expect(await run(theirs, 'status', '--json')).toContain('"changes": []');

  for (const path of ['model.bin', 'data/deep/large.bin']) writeFileSync(join(ours, path), SECOND);
  await save('second');
  git(theirs, 'pull', '-q');
  const mine = Buffer.concat([FIRST, Buffer.from('mine')]);
  writeFileSync(model, mine);
  expect(await runMlv(['pull'], { cwd: theirs })).not.toMatchObject({ exitCode: 0 });
  expect(readFileSync(model).equals(mine)).toBe(true);
  expect(readFileSync(large).equals(SECOND)).toBe(true);
  expect(leftovers(theirs)).toEqual([]);

  // Without the cache, what is in the workspace is still not lost: it is the same content, and stays.
  rmSync(join(theirs, '.git/mlv/objects'), { recursive: true });
  await run(theirs, 'pull', '--force');
  for (const path of [large, model]) expect(readFileSync(path).equals(SECOND)).toBe(true);
  expect(leftovers(theirs)).toEqual([]);
});
