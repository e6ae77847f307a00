import { rmSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { ObjectCache } from '../../src/objects/cache.js';
import { MemoryRemote } from '../../src/remotes/memory.js';
import { fetchObjects } from '../../src/transfer/fetch.js';
import { type PushReport, push } from '../../src/transfer/push.js';
import type { PushRoot } from '../../src/transfer/roots.js';
import type { TransferSession } from '../../src/transfer/session.js';
import { randomBytes } from '../helpers/big-data.js';
import { clockedRemote, collect, expectFetchable, GRACE } from '../helpers/collection.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';
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
} from '../helpers/transfer.js';

const FILES = 300;
const FILE_BYTES = 3000;
const CHANGED = 6;
const VERSIONS = 40;

/** A directory of small files through versions that each change a few of them. */
class History {
  root: PushRoot | undefined;
  /** The version that wrote each file last. */
  readonly written = new Array<number>(FILES).fill(0);
  version = 0;

  private readonly files: Record<string, Spec> = {};

  constructor(
    private readonly cache: ObjectCache,
    private readonly levels: (files: Record<string, Spec>) => Record<string, Spec>,
  ) {}

  /** The next version: `change` says which files it changes. */
  async next(change = (version: number, at: number): number => (version * 101 + at * 47 + version * at) % FILES) {
    const changed = Array.from({ length: this.version > 0 ? CHANGED : FILES }, (_, at) =>
      this.version > 0 ? change(this.version, at) : at,
    );
    for (const index of changed) {
      this.written[index] = this.version;
      this.files[String(index).padStart(4, '0')] = this.content(index);
    }
    this.version++;
    const predecessors = this.root ? [this.root.oid] : [];
    this.root = await store(this.cache, directory(this.levels(this.files)), { predecessors });
    return this.root;
  }

  /** Where the cache holds a file of the newest version. */
  pathOf(index: number): string {
    return this.cache.pathOf(this.cache.oid(this.cache.hash.digest(this.content(index))));
  }

  private content(index: number): Buffer {
    return Buffer.from(randomBytes(FILE_BYTES, index * 1000 + (this.written[index] as number)));
  }

  /** Requests of a pull if every file lay where the version that wrote it put it. */
  get asWritten(): number {
    return new Set(this.written).size;
  }
}

const flat = (files: Record<string, Spec>): Record<string, Spec> => files;

/** Ten directories of thirty files, in two of five. */
function nested(files: Record<string, Spec>): Record<string, Spec> {
  const all = Object.entries(files);
  const inner = Array.from({ length: 10 }, (_, at) => directory(Object.fromEntries(all.slice(at * 30, at * 30 + 30))));
  const half = (from: number): Spec =>
    directory(Object.fromEntries(inner.slice(from, from + 5).map((each, at) => [`d${at}`, each])));
  return { a: half(0), b: half(5) };
}

/** A change for `next`: each version changes one of the ten directories. */
const oneDirectory = (version: number, at: number): number =>
  (version % 10) * 30 + ((Math.floor(version / 10) + at * 5) % 30);

async function freshPull(spy: Spy, root: PushRoot, cache: ObjectCache): Promise<number> {
  const theirs = await openCache();
  spy.clear();
  expect((await fetchObjects(openSession(theirs, spy.remote), [toFetch(root)])).failed).toEqual([]);
  expect(contents(theirs, root)).toEqual(contents(cache, root));
  return spy.kinds().filter((kind) => kind === 'get packs').length;
}

async function pushed(session: TransferSession, root: PushRoot): Promise<PushReport> {
  const report = await push(session, [root]);
  expect(report.failed).toEqual([]);
  return report;
}

