import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mlv, runMlv } from '../helpers/cli.js';
import { parseDocument } from '../helpers/json-schemas.js';
import { makeMlvRepository } from '../helpers/mlv-repository.js';
import { cloneRepository, commitAll } from '../helpers/repository.js';
import { type S3Server, startS3Server } from '../helpers/s3-server.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';
import { serveFiles, startWebServer } from '../helpers/web-server.js';

let server: S3Server;
const env = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };

beforeAll(async () => {
  server = await startS3Server();
});
afterAll(() => server.stop());

/** A repository with a directory as its remote and a bucket as that one's mirror. */
async function withMirror(): Promise<{ cwd: string; store: string }> {
  const cwd = await makeMlvRepository({ 'data/a.bin': 'a'.repeat(50_000), 'data/b.bin': 'b', model: 'm'.repeat(3000) });
  const store = join(temporaryDirectory('store'), 'mlv');
  const bucket = await server.createBucket();
  await mlv(['remote', 'add', 'origin', store], { cwd });
  const mirror = ['--mirror-of', 'origin', '--endpoint', server.endpoint, '--region', server.region, '--path-style'];
  await mlv(['remote', 'add', 'eu', `s3://${bucket}/p`, ...mirror], { cwd });
  await mlv(['add', 'data', 'model'], { cwd });
  return { cwd, store };
}

describe('a remote with a mirror', () => {
  it('is pushed to together with it, and each gives what the other lost', async () => {
    const { cwd, store } = await withMirror();
    expect(await mlv(['remote', 'list'], { cwd })).toMatch(/ {2}eu .*mirror of origin/);
    const pushed = parseDocument('push', await mlv(['push', '--json'], { cwd, env }));
    expect(pushed.remotes.map(({ remote, objects }) => [remote, objects])).toEqual([
      ['origin', 2],
      ['eu', 2],
    ]);
    expect(await mlv(['status', '--remote'], { cwd, env })).toMatch(/2 targets on origin[\s\S]*2 targets on eu/);
    commitAll(cwd);
    // The directory loses the packs and the record of the model.
    const clone = cloneRepository(cwd);
    rmSync(join(store, 'packs'), { recursive: true });
    const record = readFileSync(join(clone, 'model.mlv'), 'utf8').match(/blake3:(..)([0-9a-f]+)/)!;
    rmSync(join(store, 'records/blake3', record[1]!, record[1]! + record[2]!));
    const pulled = parseDocument('pull', await mlv(['pull', '--json'], { cwd: clone, env }));
    expect(readFileSync(join(clone, 'data/a.bin'), 'utf8')).toBe('a'.repeat(50_000));
    expect(readFileSync(join(clone, 'model'), 'utf8')).toBe('m'.repeat(3000));
    expect(pulled.failed).toEqual([]);
    expect(pulled.remotes.map(({ remote }) => remote)).toEqual(['origin', 'eu']);
    expect(pulled.remotes[0]!.failed.length).toBeGreaterThan(0);
    expect(pulled.remotes[1]!.failed).toEqual([]);
    const missing = await mlv(['status', '--remote'], { cwd: clone, env });
    expect(missing).toContain('not on origin');
    expect(missing).toContain('2 targets on eu');
    const checked = await runMlv(['fsck', '--remote'], { cwd: clone, env });
    expect(checked.exitCode).toBe(4);
    expect(checked.stdout).toMatch(/^origin .*finding/m);
    expect(checked.stdout).toMatch(/^eu .*complete/m);
    await mlv(['fsck', '--remote=origin', '--repair'], { cwd: clone, env });
    await mlv(['fsck', '--remote'], { cwd: clone, env });
  });

  it('is passed over where it cannot be used, and named where that leaves something missing', async () => {
    const { cwd, store } = await withMirror();
    await mlv(['push'], { cwd, env });
    commitAll(cwd);
    renameSync(store, `${store}-away`);
    writeFileSync(store, 'no directory');
    const clone = cloneRepository(cwd);
    const pulled = await runMlv(['pull'], { cwd: clone, env });
    expect(pulled.exitCode).toBe(0);
    expect(pulled.stderr).toMatch(/warning: .*another remote had it/);
    expect(pulled.stdout).toMatch(/from eu /);
    expect(readFileSync(join(clone, 'model'), 'utf8')).toBe('m'.repeat(3000));
    // A push brings to the mirror what it can, and says which remote failed.
    writeFileSync(join(cwd, 'new'), 'new');
    await mlv(['add', 'new'], { cwd });
    const pushed = await runMlv(['push'], { cwd, env });
    expect(pushed.exitCode).toBe(7);
    expect(pushed.stdout).toMatch(/pushed 1 object.* to eu /);
    expect(pushed.stderr).toContain(store);
    // What neither has: both are named.
    commitAll(cwd);
    const other = cloneRepository(cwd);
    await mlv(['config', 'set', 'remote.eu.url', 's3://no-such-bucket/p'], { cwd: other });
    const failed = await runMlv(['pull'], { cwd: other, env });
    expect(failed.exitCode).toBe(7);
    expect(failed.stderr).toContain(store);
    expect(failed.stderr).toContain('no-such-bucket');
  });
});

