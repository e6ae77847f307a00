import { cpSync, existsSync, readdirSync } from 'node:fs';
import { expect } from 'vitest';
import { isMlvError, type MlvError } from '../../src/core/errors.js';
import type { ObjectCache } from '../../src/objects/cache.js';
import { withLimit } from '../../src/remotes/limit.js';
import { MemoryRemote } from '../../src/remotes/memory.js';
import type { Remote } from '../../src/remotes/remote.js';
import { withRetry } from '../../src/remotes/retry.js';
import { type FetchOptions, fetchObjects } from '../../src/transfer/fetch.js';
import { push } from '../../src/transfer/push.js';
import { encodeRemoteInfo, newRemoteInfo } from '../../src/transfer/remote-info.js';
import { REMOTE_INFO_KEY } from '../../src/transfer/remote-layout.js';
import type { FailedObject, PushRoot } from '../../src/transfer/roots.js';
import { randomBytes } from './big-data.js';
import { pushAll } from './collection.js';
import {
  contents,
  copyKeys,
  type Directory,
  directory,
  expectClosed,
  openCache,
  openSession,
  overwrite,
  REPOSITORY_ID,
  SMALL_CHUNKER,
  store,
  toFetch,
  verifiedObjects,
} from './transfer.js';

const KiB = 1024;
const JOBS = 4;
const INFO = { ...newRemoteInfo(REPOSITORY_ID, 'blake3'), chunker: SMALL_CHUNKER, pack: { size: 64 * KiB } };

/** A place that faults can be caused at. */
export interface FaultyPlace {
  /** The remote as it is, without faults. */
  direct: Remote;
  /** The remote through the faults, as commands have it but without waits between two tries; the caller closes it. */
  open(): Promise<Remote>;
}

/** Two machines with a remote between them, on which an older version is. */
export interface FaultScene extends FaultyPlace {
  /** The cache of who pushes, with both versions. */
  ours: ObjectCache;
  /** The cache of who pulls, with the older version. */
  theirs: ObjectCache;
  /** On the remote from the beginning. */
  kept: PushRoot;
  /** What a push is to bring there, which shares a part with the older version. */
  wanted: PushRoot;
}

/** How a transfer ended: not at all well, or with some objects left out, or done. */
export interface Outcome {
  error?: MlvError;
  failed: readonly FailedObject[];
}

/** The remote as commands have it: a few requests at once, and further tries, here without a wait. */
export function asCommandsHaveIt(remote: Remote): Remote {
  return withRetry(withLimit(remote, { most: JOBS }), { sleep: async () => undefined });
}

/** What is in the versions: large files of several chunks, small ones, sub-directories, links. */
function version(seed: number): Directory {
  const small = Array.from({ length: 12 }, (_, index) => [`${index}.bin`, randomBytes(3 * KiB, seed + index)]);
  return directory({
    'model.bin': Buffer.concat([randomBytes(60 * KiB, 1), randomBytes(120 * KiB, seed)]),
    shared: directory({ 'same.bin': randomBytes(40 * KiB, 2), 'note.txt': 'the same in every version' }),
    small: directory(Object.fromEntries(small)),
    link: { link: 'small/0.bin' },
  });
}

/** What scenes begin with, made once for all of them. */
export interface FaultData extends Pick<FaultScene, 'ours' | 'kept' | 'wanted'> {
  /** What a remote holds that the older version was pushed to, and then the newer one. */
  older: Remote;
  newer: Remote;
  /** A cache with the older version. */
  theirs: ObjectCache;
}

export async function faultData(): Promise<FaultData> {
  const ours = await openCache();
  const kept = await store(ours, version(1000));
  const wanted = await store(ours, version(2000), { predecessors: [kept.oid] });
  const [older, newer] = [new MemoryRemote(), new MemoryRemote()];
  await overwrite(older, REMOTE_INFO_KEY, encodeRemoteInfo(INFO));
  await pushAll(ours, older, [kept]);
  await copyKeys(older, newer);
  await pushAll(ours, newer, [wanted]);
  const theirs = await openCache();
  await fetchObjects(openSession(theirs, older), [toFetch(kept)]);
  return { ours, kept, wanted, older, newer, theirs };
}

/**
 * Puts the older version on the remote, and the newer one too where `pushed` says so; a machine has the older one, in
 * its cache at `cacheAt` where that is given.
 */
export async function faultScene(
  { ours, kept, wanted, older, newer, theirs: template }: FaultData,
  place: FaultyPlace,
  { pushed = false, cacheAt }: { pushed?: boolean; cacheAt?: string } = {},
): Promise<FaultScene> {
  await copyKeys(pushed ? newer : older, place.direct);
  const theirs = await openCache('blake3', cacheAt);
  cpSync(template.directory, theirs.directory, { recursive: true });
  return { ours, kept, wanted, theirs, ...place };
}

/** Pushes the newer version, with the notes of this machine in `stateDirectory`. */
export function pushWanted(scene: FaultScene, stateDirectory: string): Promise<Outcome> {
  return attempt(scene, (remote) => push(openSession(scene.ours, remote, { stateDirectory }), [scene.wanted]));
}

/** Pulls the newer version to the other machine. */
export function pullWanted(scene: FaultScene, options: FetchOptions = {}): Promise<Outcome> {
  return attempt(scene, (remote) => fetchObjects(openSession(scene.theirs, remote), [toFetch(scene.wanted)], options));
}

async function attempt(
  { open }: FaultyPlace,
  transfer: (remote: Remote) => Promise<{ failed: readonly FailedObject[] }>,
): Promise<Outcome> {
  const remote = await open();
  try {
    const { failed } = await transfer(remote);
    return { failed };
  } catch (error) {
    if (!isMlvError(error)) throw error;
    return { error, failed: [] };
  } finally {
    await remote.close();
  }
}

/**
 * The three promises, after the faults are over: nothing is lost (what was on the remote can still be had), nothing
 * wrong has a good name (in neither cache, and no record on the remote names what is not there), and the next run
 * finishes the job.
 */
export async function expectRecovered(scene: FaultScene, stateDirectory: string): Promise<void> {
  const { direct, ours, theirs, kept, wanted } = scene;
  await verifiedObjects(ours);
  await verifiedObjects(theirs);
  await expectClosed(direct, ours.hash);
  expect(await pushWanted(scene, stateDirectory)).toEqual({ failed: [] });
  expect(await pullWanted(scene)).toEqual({ failed: [] });
  expect(contents(theirs, wanted)).toEqual(contents(ours, wanted));
  const fresh = await openCache();
  const roots = [kept, wanted].map((root) => toFetch(root));
  expect(await fetchObjects(openSession(fresh, direct), roots)).toMatchObject({ failed: [] });
  for (const root of [kept, wanted]) expect(contents(fresh, root)).toEqual(contents(ours, root));
  expect([...temporaries(ours), ...temporaries(theirs)]).toEqual([]);
}

function temporaries({ temporary }: ObjectCache): string[] {
  return existsSync(temporary.directory) ? readdirSync(temporary.directory) : [];
}
