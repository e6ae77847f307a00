import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { mlv, runMlv } from '../helpers/cli.js';
import { parseDocument } from '../helpers/json-schemas.js';
import { writeFiles } from '../helpers/mlv-repository.js';
import { type RegisteringRepository, registeringRepository, WHOLE } from '../helpers/registered.js';
import { commitAll, git, makeRepository } from '../helpers/repository.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

const read = (...path: string[]): string => readFileSync(join(...path), 'utf8');

let source: RegisteringRepository;
let first: string;

beforeAll(async () => {
  source = await registeringRepository();
  first = git(source.cwd, 'rev-parse', 'HEAD').trim();
  await source.mlv('register', 'fraud', ...WHOLE, '--version', '1.0.0');
  await source.mlv('promote', 'fraud@1.0.0', 'production');
  chmodSync(join(source.cwd, 'train.py'), 0o755);
  await source.commit({ 'model.pkl': 'model 2', 'data/deep/copy.csv': 'a,b\n3,4\n' });
  await source.mlv('register', 'fraud', ...WHOLE, '--version', '2.0.0');
});

describe('mlv get', () => {
  it('brings a file, a part of a directory, a Git file and the whole, writable and each of its own', async () => {
    const cwd = temporaryDirectory();
    const url = source.upstream;
    const document = parseDocument('get', await mlv(['get', url, 'model.pkl', '--json'], { cwd }));
    expect(document).toMatchObject({ path: 'model.pkl', written: 1, bytes: 7, output: join(cwd, 'model.pkl') });
    await mlv(['get', url, 'data/deep', '-o', 'parts/'], { cwd });
    await mlv(['get', `file://${url}`, 'train.py', '-o', 'run.py'], { cwd });
    await mlv(['get', url, '.', '-o', 'all'], { cwd });
    expect(read(cwd, 'model.pkl')).toBe('model 2');
    expect(readdirSync(join(cwd, 'parts/deep')).sort()).toEqual(['copy.csv', 'test.csv']);
    expect(statSync(join(cwd, 'run.py')).mode & 0o700).toBe(0o700);
    expect(readdirSync(join(cwd, 'all'))).toEqual(
      expect.arrayContaining(['data', 'mlv.yaml', 'model.pkl', 'train.py']),
    );
    writeFileSync(join(cwd, 'parts/deep/copy.csv'), 'changed');
    expect(read(cwd, 'parts/deep/test.csv')).toBe('a,b\n3,4\n');
    expect(readdirSync(cwd).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('takes revisions of every kind', async () => {
    const cwd = temporaryDirectory();
    for (const revision of [first, first.slice(0, 10), 'fraud@1.0.0', 'main~1']) {
      const { stdout } = await runMlv(['get', source.upstream, 'model.pkl', '--rev', revision, '-o', '-'], { cwd });
      expect(stdout, revision).toBe('model 1');
    }
    const unknown = await runMlv(['get', source.upstream, 'model.pkl', '--rev', 'nothing'], { cwd });
    expect([unknown.exitCode, unknown.stderr]).toEqual([2, expect.stringContaining("'nothing' names no commit of")]);
  });

  it('reads a repository with names of SHA-256, also what its history must tell', async () => {
    const cwd = temporaryDirectory();
    const there = join(cwd, 'there');
    git(cwd, 'init', '--quiet', '--initial-branch=main', '--object-format=sha256', there);
    await mlv(['init', '-q'], { cwd: there });
    await mlv(['remote', 'add', 'storage', join(cwd, 'storage')], { cwd: there });
    for (const content of ['one', 'two']) {
      writeFiles(there, { model: content });
      await mlv(['add', 'model'], { cwd: there });
      commitAll(there, content);
      await mlv(['push'], { cwd: there });
    }
    for (const [revision, content] of [
      ['main', 'two'],
      ['main~1', 'one'],
    ] as const) {
      const { stdout } = await runMlv(['get', there, 'model', '--rev', revision, '-o', '-'], { cwd });
      expect(stdout).toBe(content);
    }
    expect((await runMlv(['get', there, 'model', '--rev', 'none', '-o', '-'], { cwd })).exitCode).toBe(2);
  });

  it('brings a version of the registry, also as it was on a date', async () => {
    const cwd = temporaryDirectory();
    const stage = await mlv(['get', source.upstream, 'fraud@production', '-o', 'model', '--json'], { cwd });
    expect(parseDocument('get', stage)).toMatchObject({ version: 'fraud@1.0.0', commit: first, path: null });
    expect([read(cwd, 'model/model.pkl'), read(cwd, 'model/data/train.csv')]).toEqual(['model 1', 'a,b\n1,2\n']);
    await mlv(['get', source.upstream, 'fraud@latest', '-o', 'newest', '--artifacts-only'], { cwd });
    expect(readdirSync(join(cwd, 'newest'))).toEqual(['model.pkl']);
    const then = await mlv(['get', source.upstream, 'fraud@production@{2999-01-01}', '-o', 'then'], { cwd });
    expect(then).toContain(`at ${first.slice(0, 10)}`);
    expect(read(cwd, 'then/model.pkl')).toBe('model 1');
    const none = await runMlv(['get', source.upstream, 'fraud@9.9.9'], { cwd });
    expect([none.exitCode, none.stderr]).toEqual([2, expect.stringContaining('9.9.9')]);
  });

  it('tells of a repository in which nothing is registered, and not to register something here', async () => {
    const [cwd, url] = [temporaryDirectory(), makeRepository()];
    writeFiles(url, { 'code.py': 'pass' });
    commitAll(url);
    const none = await runMlv(['get', url, 'fraud@production'], { cwd });
    expect([none.exitCode, none.stderr]).toEqual([2, expect.stringContaining(`nothing is registered in ${url}`)]);
    expect(none.stderr).toContain(`mlv ls ${url}`);
  });

  it('overwrites nothing without --force, and says again that all is there', async () => {
    const cwd = temporaryDirectory();
    await mlv(['get', source.upstream, 'data'], { cwd });
    const again = parseDocument('get', await mlv(['get', source.upstream, 'data', '--json'], { cwd }));
    expect(again).toMatchObject({ written: 0, unchanged: 3 });
    writeFiles(cwd, { 'data/train.csv': 'mine', 'data/own.csv': 'mine' });
    const refused = await runMlv(['get', source.upstream, 'data'], { cwd });
    expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringContaining('data/train.csv')]);
    expect(read(cwd, 'data/train.csv')).toBe('mine');
    await mlv(['get', source.upstream, 'data', '--force'], { cwd });
    expect([read(cwd, 'data/train.csv'), read(cwd, 'data/own.csv')]).toEqual(['a,b\n1,2\n', 'mine']);
  });

  it('writes through no symbolic link', async () => {
    const cwd = temporaryDirectory();
    const outside = temporaryDirectory();
    mkdirSync(join(cwd, 'data'));
    symlinkSync(outside, join(cwd, 'data/deep'));
    const refused = await runMlv(['get', source.upstream, 'data', '--force'], { cwd });
    expect(refused.exitCode).toBe(1);
    expect(readdirSync(outside)).toEqual([]);
  });

  it('prints one file, and no directory', async () => {
    const cwd = temporaryDirectory();
    expect(await mlv(['get', source.upstream, 'data/train.csv', '-o', '-'], { cwd })).toBe('a,b\n1,2\n');
    expect(await mlv(['get', source.upstream, 'train.py', '-o', '-'], { cwd })).toBe('print(1)\n');
    expect((await runMlv(['get', source.upstream, 'data', '-o', '-'], { cwd })).exitCode).toBe(2);
    expect((await runMlv(['get', source.upstream, 'none.bin'], { cwd })).stderr).toContain("has no 'none.bin' at");
  });

  it('writes nothing where the remote lacks the bytes', async () => {
    const cwd = temporaryDirectory();
    git(cwd, 'clone', '--quiet', source.upstream, 'other');
    const other = join(cwd, 'other');
    const empty = temporaryDirectory();
    await mlv(['config', 'set', '--project', 'remote.origin.url', empty], { cwd: other });
    commitAll(other);
    const missing = await runMlv(['get', other, 'model.pkl', '-o', 'm'], { cwd });
    expect(missing.exitCode).toBe(4);
    expect(existsSync(join(cwd, 'm'))).toBe(false);
  });
});

describe('mlv ls and cat of a repository elsewhere', () => {
  it('list and print as in a clone of it', async () => {
    const cwd = temporaryDirectory();
    const url = `file://${source.upstream}`;
    expect(await mlv(['ls', url], { cwd })).toBe('data/\nmodel.pkl\n');
    expect(await mlv(['ls', '-r', url, 'data'], { cwd })).toBe(
      'data/deep/copy.csv\ndata/deep/test.csv\ndata/train.csv\n',
    );
    expect(await mlv(['ls', url, 'data/deep', '--rev', first], { cwd })).toBe('data/deep/test.csv\n');
    const version = parseDocument('ls', await mlv(['ls', url, 'fraud@production', '--json'], { cwd }));
    expect(version.entries.map(({ path }) => path)).toEqual(['data', 'model.pkl']);
    expect(await mlv(['cat', url, 'model.pkl', '--rev', 'fraud@1.0.0'], { cwd })).toBe('model 1');
    expect(await mlv(['cat', source.cwd, 'data/train.csv'], { cwd })).toBe('a,b\n1,2\n');
    expect(await mlv(['cat', url, 'train.py'], { cwd })).toBe('print(1)\n');
    expect((await runMlv(['ls', url, 'train.py'], { cwd })).exitCode).toBe(2);
    expect((await runMlv(['cat', 'model.pkl', 'data/train.csv'], { cwd: source.cwd })).exitCode).toBe(2);
    expect(await mlv(['ls', '.'], { cwd: source.cwd })).toBe('data/\nmodel.pkl\n');
  });
});
