import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mlv, runMlv } from '../helpers/cli.js';
import { gitTestEnvironment } from '../helpers/git.js';
import { startGitHttpServer } from '../helpers/git-http-server.js';
import { makeMlvRepository, writeFiles } from '../helpers/mlv-repository.js';
import { cloneRepository, commitAll, git } from '../helpers/repository.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';
import { startWebServer, type WebServer } from '../helpers/web-server.js';

/** A repository with `model.pkl` pushed to a directory, its configuration then as given; and its bare copy. */
async function hostile(settings: Record<string, string>): Promise<{ url: string; store: string }> {
  const cwd = await makeMlvRepository({ 'model.pkl': 'bytes' });
  const store = join(temporaryDirectory('store'), 'objects');
  await mlv(['remote', 'add', 'origin', store, '-q'], { cwd });
  await mlv(['add', '-q', 'model.pkl'], { cwd });
  commitAll(cwd);
  await mlv(['push', '-q'], { cwd });
  for (const [key, value] of Object.entries(settings)) await mlv(['config', 'set', '--project', key, value], { cwd });
  writeFiles(cwd, { note: 'changed' });
  commitAll(cwd);
  const bare = join(temporaryDirectory('bare'), 'hostile.git');
  git(cwd, 'clone', '--quiet', '--bare', cwd, bare);
  return { url: bare, store };
}

/** The repository's URL on a server, as one that is not on this machine. */
async function served(bare: string): Promise<WebServer> {
  return startGitHttpServer(join(bare, '..'));
}

describe('a hostile address', () => {
  it('starts no program', async () => {
    const cwd = temporaryDirectory();
    const marker = join(cwd, 'marker');
    const addresses = [
      `ext::sh -c "touch ${marker}"`,
      `--upload-pack=touch ${marker}`,
      `ssh://-oProxyCommand=touch%20${marker}/x`,
      `-oProxyCommand=touch ${marker}:x`,
      'fd::3',
      'ftp://example.com/x.git',
      'https://example.com/\n-c',
    ];
    for (const address of addresses) {
      const { exitCode } = await runMlv(['get', '--', address, 'model.pkl'], { cwd });
      expect(exitCode, address).toBe(2);
    }
    expect(existsSync(marker)).toBe(false);
  });
});

