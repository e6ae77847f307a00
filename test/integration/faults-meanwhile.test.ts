import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { MlvError } from '../../src/core/errors.js';
import type { ObjectCache } from '../../src/objects/cache.js';
import type { Remote } from '../../src/remotes/remote.js';
import { openS3Remote } from '../../src/remotes/s3.js';
import { fetchObjects } from '../../src/transfer/fetch.js';
import { push } from '../../src/transfer/push.js';
import type { PushRoot } from '../../src/transfer/roots.js';
import { Aging } from '../helpers/aging-remote.js';
import { collect, dataset, expectFetchable, expectReadable, GRACE, pushAll } from '../helpers/collection.js';
import { type FaultProxy, instead, meanwhile, startFaultProxy } from '../helpers/fault-proxy.js';
import { asCommandsHaveIt } from '../helpers/fault-scene.js';
import { optionsFor, type S3Server, startS3Server } from '../helpers/s3-server.js';
import { error } from '../helpers/scripted-server.js';
import {
  contents,
  directory,
  expectClosed,
  makeSmallRemote,
  openCache,
  openSession,
  store,
  toFetch,
  verifiedObjects,
} from '../helpers/transfer.js';

let server: S3Server;
let proxy: FaultProxy;
let bucket: string;
/** Everybody's data: what is needed, what nothing needs any more, and versions that share a part with it. */
let cache: ObjectCache;
let kept: PushRoot;
let dead: PushRoot;
let again: PushRoot;
let other: PushRoot;

beforeAll(async () => {
  server = await startS3Server();
  proxy = await startFaultProxy(server.endpoint);
  bucket = await server.createBucket();
  cache = await openCache();
  kept = await store(cache, dataset(1));
  dead = await store(cache, dataset(2));
  const shared = directory({ moved: dataset(2), more: dataset(3) });
  again = await store(cache, shared, { predecessors: [dead.oid] });
  other = await store(cache, directory({ moved: dataset(2), less: dataset(4) }), { predecessors: [dead.oid] });
});

afterAll(async () => {
  await proxy.stop();
  await server.stop();
});

/** One place in the bucket: as it is, and through the proxy, which can let something else happen in between. */
interface Place {
  direct: Remote;
  through: Remote;
}

const opened: Remote[] = [];
beforeEach(async () => {
  proxy.arm();
  for (const remote of opened.splice(0)) await remote.close();
});

async function newPlace(aging = new Aging()): Promise<Place> {
  const options = { ...optionsFor(server, bucket), prefix: `place-${randomUUID()}` };
  const open = async (endpoint: string): Promise<Remote> => {
    const remote = asCommandsHaveIt(await openS3Remote({ ...options, endpoint }));
    opened.push(remote);
    return aging.seenThrough(remote);
  };
  const place = { direct: await open(server.endpoint), through: await open(proxy.endpoint) };
  await makeSmallRemote(place.direct);
  return place;
}

const kindOf = (line: string): string => {
  const [method, url = ''] = line.split(' ');
  return `${method} ${/place-[0-9a-f-]+\/([a-z.]+(?:\/[a-z]+)?)/.exec(decodeURIComponent(url))?.[1] ?? 'list'}`;
};

/** The kinds of requests that `work` sends through the proxy. */
async function kindsOf(work: () => Promise<unknown>): Promise<string[]> {
  const from = proxy.seen.length;
  await work();
  return [...new Set(proxy.seen.slice(from).map(kindOf))];
}

const notes = (): string => join(cache.directory, 'remotes', randomUUID());

describe('two pushers of data that overlaps, on S3', () => {
  it('both finish, wherever one of them overtakes the other', async () => {
    const one = await newPlace();
    const kinds = await kindsOf(() => pushAll(cache, one.through, [again]));
    expect(kinds).toEqual(expect.arrayContaining(['PUT packs/blake', 'PUT records/blake']));
    for (const kind of kinds) {
      const { direct, through } = await newPlace();
      const overtake = meanwhile(() => pushAll(cache, direct, [other]));
      proxy.arm({ matches: (line) => kindOf(line) === kind, fault: overtake });
      await pushAll(cache, through, [again]);
      expect(proxy.faults(), kind).toBe(1);
      await expectClosed(direct, cache.hash);
      await expectReadable(direct, cache.hash, [again, other]);
    }
  });
});

