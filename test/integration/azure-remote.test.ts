import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  ContainerSASPermissions,
  generateBlobSASQueryParameters,
  StorageSharedKeyCredential,
} from '@azure/storage-blob';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openAzureRemote } from '../../src/remotes/azure.js';
import { azureAccess } from '../../src/remotes/azure-credentials.js';
import type { AzureOptions } from '../../src/remotes/azure-options.js';
import { bytesBody, type Remote, readContent } from '../../src/remotes/remote.js';
import { failureOf } from '../conformance/remote.js';
import { ACCOUNT, ACCOUNT_KEY, type AzureServer, startAzureServer } from '../helpers/azure-server.js';
import { answer, type ScriptedServer, startScriptedServer } from '../helpers/scripted-server.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

const remotes: Remote[] = [];
const SECRET = Buffer.from('a secret that nobody may see').toString('base64');

function open(options: AzureOptions): Remote {
  const remote = openAzureRemote(options);
  remotes.push(remote);
  return remote;
}

afterEach(async () => {
  for (const remote of remotes.splice(0)) await remote.close();
});

/** Everything of an error that could be printed or logged. */
const shown = (error: Error): string =>
  JSON.stringify([error, error.message, error.stack, error.cause, (error.cause as Error | undefined)?.stack]);

describe('a remote in Azurite', () => {
  let server: AzureServer;
  let options: AzureOptions;

  beforeAll(async () => {
    server = await startAzureServer();
    options = await server.createContainer();
    const remote = openAzureRemote(options);
    await remote.put('key', bytesBody(Buffer.from('content')));
    await remote.close();
  });
  afterAll(() => server.stop());

  it('is opened by a connection string of the environment', async () => {
    const text = `DefaultEndpointsProtocol=http;AccountName=${ACCOUNT};AccountKey=${ACCOUNT_KEY};BlobEndpoint=${server.endpoint};`;
    const environment = { AZURE_STORAGE_CONNECTION_STRING: text };
    const remote = open({ container: options.container, environment });
    expect((await remote.describeCredentials?.())?.name).toContain('AZURE_STORAGE_CONNECTION_STRING');
    expect((await readContent(await remote.get('key'))).toString()).toBe('content');
  });

  it('is opened by a shared access signature, as far as that goes', async () => {
    const credential = new StorageSharedKeyCredential(ACCOUNT, ACCOUNT_KEY);
    const { container } = options;
    const sas = generateBlobSASQueryParameters(
      {
        containerName: container,
        permissions: ContainerSASPermissions.parse('r'),
        expiresOn: new Date(Date.now() + 3_600_000),
      },
      credential,
    ).toString();
    const remote = open({ container, account: ACCOUNT, endpoint: server.endpoint, sasToken: `?${sas}` });
    expect(await remote.stat('key')).toMatchObject({ size: 7 });
    const error = await failureOf(remote.put('key', bytesBody(Buffer.from('x'))));
    expect(error.code).toBe('REMOTE_DENIED');
    expect(error.message).toContain('the settings of the remote (sas-token)');
    const signature = /sig=([^&]+)/.exec(sas)?.[1] as string;
    expect(shown(error)).not.toContain(signature);
    expect(shown(error)).not.toContain(decodeURIComponent(signature));
  });

  it('refuses a wrong key, names where it comes from and does not show it', async () => {
    const environment = { AZURE_STORAGE_KEY: SECRET };
    const { container, endpoint } = options;
    const remote = open({ container, account: ACCOUNT, endpoint, environment });
    for (const error of await Promise.all(
      [remote.stat('key'), remote.get('key'), remote.put('x', bytesBody(Buffer.from('x')))].map(failureOf),
    )) {
      expect(error.code).toBe('REMOTE_DENIED');
      expect(error.message).toContain('the environment (AZURE_STORAGE_KEY)');
      expect(shown(error)).not.toContain(SECRET);
    }
  });
});

