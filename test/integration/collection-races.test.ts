import { beforeAll, describe, expect, it } from 'vitest';
import { isMlvError } from '../../src/core/errors.js';
import type { ObjectCache } from '../../src/objects/cache.js';
import type { Remote } from '../../src/remotes/remote.js';
import { asideKey } from '../../src/transfer/collection-layout.js';
import { readLog } from '../../src/transfer/collection-log.js';
import { packKey, recordKey } from '../../src/transfer/remote-layout.js';
import type { PushRoot } from '../../src/transfer/roots.js';
import {
  type ClockedRemote,
  clockedRemote,
  collect,
  dataset,
  expectFetchable,
  expectReadable,
  GRACE,
  HOUR,
  pushAll,
} from '../helpers/collection.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';
import {
  bytesAt,
  type Directory,
  directory,
  expectClosed,
  keysOf,
  openCache,
  overwrite,
  spyOn,
  store,
} from '../helpers/transfer.js';

/** A remote with something that is needed and something that nothing needs, at one point of its way out. */
interface Scene extends ClockedRemote {
  kept: PushRoot;
  dead: PushRoot;
}

const SCENES = {
  'that takes out of use': 0,
  'that deletes': 1,
} as const;

/** What everybody has; machines differ in what they know of the remote. */
let cache: ObjectCache;
let kept: PushRoot;
let dead: PushRoot;
const pushes = new Map<string, PushRoot>();
beforeAll(async () => {
  cache = await openCache();
  kept = await store(cache, dataset(1));
  dead = await store(cache, dataset(2));
  for (const [what, spec] of Object.entries(PUSHES))
    pushes.set(what, await store(cache, spec, { predecessors: [dead.oid] }));
});

async function scene(runs: number): Promise<Scene> {
  const clocked = await clockedRemote();
  await pushAll(cache, clocked.remote, [kept]);
  await pushAll(cache, clocked.remote, [dead]);
  for (let run = 0; run < runs; run++) {
    clocked.pass(GRACE);
    await collect(clocked.remote, [kept]);
  }
  clocked.pass(GRACE);
  return { ...clocked, kept, dead };
}

/** What somebody pushes who has the dead data. */
const PUSHES: Record<string, Directory> = {
  'the same again': dataset(2),
  'a version that shares a sub-directory': directory({
    below: dataset(2).entries.below as Directory,
    'new.txt': 'new',
  }),
  'a version that holds it under another name': directory({ moved: dataset(2) }),
};

interface Interrupted {
  remote: Remote;
  /** True when `work` was done. */
  done(): boolean;
  /** True when a record was put, or about to be, when it was. */
  recording(): boolean;
  /** True when something other than a lease was about to be deleted. */
  deleting(): boolean;
}

/** Lets `work` happen in the middle of what goes through the remote, when `at` calls have been made. */
function interrupted(remote: Remote, at: number, work: () => Promise<unknown>): Interrupted {
  let calls = 0;
  let done = false;
  let recording = false;
  let deleting = false;
  const before = async (method: string, key: string): Promise<void> => {
    if (!done) recording ||= method === 'put' && key.startsWith('records/');
    if (calls++ !== at) return;
    done = true;
    deleting = method === 'delete' && !key.startsWith('gc/log/lease-');
    await work();
  };
  const { remote: spied } = spyOn(remote, ({ method, key }) => before(method, key));
  const list: Remote['list'] = async function* (prefix, options) {
    await before('list', prefix);
    yield* remote.list(prefix, options);
  };
  return { remote: { ...spied, list }, done: () => done, recording: () => recording, deleting: () => deleting };
}

/** Proves that what was pushed and what was needed before is there, now and after any number of collections. */
async function expectSafe({ remote, pass, kept }: Scene, pushed: readonly PushRoot[]): Promise<void> {
  const roots = [kept, ...pushed];
  await expectReadable(remote, cache.hash, roots);
  for (let run = 0; run < 3; run++) {
    pass(GRACE);
    await collect(remote, roots);
    await expectClosed(remote, cache.hash);
  }
  await expectReadable(remote, cache.hash, roots);
}

