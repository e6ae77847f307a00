import { createHash, randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bytesBody, type Remote, type RemoteBody, readContent } from '../../src/remotes/remote.js';
import { withRetry } from '../../src/remotes/retry.js';
import { openS3Remote } from '../../src/remotes/s3.js';
import type { S3Options } from '../../src/remotes/s3-options.js';
import { failureOf } from '../conformance/remote.js';
import {
  answer,
  broken,
  content,
  early,
  error,
  hangUp,
  page,
  type ScriptedServer,
  type Step,
  startScriptedServer,
  stored,
} from '../helpers/scripted-server.js';

const SECRET = 'wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY';
const HTML = answer(200, { 'content-type': 'text/html' }, '<html><body>Please sign in</body></html>');
const bytes = randomBytes(1_000);
const body = bytesBody(bytes);

let server: ScriptedServer;
let opened: Remote[];
let waits: number[];

beforeEach(async () => {
  server = await startScriptedServer();
  opened = [];
  waits = [];
});

afterEach(async () => {
  for (const remote of opened) await remote.close();
  await server.stop();
});

async function open(extra: Partial<S3Options> = {}): Promise<Remote> {
  const remote = await openS3Remote({
    bucket: 'bucket',
    prefix: 'p',
    endpoint: server.endpoint,
    region: 'us-east-1',
    accessKeyId: 'AKIAEXAMPLE',
    secretAccessKey: SECRET,
    ...extra,
  });
  opened.push(remote);
  return remote;
}

async function openRetrying(extra: Partial<S3Options> = {}): Promise<Remote> {
  const sleep = async (milliseconds: number): Promise<void> => void waits.push(milliseconds);
  return withRetry(await open(extra), { attempts: 4, minDelayMs: 100, random: () => 0.5, sleep });
}

async function keysOf(remote: Remote): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of remote.list('')) keys.push(key);
  return keys;
}

const requests = (): string[] => server.seen.map(({ method, url }) => `${method} ${url.split('?', 1)[0]}`);

describe('the S3 remote, on a server that fails', () => {
  it('reads on by a range where the connection closed in the middle of a body', async () => {
    server.script(
      broken(bytes.subarray(0, 400), 1_000),
      error(503, 'SlowDown'),
      content(bytes.subarray(400), { start: 400, total: 1_000 }),
    );
    const remote = await openRetrying();
    expect(await readContent(await remote.get('a'))).toEqual(bytes);
    expect(server.seen.map(({ headers }) => headers.range)).toEqual([undefined, 'bytes=400-999', 'bytes=400-999']);
  });

  it('never takes a body that ends early for a whole one', async () => {
    server.script(broken(bytes.subarray(0, 400), 1_000));
    const { body: parts, size } = await (await open()).get('a');
    expect(size).toBe(1_000);
    expect(await failureOf(readContent({ body: parts, size }))).toMatchObject({ code: 'REMOTE_TRANSIENT' });
  });

  it('tries again after a refusal for load, no sooner than the server asks', async () => {
    server.script(error(503, 'SlowDown', { headers: { 'retry-after': '3' } }), error(500, 'InternalError'), stored);
    expect(await (await openRetrying()).put('a', body)).toBe('created');
    // Half of the jitter comes on top of what the server asks.
    expect(waits).toEqual([3_050, 100]);
    expect(server.seen.map((request) => request.body.equals(bytes))).toEqual([true, true, true]);
  });

  it('sends a stream from its start again after the connection broke', async () => {
    let opens = 0;
    const stream: RemoteBody = {
      size: 3_000,
      async *open() {
        opens++;
        for (let index = 0; index < 3; index++) yield bytes;
      },
    };
    server.script(
      early((_request, response) => response.destroy()),
      error(404, 'NoSuchKey'),
      hangUp,
      error(404, 'NoSuchKey'),
      stored,
    );
    await (await openRetrying({ unsignedPayload: true })).put('a', stream);
    expect(opens).toBe(3);
    expect(server.seen.at(-1)?.body).toEqual(Buffer.concat([bytes, bytes, bytes]));
  });

  it('names the server that does not answer', async () => {
    server.script(hangUp);
    expect(await failureOf((await open()).stat('a'))).toMatchObject({
      code: 'REMOTE_TRANSIENT',
      message: expect.stringContaining(server.endpoint),
    });
    const endpoint = 'http://127.0.0.1:1';
    const error = await failureOf((await open({ endpoint })).stat('a'));
    expect(error).toMatchObject({ code: 'REMOTE_TRANSIENT', message: expect.stringContaining(endpoint) });
  });

  it('ends the request when it is interrupted in the middle of an upload', async () => {
    const controller = new AbortController();
    server.script(early(() => controller.abort()));
    const big = bytesBody(Buffer.alloc(32 * 1024 * 1024));
    const put = (await openRetrying()).put('a', big, { signal: controller.signal });
    expect(await failureOf(put)).toMatchObject({ code: 'INTERRUPTED' });
    expect(server.seen).toHaveLength(1);
  });

  it('goes on with a list where a page was lost, each key once', async () => {
    server.script(page(['p/a', 'p/b'], 'more'), hangUp, page(['p/c'], 'rest'), page(['p/d']));
    expect(await keysOf(await openRetrying())).toEqual(['a', 'b', 'c', 'd']);
    expect(server.seen[2]?.url).toContain('start-after=p%2Fb');
  });

  it('does not mind a server that lists from the beginning again', async () => {
    server.script(page(['p/a', 'p/b'], 'more'), hangUp, page(['p/a', 'p/b', 'p/c']));
    expect(await keysOf(await openRetrying())).toEqual(['a', 'b', 'c']);
  });
});

