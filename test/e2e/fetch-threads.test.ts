import { existsSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isMlvError } from '../../src/core/errors.js';
import type { ObjectCache } from '../../src/objects/cache.js';
import { EarlyCopies, EarlyCopy } from '../../src/objects/early-copy.js';
import { openRemote } from '../../src/remotes/open.js';
import type { Remote } from '../../src/remotes/remote.js';
import { openS3Remote } from '../../src/remotes/s3.js';
import { fetchObjects } from '../../src/transfer/fetch.js';
import { FetchThreads } from '../../src/transfer/fetch-thread.js';
import { push } from '../../src/transfer/push.js';
import { randomBytes } from '../helpers/big-data.js';
import { type FaultProxy, type FaultRule, startFaultProxy } from '../helpers/fault-proxy.js';
import {
  asCommandsHaveIt,
  expectRecovered,
  type FaultData,
  type FaultScene,
  faultData,
  faultScene,
  type Outcome,
  pullWanted,
} from '../helpers/fault-scene.js';
import { elsewhere, expectEnd, kindOf, MISLEADING, PASSING, STOPPING } from '../helpers/s3-faults.js';
import { optionsFor, type S3Server, startS3Server } from '../helpers/s3-server.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';
import { contents, openCache, openSession, store, toFetch, verifiedObjects } from '../helpers/transfer.js';
import { serveFiles, startWebServer } from '../helpers/web-server.js';

// Threads run the built program: from the sources there are none. Everything goes through them, however small it is.
const THREADS = {
  program: new URL('../../dist/cli/fetch-worker.js', import.meta.url),
  count: 2,
  leastBytes: 1,
  leastRequestBytes: 1,
};

let server: S3Server;
let proxy: FaultProxy;
let data: FaultData;
let bucket: string;
let places = 0;
/** Ranges that threads brought whole. */
let carried = 0;

beforeAll(async () => {
  server = await startS3Server();
  proxy = await startFaultProxy(server.endpoint);
  data = await faultData();
  bucket = await server.createBucket();
});

afterAll(async () => {
  await proxy.stop();
  await server.stop();
});

function counted(remote: Remote): Remote {
  const { getBy } = remote;
  if (!getBy) throw new Error('threads cannot ask this remote');
  remote.getBy = async (...call) => {
    const whole = await getBy.apply(remote, call);
    if (whole) carried++;
    return whole;
  };
  return remote;
}

async function newScene(): Promise<FaultScene> {
  const options = { ...optionsFor(server, bucket), prefix: `place-${places++}` };
  const direct = await openS3Remote(options);
  const open = async (): Promise<Remote> =>
    asCommandsHaveIt(counted(await openS3Remote({ ...options, endpoint: proxy.endpoint })));
  carried = 0;
  return faultScene(data, { direct, open }, { pushed: true });
}

/** Lets a pull by threads meet faults, and proves that all is well afterwards. */
async function meet(...rules: FaultRule[]): Promise<Outcome & { faults: number }> {
  const scene = await newScene();
  proxy.arm(...rules);
  const outcome = await pullWanted(scene, { threads: THREADS });
  const faults = proxy.faults();
  proxy.arm();
  await expectRecovered(scene, temporaryDirectory('notes'));
  await scene.direct.close();
  return { ...outcome, faults };
}

const isPack = (line: string): boolean => kindOf(line) === 'GET packs';
const ALWAYS = Number.POSITIVE_INFINITY;

function temporaries({ temporary }: ObjectCache): string[] {
  return existsSync(temporary.directory) ? readdirSync(temporary.directory) : [];
}

