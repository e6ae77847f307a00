import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ObjectCache } from '../../src/objects/cache.js';
import type { Oid } from '../../src/objects/oid.js';
import { MemoryRemote } from '../../src/remotes/memory.js';
import type { Remote } from '../../src/remotes/remote.js';
import { fetchObjects } from '../../src/transfer/fetch.js';
import { push } from '../../src/transfer/push.js';
import { REMOTE_INFO_KEY, recordKey } from '../../src/transfer/remote-layout.js';
import type { PushRoot } from '../../src/transfer/roots.js';
import { randomBytes } from '../helpers/big-data.js';
import {
  contents,
  directory,
  expectClosed,
  openCache,
  openSession,
  type Spec,
  type Spy,
  spyOn,
  store,
  toFetch,
  verifiedObjects,
} from '../helpers/transfer.js';

const KiB = 1024;
const MiB = 1024 * KiB;

/** A cache, a remote that counts, and the means to push one version after the other. */
class Team {
  readonly spy: Spy = spyOn(new MemoryRemote());
  readonly versions: PushRoot[] = [];

  private constructor(readonly cache: ObjectCache) {}

  static async open(): Promise<Team> {
    return new Team(await openCache());
  }

  /** Stores and pushes the next version; gives what was sent. The log holds this push alone. */
  async push(spec: Spec): Promise<{ root: PushRoot; packs: number; records: number }> {
    const predecessors = this.versions.map(({ oid }) => oid).reverse();
    const root = await store(this.cache, spec, { predecessors });
    this.versions.push(root);
    this.spy.clear();
    expect(await push(openSession(this.cache, this.spy.remote), [root])).toMatchObject({ pushed: 1, failed: [] });
    return { root, packs: this.puts('packs/').length, records: this.puts('records/').length };
  }

  puts(prefix: string): string[] {
    return this.spy.log.filter(({ method, key }) => method === 'put' && key.startsWith(prefix)).map(({ key }) => key);
  }

  /** What a fresh clone gets of the newest version. */
  async check(): Promise<void> {
    const root = this.versions.at(-1) as PushRoot;
    const theirs = await openCache();
    await fetchObjects(openSession(theirs, this.spy.remote), [toFetch(root)]);
    expect(contents(theirs, root)).toEqual(contents(this.cache, root));
    await expectClosed(this.spy.remote, this.cache.hash);
  }
}

const repeat = (times: number, text: string): string[] => Array.from({ length: times }, () => text);
const file = (seed: number, size = 2000): Buffer => randomBytes(size, seed);

describe('the questions before a push', () => {
  it('go out together where what is pushed was never seen on the remote', async () => {
    const cache = await openCache();
    const root = await store(cache, directory({ a: file(1) }), { path: 'data' });
    const memory = new MemoryRemote();
    const asked = new Set<string>();
    let allAsked = (): void => {};
    const answered = new Promise<void>((resolve) => {
      allAsked = resolve;
    });
    const note = (question: string): void => {
      asked.add(question);
      if (asked.size === 3) allAsked();
    };
    const remote: Remote = {
      url: memory.url,
      put: (key, body, options) => memory.put(key, body, options),
      delete: (keys) => memory.delete(keys),
      close: () => memory.close(),
      // Whether the root is there is told when all else was asked.
      stat: (key) => answered.then(() => memory.stat(key)),
      get: (key, options) => {
        if (key === REMOTE_INFO_KEY) note('info');
        return memory.get(key, options);
      },
      list: (prefix) => {
        note('list');
        return memory.list(prefix);
      },
    };
    const formerVersions = async (paths: readonly string[]) => {
      note(`versions of ${paths.join()}`);
      return new Map<string, Oid[]>();
    };

    expect(await push(openSession(cache, remote), [root], { formerVersions })).toMatchObject({ pushed: 1, failed: [] });
    expect([...asked].sort()).toEqual(['info', 'list', 'versions of data']);
    await expectClosed(memory, cache.hash);
  });
});

