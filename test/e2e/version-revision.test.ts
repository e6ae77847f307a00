import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { mlv, runMlv } from '../helpers/cli.js';
import { parseDocument } from '../helpers/json-schemas.js';
import { makeMlvRepository } from '../helpers/mlv-repository.js';
import { type RegisteringRepository, registeringRepository, WHOLE } from '../helpers/registered.js';
import { cloneRepository, commitAll, git } from '../helpers/repository.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

const read = (...path: string[]): string => readFileSync(join(...path), 'utf8');

let source: RegisteringRepository;
let first: string;
let second: string;

beforeAll(async () => {
  source = await registeringRepository();
  first = git(source.cwd, 'rev-parse', 'HEAD').trim();
  for (const model of ['fraud', 'other']) {
    await source.mlv('register', model, ...WHOLE, '--version', '1.0.0');
    await source.mlv('promote', `${model}@1.0.0`, 'production');
  }
  second = await source.commit({ 'model.pkl': 'model 2', 'data/more.csv': 'more' });
  for (const model of ['fraud', 'other']) await source.mlv('register', model, ...WHOLE, '--version', '2.0.0');
});

it('of a model is a revision to fetch, push and fsck', async () => {
  const clone = cloneRepository(source.upstream);
  const fetched = await mlv(['fetch', '--rev', 'fraud@production', 'model.pkl', '--json'], { cwd: clone });
  expect(parseDocument('fetch', fetched)).toMatchObject({ objects: 1, upToDate: 0 });
  expect(await mlv(['cat', 'model.pkl@fraud@1.0.0'], { cwd: clone })).toBe('model 1');
  const again = await mlv(['fetch', '--rev', 'fraud@~1.0', 'model.pkl', '--json'], { cwd: clone });
  expect(parseDocument('fetch', again)).toMatchObject({ objects: 0 });
  await mlv(['push', '--rev', 'fraud@production', 'model.pkl', '-q'], { cwd: clone });
  await mlv(['fsck', '--rev', 'fraud@production', 'model.pkl', '--remote', '-q'], { cwd: clone });
  for (const [word, told] of [
    ['fraud@prodution', 'production'],
    ['fraud@9.9.9', '9.9.9'],
    ['nobody@production', 'nobody@production'],
  ] as const) {
    const refused = await runMlv(['fetch', '--rev', word], { cwd: clone });
    expect([refused.exitCode, refused.stderr]).toEqual([2, expect.stringContaining(told)]);
  }
});

it('of a repository elsewhere is a revision to get, list and import, and update follows its stage', async () => {
  const cwd = await makeMlvRepository();
  const url = source.upstream;
  const at = ['--rev', 'other@production'];
  expect(await mlv(['cat', url, 'model.pkl', ...at], { cwd })).toBe('model 1');
  expect(await mlv(['ls', '-r', url, 'data', ...at], { cwd })).toBe('data/deep/test.csv\ndata/train.csv\n');
  await mlv(['get', url, 'model.pkl', ...at, '-o', 'got.pkl', '-q'], { cwd });
  expect(read(cwd, 'got.pkl')).toBe('model 1');
  await mlv(['import', url, 'data', ...at, '-q'], { cwd });
  const imported = await mlv(['import', url, 'other@production', '-o', 'models/', '--json'], { cwd });
  const from = { url, path: 'model.pkl', rev: 'other@production', commit: first };
  expect(parseDocument('import', imported)).toMatchObject({ path: 'models/model.pkl', source: from });
  await mlv(['import', url, 'other', '-o', 'newest.pkl', '-q'], { cwd });
  expect(read(cwd, 'newest.pkl.mlv')).toContain('rev: other@latest');
  expect([read(cwd, 'models/model.pkl'), read(cwd, 'newest.pkl')]).toEqual(['model 1', 'model 2']);
  commitAll(cwd);

  await source.mlv('promote', 'other@2.0.0', 'production');
  const updated = await mlv(['update', 'models/model.pkl', 'data', 'newest.pkl', '--json'], { cwd });
  const { targets } = parseDocument('update', updated);
  expect(targets.map(({ path, state, after }) => [path, state, after.commit])).toEqual([
    ['models/model.pkl', 'updated', second],
    ['data', 'updated', second],
    ['newest.pkl', 'unchanged', second],
  ]);
  expect([read(cwd, 'models/model.pkl'), read(cwd, 'data/more.csv')]).toEqual(['model 2', 'more']);
  await mlv(['update', 'models/model.pkl', '--rev', 'other@1.0.0', '-q'], { cwd });
  expect(read(cwd, 'models/model.pkl')).toBe('model 1');
});

it('that leads nowhere elsewhere says so', async () => {
  const cwd = await makeMlvRepository();
  const empty = temporaryDirectory('empty');
  git(empty, 'init', '-q', '-b', 'main');
  git(empty, 'commit', '-q', '--allow-empty', '-m', 'nothing');
  for (const [url, word, told] of [
    [source.upstream, 'fraud@prodution', 'production'],
    [source.upstream, 'nobody@production', "'nobody@production' names no commit of"],
    [empty, 'fraud@production', "'fraud@production' names no commit of"],
  ] as const) {
    const refused = await runMlv(['import', url, 'data', '--rev', word], { cwd });
    expect([refused.exitCode, refused.stderr]).toEqual([2, expect.stringContaining(told)]);
  }
  const both = await runMlv(['import', source.upstream, 'fraud@production', '--rev', 'main'], { cwd });
  expect([both.exitCode, both.stderr]).toEqual([2, expect.stringContaining('without --rev')]);
});

it('with several artifacts is imported by naming one', async () => {
  const cwd = await makeMlvRepository();
  await source.mlv('register', 'pair', 'model.pkl', 'data', '--version', '1.0.0');
  const refused = await runMlv(['import', source.upstream, 'pair@latest'], { cwd });
  expect([refused.exitCode, refused.stderr]).toEqual([2, expect.stringContaining('--rev pair@latest')]);
  await mlv(['import', source.upstream, 'model.pkl', '--rev', 'pair@latest', '-q'], { cwd });
  expect(read(cwd, 'model.pkl')).toBe('model 2');
});