describe('a directory of small files, after forty versions of two percent each,', () => {
  it.each([
    ['in one level', flat],
    ['in levels', nested],
  ])('is pulled by few requests, and little more than the changes was sent: %s', async (_where, levels) => {
    const cache = await openCache();
    const spy = spyOn(new MemoryRemote());
    const history = new History(cache, levels);
    const session = openSession(cache, spy.remote);
    await pushed(session, await history.next());
    let sent = 0;
    while (history.version < VERSIONS) {
      spy.clear();
      await pushed(session, await history.next());
      sent += spy.bytes('put', 'packs');
    }
    expect(history.asWritten).toBeGreaterThan(32);
    const requests = await freshPull(spy, history.root as PushRoot, cache);
    expect(requests).toBeLessThanOrEqual(18);
    expect(sent).toBeLessThan(2 * (VERSIONS - 1) * CHANGED * FILE_BYTES);
    await expectClosed(spy.remote, cache.hash);
  });

  it('is gathered where its parts changed one after the other, and never the whole', async () => {
    const cache = await openCache();
    const spy = spyOn(new MemoryRemote());
    const history = new History(cache, nested);
    const session = openSession(cache, spy.remote);
    await pushed(session, await history.next());
    while (history.version < VERSIONS) {
      await pushed(session, await history.next(oneDirectory));
    }
    expect(history.asWritten).toBeGreaterThan(30);
    expect(await freshPull(spy, history.root as PushRoot, cache)).toBeLessThanOrEqual(18);
    await expectClosed(spy.remote, cache.hash);
  });

  it('and collections that sweep between its versions take nothing from those that are kept', async () => {
    const { remote, pass } = await clockedRemote({ small: false });
    const cache = await openCache();
    const spy = spyOn(remote);
    const history = new History(cache, nested);
    const session = openSession(cache, spy.remote);
    const kept: PushRoot[] = [];
    let [swept, againWritten] = [0, 0];
    while (history.version < VERSIONS) {
      const root = await history.next(oneDirectory);
      spy.clear();
      await pushed(session, root);
      // Without gathering, a version writes its root, the half and the directory that changed.
      if (spy.kinds().filter((kind) => kind === 'put records').length > 3) againWritten++;
      if (history.version % 13 === 1) kept.push(root);
      if (history.version % 4 !== 0) continue;
      pass(GRACE + 1);
      swept += (await collect(remote, [...kept, root])).swept.packs;
      await expectFetchable(cache, remote, [...kept, root]);
    }
    expect(againWritten).toBeGreaterThan(1);
    expect(swept).toBeGreaterThan(0);
    await expectClosed(remote, cache.hash);
  });

  it('keeps what this cache no longer holds, or holds damaged, where it is', async () => {
    const cache = await openCache();
    const whole = await openCache();
    const spy = spyOn(new MemoryRemote());
    const [history, copy] = [new History(cache, nested), new History(whole, nested)];
    const session = openSession(cache, spy.remote);
    while (history.version < 25) {
      const root = await history.next();
      await copy.next();
      const lost = history.version > 12 ? [...history.written.entries()].filter(([, version]) => version % 3 > 0) : [];
      for (const [index, version] of lost) {
        if (version === history.version - 1) continue;
        rmSync(history.pathOf(index));
        if (version % 3 === 2) writeFileSync(history.pathOf(index), Buffer.alloc(FILE_BYTES));
      }
      await pushed(session, root);
    }
    await freshPull(spy, history.root as PushRoot, whole);
    await expectClosed(spy.remote, cache.hash);
  });

  it('is as it is for who does not know the records of what did not change, and asks for none', async () => {
    const cache = await openCache();
    const spy = spyOn(new MemoryRemote());
    const history = new History(cache, nested);
    while (history.version < VERSIONS - 16) {
      const stateDirectory = temporaryDirectory('state');
      const root = await history.next(oneDirectory);
      spy.clear();
      await pushed(openSession(cache, spy.remote, { stateDirectory }), root);
      // mlv.json, the new root, its predecessor, and the two levels that changed below it.
      if (history.version > 1) expect(spy.kinds().filter((kind) => kind === 'get records').length).toBe(3);
    }
    expect(await freshPull(spy, history.root as PushRoot, cache)).toBe(history.asWritten);
  });

  it('costs in a dry run what it costs', async () => {
    const cache = await openCache();
    const spy = spyOn(new MemoryRemote());
    const history = new History(cache, flat);
    const session = openSession(cache, spy.remote);
    let most = 0;
    while (history.version < 25) {
      const root = await history.next();
      const planned = await push(session, [root], { dryRun: true });
      spy.clear();
      await pushed(session, root);
      const sent = spy.bytes('put', 'packs');
      if (history.version === 1) continue;
      most = Math.max(most, sent);
      expect(sent).toBeGreaterThan(planned.bytes);
      expect(sent).toBeLessThan(planned.bytes + 100 * FILES);
    }
    expect(most).toBeGreaterThan(5 * CHANGED * FILE_BYTES);
  });
});