describe('what is there already', () => {
  it('costs a push one request a root', async () => {
    const cache = await openCache();
    const roots = [
      await store(cache, directory({ a: file(1), b: directory({ c: file(2) }) }), { path: 'data' }),
      await store(cache, randomBytes(700 * KiB, 3), { path: 'model' }),
      await store(cache, file(4), { path: 'small' }),
    ];
    const spy = spyOn(new MemoryRemote());
    await push(openSession(cache, spy.remote), roots);
    spy.clear();
    expect(await push(openSession(cache, spy.remote), roots)).toMatchObject({ upToDate: 3, pushed: 0, objects: 0 });
    expect(spy.log).toHaveLength(3);
    expect(spy.log.map(({ method, key }) => `${method} ${key}`).sort()).toEqual(
      roots.map(({ oid }) => `stat ${recordKey(oid)}`).sort(),
    );
  });

  it('costs a fetch nothing', async () => {
    const cache = await openCache();
    const roots = [await store(cache, directory({ a: file(1), b: directory() })), await store(cache, file(2))];
    const spy = spyOn(new MemoryRemote());
    const report = await fetchObjects(
      openSession(cache, spy.remote),
      roots.map((root) => toFetch(root)),
    );
    expect(report).toMatchObject({ upToDate: 2, objects: 0, bytes: 0, failed: [] });
    expect(spy.log).toEqual([]);
  });

  it('is not asked for again by a fetch of a part', async () => {
    const cache = await openCache();
    const root = await store(cache, directory({ a: directory({ x: file(1) }), b: directory({ y: file(2) }) }));
    const spy = spyOn(new MemoryRemote());
    await push(openSession(cache, spy.remote), [root]);
    const theirs = await openCache();
    const session = openSession(theirs, spy.remote);
    spy.clear();
    await fetchObjects(session, [toFetch(root, 'a')]);
    expect(spy.kinds()).toEqual(['get records', 'get records', 'get packs']);
    spy.clear();
    await fetchObjects(session, [toFetch(root)]);
    expect(spy.kinds()).toEqual(['get records', 'get packs']);
    expect(contents(theirs, root)).toEqual(contents(cache, root));
  });
});

describe('a new version of a directory', () => {
  it('costs one pack, and a record and a look a changed level', async () => {
    const team = await Team.open();
    const spec = (changed: Buffer): Spec =>
      directory({
        a: directory({ b: directory({ changed, other: file(2) }), c: directory({ more: file(3) }) }),
        d: directory({ rest: file(4) }),
      });
    await team.push(spec(file(1)));
    const { root, packs, records } = await team.push(spec(file(9)));
    expect({ packs, records }).toEqual({ packs: 1, records: 3 });
    // The marks of collections are looked at before and after.
    expect(team.spy.kinds().sort()).toEqual([
      'get mlv.json',
      ...repeat(3, 'get records'),
      ...repeat(2, 'list gc'),
      'put packs',
      ...repeat(3, 'put records'),
      'stat records',
    ]);
    expect(team.spy.bytes('get', 'records/')).toBe(3 * 32);
    expect(team.spy.bytes('put', 'packs/')).toBeLessThan(2000 + 100);
    expect(team.puts('records/').at(-1)).toBe(recordKey(root.oid));
    await team.check();
  });

  it('is found through the newest predecessor that the remote has', async () => {
    const team = await Team.open();
    const spec = (seed: number): Spec => directory({ same: randomBytes(300 * KiB, 1), changed: file(seed) });
    await team.push(spec(2));
    // Two versions that were committed and never pushed.
    team.versions.push(await store(team.cache, spec(3)), await store(team.cache, spec(4)));
    await team.push(spec(5));
    expect(team.spy.bytes('put')).toBeLessThan(10 * KiB);
    await team.check();
  });

  const files = (): Record<string, Spec> => ({
    'small.bin': file(1),
    'middle.bin': randomBytes(900 * KiB, 2),
    'large.bin': randomBytes(5 * MiB, 3),
  });
  const older = (): Spec => directory({ from: directory(files()), to: directory({ stays: file(7) }) });
  it.each<[string, () => Spec]>([
    [
      'a renamed file',
      () => {
        const { 'small.bin': small, 'middle.bin': middle, 'large.bin': large } = files() as Record<string, Spec>;
        const renamed = { s: small, m: middle, l: large } as Record<string, Spec>;
        return directory({ from: directory(renamed), to: directory({ stays: file(7) }) });
      },
    ],
    ['a moved directory', () => directory({ to: directory({ stays: file(7), from: directory(files()) }) })],
    [
      'files moved between directories',
      () => directory({ from: directory(), to: directory({ stays: file(7), ...files() }) }),
    ],
    ['a copied directory', () => directory({ ...entries(older()), again: directory(files()) })],
    ['a file that was removed', () => directory({ to: directory({ stays: file(7) }) })],
    [
      'a file that became executable',
      () => directory({ ...entries(older()), to: directory({ stays: { executable: file(7) } }) }),
    ],
  ])('sends no content for %s', async (_, after) => {
    const team = await Team.open();
    await team.push(older());
    const { packs } = await team.push(after());
    expect(packs).toBe(0);
    expect(team.spy.bytes('put')).toBeLessThan(5 * KiB);
    await team.check();
  });

  it('is sent whole where no predecessor is on the remote, and its notes on this machine say otherwise', async () => {
    const team = await Team.open();
    await team.push(directory({ a: file(1), b: file(2) }));
    const other = spyOn(new MemoryRemote());
    const next = await store(team.cache, directory({ a: file(1), b: file(3) }), {
      predecessors: team.versions.map(({ oid }) => oid),
    });
    // The same notes: a remote that was emptied behind our back.
    await push(openSession(team.cache, other.remote), [next]);
    await expectClosed(other.remote, team.cache.hash);
    const theirs = await openCache();
    await fetchObjects(openSession(theirs, other.remote), [toFetch(next)]);
    expect(contents(theirs, next)).toEqual(contents(team.cache, next));
  });
});

