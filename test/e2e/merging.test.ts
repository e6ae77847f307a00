import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mlv, runMlv } from '../helpers/cli.js';
import { gitWithMlv, tryGit } from '../helpers/git-with-mlv.js';
import { jsonSchemas } from '../helpers/json-schemas.js';
import { makeMlvRepository, writeFiles } from '../helpers/mlv-repository.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

type Files = Record<string, string | undefined>;

/** Writes files below `data/` (undefined removes one), adds what is tracked, and commits. */
async function change(cwd: string, files: Files, message = 'change'): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    if (content === undefined) rmSync(join(cwd, name), { recursive: true, force: true });
    else writeFiles(cwd, { [name]: content });
  }
  await mlv(['add', '-q', ...targetsOf(Object.keys(files))], { cwd });
  gitWithMlv(cwd, 'add', '--all');
  gitWithMlv(cwd, 'commit', '-qm', message);
}

function targetsOf(names: readonly string[]): string[] {
  return [...new Set(names.map((name) => name.split('/')[0] as string))];
}

/** A repository whose Git merges with mlv, with `main` at a first commit. */
async function repository(files: Files, setup: string[] = ['hooks', 'install', '-q']): Promise<string> {
  const cwd = await makeMlvRepository();
  await mlv(setup, { cwd });
  await change(cwd, files, 'base');
  return cwd;
}

/** Two branches from `main`, `ours` and `theirs`, each with its change; `ours` is checked out. */
async function branches(cwd: string, ours: Files, theirs: Files): Promise<void> {
  gitWithMlv(cwd, 'switch', '-qc', 'theirs');
  await change(cwd, theirs, 'theirs');
  gitWithMlv(cwd, 'switch', '-qc', 'ours', 'main');
  await change(cwd, ours, 'ours');
}

function contents(cwd: string, directory = 'data'): Record<string, string> {
  const names = readdirSync(join(cwd, directory), { recursive: true, withFileTypes: true }).filter((each) =>
    each.isFile(),
  );
  return Object.fromEntries(
    names.map((each) => {
      const path = join(each.parentPath, each.name);
      return [path.slice(join(cwd, directory).length + 1), readFileSync(path, 'utf8')];
    }),
  );
}

async function json(cwd: string, ...args: string[]) {
  const verb = args[0] as keyof typeof jsonSchemas;
  const { stdout } = await runMlv([...args, '--json'], { cwd });
  const document = JSON.parse(stdout) as Record<string, unknown>;
  const { error, ...rest } = document;
  jsonSchemas[verb].parse(rest);
  return document;
}

