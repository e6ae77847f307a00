import { createReadStream, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { redirectRefusal } from '../../src/remotes/http-client.js';
import { openRemote, type RemoteOptions } from '../../src/remotes/open.js';
import { bytesBody, type Remote, readContent } from '../../src/remotes/remote.js';
import { withRetry } from '../../src/remotes/retry.js';
import { failureOf } from '../conformance/remote.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';
import { type Handler, serveFiles, startWebServer, type WebServer } from '../helpers/web-server.js';

const servers: WebServer[] = [];
const remotes: Remote[] = [];

afterEach(async () => {
  for (const remote of remotes.splice(0)) await remote.close();
  for (const server of servers.splice(0)) await server.stop();
});

async function serve(handler: Handler): Promise<WebServer> {
  const server = await startWebServer(handler);
  servers.push(server);
  return server;
}

async function open(url: string, options: Partial<RemoteOptions> = {}): Promise<Remote> {
  const remote = await openRemote(url, { baseDirectory: '/', ...options });
  remotes.push(remote);
  return remote;
}

/** A server that gives the same status, headers and body to every request. */
function always(status: number, headers: Record<string, string | number> = {}, body = ''): Handler {
  return (_request, response) => {
    response.writeHead(status, headers);
    response.end(body);
  };
}

async function opened(handler: Handler, options: Partial<RemoteOptions> = {}): Promise<Remote> {
  return open((await serve(handler)).url, options);
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';
const range = { start: 2, length: 3 };

function letters(): string {
  const root = temporaryDirectory('web');
  writeFileSync(join(root, 'key'), LETTERS);
  return root;
}

describe('a remote over HTTP', () => {
  it('writes, deletes and lists nothing, and says what to use instead', async () => {
    const server = await serve(serveFiles(letters()));
    const remote = await open(server.url);
    const calls = [
      remote.put('key', bytesBody(Buffer.from('x'))),
      remote.delete(['key']),
      remote.list('')[Symbol.asyncIterator]().next(),
    ];
    for (const error of await Promise.all(calls.map(failureOf))) {
      expect(error.code).toBe('REMOTE_PERMANENT');
      expect(error.hint).toContain('the storage behind it');
    }
    expect(server.requests).toEqual([]);
    await remote.delete([]);
  });

  it('keeps its connection over many requests', async () => {
    const server = await serve(serveFiles(letters()));
    const remote = await open(server.url);
    for (let round = 0; round < 10; round++) {
      await readContent(await remote.get('key', { range }));
      await remote.stat('key');
      await remote.stat('not-there');
    }
    expect(server.connections()).toBe(1);
  });

  it('says once that a server ignores ranges, and gives the right bytes', async () => {
    const notices: string[] = [];
    const remote = await opened(serveFiles(letters(), { acceptRanges: false }), {
      onNotice: (message) => notices.push(message),
    });
    for (let round = 0; round < 3; round++) {
      expect((await readContent(await remote.get('key', { range }))).toString()).toBe('cde');
    }
    expect(notices).toHaveLength(1);
    expect(notices[0]).toContain('ignores ranges');
  });

  it.each([
    ['another range', { 'content-range': 'bytes 3-5/26', 'content-length': 3 }, 'def'],
    ['a shorter part', { 'content-range': 'bytes 2-3/26', 'content-length': 2 }, 'cd'],
    ['a length that contradicts its range', { 'content-range': 'bytes 2-4/26', 'content-length': 2 }, 'cd'],
    ['a part without saying which', { 'content-length': 3 }, 'cde'],
    ['several parts', { 'content-type': 'multipart/byteranges; boundary=x', 'content-length': 3 }, 'cde'],
  ])('refuses a server that gives %s', async (_what, headers, body) => {
    const remote = await opened(always(206, headers, body));
    expect(await failureOf(remote.get('key', { range }))).toMatchObject({ code: 'REMOTE_PERMANENT' });
  });

  it('refuses a part where the whole was asked for', async () => {
    const remote = await opened(always(206, { 'content-range': 'bytes 0-1/26', 'content-length': 2 }, 'ab'));
    expect(await failureOf(remote.get('key'))).toMatchObject({ code: 'REMOTE_PERMANENT' });
  });

  it.each([
    ['a web page', { 'content-type': 'text/html; charset=utf-8', 'content-length': 6 }, 'web page'],
    ['a compressed body', { 'content-encoding': 'gzip', 'content-length': 6 }, 'compresses'],
    ['no length', { 'transfer-encoding': 'chunked' }, 'how long'],
  ])('refuses %s in place of a file', async (_what, headers, words) => {
    const remote = await opened(always(200, headers, '<html>'));
    for (const error of await Promise.all(
      [remote.stat('key'), remote.get('key'), remote.get('key', { range })].map(failureOf),
    )) {
      expect(error.code).toBe('REMOTE_PERMANENT');
      expect(error.message).toContain(words);
    }
  });

  it.each([
    [401, 'REMOTE_DENIED'],
    [403, 'REMOTE_DENIED'],
    [407, 'REMOTE_DENIED'],
    [400, 'REMOTE_PERMANENT'],
    [418, 'REMOTE_PERMANENT'],
    [408, 'REMOTE_TRANSIENT'],
    [429, 'REMOTE_TRANSIENT'],
    [500, 'REMOTE_TRANSIENT'],
    [502, 'REMOTE_TRANSIENT'],
    [503, 'REMOTE_TRANSIENT'],
    [504, 'REMOTE_TRANSIENT'],
    [304, 'REMOTE_PERMANENT'],
    [302, 'REMOTE_PERMANENT'],
  ])('takes the status %i for %s', async (status, code) => {
    const remote = await opened(always(status, { 'retry-after': '7' }));
    const get = await failureOf(remote.get('key'));
    expect(get).toMatchObject({ code, data: { operation: 'get', key: 'key', status, retryAfterMs: 7000 } });
    expect(get.message).toContain(String(status));
    expect(await failureOf(remote.stat('key'))).toMatchObject({ code, data: { operation: 'stat' } });
  });

  it.each([404, 410])('takes the status %i for a key that is not there', async (status) => {
    const remote = await opened(always(status, { 'content-type': 'text/html' }, '<h1>no</h1>'));
    expect(await remote.stat('key')).toBeUndefined();
    expect(await failureOf(remote.get('key'))).toMatchObject({ code: 'REMOTE_NOT_FOUND', data: { missing: 'key' } });
  });

  it('asks for the first byte where a server knows no HEAD', async () => {
    const root = letters();
    writeFileSync(join(root, 'empty'), '');
    for (const acceptRanges of [true, false]) {
      const files = serveFiles(root, { acceptRanges });
      const remote = await opened((request, response) => {
        if (request.method === 'HEAD') always(405)(request, response);
        else files(request, response);
      });
      expect(await remote.stat('key')).toMatchObject({ size: 26 });
      expect(await remote.stat('empty')).toMatchObject({ size: 0 });
      expect(await remote.stat('not-there')).toBeUndefined();
    }
  });

  it('goes on where a connection broke', async () => {
    const root = temporaryDirectory('web');
    const bytes = Buffer.alloc(3_000_000, LETTERS);
    writeFileSync(join(root, 'key'), bytes);
    const files = serveFiles(root);
    let broken = 0;
    const remote = await opened((request, response) => {
      if (request.headers.range !== undefined || broken++ > 0) return files(request, response);
      response.writeHead(200, { 'content-length': bytes.length });
      createReadStream(join(root, 'key'), { end: 1_000_000 })
        .on('end', () => setTimeout(() => response.destroy(), 20))
        .pipe(response, { end: false });
    });
    const content = await remote.get('key');
    expect(await failureOf(readContent(content))).toMatchObject({ code: 'REMOTE_TRANSIENT' });
    broken = 0;
    const retried = withRetry(remote, { sleep: async () => undefined });
    expect((await readContent(await retried.get('key'))).equals(bytes)).toBe(true);
  });

  it('takes a server that is not there for a passing fault, and a host without a name for a lasting one', async () => {
    const server = await serve(always(200));
    await server.stop();
    const remote = await open(server.url);
    expect(await failureOf(remote.get('key'))).toMatchObject({ code: 'REMOTE_TRANSIENT' });
    const nowhere = await open('http://does-not-exist.invalid/x');
    expect((await failureOf(nowhere.get('key'))).code).toMatch(/REMOTE_(?:PERMANENT|TRANSIENT)/);
  });

  it('takes an answer that is not HTTP for a passing fault', async () => {
    const strange = createServer((socket) => socket.end('SSH-2.0-OpenSSH\r\n')).listen(0, '127.0.0.1');
    await new Promise((resolve) => strange.once('listening', resolve));
    const { port } = strange.address() as { port: number };
    const remote = await open(`http://127.0.0.1:${port}`);
    expect(await failureOf(remote.get('key'))).toMatchObject({ code: 'REMOTE_TRANSIENT' });
    strange.close();
  });
});

describe('redirects over HTTP', () => {
  it('are followed, and a directory is not a key', async () => {
    const root = letters();
    mkdirSync(join(root, 'directory'));
    const files = serveFiles(root);
    const remote = await opened((request, response) => {
      if (!request.url?.startsWith('/old')) return files(request, response);
      always(302, { location: request.url.slice('/old'.length), 'content-length': 0 })(request, response);
    });
    expect((await readContent(await remote.get('old/key', { range }))).toString()).toBe('cde');
    expect(await remote.stat('old/key')).toMatchObject({ size: 26 });
    expect(await remote.stat('directory')).toBeUndefined();
    expect(await failureOf(remote.get('directory'))).toMatchObject({ code: 'REMOTE_NOT_FOUND' });
  });

  it('take credentials along within the origin and nowhere else', async () => {
    const other = await serve(serveFiles(letters()));
    const server = await serve((request, response) => {
      const location = request.url === '/key' ? '/moved' : `${other.url}/key`;
      always(307, { location })(request, response);
    });
    const remote = await open(server.url, { token: 'T0ken' });
    expect((await readContent(await remote.get('key'))).toString()).toBe(LETTERS);
    expect(server.requests).toEqual(['GET /key', 'GET /moved']);
    expect(server.authorizations).toEqual(['Bearer T0ken', 'Bearer T0ken']);
    expect(other.authorizations).toEqual([undefined]);
  });

  it('end after five', async () => {
    const server = await serve((request, response) => always(301, { location: `${request.url}x` })(request, response));
    const remote = await open(server.url);
    expect(await failureOf(remote.get('key'))).toMatchObject({ code: 'REMOTE_PERMANENT' });
    expect(server.requests).toHaveLength(6);
  });

  it.each([
    ['https://a/x', 'https://b/y', undefined],
    ['http://a/x', 'https://b/y', undefined],
    ['http://a/x', 'http://b/y', undefined],
    ['https://a/x', 'http://a/x', 'less safe'],
    ['http://a/x', 'file:///etc/passwd', 'less safe'],
    ['https://a/x', 'https://a/x/', 'directory'],
  ])('from %s to %s: refused %j', (from, to, refused) => {
    expect(redirectRefusal(new URL(from), new URL(to))).toBe(refused);
  });
});

describe('credentials over HTTP', () => {
  const guard = (expected: string): Handler => {
    const files = serveFiles(letters());
    return (request, response) => {
      if (request.headers.authorization === expected) files(request, response);
      else always(401)(request, response);
    };
  };

  it.each([
    ['a token', { token: 's3cret' }, 'Bearer s3cret', 'token'],
    ['user and password', { username: 'ada', password: 's3cret' }, `Basic ${btoa('ada:s3cret')}`, 'username'],
  ])('are %s of the settings', async (_what, options, header, named) => {
    const { url } = await serve(guard(header));
    const remote = await open(url, options);
    expect((await remote.describeCredentials?.())?.name).toContain(named);
    expect(await remote.stat('key')).toMatchObject({ size: 26 });
    expect(await failureOf((await open(url)).stat('key'))).toMatchObject({ code: 'REMOTE_DENIED' });
  });

  it('are named but not shown when they are refused', async () => {
    const error = await failureOf((await opened(guard('x'), { token: 's3cret' })).get('key'));
    expect(error.code).toBe('REMOTE_DENIED');
    expect(error.message).toContain('the settings of the remote (token)');
    expect(JSON.stringify([error.message, error.hint, error.data, String(error.cause)])).not.toContain('s3cret');
  });

  it('are not asked for where there are none', async () => {
    expect((await open('https://host/x')).describeCredentials).toBeUndefined();
  });

  it.each([
    [{ username: 'ada' }, 'password'],
    [{ password: 's3cret' }, 'username'],
    [{ token: 's3cret', username: 'ada', password: 's3cret' }, 'token'],
  ])('are refused where they make no sense (%#)', async (options, named) => {
    const error = await failureOf(open('https://host/x', options));
    expect(error.code).toBe('CONFIG_INVALID');
    expect(error.message).toContain(`'${named}'`);
    expect(error.message).not.toContain('s3cret');
  });

  it('are not sent to an address that any commit can change', async () => {
    const server = await serve(serveFiles(letters()));
    const error = await failureOf(open(server.url, { token: 's3cret', urlIsCommitted: true }));
    expect(error).toMatchObject({ code: 'REMOTE_DENIED' });
    expect(error.hint).toContain('mlv config set');
    expect(await (await open(server.url, { urlIsCommitted: true })).stat('key')).toMatchObject({ size: 26 });
  });

  it('are warned about where they travel unencrypted', async () => {
    const notices: string[] = [];
    const onNotice = (message: string) => notices.push(message);
    await open('https://host.invalid', { token: 'x', onNotice });
    await open('http://127.0.0.1', { token: 'x', onNotice });
    await open('http://host.invalid', { onNotice });
    expect(notices).toEqual([]);
    await open('http://host.invalid', { token: 'x', onNotice });
    expect(notices.join()).toContain('unencrypted');
  });
});
