import { crc32 } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bytesBody, type Remote, type RemoteBody, readContent } from '../../src/remotes/remote.js';
import { withRetry } from '../../src/remotes/retry.js';
import { openS3Remote } from '../../src/remotes/s3.js';
import type { S3Options } from '../../src/remotes/s3-options.js';
import { failureOf } from '../conformance/remote.js';
import { cutUpload, type Fault, type FaultProxy, flippedUp, instead, startFaultProxy } from '../helpers/fault-proxy.js';
import { externalS3Server, optionsFor, type S3Server, startS3Server } from '../helpers/s3-server.js';
import { error } from '../helpers/scripted-server.js';

const MIB = 1024 * 1024;
const CHECKSUM = 'x-amz-checksum-crc32';
const UNSIGNED = 'UNSIGNED-PAYLOAD';
const SIGNED = expect.stringMatching(/^[0-9a-f]{64}$/);
const PROBE = 'tmp/checksum';
/** More uploads than the answer to one small one can take. */
const ENOUGH = 200;

const external = externalS3Server();
const large = (fill: string): RemoteBody => bytesBody(Buffer.alloc(MIB, fill));

/** As AWS, MinIO and versitygw: compares the checksum with what arrived, and says so. */
const comparing: Fault = async (exchange) => {
  const body = await exchange.body();
  const given = exchange.request.headers[CHECKSUM];
  if (given !== undefined && given !== headerOf(body)) return instead(error(400, 'BadDigest'))(exchange);
  const { headers, ...answer } = await exchange.forward(body);
  exchange.send({ ...answer, headers: { ...headers, [CHECKSUM]: headerOf(body) } });
};

/** Says of every checksum that it was right. */
const repeating: Fault = async (exchange) => {
  const { headers, ...answer } = await exchange.forward();
  const given = exchange.request.headers[CHECKSUM];
  exchange.send({ ...answer, headers: { ...headers, ...(given !== undefined && { [CHECKSUM]: given }) } });
};

/** Knows nothing of checksums, as the emulator. */
const ignoring: Fault = async (exchange) => exchange.send(await exchange.forward());

function headerOf(body: Buffer): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(body));
  return bytes.toString('base64');
}

/** A server behind a proxy that does with uploads what `handling` says. */
class Scene {
  handling: Fault = (exchange) => exchange.pass();
  /** Per key, what the signatures of its uploads said of the body. */
  readonly signatures = new Map<string, unknown[]>();
  private readonly opened: Remote[] = [];

  private constructor(
    readonly proxy: FaultProxy,
    private readonly options: S3Options,
  ) {}

  static async start(options: S3Options): Promise<Scene> {
    const scene = new Scene(await startFaultProxy(options.endpoint!), options);
    scene.proxy.arm({
      matches: (request) => request.startsWith('PUT'),
      times: Number.POSITIVE_INFINITY,
      fault: async (exchange) => {
        const { url = '', headers } = exchange.request;
        const key = url.split('?', 1)[0]!.split('/').slice(2).join('/');
        scene.signatures.set(key, [...(scene.signatures.get(key) ?? []), headers['x-amz-content-sha256']]);
        await scene.handling(exchange);
      },
    });
    return scene;
  }

  /** The remote as commands have it, but without waits between two tries. */
  async open(extra: Partial<S3Options> = {}): Promise<Remote> {
    const remote = await openS3Remote({ ...this.options, ...extra, endpoint: this.proxy.endpoint });
    this.opened.push(remote);
    return withRetry(remote, { sleep: async () => undefined });
  }

  /** Uploads until a body goes without its hash in the signature; gives whether one did. */
  async becomesUnsigned(remote: Remote): Promise<boolean> {
    for (let count = 0; count < ENOUGH; count++) {
      await remote.put(`packs/${count}`, large('a'));
      if (this.isUnsigned(`packs/${count}`)) return true;
    }
    return false;
  }

  isUnsigned(key: string): boolean {
    return this.signatures.get(key)?.includes(UNSIGNED) ?? false;
  }

  async stop(): Promise<void> {
    for (const remote of this.opened) await remote.close();
    await this.proxy.stop();
  }
}

let server: S3Server;
let options: S3Options;
let scene: Scene;

function on(start: () => Promise<S3Server>): void {
  beforeAll(async () => {
    server = await start();
    options = optionsFor(server, await server.createBucket());
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    scene = await Scene.start(options);
  });
  afterEach(() => scene.stop());
}