describe('Git merges pointers with mlv', () => {
  it('so that branches which add, change and remove other files of a directory go together, content included', async () => {
    const cwd = await repository({ 'data/a': '1', 'data/b': '1', 'data/c': '1' });
    await branches(cwd, { 'data/a': '2', 'data/mine': 'm' }, { 'data/b': undefined, 'data/sub/yours': 'y' });
    gitWithMlv(cwd, 'merge', '-q', '--no-edit', 'theirs');
    const merged = { a: '2', c: '1', mine: 'm', 'sub/yours': 'y' };
    expect(contents(cwd)).toEqual(merged);
    expect(readFileSync(join(cwd, 'data.mlv'), 'utf8')).toMatch(/size: 4\nfiles: 4\n$/);
    expect((await json(cwd, 'status')).targets).toMatchObject([{ state: 'unchanged' }]);
    expect(await mlv(['fsck'], { cwd })).toContain('0 damaged');
  });

  it('so that each may add another target beside the other, ignore lines and all', async () => {
    const cwd = await repository({ first: '1' });
    await branches(cwd, { mine: 'm' }, { yours: 'y' });
    gitWithMlv(cwd, 'merge', '-q', '--no-edit', 'theirs');
    expect(readFileSync(join(cwd, '.gitignore'), 'utf8')).toBe('/first\n/mine\n/yours\n');
    expect([existsSync(join(cwd, 'mine')), existsSync(join(cwd, 'yours'))]).toEqual([true, true]);
  });

  it('and names what both changed; the rest is merged, and Git has the pointer in conflict', async () => {
    const cwd = await repository({ 'data/a': '1', 'data/b': '1' });
    await branches(cwd, { 'data/a': 'ours' }, { 'data/a': 'theirs', 'data/b': '2' });
    const { status, stderr } = tryGit(cwd, ['merge', 'theirs']);
    expect(status).toBe(1);
    expect(stderr).toContain('data/a: changed on both sides (4 B here, 6 B there)');
    expect(stderr).toContain('mlv resolve-conflict --ours data');
    expect(gitWithMlv(cwd, 'ls-files', '-u')).toMatch(/ 1\tdata.mlv\n.* 2\tdata.mlv\n.* 3\tdata.mlv\n/);
    expect((await json(cwd, 'status')).conflicts).toEqual([{ path: 'data', kind: 'content' }]);
    await mlv(['checkout'], { cwd });
    expect(contents(cwd)).toEqual({ a: 'ours', b: '2' });
  });

  it('in a rebase, a cherry-pick, a revert and a stash, too', async () => {
    const cwd = await repository({ 'data/a': '1', 'data/b': '1' });
    await branches(cwd, { 'data/a': '2' }, { 'data/b': '2', 'data/n': '1' });
    gitWithMlv(cwd, 'rebase', '-q', 'theirs');
    expect(contents(cwd)).toEqual({ a: '2', b: '2', n: '1' });
    gitWithMlv(cwd, 'revert', '--no-edit', 'theirs');
    expect(contents(cwd)).toEqual({ a: '2', b: '1' });
    gitWithMlv(cwd, 'cherry-pick', 'theirs');
    expect(contents(cwd)).toEqual({ a: '2', b: '2', n: '1' });
    writeFiles(cwd, { 'data/stashed': 's' });
    await mlv(['add', '-q', 'data'], { cwd });
    gitWithMlv(cwd, 'stash');
    await mlv(['checkout'], { cwd });
    await change(cwd, { 'data/a': '3' });
    gitWithMlv(cwd, 'stash', 'pop');
    await mlv(['checkout'], { cwd });
    expect(contents(cwd)).toEqual({ a: '3', b: '2', n: '1', stashed: 's' });
  });

  it('with a pointer that one side moved, and the other changed', async () => {
    const cwd = await repository({ 'data/a': '1', 'data/b': 'b' });
    gitWithMlv(cwd, 'switch', '-qc', 'theirs');
    await change(cwd, { 'data/b': '2' });
    gitWithMlv(cwd, 'switch', '-qc', 'ours', 'main');
    await mlv(['mv', 'data', 'moved', '--stage'], { cwd });
    gitWithMlv(cwd, 'commit', '-qm', 'moved');
    gitWithMlv(cwd, 'merge', '-q', '--no-edit', 'theirs');
    expect(readFileSync(join(cwd, 'moved.mlv'), 'utf8')).toContain('path: moved\n');
    expect(contents(cwd, 'moved')).toEqual({ a: '1', b: '2' });
  });

  it('where the sides were merged both ways before, and differed even there', async () => {
    const cwd = await repository({ 'data/a': '1', 'data/b': '1' });
    await branches(cwd, { 'data/a': 'ours' }, { 'data/a': 'theirs', 'data/b': '2' });
    const [ours, theirs] = ['ours', 'theirs'].map((name) => gitWithMlv(cwd, 'rev-parse', name).trim());
    tryGit(cwd, ['merge', theirs as string]);
    await mlv(['resolve-conflict', '--ours', '--stage', '.'], { cwd });
    gitWithMlv(cwd, 'commit', '-qm', 'ours won');
    gitWithMlv(cwd, 'switch', '-q', 'theirs');
    tryGit(cwd, ['merge', ours as string]);
    await mlv(['resolve-conflict', '--ours', '--stage', '.'], { cwd });
    gitWithMlv(cwd, 'commit', '-qm', 'theirs won');
    await mlv(['checkout'], { cwd });
    // Two common ancestors, which do not go together at `a`: neither may win behind anybody's back.
    const { status, stderr } = tryGit(cwd, ['merge', 'ours']);
    expect([status, stderr]).toEqual([1, expect.stringContaining('data/a: changed on both sides')]);
    await mlv(['checkout'], { cwd });
    expect(contents(cwd)).toEqual({ a: 'theirs', b: '2' });
  });

  it('gets listings that the cache lacks from the remote, and leaves our side where it cannot', async () => {
    const remote = temporaryDirectory('remote');
    const cwd = await repository({ 'data/a': '1', 'data/b': '1' });
    await mlv(['remote', 'add', '--local', 'origin', remote], { cwd });
    await branches(cwd, { 'data/mine': 'm' }, { 'data/yours': 'y' });
    await mlv(['push', '--all-branches'], { cwd });
    const clone = join(temporaryDirectory('clone'), 'clone');
    gitWithMlv(cwd, 'clone', '-q', cwd, clone);
    await mlv(['remote', 'add', '--local', 'origin', remote], { cwd: clone });
    await mlv(['hooks', 'install', '-q'], { cwd: clone });
    const none = tryGit(clone, ['merge', '--no-edit', 'origin/theirs']);
    expect(none.status).toBe(0);
    // No remote knows the merged directory yet; its files come from what was merged.
    await mlv(['pull'], { cwd: clone });
    expect(contents(clone)).toEqual({ a: '1', b: '1', mine: 'm', yours: 'y' });

    gitWithMlv(clone, 'reset', '-q', '--hard', 'HEAD~1');
    for (const each of ['objects', 'remotes']) rmSync(join(clone, '.git/mlv', each), { recursive: true, force: true });
    rmSync(remote, { recursive: true, force: true });
    mkdirSync(remote);
    const before = readFileSync(join(clone, 'data.mlv'), 'utf8');
    const { status, stderr } = tryGit(clone, ['merge', '--no-edit', 'origin/theirs']);
    expect([status, readFileSync(join(clone, 'data.mlv'), 'utf8')]).toEqual([1, before]);
    expect(stderr).toContain('data cannot be merged');
  });

  it('reports an octopus merge as Git does: of several branches only where they do not meet in a pointer', async () => {
    const cwd = await repository({ 'data/a': '1' });
    await branches(cwd, { 'data/mine': 'm' }, { 'data/yours': 'y' });
    gitWithMlv(cwd, 'switch', '-qc', 'third', 'main');
    await change(cwd, { other: 'o' });
    gitWithMlv(cwd, 'merge', '-q', '--no-edit', 'ours');
    expect(tryGit(cwd, ['merge', '--no-edit', 'main', 'theirs']).status).toBe(0);
    expect(contents(cwd)).toEqual({ a: '1', mine: 'm', yours: 'y' });
  });
});

