import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { randomBytes } from '../helpers/big-data.js';
import { mlv, runMlv } from '../helpers/cli.js';
import { gitTestEnvironment } from '../helpers/git.js';
import { makeMlvRepository } from '../helpers/mlv-repository.js';
import { registeringRepository, WHOLE } from '../helpers/registered.js';
import { cloneRepository } from '../helpers/repository.js';
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

it('brings a version with large files, into a clone and to where there is none, each a file of its own', async () => {
  const large = randomBytes(3_000_000, 3).toString('hex');
  const { upstream, mlv: run, commit } = await registeringRepository();
  await commit({ 'model.pkl': large, 'data/same.bin': large });
  await run('register', 'fraud', ...WHOLE, '--version', '1.0.0');
  const isWhole = (directory: string): void => {
    const paths = ['model.pkl', 'data/same.bin'].map((path) => join(directory, path));
    for (const path of paths) {
      expect(readFileSync(path, 'utf8') === large).toBe(true);
      expect(statSync(path)).toMatchObject({ nlink: 1, mode: 0o100666 & ~process.umask() });
    }
  };
  const clone = cloneRepository(upstream);
  writeFileSync(join(clone, 'model.pkl'), 'mine');
  expect(await runMlv(['pull', 'fraud@1.0.0'], { cwd: clone })).not.toMatchObject({ exitCode: 0 });
  expect(readFileSync(join(clone, 'model.pkl'), 'utf8')).toBe('mine');
  expect(leftovers(clone)).toEqual([]);
  expect(readdirSync(join(clone, '.git/mlv/tmp'))).toEqual([]);
  rmSync(join(clone, '.git/mlv/objects'), { recursive: true });
  await mlv(['pull', 'fraud@1.0.0', '--force'], { cwd: clone });
  isWhole(clone);
  expect(leftovers(clone)).toEqual([]);
  expect(readdirSync(join(clone, '.git/mlv/tmp'))).toEqual([]);

  const cwd = temporaryDirectory('elsewhere');
  await mlv(['get', upstream, 'fraud@1.0.0', '-o', 'model'], { cwd });
  isWhole(join(cwd, 'model'));
  expect(readdirSync(cwd)).toEqual(['model']);
});