describe('a read-only mirror in front of a remote', () => {
  it('is left out by a push, and what it refuses comes from behind it', async () => {
    const cwd = await makeMlvRepository({ 'data/a.bin': 'a'.repeat(50_000), model: 'm'.repeat(20_000) });
    const store = join(temporaryDirectory('store'), 'mlv');
    const files = serveFiles(store);
    const web = await startWebServer((request, response) => {
      if (request.url?.startsWith('/packs/')) response.writeHead(403, { 'content-length': 0 }).end();
      else files(request, response);
    });
    await mlv(['remote', 'add', 'origin', store], { cwd });
    await mlv(['remote', 'add', 'cdn', web.url, '--mirror-of', 'origin'], { cwd });
    await mlv(['add', 'data', 'model'], { cwd });
    const pushed = parseDocument('push', await mlv(['push', '--json'], { cwd }));
    expect(pushed.remotes.map(({ remote }) => remote)).toEqual(['origin']);
    commitAll(cwd);
    const clone = cloneRepository(cwd);
    const pulled = await runMlv(['pull', '--json', '--remote', 'cdn'], { cwd: clone });
    const { remotes, failed } = parseDocument('pull', pulled.stdout);
    expect(remotes.map(({ remote, error }) => [remote, error?.code])).toEqual([
      ['cdn', 'REMOTE_DENIED'],
      ['origin', undefined],
    ]);
    expect([pulled.exitCode, failed]).toEqual([0, []]);
    // The listing of the directory came from the mirror, and did not come again.
    expect(remotes[0]!.objects).toBe(1);
    expect(readFileSync(join(clone, 'data/a.bin'), 'utf8')).toBe('a'.repeat(50_000));
    await web.stop();
  });
});

describe('named remotes', () => {
  it('get what is pushed, and no others; a pull asks them in their order', async () => {
    const { cwd } = await withMirror();
    const backup = join(temporaryDirectory('backup'), 'mlv');
    await mlv(['remote', 'add', 'backup', backup], { cwd });
    const pushed = parseDocument(
      'push',
      await mlv(['push', '--json', '-r', 'backup', '-r', 'origin', 'model'], { cwd }),
    );
    expect(pushed.remotes.map(({ remote }) => remote)).toEqual(['backup', 'origin']);
    expect(await mlv(['status', '--remote=origin', '--remote=eu', 'model'], { cwd, env })).toMatch(
      /1 target on origin[\s\S]*not on eu/,
    );
    await mlv(['push', '--remote', 'backup'], { cwd });
    commitAll(cwd);
    const clone = cloneRepository(cwd);
    const pulled = parseDocument(
      'pull',
      await mlv(['pull', '--json', '--remote', 'origin', '--remote', 'backup'], { cwd: clone, env }),
    );
    expect(pulled.remotes[0]).toMatchObject({ remote: 'origin', objects: 1 });
    expect(pulled.remotes[1]).toMatchObject({ remote: 'backup', failed: [] });
  });

  it.each([
    [['push', '--remote', 'nowhere'], "there is no remote 'nowhere'"],
    [['remote', 'add', 'x', '/tmp/x', '--mirror-of', 'nowhere'], "there is no remote 'nowhere'"],
    [['remote', 'add', 'x', '/tmp/x', '--mirror-of', 'x'], 'a mirror of itself'],
  ])('%j is refused', async (args, said) => {
    const cwd = await makeMlvRepository({ model: 'm' });
    await mlv(['add', 'model'], { cwd });
    const refused = await runMlv(args, { cwd });
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).toContain(said);
  });
});
