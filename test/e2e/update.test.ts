import { readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mlv, runMlv } from '../helpers/cli.js';
import { startGitHttpServer } from '../helpers/git-http-server.js';
import { parseDocument } from '../helpers/json-schemas.js';
import { makeMlvRepository, writeFiles } from '../helpers/mlv-repository.js';
import { type RegisteringRepository, registeringRepository } from '../helpers/registered.js';
import { commitAll, git } from '../helpers/repository.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';
import { serveFiles, startWebServer, type WebServer } from '../helpers/web-server.js';

const read = (...path: string[]): string => readFileSync(join(...path), 'utf8');

describe('mlv update of imports from Git', () => {
  let source: RegisteringRepository;
  let server: WebServer;
  let cwd: string;

  beforeAll(async () => {
    source = await registeringRepository();
    git(source.cwd, 'tag', 'v1');
    git(source.cwd, 'push', '--quiet', 'origin', 'v1');
    server = await startGitHttpServer(join(source.upstream, '..'));
    cwd = await makeMlvRepository();
    const remote = ['-c', `remote.origin.url=${join(source.store, 'objects')}`];
    const url = `${server.url}/${source.upstream.split('/').at(-1)}`;
    await mlv([...remote, 'import', url, 'data'], { cwd });
    await mlv([...remote, 'import', url, 'model.pkl', '--rev', 'v1'], { cwd });
    commitAll(cwd);
    await source.commit({ 'data/more.csv': 'more', 'data/train.csv': 'a,b\n9,9\n', 'model.pkl': 'model 2' });
  });
  afterAll(() => server.stop());

  const run = (...args: string[]) =>
    runMlv(['-c', `remote.origin.url=${join(source.store, 'objects')}`, 'update', ...args], { cwd });

  it('says what changed, and with --check as exit code 3, and does nothing yet', async () => {
    const check = await run('--check', '--json');
    expect(check.exitCode).toBe(3);
    const { targets } = parseDocument('update', check.stdout);
    expect(targets.map(({ path, state }) => [path, state])).toEqual([
      ['data', 'changed'],
      ['model.pkl', 'unchanged'],
    ]);
    expect(git(cwd, 'status', '--porcelain')).toBe('');
  });

  it('keeps what was changed here, and brings what is new with --force only', async () => {
    writeFiles(cwd, { 'data/train.csv': 'mine' });
    const kept = await run('data');
    expect([kept.exitCode, read(cwd, 'data/train.csv')]).toEqual([1, 'mine']);
    await mlv(['add', '-q', 'data'], { cwd });
    expect((await run('data')).stderr).toContain('was changed here since it was imported');
    const forced = await run('data', '--force', '--json');
    expect(parseDocument('update', forced.stdout).targets).toMatchObject([
      { state: 'updated', after: { commit: git(source.cwd, 'rev-parse', 'HEAD').trim() } },
    ]);
    expect([read(cwd, 'data/train.csv'), read(cwd, 'data/more.csv')]).toEqual(['a,b\n9,9\n', 'more']);
    expect((await run('data')).stdout).toContain('unchanged data');
  });

  it('follows another revision from then on', async () => {
    const done = await run('model.pkl', '--rev', 'main', '--json');
    expect(parseDocument('update', done.stdout).targets).toMatchObject([{ state: 'updated', after: { rev: 'main' } }]);
    expect(read(cwd, 'model.pkl')).toBe('model 2');
    expect(read(cwd, 'model.pkl.mlv')).toContain('rev: main');
  });

  it('refuses a path that was not imported, and a source that is gone', async () => {
    writeFiles(cwd, { 'own.bin': 'own' });
    await mlv(['add', '-q', 'own.bin'], { cwd });
    expect((await run('own.bin')).exitCode).toBe(2);
    writeFileSync(
      join(cwd, 'model.pkl.mlv'),
      read(cwd, 'model.pkl.mlv').replace('path: model.pkl\n  rev', 'path: gone\n  rev'),
    );
    const gone = await run('model.pkl');
    expect([gone.exitCode, gone.stderr]).toEqual([2, expect.stringContaining("has no 'gone' at")]);
  });
});