describe('a hostile repository', () => {
  let stopped: WebServer[] = [];
  beforeAll(() => {
    stopped = [];
  });
  afterAll(async () => {
    for (const server of stopped) await server.stop();
  });

  it('on another machine has no directory of this one read, unless the user says so', async () => {
    const { url, store } = await hostile({});
    const server = await served(url);
    stopped.push(server);
    const cwd = temporaryDirectory();
    const refused = await runMlv(['get', `${server.url}/hostile.git`, 'model.pkl'], { cwd });
    expect([refused.exitCode, refused.stderr]).toEqual([
      7,
      expect.stringContaining("the remote 'origin' of mlv.yaml of http"),
    ]);
    expect(readdirSync(cwd)).toEqual([]);
    await mlv(['get', '-c', `remote.origin.url=${store}`, `${server.url}/hostile.git`, 'model.pkl'], { cwd });
    expect(readdirSync(cwd)).toEqual(['model.pkl']);
  });

  it('is not given the credentials that the user has for a remote of that name', async () => {
    const thief = await startWebServer((_request, response) => response.writeHead(404, { 'content-length': 0 }).end());
    stopped.push(thief);
    const { url } = await hostile({ 'remote.origin.url': `${thief.url}/store` });
    const cwd = temporaryDirectory();
    const env = { MLV_REMOTE_ORIGIN_TOKEN: 'geheim' };
    const result = await runMlv(['get', url, 'model.pkl'], { cwd, env });
    expect(result.exitCode).toBe(4);
    expect(thief.requests.length).toBeGreaterThan(0);
    expect(thief.authorizations.filter(Boolean)).toEqual([]);
  });

  it('is not given the credentials of the environment at an endpoint of its own', async () => {
    const thief = await startWebServer((_request, response) => response.writeHead(404, { 'content-length': 0 }).end());
    stopped.push(thief);
    const { url } = await hostile({ 'remote.origin.url': 's3://bucket/x', 'remote.origin.endpoint': thief.url });
    const env = { AWS_ACCESS_KEY_ID: 'AKIAGEHEIM', AWS_SECRET_ACCESS_KEY: 'geheim', AWS_SESSION_TOKEN: 'geheim' };
    const cwd = temporaryDirectory();
    const refused = await runMlv(['get', url, 'model.pkl'], { cwd, env });
    expect([refused.exitCode, refused.stderr]).toEqual([7, expect.stringContaining('no credentials are sent to')]);
    expect(thief.requests).toEqual([]);
    // What the user says is theirs is used.
    await runMlv(['get', '-c', `remote.origin.endpoint=${thief.url}`, url, 'model.pkl'], { cwd, env });
    expect(thief.requests.length).toBeGreaterThan(0);
  });

  it('runs nothing through its configuration, hooks or attributes', async () => {
    const { url } = await hostile({});
    const marker = join(temporaryDirectory(), 'marker');
    const clone = cloneRepository(url);
    writeFiles(clone, { '.gitattributes': '* filter=evil diff=evil merge=evil\n' });
    commitAll(clone);
    const touch = `touch ${marker}`;
    for (const key of [
      'core.fsmonitor',
      'filter.evil.smudge',
      'diff.evil.textconv',
      'uploadpack.packObjectsHook',
      'core.sshCommand',
      'core.alternateRefsCommand',
      'credential.helper',
      'core.pager',
    ]) {
      git(clone, 'config', key, touch);
    }
    git(clone, 'config', 'remote.origin.uploadpack', touch);
    for (const hook of ['post-checkout', 'pre-auto-gc', 'reference-transaction', 'post-upload-pack']) {
      writeFileSync(join(clone, '.git/hooks', hook), `#!/bin/sh\n${touch}\n`, { mode: 0o755 });
    }
    const cwd = temporaryDirectory();
    await mlv(['get', clone, '.', '-o', 'all'], { cwd });
    await mlv(['ls', clone], { cwd });
    expect(existsSync(marker)).toBe(false);
  });

  it('writes nothing outside of what was asked for', async () => {
    const { url } = await hostile({});
    const run = (args: string[], input = ''): string =>
      execFileSync('git', ['--git-dir', url, ...args], { input, env: gitTestEnvironment(), encoding: 'utf8' }).trim();
    const blob = run(['hash-object', '-w', '--stdin'], 'evil');
    const link = run(['hash-object', '-w', '--stdin'], '/etc');
    const inner = run(['mktree'], `100644 blob ${blob}\tpost-checkout\n`);
    const entry = (mode: string, name: string, oid: string): Buffer =>
      Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(oid, 'hex')]);
    const raw = Buffer.concat([
      entry('40000', '..', inner),
      entry('40000', '.git', inner),
      entry('120000', 'link', link),
      entry('100644', 'plain', blob),
    ]);
    const tree = execFileSync('git', ['--git-dir', url, 'hash-object', '-t', 'tree', '-w', '--literally', '--stdin'], {
      input: raw,
      env: gitTestEnvironment(),
      encoding: 'utf8',
    }).trim();
    run(['update-ref', 'refs/heads/main', run(['commit-tree', tree, '-m', 'evil'])]);
    const cwd = temporaryDirectory();
    const result = await runMlv(['get', url, '.', '-o', 'deep/out'], { cwd });
    expect(result.exitCode).toBe(0);
    expect(readdirSync(join(cwd, 'deep'))).toEqual(['out']);
    expect(readdirSync(join(cwd, 'deep/out'))).toEqual(['plain']);
    expect(result.stderr).toContain('left out');
  });
});
