import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../src/core/errors.js';
import { openS3Remote } from '../../src/remotes/s3.js';
import {
  cutAnswer,
  cutUpload,
  type Fault,
  type FaultProxy,
  type FaultRule,
  flippedDown,
  flippedUp,
  instead,
  loginPage,
  lostAnswer,
  meanwhile,
  startFaultProxy,
  truncated,
  unheard,
  wrongLength,
} from '../helpers/fault-proxy.js';
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
import { optionsFor, type S3Server, startS3Server } from '../helpers/s3-server.js';
import { error } from '../helpers/scripted-server.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

/** What a transfer may end with, whatever request it was that met the fault. */
type Ends = readonly (ErrorCode | 'some objects')[];

const refused = (status: number, code: string): Fault => instead(error(status, code));
/** What AWS answers to who asks in another region than the bucket's. */
const elsewhere: Fault = (exchange) => {
  const there = /\/eu-central-1\/s3\//.test(exchange.request.headers.authorization ?? '');
  const redirect = error(301, 'PermanentRedirect', { headers: { 'x-amz-bucket-region': 'eu-central-1' } });
  return there ? exchange.pass() : instead(redirect)(exchange);
};

/** Faults that pass: a transfer that meets each of them once at every kind of request notices nothing. */
const PASSING: Record<string, Fault> = {
  'a connection that is closed without an answer': unheard,
  'an answer that is lost': lostAnswer,
  'a body that breaks off on the way down': cutAnswer(100),
  'a body that breaks off on the way up': cutUpload(100),
  'a byte that is flipped on the way up': flippedUp,
  'a long wait': meanwhile(() => new Promise((resolve) => setImmediate(resolve))),
  '500 InternalError': refused(500, 'InternalError'),
  '503 SlowDown': refused(503, 'SlowDown'),
};

/** Faults that stop the whole transfer when they begin, at whatever kind of request that is. */
const STOPPING: Record<string, { fault: Fault; ends: Ends }> = {
  'no answers': { fault: unheard, ends: ['REMOTE_TRANSIENT'] },
  '503 SlowDown': { fault: refused(503, 'SlowDown'), ends: ['REMOTE_TRANSIENT'] },
  '400 ExpiredToken': { fault: refused(400, 'ExpiredToken'), ends: ['REMOTE_DENIED'] },
  '403 AccessDenied': { fault: refused(403, 'AccessDenied'), ends: ['REMOTE_DENIED'] },
  '403 RequestTimeTooSkewed': { fault: refused(403, 'RequestTimeTooSkewed'), ends: ['REMOTE_DENIED'] },
  '404 NoSuchBucket': { fault: refused(404, 'NoSuchBucket'), ends: ['REMOTE_NOT_FOUND', 'some objects'] },
  'a login page': { fault: loginPage, ends: ['REMOTE_PERMANENT', 'some objects'] },
};

/** Whatever reads it finds that it is not what it must be. */
const UNREADABLE: Ends = ['some objects', 'RECORD_INVALID', 'REMOTE_MISMATCH', 'REMOTE_PERMANENT'];

/** Faults that come once, at one request, and that a transfer may stop at, or leave an object out for. */
const MISLEADING: Record<string, { fault: Fault; ends: Ends; at?: RegExp }> = {
  'fewer bytes than announced': { fault: wrongLength(50), ends: UNREADABLE, at: /GET/ },
  'more bytes than announced': { fault: wrongLength(-50), ends: UNREADABLE, at: /GET/ },
  'a body that is cut short without a sign': { fault: truncated, ends: UNREADABLE, at: /GET/ },
  'a byte that is flipped on the way down': { fault: flippedDown, ends: UNREADABLE, at: /GET/ },
  '404 NoSuchKey': { fault: refused(404, 'NoSuchKey'), ends: ['REMOTE_NOT_FOUND', 'some objects'] },
  '412 PreconditionFailed': {
    fault: refused(412, 'PreconditionFailed'),
    ends: ['REMOTE_PERMANENT', 'some objects'],
  },
};

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

/** What a request is, without what differs from one to the next: `PUT packs`, `GET mlv.json`. */
function kindOf(line: string): string {
  const [method, url = ''] = line.split(' ');
  return `${method} ${/\/place-\d+\/([a-z.]+)/.exec(url)?.[1] ?? 'list'}`;
}

function expectEnd({ error: failure, failed }: Outcome, ends: Ends): void {
  const end = failure ? failure.code : failed.length > 0 ? 'some objects' : undefined;
  if (end !== undefined) expect(ends, failure?.message ?? failed[0]?.message).toContain(end);
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
