import { expect, it } from 'vitest';
import { MemoryRemote } from '../../src/remotes/memory.js';
import { fetchObjects } from '../../src/transfer/fetch.js';
import { readCost } from '../../src/transfer/fragmentation.js';
import { packDigests, placedChunks } from '../../src/transfer/placed-chunks.js';
import { push } from '../../src/transfer/push.js';
import type { PushRoot } from '../../src/transfer/roots.js';
import { randomBytes } from '../helpers/big-data.js';
import {
  contents,
  directory,
  expectClosed,
  openCache,
  openSession,
  spyOn,
  store,
  toFetch,
} from '../helpers/transfer.js';

const KiB = 1024;
const MiB = 1024 * KiB;
const VERSIONS = 30;
const EDITS = 3;

it.each([
  ['of its own', false],
  ['in a directory', true],
])('a large file %s stays quick to read through thirty versions with edits all over', async (_what, isInDirectory) => {
  const cache = await openCache();
  const remote = new MemoryRemote();
  const spy = spyOn(remote);
  const session = openSession(cache, spy.remote);
  const content = randomBytes(6 * MiB, 1);
  let root: PushRoot | undefined;
  let most = 0;
  let sent = 0;
  for (let version = 0; version < VERSIONS; version++) {
    for (let edit = 0; edit < EDITS; edit++) {
      const at = (version * 7919 + edit * 104_729 + version * edit * 31) % (content.length / KiB);
      content.set(randomBytes(100, version * EDITS + edit), at * KiB);
    }
    const predecessors = root ? [root.oid] : [];
    root = await store(cache, isInDirectory ? directory({ 'a.bin': Buffer.from(content) }) : Buffer.from(content), {
      predecessors,
    });
    spy.clear();
    await push(session, [root]);
    if (version > 0) sent += spy.bytes('put', 'packs');
    const record = session.records.copyOf(cache.oid(cache.hash.digest(content)));
    if (record?.kind !== 'chunks') throw new Error('it has no record of its own');
    most = Math.max(most, readCost(placedChunks(record.chunks(), packDigests(record.packs))).ratio);
  }
  // One version's own edits come on top of the factor of two of the rule.
  expect(most).toBeGreaterThan(1.8);
  expect(most).toBeLessThan(2.3);
  // The edits alone are some 3 x 80 KiB a version: what is written afresh is less than twice as much again.
  expect(sent).toBeLessThan(3 * (VERSIONS - 1) * EDITS * 80 * KiB);
  await expectClosed(remote, cache.hash);
  const theirs = await openCache();
  spy.clear();
  expect(await fetchObjects(openSession(theirs, spy.remote), [toFetch(root as PushRoot)])).toMatchObject({
    failed: [],
  });
  expect(contents(theirs, root as PushRoot)).toEqual(contents(cache, root as PushRoot));
  expect(spy.kinds().filter((kind) => kind === 'get packs').length).toBeLessThan(20);
});
