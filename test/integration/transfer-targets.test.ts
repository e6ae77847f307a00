import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Oid } from '../../src/objects/oid.js';
import { MemoryRemote } from '../../src/remotes/memory.js';
import { collectTargets, formerVersions, toFetchRoots, toPushRoots } from '../../src/transfer/collect-roots.js';
import { fetchObjects } from '../../src/transfer/fetch.js';
import { push } from '../../src/transfer/push.js';
import { missingFromRemote } from '../../src/transfer/remote-status.js';
import type { PushRoot } from '../../src/transfer/roots.js';
import { randomBytes } from '../helpers/big-data.js';
import {
  contents,
  directory,
  openCache,
  openSession,
  spyOn,
  store,
  toFetch,
  verifiedObjects,
} from '../helpers/transfer.js';
import { type TestWorkspace, testWorkspace } from '../helpers/workspace.js';

const MiB = 1024 * 1024;
const file = (seed: number, size = 3000): Buffer => randomBytes(size, seed);

describe('a fetch of a part', () => {
  const spec = directory({
    2023: directory({ 'a.bin': file(1), deep: directory({ 'b.bin': file(2) }) }),
    2024: directory({ 'c.bin': file(3), link: { link: 'c.bin' } }),
    'model.bin': file(4, 5 * MiB),
    'top.bin': file(5),
  });

  it.each<[string, string[]]>([
    ['2023', ['2023/a.bin', '2023/deep/b.bin']],
    ['2023/deep', ['2023/deep/b.bin']],
    ['2023/deep/b.bin', ['2023/deep/b.bin']],
    ['2024/', ['2024/c.bin']],
    ['2024/link', []],
    ['model.bin', ['model.bin']],
    ['top.bin', ['top.bin']],
    ['', ['2023/a.bin', '2023/deep/b.bin', '2024/c.bin', 'model.bin', 'top.bin']],
  ])('of "%s" brings just that, and the directories on the way', async (below, wanted) => {
    const cache = await openCache();
    const root = await store(cache, spec);
    const remote = new MemoryRemote();
    await push(openSession(cache, remote), [root]);
    const theirs = await openCache();
    expect(await fetchObjects(openSession(theirs, remote), [toFetch(root, below)])).toMatchObject({ failed: [] });
    const found = contents(theirs, root);
    const files = Object.keys(found).filter((path) => /^(?:file|executable) /.test(found[path] as string));
    expect(files.sort()).toEqual(wanted);
    await verifiedObjects(theirs);
  });

  it.each(['2025', '2023/c.bin', '2023/a.bin/x', '2024/link/x', 'model.bin/'.repeat(2), '20'])(
    'of "%s", which is not there, says so',
    async (below) => {
      const cache = await openCache();
      const root = await store(cache, spec);
      const remote = new MemoryRemote();
      await push(openSession(cache, remote), [root]);
      for (const theirs of [cache, await openCache()])
        await expect(fetchObjects(openSession(theirs, remote), [toFetch(root, below)])).rejects.toMatchObject({
          code: 'PATH_NOT_FOUND',
          message: expect.stringContaining(`'data/${below.split('/').filter(Boolean).join('/')}'`),
        });
    },
  );
});

it('a file with the bytes of a tree comes back as a file', async () => {
  const cache = await openCache();
  const tree = await store(cache, directory({ 'a.bin': file(1) }), { path: 'tree' });
  const bytes = readFileSync(cache.pathOf(tree.oid));
  const asFile = await store(cache, bytes, { path: 'file' });
  expect(asFile.oid).toBe(tree.oid);
  const remote = new MemoryRemote();
  await push(openSession(cache, remote), [tree]);
  const theirs = await openCache();
  expect(await fetchObjects(openSession(theirs, remote), [toFetch(asFile)])).toMatchObject({ objects: 1, failed: [] });
  expect(contents(theirs, asFile)).toEqual(contents(cache, asFile));
});