describe('a server that is not what it should be', () => {
  let server: ScriptedServer;
  let remote: Remote;

  beforeAll(async () => {
    server = await startScriptedServer();
  });
  afterAll(() => server.stop());
  const opened = (): Remote =>
    open({ container: 'box', account: 'acc', accountKey: SECRET, endpoint: `${server.endpoint}/acc` });
  const blob = { 'x-ms-blob-type': 'BlockBlob', etag: '"1"', 'last-modified': 'Sat, 21 Nov 2026 06:00:00 GMT' };
  const coded = (status: number, code: string, more: Record<string, string> = {}) =>
    answer(status, { 'x-ms-error-code': code, ...more });

  it.each([
    [503, 'ServerBusy', 'REMOTE_TRANSIENT'],
    [500, 'InternalError', 'REMOTE_TRANSIENT'],
    [500, 'OperationTimedOut', 'REMOTE_TRANSIENT'],
    [429, '', 'REMOTE_TRANSIENT'],
    [403, 'AuthenticationFailed', 'REMOTE_DENIED'],
    [401, 'NoAuthenticationInformation', 'REMOTE_DENIED'],
    [404, 'ContainerNotFound', 'REMOTE_NOT_FOUND'],
    [404, 'BlobNotFound', 'REMOTE_NOT_FOUND'],
    [409, 'BlobArchived', 'REMOTE_PERMANENT'],
    [400, 'InvalidUri', 'REMOTE_PERMANENT'],
  ])('answers %i %s, which is %s, and is asked once', async (status, code, expected) => {
    remote = opened();
    const before = server.seen.length;
    server.script(coded(status, code, { 'retry-after': '3' }));
    const error = await failureOf(remote.get('key'));
    expect(error).toMatchObject({ code: expected, data: { operation: 'get', key: 'key', status, retryAfterMs: 3000 } });
    expect(server.seen.length - before).toBe(1);
  });

  it.each([
    ['a web page', answer(200, { 'content-type': 'text/html' }, '<html>')],
    ['another range', answer(206, { ...blob, 'content-range': 'bytes 0-2/9' }, 'abc')],
    ['the whole', answer(200, blob, 'abcdefghi')],
  ])('gives %s where a range was asked for', async (_what, step) => {
    server.script(step);
    const error = await failureOf(opened().get('key', { range: { start: 2, length: 3 } }));
    expect(error.code).toBe('REMOTE_PERMANENT');
  });

  it('gives a web page where a blob is looked up or stored', async () => {
    remote = opened();
    server.script(answer(200, { 'content-type': 'text/html' }), answer(200, {}, '<html>'));
    expect(await failureOf(remote.stat('key'))).toMatchObject({ code: 'REMOTE_PERMANENT' });
    expect(await failureOf(remote.put('key', bytesBody(Buffer.from('x'))))).toMatchObject({ code: 'REMOTE_PERMANENT' });
  });

  it('gives a list that is none', async () => {
    server.script(answer(200, { 'content-type': 'text/html' }, '<html><body>login</body></html>'));
    const list = opened().list('')[Symbol.asyncIterator]();
    expect((await failureOf(list.next())).code).toBe('REMOTE_PERMANENT');
  });

  it('breaks off in the middle of a blob', async () => {
    server.script((_request, response) => {
      response.writeHead(200, { ...blob, 'content-length': '9' });
      response.write('abc');
      setTimeout(() => response.destroy(), 20);
    });
    const content = await opened().get('key');
    expect(await failureOf(readContent(content))).toMatchObject({ code: 'REMOTE_TRANSIENT' });
  });

  it('is gone', async () => {
    const gone = await startScriptedServer();
    await gone.stop();
    remote = open({ container: 'box', account: 'acc', accountKey: SECRET, endpoint: `${gone.endpoint}/acc` });
    expect(await failureOf(remote.get('key'))).toMatchObject({ code: 'REMOTE_TRANSIENT' });
    expect(await failureOf(remote.put('key', bytesBody(Buffer.from('x'))))).toMatchObject({ code: 'REMOTE_TRANSIENT' });
  });

  it('is asked over one connection', async () => {
    remote = opened();
    const before = server.seen.length;
    server.script(...Array.from({ length: 5 }, () => answer(200, blob, 'content')));
    for (let round = 0; round < 5; round++) await readContent(await remote.get('key'));
    expect(new Set(server.seen.slice(before).map(({ port }) => port)).size).toBe(1);
  });
});

