import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ACCOUNT, ACCOUNT_KEY, type AzureServer, startAzureServer } from '../helpers/azure-server.js';
import { mlv, runMlv } from '../helpers/cli.js';
import { findFakeGcs, startGcsServer } from '../helpers/gcs-server.js';
import { makeMlvRepository } from '../helpers/mlv-repository.js';
import { cloneRepository, commitAll } from '../helpers/repository.js';
import { findSshd, type SshServer, startSshServer } from '../helpers/ssh-server.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';
import { serveFiles, startWebServer, type WebServer } from '../helpers/web-server.js';

describe('a remote that a web server serves', () => {
  let server: WebServer;
  let origin: string;

  beforeAll(async () => {
    const store = join(temporaryDirectory('store'), 'mlv');
    origin = await makeMlvRepository({ 'data/a.bin': 'a'.repeat(100_000), 'data/b.bin': 'b' });
    server = await startWebServer(serveFiles(store));
    await mlv(['add', 'data'], { cwd: origin });
    await mlv(['remote', 'add', 'store', store, '--local'], { cwd: origin });
    await mlv(['remote', 'add', 'web', server.url, '--default'], { cwd: origin });
    await mlv(['push', '--remote', 'store'], { cwd: origin });
    commitAll(origin);
  });
  afterAll(() => server.stop());

  it('is pulled from and found healthy, and refuses a push with what to do', async () => {
    const clone = cloneRepository(origin);
    await mlv(['pull'], { cwd: clone });
    expect(readFileSync(join(clone, 'data', 'b.bin'), 'utf8')).toBe('b');
    expect(await mlv(['status', '--remote'], { cwd: clone })).toContain('web');
    await mlv(['fsck', '--remote'], { cwd: clone });
    await mlv(['doctor'], { cwd: clone });
    await mlv(['push'], { cwd: clone });
    writeFileSync(join(clone, 'new'), 'new');
    await mlv(['add', 'new'], { cwd: clone });
    const pushed = await runMlv(['push'], { cwd: clone });
    expect(pushed.exitCode).toBe(7);
    expect(pushed.stderr).toContain('read-only');
    expect(pushed.stderr).toContain('the storage behind it');
  });

  it('gets credentials only at an address that the user set, not one from a commit', async () => {
    const clone = cloneRepository(origin);
    await mlv(['config', 'set', 'remote.web.token', 's3cret'], { cwd: clone });
    const before = server.authorizations.length;
    const refused = await runMlv(['pull'], { cwd: clone });
    expect(refused.exitCode).toBe(7);
    expect(refused.stderr).toContain('mlv config set');
    expect(server.authorizations.length).toBe(before);
    await mlv(['config', 'set', 'remote.web.url', server.url], { cwd: clone });
    await mlv(['pull'], { cwd: clone });
    expect(new Set(server.authorizations.slice(before))).toEqual(new Set(['Bearer s3cret']));
    const shown = await runMlv(['doctor'], { cwd: clone });
    expect(shown.stdout).toContain('the settings of the remote (token)');
    expect(`${shown.stdout}${shown.stderr}${refused.stderr}`).not.toContain('s3cret');
  });
});

describe.runIf(findSshd())('a remote behind SSH', () => {
  let server: SshServer;

  beforeAll(async () => {
    server = await startSshServer();
  });
  afterAll(() => server.stop());

  it('is pushed to and pulled from, and its host must be known', async () => {
    const env = { HOME: server.home, USERPROFILE: server.home };
    const origin = await makeMlvRepository({ 'data/a.bin': 'a'.repeat(100_000), 'data/b.bin': 'b' });
    await mlv(['add', 'data'], { cwd: origin });
    await mlv(['remote', 'add', 'lab', server.url(`${server.root}/mlv`)], { cwd: origin });
    commitAll(origin);
    await mlv(['push'], { cwd: origin, env });
    const clone = cloneRepository(origin);
    const stranger = await runMlv(['pull'], { cwd: clone });
    expect(stranger.exitCode).toBe(7);
    await mlv(['pull'], { cwd: clone, env });
    expect(readFileSync(join(clone, 'data', 'b.bin'), 'utf8')).toBe('b');
    await mlv(['fsck', '--remote'], { cwd: clone, env });
    expect(await mlv(['doctor'], { cwd: clone, env })).toContain(server.privateKey);
    expect(await mlv(['remote', 'list'], { cwd: clone })).toContain(`sftp://${server.user}@127.0.0.1`);
  });
});

describe('a remote in Azure', () => {
  let server: AzureServer;

  beforeAll(async () => {
    server = await startAzureServer();
  });
  afterAll(() => server.stop());

  it('is pushed to and pulled from with a key of the environment, which is shown nowhere', async () => {
    const { container } = await server.createContainer();
    const origin = await makeMlvRepository({ 'data/a.bin': 'a'.repeat(100_000), 'data/b.bin': 'b' });
    await mlv(['add', 'data'], { cwd: origin });
    const url = `azure://${container}/team`;
    await mlv(['remote', 'add', 'cloud', url, '--account', ACCOUNT, '--endpoint', server.endpoint], { cwd: origin });
    commitAll(origin);
    const env = { AZURE_STORAGE_KEY: ACCOUNT_KEY };
    await mlv(['push'], { cwd: origin, env });
    const clone = cloneRepository(origin);
    await mlv(['pull'], { cwd: clone, env });
    expect(readFileSync(join(clone, 'data', 'b.bin'), 'utf8')).toBe('b');
    const doctor = await mlv(['doctor'], { cwd: clone, env });
    expect(doctor).toContain('the environment (AZURE_STORAGE_KEY)');
    const wrong = await runMlv(['pull', '--debug'], {
      cwd: cloneRepository(origin),
      env: { AZURE_STORAGE_KEY: 'AAAA' },
    });
    expect(wrong.exitCode).toBe(7);
    expect(`${doctor}${wrong.stdout}${wrong.stderr}`).not.toMatch(/SharedKey |sig=|AAAA/);
  });

  it('gets no signature at an endpoint that only a commit names', async () => {
    const origin = await makeMlvRepository({ 'model.bin': 'm' });
    await mlv(['add', 'model.bin'], { cwd: origin });
    await mlv(['remote', 'add', 'cloud', 'azure://box', '--account', ACCOUNT, '--endpoint', server.endpoint], {
      cwd: origin,
    });
    const pushed = await runMlv(['push'], { cwd: origin, env: { AZURE_STORAGE_SAS_TOKEN: 'sv=1&sig=secret' } });
    expect(pushed.exitCode).toBe(7);
    expect(pushed.stderr).toContain('remote.<name>.endpoint');
  });
});

describe.runIf(findFakeGcs())('a remote in Google Cloud Storage', () => {
  it('is pushed to and pulled from', async () => {
    const server = await startGcsServer();
    try {
      const origin = await makeMlvRepository({ 'data/a.bin': 'a'.repeat(100_000), 'data/b.bin': 'b' });
      await mlv(['add', 'data'], { cwd: origin });
      const url = `gs://${await server.createBucket()}/team`;
      await mlv(['remote', 'add', 'cloud', url, '--endpoint', server.endpoint], { cwd: origin });
      commitAll(origin);
      await mlv(['push'], { cwd: origin });
      const clone = cloneRepository(origin);
      await mlv(['pull'], { cwd: clone });
      expect(readFileSync(join(clone, 'data', 'b.bin'), 'utf8')).toBe('b');
      await mlv(['fsck', '--remote'], { cwd: clone });
    } finally {
      await server.stop();
    }
  });
});