describe('a pull whose packs are fetched by threads', () => {
  it('brings what is wanted, and threads do it', async () => {
    const scene = await newScene();
    expect(await pullWanted(scene, { threads: THREADS })).toEqual({ failed: [] });
    expect(carried).toBeGreaterThan(0);
    expect(contents(scene.theirs, scene.wanted)).toEqual(contents(scene.ours, scene.wanted));
    expect(temporaries(scene.theirs)).toEqual([]);
    await scene.direct.close();
  });

  it('writes a copy of each large file for the checkout, too', async () => {
    const scene = await newScene();
    const folder = temporaryDirectory('copies');
    const root = {
      ...toFetch(scene.wanted),
      ...(await store(scene.ours, randomBytes(6_000_000, 7), { path: 'large' })),
    };
    await push(openSession(scene.ours, scene.direct), [{ ...root, predecessors: [] }]);
    const copies = new EarlyCopies({ temporaryFor: () => join(folder, 'copy'), probe: undefined });
    carried = 0;
    const remote = await scene.open();
    const report = await fetchObjects(openSession(scene.theirs, remote), [toFetch(root)], { threads: THREADS, copies });
    await remote.close();
    expect(report.failed).toEqual([]);
    expect(carried).toBeGreaterThan(0);
    expect(readFileSync(copies.take(root.oid) ?? '').equals(scene.ours.read(root.oid))).toBe(true);
    await scene.direct.close();
  });

  it('does without the copy that cannot be written', async () => {
    const scene = await newScene();
    const folder = temporaryDirectory('copies');
    const root = {
      ...toFetch(scene.wanted),
      ...(await store(scene.ours, randomBytes(6_000_000, 8), { path: 'large' })),
    };
    await push(openSession(scene.ours, scene.direct), [{ ...root, predecessors: [] }]);
    writeFileSync(join(folder, 'copy'), '');
    const copy = new EarlyCopy(join(folder, 'copy'), openSync(join(folder, 'copy'), 'r'), () => undefined);
    const copies = new EarlyCopies({ temporaryFor: () => undefined, probe: undefined });
    copies.begin = () => copy;
    const remote = await scene.open();
    const report = await fetchObjects(openSession(scene.theirs, remote), [toFetch(root)], { threads: THREADS, copies });
    await remote.close();
    expect(report.failed).toEqual([]);
    expect(copy.isGone).toBe(true);
    await scene.theirs.verify(root.oid);
    await scene.direct.close();
  });

  it.each(Object.entries(PASSING))('notices nothing of %s', async (_name, fault) => {
    const { faults, ...outcome } = await meet({ matches: isPack, fault });
    expect(outcome).toEqual({ failed: [] });
    expect(faults).toBe(1);
  });

  it('follows its bucket to another region', async () => {
    expect(await meet({ fault: elsewhere, times: ALWAYS })).toMatchObject({ failed: [] });
  });

  it.each(Object.entries(STOPPING))('stops at %s, and the next one finishes', async (_name, { fault, ends }) => {
    const outcome = await meet({ matches: isPack, fault, times: ALWAYS });
    expect(outcome.error ?? outcome.failed[0]).toBeDefined();
    expectEnd(outcome, ends);
  });

  it.each(Object.entries(MISLEADING))('is misled by %s into nothing', async (_name, { fault, ends }) => {
    for (const times of [1, ALWAYS]) expectEnd(await meet({ matches: isPack, fault, times }), ends);
  });

  it.each([
    ['threads do it', {}, true],
    ['not threads, where the server gives no ranges', { acceptRanges: false }, false],
  ])('comes from a web server: %s', async (_name, options, byThreads) => {
    const baseDirectory = temporaryDirectory('web');
    const web = await startWebServer(serveFiles(baseDirectory, options));
    const open = async (): Promise<Remote> => asCommandsHaveIt(counted(await openRemote(web.url, { baseDirectory })));
    carried = 0;
    const scene = await faultScene(data, { direct: await openRemote('.', { baseDirectory }), open }, { pushed: true });
    expect(await pullWanted(scene, { threads: THREADS })).toEqual({ failed: [] });
    expect(carried > 0).toBe(byThreads);
    expect(contents(scene.theirs, scene.wanted)).toEqual(contents(scene.ours, scene.wanted));
    await scene.direct.close();
    await web.stop();
  });

  it('ends when it is interrupted, and leaves nothing behind', async () => {
    const scene = await newScene();
    const interruption = new AbortController();
    // The answer never comes: only the interruption ends the request.
    proxy.arm({ matches: isPack, fault: () => interruption.abort(), times: ALWAYS });
    const remote = await scene.open();
    const session = openSession(scene.theirs, remote, { signal: interruption.signal });
    const fetched = fetchObjects(session, [toFetch(scene.wanted)], { threads: THREADS });
    await expect(fetched).rejects.toSatisfy((error) => isMlvError(error, 'INTERRUPTED'));
    proxy.arm();
    await remote.close();
    expect(temporaries(scene.theirs)).toEqual([]);
    await verifiedObjects(scene.theirs);
    await scene.direct.close();
  });

  it('brings the same where no thread can be started', async () => {
    const scene = await newScene();
    const program = new URL('no-such-program.js', THREADS.program);
    expect(await FetchThreads.start({ program })).toBeUndefined();
    expect(await pullWanted(scene, { threads: { ...THREADS, program } })).toEqual({ failed: [] });
    expect(carried).toBe(0);
    expect(contents(scene.theirs, scene.wanted)).toEqual(contents(scene.ours, scene.wanted));
    await scene.direct.close();
  });
});

it('threads that are ended bring nothing, and say so', async () => {
  const threads = await FetchThreads.start({ ...THREADS, count: 1 });
  if (!threads) throw new Error('no thread could be started');
  await threads.close();
  const cache = await openCache();
  const job = {
    get: { url: server.endpoint, headers: {} },
    start: 0,
    length: 1,
    algorithm: cache.hash.algorithm,
    preference: 'auto' as const,
    descriptors: [],
    copies: [],
    parts: new Float64Array(),
    digests: new Uint8Array(),
  };
  expect(await threads.carry(job, { progress: () => expect.unreachable() })).toBe(0);
  expect(threads.usable).toBe(false);
});