describe('mlv resolve-conflict', () => {
  it('settles file by file, remembers what was decided, and brings the content', async () => {
    const cwd = await repository({ 'data/a': '1', 'data/b': '1', 'data/c': '1' });
    await branches(
      cwd,
      { 'data/a': 'ours', 'data/b': 'ours', 'data/c': undefined },
      { 'data/a': 'theirs', 'data/b': 'theirs', 'data/c': '2', 'data/n': '1' },
    );
    tryGit(cwd, ['merge', 'theirs']);
    const found = (await json(cwd, 'resolve-conflict')).conflicts as { conflicts: { path: string; kind: string }[] }[];
    expect(found[0]?.conflicts.map(({ path, kind }) => `${path} ${kind}`)).toEqual([
      'a both-modified',
      'b both-modified',
      'c deleted-by-ours',
    ]);
    expect(await mlv(['resolve-conflict', '--theirs', 'data', '--file', 'a'], { cwd })).toContain('2 left');
    expect(await mlv(['resolve-conflict', '--ours', 'data/c'], { cwd })).toContain('1 left');
    expect(gitWithMlv(cwd, 'ls-files', '-u')).not.toBe('');
    const settled = await json(cwd, 'resolve-conflict', '--ours', '--stage', 'data');
    expect(settled).toMatchObject({ staged: true, settled: [{ path: 'data', decided: 3, open: [] }] });
    expect(gitWithMlv(cwd, 'ls-files', '-u')).toBe('');
    expect(contents(cwd)).toEqual({ a: 'theirs', b: 'ours', n: '1' });
    gitWithMlv(cwd, 'commit', '-qm', 'merged');
  });

  it('settles a pointer that one side deleted and the other changed, either way', async () => {
    const cwd = await repository({ 'data/a': '1', model: '1' });
    gitWithMlv(cwd, 'switch', '-qc', 'theirs');
    await change(cwd, { 'data/a': '2', model: '2' });
    gitWithMlv(cwd, 'switch', '-qc', 'ours', 'main');
    await mlv(['rm', 'data', 'model', '--stage'], { cwd });
    gitWithMlv(cwd, 'commit', '-qm', 'gone');
    expect(tryGit(cwd, ['merge', 'theirs']).status).toBe(1);
    expect((await json(cwd, 'resolve-conflict')).conflicts).toMatchObject([
      { path: 'data', kind: 'deleted-by-ours' },
      { path: 'model', kind: 'deleted-by-ours' },
    ]);
    await mlv(['resolve-conflict', '--theirs', '--stage', 'data'], { cwd });
    await mlv(['resolve-conflict', '--ours', '--stage', 'model'], { cwd });
    gitWithMlv(cwd, 'commit', '-qm', 'merged');
    expect(contents(cwd)).toEqual({ a: '2' });
    expect([existsSync(join(cwd, 'model')), existsSync(join(cwd, 'model.mlv'))]).toEqual([false, false]);
  });

  it('merges what Git left with conflict markers in a clone without the driver', async () => {
    const cwd = await repository({ 'data/a': '1', 'data/b': '1' }, ['init', '-q']);
    await branches(cwd, { 'data/a': '2' }, { 'data/b': '2' });
    expect(tryGit(cwd, ['merge', 'theirs']).status).toBe(1);
    const { exitCode, stderr } = await runMlv(['status'], { cwd });
    expect([exitCode, stderr]).toEqual([5, expect.stringContaining('mlv resolve-conflict')]);
    expect(await mlv(['resolve-conflict'], { cwd })).toContain('no file is in conflict');
    await mlv(['resolve-conflict', '--ours', '--stage', '.'], { cwd });
    expect(contents(cwd)).toEqual({ a: '2', b: '2' });
  });

  it('decides by a metric of the runs that made the sides, and says why it cannot', async () => {
    const cwd = await repository({ model: '0' });
    const train = async (branch: string, auc: string, loss: string): Promise<void> => {
      gitWithMlv(cwd, 'switch', '-qc', branch, 'main');
      const script = `echo ${branch} > model; echo '{"auc": ${auc}, "loss": ${loss}}' > metrics.json`;
      await mlv(['run', '-q', '--output', 'model', '--metrics', 'metrics.json', '--', 'sh', '-c', script], { cwd });
      rmSync(join(cwd, 'metrics.json'));
      gitWithMlv(cwd, 'add', '--all');
      gitWithMlv(cwd, 'commit', '-qm', branch);
    };
    await train('theirs', '0.9', '0.5');
    await train('ours', '0.8', '0.5');
    expect(tryGit(cwd, ['merge', 'theirs']).status).toBe(1);
    const tie = await runMlv(['resolve-conflict', '--by-metric', 'loss', 'model'], { cwd });
    expect([tie.exitCode, tie.stderr]).toEqual([1, expect.stringContaining('both sides have loss 0.5')]);
    const absent = await runMlv(['resolve-conflict', '--by-metric', 'f1', 'model'], { cwd });
    expect(absent.stderr).toContain('has no f1 (its metrics: auc, loss)');
    const document = await json(cwd, 'resolve-conflict', '--by-metric', 'auc', '--stage', 'model');
    expect(document.settled).toMatchObject([
      { decision: { winner: 'theirs', better: 'higher', ours: 0.8, theirs: 0.9 } },
    ]);
    expect(readFileSync(join(cwd, 'model'), 'utf8')).toBe('theirs\n');
    expect(readFileSync(join(cwd, 'model.mlv'), 'utf8')).toContain('run:');
  });

  it('refuses what is not in conflict, contradicting options, and a file that is not', async () => {
    const cwd = await repository({ 'data/a': '1', 'data/b': '1' });
    const codes = async (...args: string[]) => (await runMlv(['resolve-conflict', ...args], { cwd })).exitCode;
    expect(await codes()).toBe(0);
    expect(await codes('--ours', 'data')).toBe(2);
    expect(await codes('--ours')).toBe(2);
    expect(await codes('--ours', '--theirs', 'data')).toBe(2);
    await branches(cwd, { 'data/a': '2' }, { 'data/a': '3' });
    tryGit(cwd, ['merge', 'theirs']);
    const wrong = await runMlv(['resolve-conflict', '--ours', 'data', '--file', 'b'], { cwd });
    expect([wrong.exitCode, wrong.stderr]).toEqual([2, expect.stringContaining('in conflict are: a')]);
  });
});