describe('the S3 remote, on what is no S3 server', () => {
  it.each([
    ['get', (remote: Remote) => remote.get('a')],
    ['stat', (remote: Remote) => remote.stat('a')],
    ['put', (remote: Remote) => remote.put('a', body)],
    ['list', (remote: Remote) => keysOf(remote)],
  ])('does not take a web page for the answer to a %s', async (_method, call) => {
    server.script(HTML, HTML, HTML);
    const error = await failureOf(call(await openRetrying()));
    expect(error).toMatchObject({ code: 'REMOTE_PERMANENT', hint: expect.stringContaining('endpoint') });
    expect(error.message).toContain(server.endpoint);
    expect(server.seen).toHaveLength(1);
  });

  it.each([
    ['the whole in the place of a range', content(bytes)],
    ['another range', content(bytes.subarray(0, 10), { start: 0, total: 1_000 })],
    ['less than the range', content(bytes.subarray(5, 10), { start: 5, total: 1_000 })],
  ])('refuses %s', async (_what, step) => {
    server.script(step);
    const error = await failureOf((await open()).get('a', { range: { start: 5, length: 10 } }));
    expect(error).toMatchObject({ code: 'REMOTE_PERMANENT' });
  });

  it.each([
    ['keys out of order', page(['p/b', 'p/a'])],
    ['a key twice', page(['p/a', 'p/a'])],
    ['keys of another prefix', page(['q/a'])],
    [
      'an unfinished list without its continuation',
      answer(200, {}, '<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>'),
    ],
  ])('refuses a list with %s', async (_what, step) => {
    server.script(step);
    expect(await failureOf(keysOf(await open()))).toMatchObject({ code: 'REMOTE_PERMANENT' });
  });
});