describe('targets of a repository', () => {
  /** Three commits of a model: the first is tagged, the last is on a branch of its own. */
  async function history(): Promise<{ workspace: TestWorkspace; oids: Oid[] }> {
    const workspace = await testWorkspace();
    const oids: Oid[] = [];
    const content = file(1, 6 * MiB);
    for (const version of [0, 1, 2]) {
      if (version === 2) workspace.git.git('checkout', '-q', '-b', 'side');
      workspace.write('model.bin', Buffer.concat([content, file(10 + version, 50_000)]));
      workspace.write('data/x', file(20 + version));
      await workspace.add(['model.bin', 'data']);
      workspace.git.commit(`version ${version}`);
      if (version === 0) workspace.git.git('tag', 'v0');
      oids.push(workspace.pointer('model.bin').oid);
    }
    return { workspace, oids };
  }

  const models = async (workspace: TestWorkspace, scope: object): Promise<Oid[]> => {
    const { selections } = await collectTargets(workspace.repository, { paths: ['model.bin'], ...scope });
    return selections.map(({ target }) => target.pointer.oid);
  };

  it('are those of the working tree, of revisions, of all branches, of all tags', async () => {
    const { workspace, oids } = await history();
    const [zero, one, two] = oids as [Oid, Oid, Oid];
    expect(await models(workspace, {})).toEqual([two]);
    expect(await models(workspace, { revisions: ['main', 'main~1'] })).toEqual([one, zero]);
    expect((await models(workspace, { allBranches: true })).sort()).toEqual([one, two].sort());
    expect(await models(workspace, { allTags: true })).toEqual([zero]);
    expect((await models(workspace, { allTags: true, allBranches: true })).sort()).toEqual([zero, one, two].sort());
    await expect(models(workspace, { revisions: ['nowhere'] })).rejects.toMatchObject({ code: 'REVISION_UNKNOWN' });
    await expect(collectTargets(workspace.repository, { paths: ['none'] })).rejects.toMatchObject({
      code: 'PATH_NOT_TRACKED',
    });
  });

  it('know their predecessors, newest first, so that a push sends only what is new', async () => {
    const { workspace, oids } = await history();
    const [zero, one, two] = oids as [Oid, Oid, Oid];
    const { repository } = workspace;
    const spy = spyOn(new MemoryRemote());
    const session = openSession(repository.cache, spy.remote);
    const options = { formerVersions: formerVersions(repository) };
    const rootsOf = async (revisions: string[]): Promise<PushRoot[]> =>
      toPushRoots((await collectTargets(repository, { paths: [], revisions })).selections);
    await push(session, await rootsOf(['v0']), options);
    spy.clear();
    const now = await rootsOf([]);
    expect(now.find(({ path }) => path === 'model.bin')).toMatchObject({ oid: two, directory: false });
    expect((await options.formerVersions(['model.bin'])).get('model.bin')).toEqual([two, one, zero]);
    expect(await missingFromRemote(session, now)).toHaveLength(2);
    expect(await push(session, now, options)).toMatchObject({ pushed: 2, failed: [] });
    expect(spy.bytes('put')).toBeLessThan(300_000);
    expect(await missingFromRemote(session, now)).toEqual([]);
  });

  it('are not looked up in the history of what a remote has', async () => {
    const { workspace } = await history();
    const { repository } = workspace;
    const session = openSession(repository.cache, new MemoryRemote());
    const { selections } = await collectTargets(repository, { paths: [] });
    await push(session, toPushRoots(selections));
    const never = (): never => {
      throw new Error('Git was asked');
    };
    expect(await push(session, toPushRoots(selections), { formerVersions: never })).toMatchObject({ upToDate: 2 });
  });

  it('know what their pointers named before, so that a fetch brings only what is new', async () => {
    const { workspace } = await history();
    const { repository } = workspace;
    const remote = new MemoryRemote();
    const collected = await collectTargets(repository, { paths: [], allBranches: true, allTags: true });
    await push(openSession(repository.cache, remote), toPushRoots(collected.selections));
    const theirs = await openCache();
    const spy = spyOn(remote);
    const session = openSession(theirs, spy.remote);
    const old = await collectTargets(repository, { paths: [], revisions: ['v0'] });
    await fetchObjects(session, toFetchRoots(old.selections));
    spy.clear();
    const { selections } = await collectTargets(repository, { paths: [] });
    const report = await fetchObjects(session, toFetchRoots(selections), {
      formerVersions: formerVersions(repository),
    });
    expect(report).toMatchObject({ failed: [], upToDate: 0 });
    expect(spy.bytes('get', 'packs/')).toBeLessThan(300_000);
    await verifiedObjects(theirs);
    for (const { target } of selections) expect(theirs.has(target.pointer.oid, undefined)).toBe(true);
  });
});