describe('large uploads to a server that compares checksums', () => {
  on(startS3Server);
  let remote: Remote;
  beforeEach(async () => {
    scene.handling = comparing;
    remote = await scene.open();
  });

  it('go without a signature of the body once it has refused a wrong one', async () => {
    expect(await scene.becomesUnsigned(remote)).toBe(true);
    expect(scene.signatures.get('packs/0')).toEqual([SIGNED]);
    expect(scene.signatures.get(PROBE)).toEqual([UNSIGNED]);
    await remote.put('small', bytesBody(Buffer.from('small')));
    expect(scene.signatures.get('small')).toEqual([SIGNED]);
  });

  it('are sent again with a signature when a byte was changed on the way', async () => {
    await scene.becomesUnsigned(remote);
    let flips = 0;
    scene.handling = async (exchange) => {
      if (flips++ > 0) return comparing(exchange);
      const body = Buffer.from(await exchange.body());
      body[MIB / 2]! ^= 1;
      const right = headerOf(body) === exchange.request.headers[CHECKSUM];
      return instead(right ? error(500, 'NotNoticed') : error(400, 'BadDigest'))(exchange);
    };
    await remote.put('packs/flipped', large('f'));
    expect(scene.signatures.get('packs/flipped')).toEqual([UNSIGNED, SIGNED]);
    await remote.put('packs/next', large('n'));
    expect(scene.signatures.get('packs/next')).toEqual([UNSIGNED]);
  });

  it('can be streams', async () => {
    await scene.becomesUnsigned(remote);
    const parts = [Buffer.alloc(MIB, 'x'), Buffer.alloc(MIB, 'y')];
    await remote.put('packs/stream', { size: 2 * MIB, open: () => streamOf(parts) });
    expect(scene.signatures.get('packs/stream')).toEqual([UNSIGNED]);
    expect(Buffer.concat(parts).equals(await readContent(await remote.get('packs/stream')))).toBe(true);
  });

  it('are signed from then on when an answer does not tell the checksum', async () => {
    await scene.becomesUnsigned(remote);
    scene.handling = ignoring;
    await remote.put('packs/silent', large('s'));
    expect(scene.signatures.get('packs/silent')).toEqual([UNSIGNED, SIGNED]);
    await remote.put('packs/after', large('t'));
    expect(scene.signatures.get('packs/after')).toEqual([SIGNED]);
  });

  it.each([
    [403, 'AccessDenied'],
    [501, 'NotImplemented'],
  ])('are signed when it takes no others any more: %d %s', async (status, code) => {
    await scene.becomesUnsigned(remote);
    scene.handling = (exchange) => {
      const unsigned = exchange.request.headers['x-amz-content-sha256'] === UNSIGNED;
      return unsigned ? instead(error(status, code))(exchange) : comparing(exchange);
    };
    expect(await remote.put('packs/signed', large('q'))).toBe('created');
    expect(scene.signatures.get('packs/signed')).toEqual([UNSIGNED, SIGNED]);
    await remote.put('packs/after', large('t'));
    expect(scene.signatures.get('packs/after')).toEqual([SIGNED]);
  });

  it.each([
    ['a checksum', { checksum: 'when-supported' }],
    ['none', { checksum: 'when-required' }],
    ['a signature', { unsignedPayload: false }],
  ] as const)('are what the settings say where they ask for %s', async (_what, extra) => {
    const asSet = await scene.open(extra);
    for (const key of ['a', 'b', 'c']) await asSet.put(key, large(key));
    expect([...scene.signatures.values()]).toEqual([[SIGNED], [SIGNED], [SIGNED]]);
  });

  it('ask nothing when there is one, or when they are not so large', async () => {
    await remote.put('packs/a', large('a'));
    for (const key of ['b', 'c', 'd']) await remote.put(key, bytesBody(Buffer.alloc(MIB - 1)));
    expect(scene.signatures.has(PROBE)).toBe(false);
  });

  it('are signed by the hash that their caller knows', async () => {
    await scene.becomesUnsigned(remote);
    const known = Buffer.alloc(32, 7);
    await remote.put('packs/known', { ...large('k'), sha256: known });
    expect(scene.signatures.get('packs/known')).toEqual([known.toString('hex')]);
  });
});

describe.each([
  ['ignores checksums', ignoring],
  ['repeats checksums without a look', repeating],
] as const)('large uploads to a server that %s', (_what, handling) => {
  on(startS3Server);

  it('keep the signature, and the question leaves nothing behind', async () => {
    scene.handling = handling;
    const remote = await scene.open();
    const asked = (): boolean => scene.proxy.seen.some((line) => line.startsWith('DELETE'));
    await remote.put('packs/a', large('a'));
    await remote.put('packs/b', large('b'));
    for (let count = 0; count < ENOUGH && !asked(); count++) await remote.stat('packs/a');
    expect(asked()).toBe(true);
    await expect.poll(() => keysOf(remote), { timeout: 60_000 }).not.toContain(PROBE);
    for (const key of ['packs/c', 'packs/d']) await remote.put(key, large('c'));
    expect([...scene.signatures].filter(([key]) => key !== PROBE).map(([, values]) => values)).toEqual(
      Array.from({ length: 4 }, () => [SIGNED]),
    );
    expect(scene.signatures.get(PROBE)).toEqual([UNSIGNED]);
  });
});

describe.runIf(external?.strict)('large uploads to a real server', () => {
  on(async () => external!);

  it('are refused by it when a byte was changed on the way, and sent again', async () => {
    const remote = await scene.open();
    expect(await scene.becomesUnsigned(remote)).toBe(true);
    let flips = 0;
    scene.handling = (exchange) => (flips++ === 0 ? flippedUp(exchange) : exchange.pass());
    await remote.put('packs/flipped', large('f'));
    expect(scene.signatures.get('packs/flipped')).toEqual([UNSIGNED, SIGNED]);
    expect(Buffer.alloc(MIB, 'f').equals(await readContent(await remote.get('packs/flipped')))).toBe(true);
  });

  it('leave nothing under their key when the connection breaks', async () => {
    const remote = await scene.open();
    expect(await scene.becomesUnsigned(remote)).toBe(true);
    let cuts = 0;
    scene.handling = (exchange) =>
      cuts++ === 0 ? cutUpload(MIB / 2)(exchange) : instead(error(403, 'AccessDenied'))(exchange);
    expect(await failureOf(remote.put('packs/cut', large('c')))).toMatchObject({ code: 'REMOTE_DENIED' });
    expect(scene.signatures.get('packs/cut')).toEqual([UNSIGNED, SIGNED]);
    expect(await remote.stat('packs/cut')).toBeUndefined();
  });
});

async function keysOf(remote: Remote): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of remote.list('')) keys.push(key);
  return keys;
}

async function* streamOf(parts: Buffer[]): AsyncGenerator<Buffer> {
  yield* parts;
}