describe('the S3 remote, refused', () => {
  it('names the source of credentials that the server refuses, and never a secret', async () => {
    server.script(error(403, 'InvalidAccessKeyId', { xml: '<AWSAccessKeyId>AKIAEXAMPLE</AWSAccessKeyId>' }));
    const failure = await failureOf((await openRetrying()).put('a', body));
    expect(failure).toMatchObject({ code: 'REMOTE_DENIED', hint: expect.stringContaining('access-key-id') });
    expect(failure.message).toContain('the settings of the remote');
    expect(JSON.stringify([failure.message, failure.data, failure.hint])).not.toMatch(/AKIAEXAMPLE|wJalr/);
    expect(server.seen).toHaveLength(1);
  });

  it('finds out why a HEAD was refused', async () => {
    server.script(error(403, ''), error(403, 'RequestTimeTooSkewed'));
    expect((await failureOf((await open()).stat('a'))).message).toContain('clock');
    expect(requests()).toEqual(['HEAD /bucket/p/a', 'GET /bucket/p/a']);
  });

  it('tells a missing bucket from a missing key, and asks once', async () => {
    const head = error(404, '');
    server.script(head, error(404, 'NoSuchBucket'), head, error(404, 'NoSuchKey'), head);
    const remote = await open();
    expect(await failureOf(remote.stat('a'))).toMatchObject({ code: 'REMOTE_NOT_FOUND', data: { missing: 'bucket' } });
    expect(await remote.stat('a')).toBeUndefined();
    expect(await remote.stat('b')).toBeUndefined();
    expect(requests().map((line) => line.replace('/bucket/p/', ''))).toEqual([
      'HEAD a',
      'GET a',
      'HEAD a',
      'GET a',
      'HEAD b',
    ]);
  });

  it('takes a code that it does not know for no missing key', async () => {
    server.script(error(404, 'XSomethingNotFound'), error(404, ''), error(404, 'XSomethingNotFound'));
    const remote = await open();
    for (const call of [() => remote.get('a'), () => remote.stat('a')]) {
      const failure = await failureOf(call());
      expect(failure.message).toContain('XSomethingNotFound');
      expect(failure.data.missing).toBeUndefined();
    }
  });

  it('finds out why the connection was closed on an upload', async () => {
    server.script(hangUp, error(403, 'InvalidAccessKeyId'));
    expect(await failureOf((await openRetrying()).put('a', body))).toMatchObject({ code: 'REMOTE_DENIED' });
    expect(requests()).toEqual(['PUT /bucket/p/a', 'GET /bucket/p/a']);
  });

  it('does not take a denied read for the reason of an upload that broke', async () => {
    server.script(hangUp, error(403, 'AccessDenied'), stored);
    expect(await (await openRetrying()).put('a', body)).toBe('created');
  });

  it.each([
    ['a redirect', error(301, 'PermanentRedirect', { headers: { 'x-amz-bucket-region': 'eu-central-1' } })],
    ['its error', error(400, 'AuthorizationHeaderMalformed', { xml: '<Region>eu-central-1</Region>' })],
  ])('moves to the region that the server names by %s, and stays there', async (_how, step) => {
    server.script(step, stored, stored);
    const remote = await open();
    await remote.put('a', body);
    await remote.put('b', body);
    const regions = server.seen.map(({ headers }) => /\/([a-z0-9-]+)\/s3\//.exec(headers.authorization ?? '')?.[1]);
    expect(regions).toEqual(['us-east-1', 'eu-central-1', 'eu-central-1']);
  });

  it('names the region where moving there did not help', async () => {
    const step = error(301, 'PermanentRedirect', { headers: { 'x-amz-bucket-region': 'eu-central-1' } });
    server.script(step, step);
    const failure = await failureOf((await open()).put('a', body));
    expect(failure).toMatchObject({ code: 'REMOTE_PERMANENT', hint: expect.stringContaining('eu-central-1') });
  });
});

describe('the S3 remote, on a server with fewer abilities', () => {
  it('says that the key exists where the server refuses to write over it', async () => {
    server.script(error(412, 'PreconditionFailed'));
    expect(await (await open()).put('a', body, { ifAbsent: true })).toBe('exists');
    expect(server.seen[0]?.headers['if-none-match']).toBe('*');
  });

  it('does without the condition, from then on, where the server does not know it', async () => {
    server.script(error(501, 'NotImplemented'), stored, stored);
    const remote = await open();
    expect(await remote.put('a', body, { ifAbsent: true })).toBe('created');
    expect(await remote.put('b', body, { ifAbsent: true })).toBe('created');
    expect(server.seen.map(({ headers }) => headers['if-none-match'])).toEqual(['*', undefined, undefined]);
  });

  it('deletes one by one, from then on, where the server has no batches', async () => {
    const gone = answer(204);
    server.script(error(501, 'NotImplemented'), gone, gone, gone, gone);
    const remote = await open();
    await remote.delete(['a', 'b']);
    await remote.delete(['c', 'd']);
    expect(requests()[0]).toBe('POST /bucket/');
    const singles = ['a', 'b', 'c', 'd'].map((key) => `DELETE /bucket/p/${key}`);
    expect(requests().slice(1).sort()).toEqual(singles);
  });

  it('says why a key of a batch was not deleted', async () => {
    const part =
      '<DeleteResult><Deleted><Key>p/a</Key></Deleted><Error><Key>p/b</Key><Code>AccessDenied</Code></Error></DeleteResult>';
    server.script(answer(200, { 'content-type': 'application/xml' }, part), error(403, 'AccessDenied'));
    const failure = await failureOf((await open()).delete(['a', 'b']));
    expect(failure).toMatchObject({ code: 'REMOTE_DENIED', data: { key: 'b' } });
    expect(requests().at(-1)).toBe('DELETE /bucket/p/b');
  });
});

describe('what the S3 remote sends', () => {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const stream: RemoteBody = {
    size: bytes.length,
    async *open() {
      yield bytes;
    },
  };

  it.each([
    ['a buffer', body],
    ['a stream', stream],
  ])('signs %s with its hash and its length where no checksum protects it', async (_what, sent) => {
    server.script(stored);
    await (await open()).put('a', sent);
    const { headers, body: received } = server.seen[0]!;
    expect(headers).toMatchObject({ 'x-amz-content-sha256': sha256, 'content-length': '1000' });
    expect(headers).not.toHaveProperty('expect');
    expect(Object.keys(headers).filter((name) => name.startsWith('x-amz-checksum'))).toEqual([]);
    expect(received).toEqual(bytes);
  });

  it('sends a checksum of a buffer in a header, and leaves it unsigned, where both are wanted', async () => {
    server.script(stored);
    await (await open({ checksum: 'when-supported', unsignedPayload: true })).put('a', body);
    expect(server.seen[0]!.headers).toMatchObject({
      'x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
      'x-amz-checksum-crc32': expect.stringMatching(/^[A-Za-z0-9+/]{6}==$/),
      'content-length': '1000',
    });
    expect(server.seen[0]!.body).toEqual(bytes);
  });

  it('asks for encryption and a storage class', async () => {
    server.script(stored);
    const remote = await open({ sse: 'aws:kms', sseKmsKeyId: 'key-1', storageClass: 'STANDARD_IA' });
    await remote.put('a', body);
    expect(server.seen[0]!.headers).toMatchObject({
      'x-amz-server-side-encryption': 'aws:kms',
      'x-amz-server-side-encryption-aws-kms-key-id': 'key-1',
      'x-amz-storage-class': 'STANDARD_IA',
    });
  });

  it('puts the bucket into the host name where path-style is off', async () => {
    server.script(stored);
    const endpoint = server.endpoint.replace('127.0.0.1', 'localhost');
    const failure = await (await open({ endpoint, pathStyle: false })).put('a', body).catch((error: Error) => error);
    // Not every resolver knows the names below localhost: it then says which one it was asked for.
    const asked = server.seen[0]?.headers.host ?? String((failure as Error).cause);
    expect(asked).toContain('bucket.localhost');
  });

  it('uses one connection again and again', async () => {
    const count = 20;
    server.script(...Array.from({ length: count }, () => stored));
    const remote = await open();
    for (let index = 0; index < count; index++) await remote.put(`k${index}`, body);
    expect(new Set(server.seen.map(({ port }) => port)).size).toBe(1);
  });

  it('opens no more connections than it may', async () => {
    const count = 20;
    const later: Step = (_request, response) =>
      setTimeout(() => {
        response.writeHead(200, { etag: '"e"', 'content-length': '0' });
        response.end();
      }, 5);
    server.script(...Array.from({ length: count }, () => later));
    const remote = await open({ connections: 3 });
    await Promise.all(Array.from({ length: count }, (_, index) => remote.put(`k${index}`, body)));
    expect(new Set(server.seen.map(({ port }) => port)).size).toBe(3);
  });
});

describe('openS3Remote', () => {
  it.each([
    [{ accessKeyId: 'AKIAEXAMPLE', secretAccessKey: undefined }, 'secret-access-key'],
    [{ accessKeyId: undefined, secretAccessKey: SECRET }, 'access-key-id'],
    [{ endpoint: 'ftp://host' }, 'ftp://host'],
    [{ endpoint: 'host:9000' }, 'host:9000'],
    [{ endpoint: 'https://AKIAEXAMPLE:wJalr@host' }, 'https://***@host'],
  ])('refuses %j', async (extra, named) => {
    const failure = await failureOf(open(extra));
    expect(failure).toMatchObject({ code: 'CONFIG_INVALID' });
    expect(failure.message).toContain(named);
    expect(failure.message).not.toContain('wJalr');
  });
});
