import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { mlv, runMlv } from '../helpers/cli.js';
import { parseDocument } from '../helpers/json-schemas.js';
import { makeMlvRepository, writeFiles } from '../helpers/mlv-repository.js';
import { cloneRepository, commitAll, git } from '../helpers/repository.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

/** A repository with a commit for each content of its one file, oldest first; and the store of its remote. */
async function withHistory(contents: readonly string[]): Promise<{ cwd: string; store: string; commits: string[] }> {
  const cwd = await makeMlvRepository();
  const store = join(temporaryDirectory('store'), 'new');
  await mlv(['remote', 'add', 'origin', store], { cwd });
  const commits: string[] = [];
  for (const content of contents) {
    writeFiles(cwd, { 'model.pkl': content });
    await mlv(['add', '-q', 'model.pkl'], { cwd });
    commitAll(cwd);
    commits.push(git(cwd, 'rev-parse', 'HEAD').trim());
  }
  return { cwd, store, commits };
}

/** What follows `mlv` in the first command of a text that begins so, up to what ends it. */
function commandIn(text: string, beginning: string): string[] {
  const command = text.slice(text.indexOf(`mlv ${beginning}`)).split(/ sends it|[;\n]/)[0] ?? '';
  return command.trim().split(' ').slice(1);
}

it('push --all-commits sends what commits between the tips named, and the advice of gc does so, too', async () => {
  const { cwd, commits } = await withHistory(['m1', 'm2', 'm3', 'm4']);
  await mlv(['push', '--all-branches', '--all-tags'], { cwd });
  const advice = commandIn((await runMlv(['gc', '--workspace'], { cwd })).stderr, 'push');
  expect(advice.filter((word) => word !== '--rev').slice(1)).toHaveLength(3);
  await mlv(['push', '--rev', commits[1] as string], { cwd });
  const next = commandIn((await runMlv(['gc', '--workspace'], { cwd })).stderr, 'push');
  expect(next.filter((word) => word !== '--rev').slice(1)).toHaveLength(2);
  await mlv(next, { cwd });
  expect((await runMlv(['gc', '--workspace'], { cwd })).stderr).not.toContain('mlv push');
  const all = parseDocument('push', await mlv(['push', '--json', '--all-commits'], { cwd }));
  expect(all).toMatchObject({ upToDate: 4, objects: 0, failed: [] });

  const { cwd: many, commits: each } = await withHistory(['n1', 'n2', 'n3', 'n4', 'n5']);
  expect(commandIn((await runMlv(['gc', '--workspace'], { cwd: many })).stderr, 'push')).toContain('--all-commits');
  expect(parseDocument('push', await mlv(['push', '--json', '--all-commits'], { cwd: many }))).toMatchObject({
    upToDate: 0,
    failed: [],
  });
  const clone = cloneRepository(many);
  git(clone, 'checkout', '--quiet', '--detach', each[1] as string);
  await mlv(['pull'], { cwd: clone });
  expect(readFileSync(join(clone, 'model.pkl'), 'utf8')).toBe('n2');

  const refused = await runMlv(['push', '--all-commits', 'model.pkl'], { cwd: many });
  expect([refused.exitCode, refused.stderr]).toEqual([2, expect.stringContaining('--all-commits takes everything')]);
});

it('push --all-commits sends what only a merge commit named', async () => {
  const { cwd } = await withHistory(['base', 'ours']);
  git(cwd, 'checkout', '--quiet', '-b', 'side', 'HEAD~1');
  await mlv(['checkout'], { cwd });
  writeFiles(cwd, { 'model.pkl': 'theirs' });
  await mlv(['add', '-q', 'model.pkl'], { cwd });
  commitAll(cwd);
  git(cwd, 'merge', '--quiet', '--no-commit', '--strategy=ours', '@{-1}');
  writeFiles(cwd, { 'model.pkl': 'merged' });
  await mlv(['add', '-q', 'model.pkl'], { cwd });
  commitAll(cwd);
  const merge = git(cwd, 'rev-parse', 'HEAD').trim();
  writeFiles(cwd, { 'model.pkl': 'last' });
  await mlv(['add', '-q', 'model.pkl'], { cwd });
  commitAll(cwd);

  expect(parseDocument('push', await mlv(['push', '--json', '--all-commits'], { cwd }))).toMatchObject({ failed: [] });
  const clone = cloneRepository(cwd);
  git(clone, 'checkout', '--quiet', '--detach', merge);
  await mlv(['pull'], { cwd: clone });
  expect(readFileSync(join(clone, 'model.pkl'), 'utf8')).toBe('merged');
});

it('fsck --remote --all-commits mends what stops a collection, as the collection says', async () => {
  const { cwd, store } = await withHistory(['m1', 'm2']);
  const [, digest = ''] = /oid: blake3:(\w+)/.exec(git(cwd, 'show', 'HEAD~1:model.pkl.mlv')) ?? [];
  const record = join(store, 'records/blake3', digest.slice(0, 2), digest);
  await mlv(['push', '--all-commits'], { cwd });
  rmSync(record);
  expect((await runMlv(['fsck', '--remote'], { cwd })).exitCode).toBe(0);
  const lacking = await runMlv(['fsck', '--remote', '--all-commits'], { cwd });
  expect(lacking.exitCode).toBe(4);
  // The advice looks at the same commits.
  await mlv(commandIn(lacking.stderr, 'fsck'), { cwd });
  expect((await runMlv(['fsck', '--remote', '--all-commits'], { cwd })).exitCode).toBe(0);
  writeFileSync(record, 'junk');
  const stopped = await runMlv(['gc', '--remote', '--offline'], { cwd });
  expect(stopped.exitCode).toBe(5);
  await mlv(commandIn(stopped.stderr, 'fsck'), { cwd });
  expect((await runMlv(['gc', '--remote', '--offline'], { cwd })).exitCode).toBe(0);
});

it('a pointer that was broken in some commit is named with it, and the rest is sent', async () => {
  const { cwd, store } = await withHistory(['m1', 'm2']);
  writeFiles(cwd, { 'model.pkl.mlv': 'no pointer' });
  commitAll(cwd);
  const broken = git(cwd, 'rev-parse', '--short=12', 'HEAD').trim();
  git(cwd, 'checkout', '--quiet', 'HEAD~1', '--', 'model.pkl.mlv');
  commitAll(cwd);
  const pushed = await runMlv(['push', '--json', '--all-commits'], { cwd });
  expect(pushed.exitCode).toBe(5);
  expect(pushed.stderr).toContain(`in commit ${broken}`);
  expect(JSON.parse(pushed.stdout)).toMatchObject({ failed: [], remotes: [{ url: store, failed: [] }] });
  const clone = cloneRepository(cwd);
  git(clone, 'checkout', '--quiet', '--detach', 'HEAD~3');
  await mlv(['pull'], { cwd: clone });
  expect(readFileSync(join(clone, 'model.pkl'), 'utf8')).toBe('m1');
});
