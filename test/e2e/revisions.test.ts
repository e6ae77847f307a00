import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { mlv, runMlv } from '../helpers/cli.js';
import { parseDocument } from '../helpers/json-schemas.js';
import { makeMlvRepository } from '../helpers/mlv-repository.js';
import { cloneRepository, commitAll, git } from '../helpers/repository.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

it('transfers what a path is on every branch and tag, not only on one', async () => {
  const cwd = await makeMlvRepository({ 'model.bin': 'on main', 'other.bin': 'only on main' });
  await mlv(['remote', 'add', 'origin', join(temporaryDirectory('store'), 'r')], { cwd });
  await mlv(['add', 'model.bin', 'other.bin'], { cwd });
  commitAll(cwd);
  for (const branch of ['second', 'third']) {
    git(cwd, 'checkout', '--quiet', '-b', branch, 'main');
    writeFileSync(join(cwd, 'model.bin'), `on ${branch}`);
    await mlv(['add', 'model.bin'], { cwd });
    commitAll(cwd);
    git(cwd, 'tag', `tag-${branch}`);
  }
  git(cwd, 'rm', '--quiet', 'other.bin.mlv');
  commitAll(cwd);
  const push = ['push', '--json', '--all-branches', '--dry-run'];
  expect(parseDocument('push', await mlv([...push, 'model.bin'], { cwd })).objects).toBe(3);
  expect(parseDocument('push', await mlv([...push, 'other.bin'], { cwd })).objects).toBe(1);
  expect((await runMlv([...push, 'nothing.bin'], { cwd })).exitCode).toBe(2);
  await mlv(['push', '--all-branches', 'model.bin'], { cwd });
  const clone = cloneRepository(cwd);
  const fetched = await mlv(['fetch', '--json', '--all-tags', '--rev', 'origin/main', 'model.bin'], { cwd: clone });
  expect(parseDocument('fetch', fetched).objects).toBe(3);
});