describe.each([
  ['takes out of use', 0],
  ['deletes', 1],
] as const)('a collection on S3 that %s', (_what, runs) => {
  /** A place with something that is needed and something that nothing needs, and a collection at work. */
  const scene = async (): Promise<Place & { collection: () => Promise<unknown>; passGrace(): Promise<void> }> => {
    const aging = new Aging();
    const place = await newPlace(aging);
    const passGrace = (): Promise<void> => aging.pass(place.direct, 2 * GRACE);
    for (const root of [kept, dead]) await pushAll(cache, place.direct, [root]);
    await passGrace();
    for (let run = 0; run < runs; run++) {
      await collect(place.direct, [kept]);
      await passGrace();
    }
    return { ...place, passGrace, collection: () => collect(place.through, [kept]) };
  };
  let kinds: string[];
  beforeAll(async () => {
    proxy.arm();
    const { collection } = await scene();
    kinds = await kindsOf(collection);
  });

  it('does its work in these tests', () => {
    expect(kinds).toEqual(expect.arrayContaining(runs === 0 ? ['PUT gc/aside', 'PUT gc/log'] : ['DELETE packs/blake']));
  });

  it('takes nothing away from a push that happens in between, whenever that is', async () => {
    for (const kind of kinds) {
      const { direct, collection, passGrace } = await scene();
      const work = meanwhile(async () => push(openSession(cache, direct, { stateDirectory: notes() }), [again]));
      proxy.arm({ matches: (line) => kindOf(line) === kind, fault: work });
      await collection();
      expect(proxy.faults(), kind).toBe(1);
      proxy.arm();
      // A push that could rely on nothing says so, and the next one finishes; one that ended well is there.
      await pushAll(cache, direct, [again]);
      await expectReadable(direct, cache.hash, [kept, again]);
      for (let run = 0; run < 2; run++) {
        await passGrace();
        await collect(direct, [kept, again]);
      }
      await expectClosed(direct, cache.hash);
      await expectReadable(direct, cache.hash, [kept, again]);
    }
  });

  it('gives a pull that happens in between what is needed, and nothing that is wrong', async () => {
    for (const kind of kinds) {
      const { collection, direct } = await scene();
      const theirs = await openCache();
      const pull = meanwhile(() =>
        fetchObjects(
          openSession(theirs, direct),
          [kept, dead].map((root) => toFetch(root)),
        ),
      );
      proxy.arm({ matches: (line) => kindOf(line) === kind, fault: pull });
      await collection();
      expect(proxy.faults(), kind).toBe(1);
      await verifiedObjects(theirs);
      expect(contents(theirs, kept)).toEqual(contents(cache, kept));
      if (runs === 0) expect(contents(theirs, dead)).toEqual(contents(cache, dead));
    }
  });

  it('may be refused from any request on: the next one goes on', async () => {
    for (const kind of kinds) {
      const { direct, collection, passGrace } = await scene();
      let begun = false;
      const matches = (line: string): boolean => {
        begun ||= kindOf(line) === kind;
        return begun;
      };
      proxy.arm({ matches, fault: instead(error(403, 'AccessDenied')), times: Number.POSITIVE_INFINITY });
      // Only where nothing but its lease was left to give back does it end well.
      const end = await collection().then(
        () => 'done',
        (failure: MlvError) => failure.code,
      );
      expect(kind === kinds.at(-1) ? ['done', 'REMOTE_DENIED'] : ['REMOTE_DENIED'], kind).toContain(end);
      proxy.arm();
      await expectReadable(direct, cache.hash, [kept]);
      await passGrace();
      await collect(direct, [kept]);
      await expectClosed(direct, cache.hash);
      await expectFetchable(cache, direct, [kept]);
    }
  });
});

describe('the first push to a remote', () => {
  it('refuses a server that says that mlv.json is there, and does not have it', async () => {
    const { direct, through } = await newPlace();
    await direct.delete(['mlv.json']);
    const fault = instead(error(412, 'PreconditionFailed'));
    proxy.arm({ matches: (line) => kindOf(line) === 'PUT mlv.json', fault });
    await expect(push(openSession(cache, through, { stateDirectory: notes() }), [kept])).rejects.toMatchObject({
      code: 'REMOTE_PERMANENT',
    });
    await pushAll(cache, direct, [kept]);
    await expectFetchable(cache, direct, [kept]);
  });
});