describe.each(Object.keys(SCENES) as (keyof typeof SCENES)[])('with a collection %s', (name) => {
  const runs = SCENES[name];

  describe.each(Object.keys(PUSHES))('%s', (what) => {
    it('can be pushed at any moment of it', async () => {
      let at = 0;
      for (let done = true; done; at++) {
        const here = await scene(runs);
        const root = pushes.get(what) as PushRoot;
        const during = interrupted(here.remote, at, () => pushAll(cache, here.remote, [root]));
        await collect(during.remote, [here.kept]);
        done = during.done();
        if (done) await expectSafe(here, [root]);
      }
      expect(at).toBeGreaterThan(15);
    });

    it('can be pushed while it runs at any moment of the push', async () => {
      let at = 0;
      for (let done = true; done; at++) {
        const here = await scene(runs);
        const root = pushes.get(what) as PushRoot;
        const during = interrupted(here.remote, at, () => collect(here.remote, [here.kept]));
        await pushAll(cache, during.remote, [root]);
        done = during.done();
        if (done) await expectSafe(here, [root]);
      }
      expect(at).toBeGreaterThan(1);
    });

    it('is complete when a collection marked it during a push that took longer than the grace', async () => {
      let at = 0;
      for (let done = true; done; at++) {
        const here = await scene(runs);
        const root = pushes.get(what) as PushRoot;
        const during = interrupted(here.remote, at, async () => {
          await collect(here.remote, [here.kept]);
          here.pass(GRACE);
          await collect(here.remote, [here.kept]);
          here.pass(GRACE);
          await collect(here.remote, [here.kept]);
        });
        const { pushed } = await pushAll(cache, during.remote, [root]);
        done = during.done();
        // Once it records, or knows that all is there, a push has seconds to go and not a grace.
        if (done && pushed > 0 && !during.recording()) await expectSafe(here, [root]);
      }
      expect(at).toBeGreaterThan(1);
    });
  });

  it('a pull of what it takes away gets all of it, or says what is missing', async () => {
    let at = 0;
    for (let done = true; done; at++) {
      const { remote, kept, dead } = await scene(runs);
      const during = interrupted(remote, at, () => collect(remote, [kept]));
      await expectFetchable(cache, during.remote, runs === 0 ? [kept, dead] : [kept]);
      done = during.done();
    }
    expect(at).toBeGreaterThan(3);
  });

  it('that is killed at any moment, all is there, and the next one finishes the job', async () => {
    let at = 0;
    for (let done = true; done; at++) {
      const { remote, pass, kept } = await scene(runs);
      let dead = false;
      let calls = 0;
      const { remote: killed } = spyOn(remote, () => {
        dead ||= calls++ === at;
        if (dead) throw new Error('killed');
      });
      await collect(killed, [kept]).catch((error: unknown) => {
        if (isMlvError(error)) throw error;
      });
      done = dead;
      await expectClosed(remote, cache.hash);
      await expectReadable(remote, cache.hash, [kept]);
      for (let run = 0; run < 3; run++) {
        pass(GRACE);
        await collect(remote, [kept]);
        await expectClosed(remote, cache.hash);
      }
      await expectReadable(remote, cache.hash, [kept]);
      const left = (await keysOf(remote)).filter((key) => !key.startsWith('gc/log/epoch-'));
      const alone = await clockedRemote();
      await pushAll(cache, alone.remote, [kept]);
      expect(left).toEqual(await keysOf(alone.remote));
    }
    expect(at).toBeGreaterThan(15);
  });

  it('a second one waits for its turn, and what a branch brought back in between is kept', async () => {
    let at = 0;
    for (let done = true; done; at++) {
      const here = await scene(runs);
      const { remote, kept, dead } = here;
      let second: unknown;
      const during = interrupted(remote, at, async () => {
        second = await collect(remote, [kept, dead]).catch((error: unknown) => error);
      });
      const first = await collect(during.remote, [kept]).catch((error: unknown) => error);
      done = during.done();
      if (!done) continue;
      const busy = [first, second].filter((each) => isMlvError(each, 'REMOTE_BUSY'));
      expect(busy.length, `call ${at}`).toBeLessThanOrEqual(1);
      expect([first, second].filter((each) => each instanceof Error)).toEqual(busy);
      await expectReadable(remote, cache.hash, [kept]);
      await expectClosed(remote, cache.hash);
    }
    expect(at).toBeGreaterThan(15);
  });

  it('that was paused for so long that another took its place ends without harm', async () => {
    let at = 0;
    for (let done = true; done; at++) {
      const here = await scene(runs);
      const { remote, pass, kept, dead } = here;
      let second: unknown;
      const during = interrupted(remote, at, async () => {
        pass(HOUR);
        second = await collect(remote, [kept, dead]).catch((error: unknown) => error);
      });
      const first = await collect(during.remote, [kept]).catch((error: unknown) => error);
      done = during.done();
      for (const each of [first, second])
        if (each instanceof Error) expect(each).toMatchObject({ code: 'REMOTE_BUSY' });
      // No lease can help who stops between his last look and the request that it was for.
      if (during.deleting()) continue;
      await expectClosed(remote, cache.hash);
      await expectReadable(remote, cache.hash, [kept]);
      // What the second one found needed, and restored, is not taken away by the first one's older view.
      if (done && runs === 0) await expectSafe(here, [dead]);
    }
    expect(at).toBeGreaterThan(15);
  });
});

