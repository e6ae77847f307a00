import { readdirSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ObjectCache } from '../../src/objects/cache.js';
import { DirectoryRemote } from '../../src/remotes/directory.js';
import type { Remote } from '../../src/remotes/remote.js';
import { openS3Remote } from '../../src/remotes/s3.js';
import { collect, DAY, dataset, expectFetchable, GRACE, pushAll } from '../helpers/collection.js';
import { optionsFor, type S3Server, startS3Server } from '../helpers/s3-server.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';
import { expectClosed, keysOf, openCache, store } from '../helpers/transfer.js';

/** Real remotes, with a way to let time pass there, and the grace that fits it. */
interface Place {
  remote: Remote;
  graceMs: number;
  passGrace(): Promise<void>;
}

let server: S3Server;
let cache: ObjectCache;
beforeAll(async () => {
  server = await startS3Server();
  cache = await openCache();
});
afterAll(() => server.stop());

const PLACES: Record<string, () => Promise<Place>> = {
  'a directory': async () => {
    const base = join(temporaryDirectory('remote'), 'store');
    return {
      remote: new DirectoryRemote(base),
      graceMs: GRACE,
      passGrace: async () => {
        for (const name of readdirSync(base, { recursive: true, encoding: 'utf8' })) {
          const { mtimeMs } = statSync(join(base, name));
          utimesSync(join(base, name), (mtimeMs - GRACE) / 1000, (mtimeMs - GRACE) / 1000);
        }
      },
    };
  },
  S3: async () => ({
    remote: await openS3Remote(optionsFor(server, await server.createBucket())),
    // Its times are whole seconds.
    graceMs: 2000,
    passGrace: () => delay(3100),
  }),
};

describe.each(Object.keys(PLACES))('on %s', (name) => {
  it('what nothing needs goes after the grace, what is needed again comes back, and the rest stays', async () => {
    const { remote, graceMs, passGrace } = await (PLACES[name] as () => Promise<Place>)();
    const kept = await store(cache, dataset(1));
    const back = await store(cache, dataset(2));
    const dead = await store(cache, dataset(3));
    await pushAll(cache, remote, [kept]);
    const keys = await keysOf(remote);
    for (const root of [back, dead]) await pushAll(cache, remote, [root]);
    expect(await collect(remote, [kept], { graceMs: DAY })).toMatchObject({ setAside: { records: 0 } });

    await passGrace();
    expect(await collect(remote, [kept], { graceMs })).toMatchObject({
      setAside: { records: 4 },
      marked: { packs: 2 },
      swept: { records: 0, packs: 0 },
    });
    await expectClosed(remote, cache.hash);
    await expectFetchable(cache, remote, [kept, back, dead]);

    await passGrace();
    expect(await collect(remote, [kept, back], { graceMs })).toMatchObject({
      restored: 2,
      swept: { records: 2, packs: 1 },
    });
    await expectClosed(remote, cache.hash);
    await expectFetchable(cache, remote, [kept, back]);
    expect((await keysOf(remote, 'packs/')).length).toBe(2);
    expect(await keysOf(remote)).toEqual(expect.arrayContaining(keys));
    expect(await keysOf(remote, 'gc/aside/')).toEqual([]);
    await remote.close();
  });
});
