import { appendFileSync, chmodSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { mlv, runMlv } from '../helpers/cli.js';
import { makeHostileTree } from '../helpers/hostile-tree.js';
import { parseDocument } from '../helpers/json-schemas.js';
import { makeMlvRepository, writeFiles } from '../helpers/mlv-repository.js';
import { commitAll, git } from '../helpers/repository.js';

let cwd: string;
let binary: Buffer;

beforeAll(async () => {
  binary = Buffer.from(Array.from({ length: 70_000 }, (_, at) => (at * 7) % 256));
  cwd = await makeMlvRepository({ 'data/a.txt': 'a1', 'data/sub/b.txt': 'b', 'data/sub/c.txt': 'c', model: binary });
  symlinkSync('sub/b.txt', join(cwd, 'data/link'));
  await mlv(['add', 'data', 'model'], { cwd });
  commitAll(cwd);
  git(cwd, 'tag', 'v1.0');
  writeFiles(cwd, { 'data/a.txt': 'a22', 'data/new@home.txt': 'n' });
  rmSync(join(cwd, 'data/sub/c.txt'));
  await mlv(['add', 'data'], { cwd });
});

describe('mlv diff', () => {
  it('compares the index with the workspace, HEAD with the index, and any two revisions', async () => {
    const paths = async (...args: string[]): Promise<string[]> => {
      const { changes } = parseDocument('diff', await mlv(['diff', '--json', ...args], { cwd }));
      return changes.map(({ kind, path }) => `${kind} ${path}`);
    };
    const all = ['modified data/a.txt', 'added data/new@home.txt', 'deleted data/sub/c.txt'];
    expect(await paths()).toEqual(all);
    expect(await paths('--staged')).toEqual([]);
    git(cwd, 'add', '--all');
    expect(await paths()).toEqual([]);
    expect(await paths('--staged')).toEqual(all);
    expect(await paths('v1.0')).toEqual(all);
    git(cwd, 'commit', '--quiet', '-m', 'two');
    expect(await paths('v1.0', 'HEAD')).toEqual(all);
    expect(await paths('v1.0..')).toEqual(all);
    expect(await paths('HEAD', 'v1.0')).toContain('added data/sub/c.txt');
    expect(await paths('v1.0', 'HEAD', '--', 'data/sub')).toEqual(['deleted data/sub/c.txt']);
    expect(await paths('v1.0', 'data/a.txt')).toEqual(['modified data/a.txt']);
  });

  it('prints lines and totals, and ends with 3 on request', async () => {
    const result = await runMlv(['diff', '--exit-code', 'v1.0', 'HEAD'], { cwd });
    expect(result.exitCode).toBe(3);
    expect(result.stdout.split('\n')).toEqual([
      'M data/a.txt (2 B -> 3 B)',
      'A data/new@home.txt (1 B)',
      'D data/sub/c.txt (1 B)',
      '1 added, 1 modified, 1 deleted (+4 B, -3 B)',
      '',
    ]);
    expect(await mlv(['diff', '--stat', 'v1.0'], { cwd })).toBe('1 added, 1 modified, 1 deleted (+4 B, -3 B)\n');
    expect(await runMlv(['diff', '--exit-code', 'HEAD', 'HEAD'], { cwd })).toMatchObject({ exitCode: 0, stdout: '' });
  });

  it('refuses what is neither revision nor path, and --staged with two revisions', async () => {
    const unknown = await runMlv(['diff', 'no-such-thing'], { cwd });
    expect([unknown.exitCode, unknown.stderr]).toEqual([2, expect.stringContaining("'no-such-thing' is neither")]);
    expect((await runMlv(['diff', '--staged', 'HEAD', 'HEAD'], { cwd })).exitCode).toBe(2);
  });

  it('shows everything as added before the first commit', async () => {
    const fresh = await makeMlvRepository({ a: '1' });
    await mlv(['add', '--stage', 'a'], { cwd: fresh });
    expect(await mlv(['diff', '--staged'], { cwd: fresh })).toContain('A a (1 B)\n');
  });
});

describe('mlv ls and mlv du', () => {
  it('list what is tracked, in the workspace or any revision', async () => {
    expect(await mlv(['ls'], { cwd })).toBe('data/\nmodel\n');
    expect(await mlv(['ls', 'data'], { cwd })).toBe('data/a.txt\ndata/link\ndata/new@home.txt\ndata/sub/\n');
    expect(await mlv(['ls', '-r', 'v1.0', 'data/sub'], { cwd })).toBe('data/sub/b.txt\ndata/sub/c.txt\n');
    expect(await mlv(['ls', '-l', 'data'], { cwd })).toMatch(/^l +0 B +data\/link -> sub\/b\.txt$/m);
    const { entries } = parseDocument('ls', await mlv(['ls', '--json', '-r', 'HEAD'], { cwd }));
    expect(entries.map(({ path }) => path)).toContain('data/sub/b.txt');
    expect(await mlv(['du', '--bytes'], { cwd })).toBe('    5  data/\n70000  model\n70005  total\n');
    expect(await mlv(['du', 'v1.0', 'data'], { cwd })).toBe('2 B  data/sub/\n4 B  data/\n4 B  total\n');
    expect(parseDocument('du', await mlv(['du', '--json'], { cwd })).total).toEqual({ size: 70005, files: 5 });
  });

  it('begin in the current directory, and print paths relative to it', async () => {
    expect(await mlv(['ls'], { cwd: join(cwd, 'data') })).toBe('a.txt\nlink\nnew@home.txt\nsub/\n');
    expect(await mlv(['ls', '../model'], { cwd: join(cwd, 'data') })).toBe('../model\n');
    expect(await mlv(['-C', 'data', '-C', 'sub', 'ls'], { cwd })).toBe('b.txt\n');
  });

  it('name what cannot be found', async () => {
    const missing = await runMlv(['ls', 'data/nope'], { cwd });
    expect([missing.exitCode, missing.stderr]).toEqual([2, expect.stringContaining("'data/nope'")]);
    expect((await runMlv(['du', 'nope/at/all'], { cwd })).exitCode).toBe(2);
  });

  it('keep a JSON document whole when a listing breaks off', async () => {
    const broken = await makeMlvRepository({ 'a/x': '1', 'b/y': '2' });
    const { targets } = parseDocument('add', await mlv(['add', '--json', 'a', 'b'], { cwd: broken }));
    const hex = targets[1]?.oid.split(':')[1] as string;
    rmSync(join(broken, '.git/mlv/objects/blake3', hex.slice(0, 2), hex.slice(2)));
    const result = await runMlv(['ls', '-r', '--json'], { cwd: broken });
    expect(result.exitCode).toBe(4);
    const document = JSON.parse(result.stdout);
    expect(document).toMatchObject({ entries: [{ path: 'a/x' }], error: { code: 'OBJECT_MISSING' } });
  });
});

describe('mlv cat', () => {
  it('prints exact bytes: of now, of a revision, below a directory, through a link, with an @ in the name', async () => {
    expect((await runMlv(['cat', 'model'], { cwd })).stdoutBytes.equals(binary)).toBe(true);
    expect(await mlv(['cat', 'data/a.txt@v1.0'], { cwd })).toBe('a1');
    expect(await mlv(['cat', 'a.txt@HEAD~1'], { cwd: join(cwd, 'data') })).toBe('a1');
    expect(await mlv(['cat', 'data/link'], { cwd })).toBe('b');
    expect(await mlv(['cat', 'data/new@home.txt'], { cwd })).toBe('n');
    expect(await mlv(['cat', 'data/new@home.txt@HEAD'], { cwd })).toBe('n');
  });

  it('refuses directories, unknown paths and revisions, each with its exit code', async () => {
    expect(await runMlv(['cat', 'data'], { cwd })).toMatchObject({
      exitCode: 2,
      stdout: '',
      stderr: expect.stringContaining('is a directory'),
    });
    expect((await runMlv(['cat', 'data/a.txt@nope'], { cwd })).stderr).toContain("'nope' names no commit");
    expect((await runMlv(['cat', 'data/new@home.txt@v1.0'], { cwd })).stderr).toContain(
      "'data/new@home.txt' is not in",
    );
    expect((await runMlv(['cat', 'data/none'], { cwd })).exitCode).toBe(2);
  });

  it('ends with 4 for a missing object and 5 for a damaged one', async () => {
    const own = await makeMlvRepository({ a: 'aaa', b: 'bbb' });
    const { targets } = parseDocument('add', await mlv(['add', '--json', 'a', 'b'], { cwd: own }));
    const [a, b] = targets.map(({ oid }) => {
      const hex = oid.split(':')[1] as string;
      return join(own, '.git/mlv/objects/blake3', hex.slice(0, 2), hex.slice(2));
    }) as [string, string];
    rmSync(a);
    chmodSync(b, 0o644);
    appendFileSync(b, '!');
    expect(await runMlv(['cat', 'a'], { cwd: own })).toMatchObject({
      exitCode: 4,
      stderr: expect.stringContaining('hint:'),
    });
    expect(await runMlv(['cat', 'b'], { cwd: own })).toMatchObject({
      exitCode: 5,
      stderr: expect.stringContaining('damaged'),
    });
  });
});

describe('hostile names', () => {
  it('are quoted as Git quotes them, never acted on, and survive -z, JSON and cat', async () => {
    const own = await makeMlvRepository();
    const { made } = makeHostileTree(join(own, 'evil'));
    await mlv(['add', 'evil'], { cwd: own });
    const listing = await mlv(['ls', '-r', 'evil'], { cwd: own });
    expect(listing).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    const raw = (await mlv(['ls', '-r', '-z', 'evil'], { cwd: own })).split('\0').slice(0, -1);
    const { entries } = parseDocument('ls', await mlv(['ls', '-r', '--json', 'evil'], { cwd: own }));
    const paths = entries.map(({ path, kind }) => (kind === 'tree' ? `${path}/` : path));
    expect(paths).toEqual(raw);
    const files = made.filter(({ kind }) => kind === 'file');
    for (const { name } of files) expect(paths).toContain(`evil/${name}`);
    expect(listing.split('\n')).toHaveLength(paths.length + 1);
    const newline = files.find(({ name }) => name.includes('\n'));
    expect(newline?.kind === 'file' && (await mlv(['cat', `evil/${newline.name}`], { cwd: own }))).toBe(
      newline?.kind === 'file' ? newline.content : '',
    );
    const refused = await runMlv(['ls', 'no\u001b[2Jsuch\nthing'], { cwd: own });
    expect(refused.stderr).toContain('no\\033[2Jsuch\\nthing');
    expect(refused.stderr.split('\n')).toHaveLength(3);
  });
});