describe('Git shows pointers with mlv', () => {
  it('as what changed in the data, in git diff, show and log; without the listing it says so', async () => {
    const cwd = await repository({ 'data/a': '1', 'data/b': '1' });
    await change(cwd, { 'data/a': '22', 'data/b': undefined, 'data/new': 'n' });
    const shown = gitWithMlv(cwd, 'log', '-p', '-1', '--format=');
    expect(shown).toMatch(/-a: 1 B, \w+\n-b: 1 B, \w+\n\+a: 2 B, \w+\n\+new: 1 B, \w+\n/);
    rmSync(join(cwd, '.git/mlv/objects'), { recursive: true, force: true });
    expect(gitWithMlv(cwd, 'show')).toContain('\n # its listing is not in the cache (mlv fetch gets it)');
  });

  it('from a cache that is elsewhere; and what is no pointer as it is', async () => {
    const cwd = await repository({ 'data/a': '1' });
    const cache = join(temporaryDirectory('cache'), 'shared');
    await mlv(['config', 'set', 'cache.dir', cache], { cwd });
    await change(cwd, { 'data/a': '22' });
    expect(gitWithMlv(cwd, 'show')).toContain('+a: 2 B');
    writeFileSync(join(cwd, 'odd.mlv'), 'mlv: 1\nnot a pointer');
    gitWithMlv(cwd, 'add', 'odd.mlv');
    expect(gitWithMlv(cwd, 'diff', '--cached')).toContain('+not a pointer');
  });
});