describe('mlv import-url', () => {
  it('takes a file of a web server in, goes on after a break, and knows whether it changed', async () => {
    const root = temporaryDirectory();
    const cwd = await makeMlvRepository();
    const bytes = Buffer.alloc(3_000_000, 'some content of a file, ');
    writeFileSync(join(root, 'set.bin'), bytes);
    const serve = serveFiles(root);
    let broken = 0;
    const server = await startWebServer((request, response) => {
      if (request.method !== 'GET' || broken > 0) return serve(request, response);
      broken += 1;
      response.writeHead(200, { 'content-length': bytes.length, etag: '"one"' });
      response.write(bytes.subarray(0, 1_000_000), () => response.destroy());
    });
    const url = `${server.url}/set.bin`;
    try {
      const withSecret = url.replace('http://', 'http://ann:geheim@');
      const result = await runMlv(['import-url', `${withSecret}?token=geheim`, '-o', 'secret.bin'], { cwd });
      expect([result.exitCode, `${result.stdout}${result.stderr}`]).toEqual([0, expect.not.stringContaining('geheim')]);
      expect(read(cwd, 'secret.bin.mlv')).not.toContain('geheim');
      expect((await runMlv(['update', 'secret.bin'], { cwd })).stderr).toContain('held credentials');
      const document = parseDocument('import-url', await mlv(['import-url', url, '-o', 'data/', '--json'], { cwd }));
      expect(document).toMatchObject({ size: bytes.length, source: { url, size: bytes.length } });
      expect(document.source.etag).toMatch(/^W?\/?"/);
      expect(await mlv(['update', 'data'], { cwd })).toContain('unchanged');
      writeFileSync(join(root, 'set.bin'), 'other');
      utimesSync(join(root, 'set.bin'), 1, 1);
      expect((await runMlv(['update', '--check', 'data'], { cwd })).exitCode).toBe(3);
      await mlv(['update', 'data'], { cwd });
      expect(read(cwd, 'data/set.bin')).toBe('other');
    } finally {
      await server.stop();
    }
  });

  it('goes on with a download that was cut off in another run, as long as the content is the same', async () => {
    const cwd = await makeMlvRepository();
    const bytes = Buffer.alloc(500_000, 'abc');
    let tag = '"one"';
    let cut = true;
    const ranges: (string | undefined)[] = [];
    const server = await startWebServer((request, response) => {
      const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
      const from = range ? Number(range[1]) : 0;
      if (request.method === 'GET') ranges.push(request.headers.range);
      if (request.method === 'GET' && cut && from > 0) {
        response.writeHead(403, { 'content-length': 0 }).end();
        return;
      }
      response.writeHead(range ? 206 : 200, {
        'content-length': bytes.length - from,
        etag: tag,
        ...(range && { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` }),
      });
      if (request.method === 'HEAD') return void response.end();
      if (cut) response.write(bytes.subarray(0, 200_000), () => response.destroy());
      else response.end(bytes.subarray(from));
    });
    try {
      expect((await runMlv(['import-url', `${server.url}/a.bin`], { cwd })).exitCode).toBe(7);
      cut = false;
      ranges.length = 0;
      await mlv(['import-url', `${server.url}/a.bin`], { cwd });
      expect(ranges).toEqual([expect.stringMatching(/^bytes=[1-9]\d*-$/)]);
      expect(readFileSync(join(cwd, 'a.bin')).equals(bytes)).toBe(true);
      cut = true;
      await runMlv(['import-url', `${server.url}/b.bin`], { cwd });
      cut = false;
      tag = '"two"';
      ranges.length = 0;
      await mlv(['import-url', `${server.url}/b.bin`], { cwd });
      expect(ranges).toEqual([undefined]);
      expect(readFileSync(join(cwd, 'b.bin')).equals(bytes)).toBe(true);
    } finally {
      await server.stop();
    }
  });

  it('asks files of this machine only where they are named', async () => {
    const cwd = await makeMlvRepository();
    const other = temporaryDirectory();
    writeFileSync(join(other, 'a.csv'), '1');
    await mlv(['import-url', join(other, 'a.csv')], { cwd });
    writeFileSync(join(other, 'a.csv'), '22');
    const result = await runMlv(['update'], { cwd });
    expect([result.exitCode, result.stderr, read(cwd, 'a.csv')]).toEqual([
      0,
      expect.stringContaining('not asked'),
      '1',
    ]);
    await mlv(['update', 'a.csv'], { cwd });
    expect(read(cwd, 'a.csv')).toBe('22');
  });

  it('takes a path of this machine for none of another, however the pointer words it', async () => {
    const cwd = await makeMlvRepository();
    const other = temporaryDirectory();
    writeFileSync(join(other, 'secret.txt'), 'secret');
    git(other, 'init', '--quiet');
    commitAll(other);
    await mlv(['import-url', join(other, 'secret.txt'), '-o', 'url'], { cwd });
    await mlv(['import', other, 'secret.txt', '-o', 'git'], { cwd });
    const out = relative(cwd, other);
    for (const [name, url] of [
      ['url', `host:/../${out}/secret.txt`],
      ['git', `user@host:/../${out}`],
    ] as const) {
      const text = read(cwd, `${name}.mlv`).replace(/url: .*/, `url: '${url}'`);
      writeFileSync(join(cwd, `${name}.mlv`), text.replace(/modified: .*/, "modified: '2000-01-01T00:00:00Z'"));
    }
    const result = JSON.parse((await runMlv(['update', '--json'], { cwd })).stdout);
    expect(result).toMatchObject({ targets: [], notAsked: ['git', 'url'] });
  });
});
