import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bytesBody, type Remote, type RemoteBody } from '../../src/remotes/remote.js';
import { openS3Remote } from '../../src/remotes/s3.js';
import type { S3Options } from '../../src/remotes/s3-options.js';
import { failureOf } from '../conformance/remote.js';
import { cutUpload, startFaultProxy } from '../helpers/fault-proxy.js';
import { externalS3Server, optionsFor, type S3Server, startS3Server } from '../helpers/s3-server.js';

const MIB = 1024 * 1024;
const external = externalS3Server();

describe.each([
  ['the emulator', startS3Server],
  ...(external ? [['the external server', async () => external] as const] : []),
] as const)('an upload to %s that breaks', (_name, start) => {
  let server: S3Server;
  let options: S3Options;

  beforeAll(async () => {
    server = await start();
    options = optionsFor(server, await server.createBucket());
  });
  afterAll(() => server.stop());

  const buffer = bytesBody(Buffer.alloc(8 * MIB, 'b'));
  const stream: RemoteBody = {
    size: 8 * MIB,
    async *open() {
      for (let index = 0; index < 8; index++) yield Buffer.alloc(MIB, 's');
    },
  };

  // Without its hash in the signature, versitygw keeps what had arrived of a body and calls it the object.
  it.each([
    ['a buffer', buffer, {}],
    ['a stream', stream, {}],
    ['a buffer with a checksum', buffer, { checksum: 'when-supported', unsignedPayload: true }],
    ['a stream with a checksum', stream, { checksum: 'when-supported', unsignedPayload: true }],
  ] as const)('leaves nothing of %s under its key', async (_what, body, extra) => {
    const key = `broken/${body === buffer ? 'buffer' : 'stream'}-${Object.keys(extra).length}`;
    const proxy = await startFaultProxy(options.endpoint!);
    proxy.arm({ matches: (request) => request.startsWith('PUT'), fault: cutUpload(2 * MIB) });
    const cut = await openS3Remote({ ...options, ...extra, endpoint: proxy.endpoint });
    const direct = await openS3Remote(options);
    try {
      expect(await failureOf(cut.put(key, body))).toMatchObject({ code: 'REMOTE_TRANSIENT' });
      // The server may still be at work on what it got.
      await delay(300);
      expect(await direct.stat(key)).toBeUndefined();
    } finally {
      await cut.close();
      await direct.close();
      await proxy.stop();
    }
  });
});

/** What only a server that checks signatures can show; the emulator of `npm test` takes anything. */
describe.runIf(external?.strict)('a server that checks', () => {
  let options: S3Options;
  const remotes: Remote[] = [];

  beforeAll(async () => {
    options = optionsFor(external!, await external!.createBucket());
  });
  afterAll(async () => {
    for (const remote of remotes) await remote.close();
    await external!.stop();
  });

  const open = async (extra: Partial<S3Options>): Promise<Remote> => {
    const remote = await openS3Remote({ ...options, ...extra });
    remotes.push(remote);
    return remote;
  };
  const methods: [string, (remote: Remote) => Promise<unknown>][] = [
    ['stat', (remote) => remote.stat('a')],
    ['get', (remote) => remote.get('a')],
    ['put', (remote) => remote.put('a', bytesBody(Buffer.alloc(4 * MIB)))],
    ['list', (remote) => remote.list('')[Symbol.asyncIterator]().next()],
    ['delete', (remote) => remote.delete(['a', 'b'])],
  ];

  it.each(methods)('has a wrong secret refused, and the source named, for %s', async (_method, call) => {
    const failure = await failureOf(call(await open({ secretAccessKey: 'not-the-secret' })));
    expect(failure).toMatchObject({ code: 'REMOTE_DENIED', data: { credentialSource: expect.any(String) } });
    expect(failure.message).toContain('the settings of the remote');
    expect(failure.message).not.toContain('not-the-secret');
  });

  it.each(methods)('has an unknown key refused, and the source named, for %s', async (_method, call) => {
    const failure = await failureOf(call(await open({ accessKeyId: 'AKIANOBODY' })));
    expect(failure).toMatchObject({
      code: 'REMOTE_DENIED',
      message: expect.stringContaining('the settings of the remote'),
    });
  });

  it('gives way to the first writer', async () => {
    const remote = await open({});
    expect(await remote.put('once', bytesBody(Buffer.from('1')), { ifAbsent: true })).toBe('created');
    expect(await remote.put('once', bytesBody(Buffer.from('2')), { ifAbsent: true })).toBe('exists');
    expect(await remote.stat('once')).toMatchObject({ size: 1 });
  });

  it('is understood in its own region when another one is set', async () => {
    const remote = await open({ region: 'eu-central-1' });
    expect(await remote.put('region', bytesBody(Buffer.from('here')))).toBe('created');
    expect(await remote.stat('region')).toMatchObject({ size: 4 });
  });
});
