import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { openGcsRemote } from '../../src/remotes/gcs.js';
import type { GcsOptions } from '../../src/remotes/gcs-options.js';
import { bytesBody, type Remote, readContent } from '../../src/remotes/remote.js';
import { failureOf } from '../conformance/remote.js';
import { answer, type ScriptedServer, startScriptedServer } from '../helpers/scripted-server.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

const remotes: Remote[] = [];
let server: ScriptedServer;

beforeAll(async () => {
  server = await startScriptedServer();
});
afterAll(() => server.stop());
afterEach(async () => {
  for (const remote of remotes.splice(0)) await remote.close();
});

function open(options: Partial<GcsOptions> = {}): Remote {
  const remote = openGcsRemote({ bucket: 'box', endpoint: server.endpoint, ...options });
  remotes.push(remote);
  return remote;
}

const object = { 'x-goog-generation': '1', etag: '"1"' };
const json = (status: number, value: unknown, headers: Record<string, string> = {}) =>
  answer(status, { 'content-type': 'application/json', ...headers }, JSON.stringify(value));
const refused = (status: number, reason: string, headers: Record<string, string> = {}) =>
  json(status, { error: { code: status, message: 'no', errors: [{ reason, message: 'no' }] } }, headers);
const bucket = json(200, { kind: 'storage#bucket', name: 'box' });

describe('a server of Google Cloud Storage', () => {
  it.each([
    [503, 'backendError', 'REMOTE_TRANSIENT'],
    [500, 'internalError', 'REMOTE_TRANSIENT'],
    [429, 'rateLimitExceeded', 'REMOTE_TRANSIENT'],
    [403, 'userRateLimitExceeded', 'REMOTE_TRANSIENT'],
    [403, 'forbidden', 'REMOTE_DENIED'],
    [401, 'required', 'REMOTE_DENIED'],
    [400, 'invalid', 'REMOTE_PERMANENT'],
  ])('answers %i %s, which is %s, and is asked once', async (status, reason, code) => {
    const remote = open();
    const before = server.seen.length;
    const step = () => refused(status, reason, { 'retry-after': '3' });
    server.script(step(), step(), step(), step(), step());
    const get = await failureOf(remote.get('key'));
    expect(get).toMatchObject({ code, data: { operation: 'get', status, gcsReason: reason, retryAfterMs: 3000 } });
    expect(await failureOf(remote.stat('key'))).toMatchObject({ code, data: { operation: 'stat', status } });
    expect(await failureOf(remote.put('key', bytesBody(Buffer.from('x'))))).toMatchObject({ code });
    expect(await failureOf(remote.delete(['key']))).toMatchObject({ code });
    expect(await failureOf(remote.list('')[Symbol.asyncIterator]().next())).toMatchObject({ code });
    expect(server.seen.length - before).toBe(5);
  });

  it('says that a key is missing only where the bucket is there, or may not be asked for', async () => {
    server.script(refused(404, 'notFound'), bucket);
    expect(await open().stat('key')).toBeUndefined();
    server.script(refused(404, 'notFound'), refused(403, 'forbidden'));
    expect(await open().stat('key')).toBeUndefined();
    server.script(refused(404, 'notFound'), refused(404, 'notFound'));
    expect(await failureOf(open().get('key'))).toMatchObject({ code: 'REMOTE_NOT_FOUND', data: { missing: 'bucket' } });
    server.script(refused(404, 'notFound'), refused(503, 'backendError'));
    expect(await failureOf(open().get('key'))).toMatchObject({ code: 'REMOTE_TRANSIENT' });
  });

  it.each([
    ['a web page', answer(200, { 'content-type': 'text/html' }, '<html>')],
    ['another range', answer(206, { ...object, 'content-range': 'bytes 0-2/9' }, 'abc')],
    ['the whole', answer(200, object, 'abcdefghi')],
  ])('is refused when it gives %s where a range was asked for', async (_what, step) => {
    server.script(step);
    expect(await failureOf(open().get('key', { range: { start: 2, length: 3 } }))).toMatchObject({
      code: 'REMOTE_PERMANENT',
    });
  });

  it('is refused when it gives a web page for everything', async () => {
    const page = () => answer(200, { 'content-type': 'text/html' }, '<html>login</html>');
    server.script(page(), page(), page());
    const remote = open();
    expect(await failureOf(remote.stat('key'))).toMatchObject({ code: 'REMOTE_PERMANENT' });
    expect(await failureOf(remote.put('key', bytesBody(Buffer.from('x'))))).toMatchObject({ code: 'REMOTE_PERMANENT' });
    expect(await failureOf(remote.list('')[Symbol.asyncIterator]().next())).toMatchObject({ code: 'REMOTE_PERMANENT' });
  });

  it('may break off in the middle of an object', async () => {
    server.script((_request, response) => {
      response.writeHead(200, { ...object, 'content-length': '9' });
      response.write('abc');
      setTimeout(() => response.destroy(), 20);
    });
    const content = await open().get('key');
    expect(await failureOf(readContent(content))).toMatchObject({ code: 'REMOTE_TRANSIENT' });
  });

  it('may be gone', async () => {
    const gone = await startScriptedServer();
    await gone.stop();
    const remote = open({ endpoint: gone.endpoint });
    const calls = [remote.get('key'), remote.stat('key'), remote.put('key', bytesBody(Buffer.from('x')))];
    for (const error of await Promise.all(calls.map(failureOf))) expect(error.code).toBe('REMOTE_TRANSIENT');
  });

  it('is asked for many objects over one connection', async () => {
    const before = server.seen.length;
    server.script(...Array.from({ length: 5 }, () => answer(200, object, 'content')));
    const remote = open();
    for (let round = 0; round < 5; round++) await readContent(await remote.get('key'));
    expect(new Set(server.seen.slice(before).map(({ port }) => port)).size).toBe(1);
  });

  it('is told which project pays, in every request', async () => {
    const before = server.seen.length;
    const remote = open({ projectId: 'payer' });
    server.script(answer(200, object, 'x'), json(200, { size: '7' }), json(200, { generation: '1' }), answer(204));
    server.script(json(200, { kind: 'storage#objects' }));
    await readContent(await remote.get('key'));
    await remote.stat('key');
    await remote.put('key', bytesBody(Buffer.from('x')));
    await remote.delete(['key']);
    await remote.list('')[Symbol.asyncIterator]().next();
    const payers = server.seen.slice(before).map(({ url }) => new URL(url, 'http://x').searchParams.get('userProject'));
    expect(payers).toEqual(['payer', 'payer', 'payer', 'payer', 'payer']);
  });

  it('gets no credentials at an endpoint of its own', async () => {
    const before = server.seen.length;
    server.script(answer(200, object, 'content'), json(200, { kind: 'storage#object', size: '7' }));
    const remote = open();
    await readContent(await remote.get('key'));
    await remote.stat('key');
    expect(server.seen.slice(before).map(({ headers }) => headers.authorization)).toEqual([undefined, undefined]);
    expect((await remote.describeCredentials?.())?.name).toContain('anonymous');
  });
});

