import { statfsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type ErrorCode, MlvError } from '../../src/core/errors.js';
import { DirectoryRemote } from '../../src/remotes/directory.js';
import { collect, DAY, expectFetchable } from '../helpers/collection.js';
import {
  asCommandsHaveIt,
  expectRecovered,
  type FaultData,
  type FaultyPlace,
  faultData,
  faultScene,
  pullWanted,
  pushWanted,
} from '../helpers/fault-scene.js';
import { faulty, transient } from '../helpers/faulty-remote.js';
import { smallDisk } from '../helpers/small-disk.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';
import { expectClosed, keysOf, openCache } from '../helpers/transfer.js';

const DISK_KIB = 8 * 1024;

let data: FaultData;
beforeAll(async () => {
  data = await faultData();
});

function placeAt(base: string): FaultyPlace {
  const direct = new DirectoryRemote(base);
  return { direct, open: async () => asCommandsHaveIt(new DirectoryRemote(base)) };
}

const disk = smallDisk(DISK_KIB);

describe.runIf(disk)('a disk', () => {
  const path = disk?.path ?? '';
  const place = (): FaultyPlace => placeAt(join(temporaryDirectory('remote'), 'store'));
  let number = 0;
  /** A directory on the disk that no other test has. */
  const onDisk = (): string => join(path, `store-${number++}`);
  /** Leaves that many KiB on the disk. */
  const leave = (kibibytes: number): void => disk?.resize(usedKiB(path) + kibibytes);

  afterEach(() => {
    disk?.makeWritable();
    disk?.resize(DISK_KIB);
  });

  it.each([4, 40, 80, 120])(
    'of the remote that is full after %i KiB stops a push, which then finishes',
    async (room) => {
      const scene = await faultScene(data, placeAt(onDisk()));
      const notes = temporaryDirectory('notes');
      leave(room);
      expect((await pushWanted(scene, notes)).error).toMatchObject({ code: 'DISK_FULL' });
      await expectClosed(scene.direct, data.ours.hash);
      disk?.resize(DISK_KIB);
      await expectRecovered(scene, notes);
    },
  );

  it.each([4, 40, 100, 160])(
    'of the cache that is full after %i KiB stops a pull, which then finishes',
    async (room) => {
      const scene = await faultScene(data, place(), { pushed: true, cacheAt: onDisk() });
      leave(room);
      expect((await pullWanted(scene)).error).toMatchObject({ code: 'DISK_FULL' });
      disk?.resize(DISK_KIB);
      await expectRecovered(scene, temporaryDirectory('notes'));
    },
  );

  it('of the cache that is read-only stops a pull, with its name, and the next one finishes', async () => {
    const scene = await faultScene(data, place(), { pushed: true, cacheAt: onDisk() });
    disk?.makeReadOnly();
    const { error } = await pullWanted(scene);
    expect(error).toMatchObject({ code: 'FILE_SYSTEM', message: expect.stringContaining('read-only') });
    expect(error?.message).toContain(path);
    disk?.makeWritable();
    await expectRecovered(scene, temporaryDirectory('notes'));
  });

  it('of the cache that is read-only does not keep a push from its work', async () => {
    const scene = await faultScene(data, place(), { pushed: true, cacheAt: onDisk() });
    await pullWanted(scene);
    const empty = placeAt(join(temporaryDirectory('remote'), 'store'));
    disk?.makeReadOnly();
    const notes = join(path, 'notes');
    expect(await pushWanted({ ...scene, ...empty, ours: scene.theirs }, notes)).toEqual({ failed: [] });
    disk?.makeWritable();
    await expectFetchable(data.ours, empty.direct, [data.wanted]);
  });

  it('of the remote that is read-only stops a push, which then finishes, and no pull', async () => {
    const whole = await faultScene(data, placeAt(onDisk()), { pushed: true });
    const scene = await faultScene(data, placeAt(onDisk()));
    const notes = temporaryDirectory('notes');
    disk?.makeReadOnly();
    expect(await pullWanted(whole)).toEqual({ failed: [] });
    expect((await pushWanted(scene, notes)).error).toMatchObject({ code: 'REMOTE_DENIED' });
    disk?.makeWritable();
    await expectRecovered(scene, notes);
  });
});

const failure = (code: ErrorCode): MlvError => new MlvError(code, `the disk said ${code}`);

describe.each(['push', 'pull'] as const)('a %s with a directory', (verb) => {
  /** A transfer whose call number `at` meets a failure; false when it made no such call. */
  const meet = async (at: number, trouble: MlvError | number, mayEnd?: ErrorCode): Promise<boolean> => {
    const place = placeAt(join(temporaryDirectory('remote'), 'store'));
    const scene = await faultScene(data, place, { pushed: verb === 'pull' });
    const { remote, calls } = faulty(place.direct, [...new Array<undefined>(at).fill(undefined), trouble]);
    const disturbed = { ...scene, open: async () => asCommandsHaveIt(remote) };
    const notes = temporaryDirectory('notes');
    const { error, failed } = await (verb === 'push' ? pushWanted(disturbed, notes) : pullWanted(disturbed));
    if (calls.length <= at) return false;
    if (mayEnd) expect(error?.code ?? failed[0]?.reason, `call ${at}: ${calls[at]}`).toBeDefined();
    else expect({ error, failed }, `call ${at}: ${calls[at]}`).toEqual({ error: undefined, failed: [] });
    if (error) expect(error.code).toBe(mayEnd);
    await expectRecovered(scene, notes);
    return true;
  };
  const everyCall = async (trouble: MlvError | number, mayEnd?: ErrorCode): Promise<void> => {
    let at = 0;
    while (await meet(at, trouble, mayEnd)) at++;
    expect(at).toBeGreaterThan(4);
  };

  it('notices nothing of a failure that passes, at any call', () => everyCall(transient()));
  it('notices nothing of a body or a list that breaks off, at any call', () => everyCall(1));
  it('stops where it is denied, at any call, and the next one finishes', () =>
    everyCall(failure('REMOTE_DENIED'), 'REMOTE_DENIED'));
  it('stops where the disk fails for good, at any call, and the next one finishes', () =>
    everyCall(failure('REMOTE_PERMANENT'), 'REMOTE_PERMANENT'));
});

describe("this machine's clock", () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it.each(['1999-01-01', '2099-01-01'])('that says %s lets no collection take away what is young', async (date) => {
    const { direct, open } = placeAt(join(temporaryDirectory('remote'), 'store'));
    const scene = await faultScene(data, { direct, open }, { pushed: true });
    const keys = await keysOf(direct);
    vi.useFakeTimers({ toFake: ['Date'], now: new Date(date) });
    for (let run = 0; run < 2; run++) await collect(direct, [data.kept], { graceMs: DAY });
    expect(await keysOf(direct)).toEqual(keys);
    expect(await pushWanted(scene, temporaryDirectory('notes'))).toEqual({ failed: [] });
    const fresh = await openCache();
    await pullWanted({ ...scene, theirs: fresh });
    expect(await keysOf(direct)).toEqual(keys);
    await expectFetchable(data.ours, direct, [data.kept, data.wanted]);
  });
});

function usedKiB(mountPoint: string): number {
  const { blocks, bfree, bsize } = statfsSync(mountPoint);
  return Math.ceil(((blocks - bfree) * bsize) / 1024);
}