describe('the set-up', () => {
  it('is made by init where asked and by hooks install, is told of, and goes with hooks uninstall', async () => {
    const cwd = await makeMlvRepository();
    expect((await json(cwd, 'init', '--git-attributes')).merging).toEqual({ driver: 'current', attributes: true });
    const attributes = readFileSync(join(cwd, '.gitattributes'), 'utf8');
    expect(attributes).toBe('*.mlv merge=mlv diff=mlv\n.gitignore merge=union\n');
    await mlv(['hooks', 'install'], { cwd });
    expect(readFileSync(join(cwd, '.gitattributes'), 'utf8')).toBe(attributes);
    await mlv(['hooks', 'uninstall'], { cwd });
    expect(existsSync(join(cwd, '.gitattributes'))).toBe(false);
    expect(tryGit(cwd, ['config', '--get-regexp', '^(merge|diff)\\.mlv']).stdout).toBe('');
    expect(await mlv(['hooks', 'status'], { cwd })).toMatch(/merge driver +not installed\n/);
  });

  it('that is committed stays with hooks uninstall; a clone with attributes and no driver is told', async () => {
    const cwd = await repository({ 'data/a': '1' });
    await mlv(['hooks', 'uninstall'], { cwd });
    expect(existsSync(join(cwd, '.gitattributes'))).toBe(true);
    expect(await mlv(['doctor', '--offline'], { cwd })).toContain('Git merges pointers as text');
    expect(await mlv(['hooks', 'status'], { cwd })).toContain('not installed here: Git merges pointers as text');
  });
});