describe('64 MiB with 1 % inserted in the middle', () => {
  const size = 64 * MiB;
  let one: Buffer;
  let two: Buffer;
  beforeAll(() => {
    one = randomBytes(size, 1);
    const middle = size / 2 + 12_345;
    two = Buffer.concat([one.subarray(0, middle), randomBytes(Math.floor(size / 100), 2), one.subarray(middle)]);
  });

  it.each<[string, (content: Buffer) => Spec]>([
    ['as a file of its own', (content) => content],
    ['in a directory', (content) => directory({ deep: directory({ 'model.bin': content }), readme: file(1) })],
  ])('%s, costs three percent of its bytes at most, up and down', async (_, spec) => {
    const team = await Team.open();
    const first = (await team.push(spec(one))).root;
    const theirs = await openCache();
    await fetchObjects(openSession(theirs, team.spy.remote), [toFetch(first)]);
    const { root } = await team.push(spec(two));
    expect(team.spy.bytes('put') + team.spy.bytes('get')).toBeLessThan(0.03 * size);

    team.spy.clear();
    const formerVersions = async (paths: readonly string[]): Promise<Map<string, Oid[]>> =>
      new Map(paths.map((path) => [path, [root.oid, first.oid]]));
    const report = await fetchObjects(openSession(theirs, team.spy.remote), [toFetch(root)], { formerVersions });
    expect(report.failed).toEqual([]);
    expect(team.spy.bytes('get')).toBeLessThan(0.03 * size);
    expect(contents(theirs, root)).toEqual(contents(team.cache, root));
  });
});

describe('chunks of a former version in the cache', () => {
  it('are not trusted: a damaged one comes from the remote', async () => {
    const team = await Team.open();
    const one = randomBytes(8 * MiB, 1);
    const two = Buffer.concat([one, randomBytes(100 * KiB, 2)]);
    const first = (await team.push(one)).root;
    const theirs = await openCache();
    await fetchObjects(openSession(theirs, team.spy.remote), [toFetch(first)]);
    const path = theirs.pathOf(first.oid);
    chmodSync(path, 0o644);
    const damaged = readFileSync(path);
    damaged.fill(0, MiB, 2 * MiB);
    writeFileSync(path, damaged.subarray(0, 7 * MiB));
    const { root } = await team.push(two);
    team.spy.clear();
    const formerVersions = async (): Promise<Map<string, Oid[]>> => new Map([['data', [first.oid]]]);
    await fetchObjects(openSession(theirs, team.spy.remote), [toFetch(root)], { formerVersions });
    expect(contents(theirs, root)).toEqual(contents(team.cache, root));
    const down = team.spy.bytes('get', 'packs/');
    expect(down).toBeGreaterThan(2 * MiB);
    expect(down).toBeLessThan(4 * MiB);
  });

  it('are not looked for where nothing large is wanted', async () => {
    const team = await Team.open();
    const { root } = await team.push(directory({ a: file(1), b: randomBytes(3 * MiB, 2) }));
    const theirs = await openCache();
    const formerVersions = (): never => expect.unreachable();
    await fetchObjects(openSession(theirs, team.spy.remote), [toFetch(root)], { formerVersions });
    expect((await verifiedObjects(theirs)).length).toBe(3);
  });
});

function entries(spec: Spec): Record<string, Spec> {
  if (typeof spec === 'string' || Buffer.isBuffer(spec) || !('entries' in spec)) throw new Error('no directory');
  return spec.entries;
}
