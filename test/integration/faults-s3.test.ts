import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openS3Remote } from '../../src/remotes/s3.js';
import { type FaultProxy, type FaultRule, startFaultProxy } from '../helpers/fault-proxy.js';
import {
  asCommandsHaveIt,
  expectRecovered,
  type FaultData,
  type FaultyPlace,
  faultData,
  faultScene,
  type Outcome,
  pullWanted,
  pushWanted,
} from '../helpers/fault-scene.js';
import { elsewhere, expectEnd, kindOf, MISLEADING, PASSING, STOPPING } from '../helpers/s3-faults.js';
import { optionsFor, type S3Server, startS3Server } from '../helpers/s3-server.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

let server: S3Server;
let proxy: FaultProxy;
let data: FaultData;
let places = 0;

beforeAll(async () => {
  server = await startS3Server();
  proxy = await startFaultProxy(server.endpoint);
  data = await faultData();
});

afterAll(async () => {
  await proxy.stop();
  await server.stop();
});

async function newPlace(): Promise<FaultyPlace> {
  const options = { ...optionsFor(server, await bucket()), prefix: `place-${places++}` };
  const direct = await openS3Remote(options);
  return {
    direct,
    open: async () => asCommandsHaveIt(await openS3Remote({ ...options, endpoint: proxy.endpoint })),
  };
}

let made: Promise<string> | undefined;
function bucket(): Promise<string> {
  made ??= server.createBucket();
  return made;
}

describe.each(['push', 'pull'] as const)('a %s through an S3 server', (verb) => {
  /** Lets a transfer meet faults, and proves that all is well afterwards. */
  const meet = async (...rules: FaultRule[]): Promise<Outcome & { faults: number }> => {
    const scene = await faultScene(data, await newPlace(), { pushed: verb === 'pull' });
    const notes = temporaryDirectory('notes');
    proxy.arm(...rules);
    const outcome = await (verb === 'push' ? pushWanted(scene, notes) : pullWanted(scene));
    const faults = proxy.faults();
    proxy.arm();
    await expectRecovered(scene, notes);
    await scene.direct.close();
    return { ...outcome, faults };
  };
  let kinds: string[];
  beforeAll(async () => {
    const scene = await faultScene(data, await newPlace(), { pushed: verb === 'pull' });
    const from = proxy.seen.length;
    await (verb === 'push' ? pushWanted(scene, temporaryDirectory('notes')) : pullWanted(scene));
    kinds = [...new Set(proxy.seen.slice(from).map(kindOf))];
    await scene.direct.close();
  });

  it('makes all the kinds of requests that these tests are about', () => {
    const expected = verb === 'push' ? ['PUT packs', 'PUT records', 'GET mlv.json', 'GET list'] : ['GET packs'];
    expect(kinds).toEqual(expect.arrayContaining(['GET records', ...expected]));
  });

  it.each(Object.entries(PASSING))('notices nothing of %s, once at every kind of request', async (_name, fault) => {
    const once = kinds.map((kind) => ({ matches: (line: string) => kindOf(line) === kind, fault }));
    const { faults, ...outcome } = await meet(...once);
    expect(outcome).toEqual({ failed: [] });
    expect(faults).toBe(kinds.length);
  });

  it('follows its bucket to another region', async () => {
    const outcome = await meet({ fault: elsewhere, times: Number.POSITIVE_INFINITY });
    expect(outcome).toMatchObject({ failed: [] });
    expect(outcome.error).toBeUndefined();
  });

  it.each(Object.entries(STOPPING))('stops at %s, and the next one finishes', async (_name, { fault, ends }) => {
    for (const kind of verb === 'push' ? ['HEAD records', 'PUT packs', 'PUT records'] : ['GET records', 'GET packs']) {
      let begun = false;
      const matches = (line: string): boolean => {
        begun ||= kindOf(line) === kind;
        return begun;
      };
      const outcome = await meet({ matches, fault, times: Number.POSITIVE_INFINITY });
      expect(outcome.error ?? outcome.failed[0], kind).toBeDefined();
      expectEnd(outcome, ends);
    }
  });

  it.each(Object.entries(MISLEADING))('is misled by %s into nothing', async (_name, { fault, ends, at = /./ }) => {
    for (const kind of kinds.filter((each) => at.test(each))) {
      const after = kind.endsWith('packs') ? 1 : 0;
      const outcome = await meet({ matches: (line) => kindOf(line) === kind, fault, after });
      expect(outcome.faults, kind).toBe(1);
      expectEnd(outcome, ends);
    }
  });
});