describe('credentials for Azure', () => {
  const access = (options: Partial<AzureOptions>) => azureAccess({ container: 'box', ...options }, 'azure://box');
  const fakeCli = (script: string): Record<string, string> => {
    const directory = temporaryDirectory('az');
    writeFileSync(join(directory, 'az'), `#!/bin/sh\n${script}\n`);
    chmodSync(join(directory, 'az'), 0o755);
    return { PATH: `${directory}:/usr/bin:/bin` };
  };

  it('come from the settings before the environment', async () => {
    const environment = { AZURE_STORAGE_ACCOUNT: 'acc', AZURE_STORAGE_KEY: SECRET };
    const found = access({ accountKey: SECRET, environment });
    expect([found.account, found.endpoint]).toEqual(['acc', 'https://acc.blob.core.windows.net']);
    expect((await found.describe()).name).toContain('account-key');
    expect((await access({ environment }).describe()).name).toContain('AZURE_STORAGE_KEY');
  });

  it('come from the Azure CLI where there are no others', async () => {
    const soon = Math.floor(Date.now() / 1000) + 3600;
    const environment = fakeCli(
      `echo "$@" >> "$(dirname "$0")/calls"; echo '{"accessToken":"t0ken","expires_on":${soon}}'`,
    );
    const { describe: describeIt, credential } = access({ account: 'acc', environment });
    expect(await describeIt()).toEqual({ name: 'the Azure CLI (az login)', expires: soon * 1000 });
    expect(await (credential as { getToken(): Promise<unknown> }).getToken()).toMatchObject({ token: 't0ken' });
  });

  it.each(['exit 1', 'echo nonsense', "echo '{}'"])(
    'are missed with everything that was tried (az: %s)',
    async (script) => {
      const error = await failureOf(access({ account: 'acc', environment: fakeCli(script) }).describe());
      expect(error).toMatchObject({ code: 'REMOTE_DENIED', hint: 'sign in: az login' });
      for (const word of ['account-key', 'AZURE_STORAGE_SAS_TOKEN', 'the Azure CLI'])
        expect(error.message).toContain(word);
    },
  );

  it.each([
    ['two kinds at once', { account: 'acc', accountKey: SECRET, sasToken: 'sig=x' }],
    ['no account', { accountKey: SECRET }],
    ['another account', { account: 'acc', connectionString: `AccountName=other;AccountKey=${SECRET}` }],
    ['an empty connection string', { account: 'acc', connectionString: 'AccountName=acc' }],
  ])('are refused with %s', async (_what, options) => {
    const error = await failureOf((async () => access(options))());
    expect(error.code).toBe('CONFIG_INVALID');
    expect(shown(error)).not.toContain(SECRET);
  });

  it('that a server could keep do not go to an endpoint that any commit can change', async () => {
    const endpoint = 'https://elsewhere.example.com';
    const committed = { account: 'acc', endpoint, endpointIsCommitted: true };
    for (const options of [{ sasToken: 'sig=x' }, {}]) {
      const error = await failureOf((async () => access({ ...committed, ...options }))());
      expect(error).toMatchObject({ code: 'REMOTE_DENIED' });
      expect(access({ ...committed, ...options, endpointIsCommitted: false }).endpoint).toBe(endpoint);
    }
    // A signature made with a key opens nothing but the request that it signs.
    expect(access({ ...committed, accountKey: SECRET }).endpoint).toBe(endpoint);
  });
});