describe('credentials for Google', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  it('are missed with everything that was tried', async () => {
    vi.stubEnv('METADATA_SERVER_DETECTION', 'none');
    vi.stubEnv('CLOUDSDK_CONFIG', temporaryDirectory('gcloud'));
    const remote = openGcsRemote({ bucket: 'box' });
    remotes.push(remote);
    const calls = [remote.describeCredentials!(), remote.stat('key'), remote.get('key')];
    for (const error of await Promise.all(calls.map(failureOf))) {
      expect([error.code, error.hint]).toEqual(['REMOTE_DENIED', expect.stringContaining('gcloud auth')]);
      expect(error.message).toContain('GOOGLE_APPLICATION_CREDENTIALS');
    }
  });

  it('are missed where the file that the settings name is not there', async () => {
    const credentialsFile = join(temporaryDirectory('gcs'), 'key.json');
    const error = await failureOf(open({ credentialsFile }).stat('key'));
    expect(error.code).toBe('REMOTE_DENIED');
    expect(error.message).toContain(credentialsFile);
  });

  it('do not go to an endpoint that any commit can change', async () => {
    const error = await failureOf((async () => open({ credentialsFile: '/key.json', endpointIsCommitted: true }))());
    expect(error).toMatchObject({ code: 'REMOTE_DENIED', data: { setting: 'endpoint' } });
  });
});