describe('a collection', () => {
  it('that puts back and is killed at any moment leaves nothing half-way, and the next one finishes', async () => {
    let at = 0;
    for (let done = true; done; at++) {
      const { remote, pass, kept, dead } = await scene(1);
      let killed = false;
      let calls = 0;
      const { remote: dying } = spyOn(remote, () => {
        killed ||= calls++ === at;
        if (killed) throw new Error('killed');
      });
      await collect(dying, [kept, dead]).catch(() => {});
      done = killed;
      await expectClosed(remote, cache.hash);
      await expectReadable(remote, cache.hash, [kept, dead]);
      pass(HOUR);
      await collect(remote, [kept, dead]);
      await expectClosed(remote, cache.hash);
      expect(await remote.stat(recordKey(dead.oid))).toBeDefined();
      expect(await remote.stat(asideKey(dead.oid))).toBeUndefined();
      await expectReadable(remote, cache.hash, [kept, dead]);
    }
    expect(at).toBeGreaterThan(10);
  });

  it('leaves in use what is written again while it is being set aside, with all below it', async () => {
    const { remote, kept, dead } = await scene(0);
    const bytes = await bytesAt(remote, recordKey(dead.oid));
    const inUse = await keysOf(remote, 'records/');
    const { remote: spied } = spyOn(remote, async ({ method, key }) => {
      if (method === 'put' && key === asideKey(dead.oid)) await overwrite(remote, recordKey(dead.oid), bytes);
    });
    expect((await collect(spied, [kept])).setAside.records).toBe(0);
    expect(await keysOf(remote, 'records/')).toEqual(inUse);
    await expectClosed(remote, cache.hash);
  });

  it('leaves a pack that is uploaded again before it is deleted', async () => {
    const { remote, kept, pass } = await scene(1);
    const [name] = (await readLog(remote)).marks.flatMap(({ packs }) => packs);
    const key = packKey('blake3', name as string);
    const bytes = await bytesAt(remote, key);
    const { remote: spied } = spyOn(remote, async (call) => {
      if (call.method === 'stat' && call.key === key) await overwrite(remote, key, bytes);
    });
    expect((await collect(spied, [kept])).swept.packs).toBe(0);
    expect(await remote.stat(key)).toBeDefined();
    // From then on it is a new one, with a grace of its own.
    pass(GRACE - 1);
    expect(await collect(remote, [kept])).toMatchObject({ marked: { packs: 0 }, swept: { packs: 0 } });
    pass(1);
    expect(await collect(remote, [kept])).toMatchObject({ marked: { packs: 1 }, swept: { packs: 0 } });
  });
});

describe('a push that was killed before it recorded anything', () => {
  it('goes on with the packs it sent, unless a collection has marked them', async () => {
    for (const marked of [false, true]) {
      const { remote, pass } = await clockedRemote();
      const root = await store(cache, dataset(3));
      const notes = temporaryDirectory('notes');
      const { remote: dying } = spyOn(remote, ({ method, key }) => {
        if (method === 'put' && key.startsWith('records/')) throw new Error('killed');
      });
      await expect(pushAll(cache, dying, [root], notes)).rejects.toThrow('killed');
      const sent = await keysOf(remote, 'packs/');
      pass(marked ? GRACE : GRACE - 1);
      expect((await collect(remote, [])).marked.packs).toBe(marked ? sent.length : 0);
      expect((await pushAll(cache, remote, [root], notes)).packs).toBe(marked ? sent.length : 0);
      if (marked) await remote.delete(sent);
      await expectClosed(remote, cache.hash);
    }
  });
});
