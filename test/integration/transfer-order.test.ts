import { describe, expect, it } from 'vitest';
import { MlvError } from '../../src/core/errors.js';
import type { ObjectCache } from '../../src/objects/cache.js';
import { decodeTree } from '../../src/objects/tree-format.js';
import { MemoryRemote } from '../../src/remotes/memory.js';
import { fetchObjects } from '../../src/transfer/fetch.js';
import { fsckRemote } from '../../src/transfer/fsck-remote.js';
import { push } from '../../src/transfer/push.js';
import { recordKey } from '../../src/transfer/remote-layout.js';
import type { PushRoot } from '../../src/transfer/roots.js';
import { randomBytes } from '../helpers/big-data.js';
import {
  contents,
  directory,
  expectClosed,
  makeSmallRemote,
  openCache,
  openSession,
  SMALL_PACK_BYTES,
  spyOn,
  store,
  toFetch,
} from '../helpers/transfer.js';

const MiB = 1024 * 1024;

/** Three levels, small files, files of several chunks, and one with a record of its own. */
async function storeData(cache: ObjectCache): Promise<PushRoot> {
  const spec = directory({
    'large.bin': randomBytes(4.5 * MiB, 1),
    'middle.bin': randomBytes(60_000, 2),
    small: randomBytes(900, 3),
    a: directory({ b: directory({ c: directory({ deep: randomBytes(700, 4) }), twin: randomBytes(900, 3) }) }),
    d: directory({ 'other.bin': randomBytes(50_000, 5) }),
  });
  return store(cache, spec);
}

/** Keys of the records of a tree and of all trees below it, each after those below it. */
function treeKeys(cache: ObjectCache, root: PushRoot): string[] {
  const below = decodeTree(cache.read(root.oid)).flatMap((entry) =>
    entry.kind === 'tree' ? treeKeys(cache, { ...root, oid: cache.oid(entry.digest) }) : [],
  );
  return [...below, recordKey(root.oid)];
}

describe('the order of writing', () => {
  it('is packs, records of files, trees from the leaves up, and the root last', async () => {
    const cache = await openCache();
    const root = await storeData(cache);
    const memory = new MemoryRemote();
    await makeSmallRemote(memory);
    const spy = spyOn(memory);
    await push(openSession(cache, spy.remote), [root]);
    const puts = spy.log.filter(({ method }) => method === 'put').map(({ key }) => key);
    const trees = treeKeys(cache, root);
    const kind = (key: string): number => (key.startsWith('packs/') ? 0 : trees.includes(key) ? 2 : 1);
    expect(puts.map(kind)).toEqual(puts.map(kind).sort());
    expect(puts.filter((key) => kind(key) === 0).length).toBeGreaterThan((4.5 * MiB) / SMALL_PACK_BYTES);
    expect(puts.filter((key) => kind(key) === 1)).toHaveLength(1);
    expect(puts.at(-1)).toBe(recordKey(root.oid));
    expect(puts.filter((key) => kind(key) === 2).sort()).toEqual([...trees].sort());
    for (const [name, path] of Object.entries({ c: ['a', 'b', 'c'], b: ['a', 'b'], a: ['a'] })) {
      const [child, parent] = [keyAt(cache, root, path), keyAt(cache, root, path.slice(0, -1))];
      expect(puts.indexOf(child), name).toBeLessThan(puts.indexOf(parent));
    }
  });

  it('leaves, wherever it stops, nothing recorded that is not there; and the next push finishes', async () => {
    const cache = await openCache();
    const root = await storeData(cache);
    for (let allowed = 0, finished = false; !finished; allowed++) {
      const memory = new MemoryRemote();
      await makeSmallRemote(memory);
      let left = allowed;
      const spy = spyOn(memory, ({ method }) => {
        if (method === 'put' && left-- <= 0) throw new MlvError('REMOTE_DENIED', 'the disk is gone');
      });
      const state = { stateDirectory: `${cache.directory}/state-${allowed}` };
      finished = await push(openSession(cache, spy.remote, state), [root]).then(
        () => true,
        (error: unknown) => {
          expect(error).toMatchObject({ code: 'REMOTE_DENIED' });
          return false;
        },
      );
      await expectClosed(memory, cache.hash);
      if (finished) {
        expect(allowed).toBeGreaterThan(25);
        break;
      }
      const report = await push(openSession(cache, memory, state), [root]);
      expect(report).toMatchObject({ pushed: 1, failed: [] });
      await expectClosed(memory, cache.hash);
      expect((await fsckRemote(openSession(cache, memory), [root], { deep: true })).findings.filter(isNotInfo)).toEqual(
        [],
      );
    }
  });
});

const isNotInfo = ({ kind }: { kind: string }): boolean => !kind.startsWith('info');

/** The key of the record of the tree at a path. */
function keyAt(cache: ObjectCache, root: PushRoot, path: readonly string[]): string {
  let { oid } = root;
  for (const name of path) {
    const entry = decodeTree(cache.read(oid)).find((each) => each.name === name);
    if (entry?.kind !== 'tree') throw new Error(`${name} is no directory`);
    oid = cache.oid(entry.digest);
  }
  return recordKey(oid);
}

describe('several roots', () => {
  it('share what they have in common, and each is recorded after all below it', async () => {
    const cache = await openCache();
    const shared = directory({ x: randomBytes(3000, 1), y: directory({ z: randomBytes(3000, 2) }) });
    const roots = [
      await store(cache, directory({ shared, own: randomBytes(2000, 3) }), { path: 'one' }),
      await store(cache, shared, { path: 'two' }),
      await store(cache, randomBytes(3000, 1), { path: 'three' }),
      await store(cache, directory({ deeper: directory({ shared }) }), { path: 'four' }),
    ];
    const memory = new MemoryRemote();
    const spy = spyOn(memory);
    expect(await push(openSession(cache, spy.remote), roots)).toMatchObject({ pushed: 4, failed: [] });
    await expectClosed(memory, cache.hash);
    const keys = spy.log
      .filter(({ method, key }) => method === 'put' && key.startsWith('records/'))
      .map(({ key }) => key);
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys).toHaveLength(6);
    const theirs = await openCache();
    await fetchObjects(
      openSession(theirs, memory),
      roots.map((root) => toFetch(root)),
    );
    for (const root of roots) expect(contents(theirs, root)).toEqual(contents(cache, root));
  });
});
