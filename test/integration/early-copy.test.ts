import {
  chmodSync,
  chownSync,
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { ObjectCache } from '../../src/objects/cache.js';
import { CacheBatch } from '../../src/objects/cache-batch.js';
import { EarlyCopies, EarlyCopy } from '../../src/objects/early-copy.js';
import { type HashFunction, loadHash } from '../../src/objects/hash.js';
import { type Placement, Placer } from '../../src/objects/link-modes.js';
import type { Oid } from '../../src/objects/oid.js';
import { LargeTarget } from '../../src/transfer/large-target.js';
import { beginEarlyCopies } from '../../src/workspace/early-copies.js';
import type { Selection } from '../../src/workspace/pointers.js';
import { smallDisk } from '../helpers/small-disk.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';
import { testWorkspace } from '../helpers/workspace.js';

const content = Buffer.alloc(5_000_000, 'what a fetch brings ');

let hash: HashFunction;
let cache: ObjectCache;
let oid: Oid;
let workspace: string;
let copies: EarlyCopies;

beforeEach(async () => {
  hash = await loadHash('blake3');
  cache = new ObjectCache(temporaryDirectory('cache'), hash);
  oid = cache.oid(hash.digest(content));
  workspace = temporaryDirectory('workspace');
  copies = new EarlyCopies({ temporaryFor: () => join(workspace, 'early'), probe: undefined });
});

const root = (): { path: string; oid: Oid } => ({ path: 'large', oid });

/** As a fetch does it, with other bytes at the end where they are given. */
async function bring(
  beginCopy: () => EarlyCopy | undefined,
  end = content.subarray(2_000_000),
  giveUpCopies?: () => void,
): Promise<void> {
  const batch = new CacheBatch(cache);
  const target = new LargeTarget(cache, oid, content.length, { beginCopy, giveUpCopies });
  try {
    await target.write(end, 2_000_000);
    await target.write(content.subarray(0, 2_000_000), 0);
    await target.finish(batch);
    await batch.commit();
  } catch (error) {
    target.abandon();
    throw error;
  }
}

const bringWithCopy = (): Promise<void> => bring(() => copies.begin(oid, content.length, root()));

/** Another group than this process's own, which what is made in the directory gets from now on; undefined where that cannot be. */
function giveToOtherGroup(directory: string): number | undefined {
  const own = process.getegid?.() ?? 0;
  const other = process.geteuid?.() === 0 ? own + 1 : process.getgroups?.().find((each) => each !== own);
  if (other === undefined) return undefined;
  try {
    chownSync(directory, -1, other);
    chmodSync(directory, 0o2775);
  } catch {
    return undefined;
  }
  const { gid, mode } = statSync(directory);
  return gid === other && (mode & 0o2000) !== 0 ? other : undefined;
}

async function place(change: Partial<Placement> = {}): Promise<boolean> {
  const placer = new Placer(cache, { modes: ['copy'], verifyLinks: false, copies });
  const path = join(workspace, 'large');
  return placer.place({ oid, size: content.length, executable: false, path, temporary: `${path}.new`, ...change });
}

function handMade(directory: string): { copy: EarlyCopy; isOpen: () => boolean } {
  const path = join(directory, 'early');
  let open = true;
  const copy = new EarlyCopy(path, openSync(path, 'wx'), () => {
    open = false;
  });
  return { copy, isOpen: () => open };
}

function selectionOf(path: string, named: Oid): Selection {
  const pointer = { path: path.slice(path.lastIndexOf('/') + 1), oid: named, size: content.length };
  return { target: { path, pointer, text: '' }, below: '' };
}

describe('a copy that was written while its object arrived', () => {
  it.each([
    ['a file', false, 0o666],
    ['an executable', true, 0o777],
  ])('becomes %s of the workspace as it is', async (_what, executable, mode) => {
    await bringWithCopy();
    const { ino } = statSync(join(workspace, 'early'));
    expect(await place({ executable })).toBe(true);
    const path = join(workspace, 'large');
    expect(readFileSync(path).equals(content)).toBe(true);
    expect(statSync(path).ino).toBe(ino);
    expect(statSync(path).mode & 0o777).toBe(mode & ~process.umask());
    expect(readdirSync(workspace)).toEqual(['large']);
    await cache.verify(oid);
  });

  it('is not taken into a directory that gives its files another group', async ({ skip }) => {
    const shared = join(workspace, 'shared');
    mkdirSync(shared);
    const other = giveToOtherGroup(shared) ?? skip('needs a second group, and a file system with modes');
    await bringWithCopy();
    expect(await place({ path: join(shared, 'large'), temporary: join(shared, 'new') })).toBe(true);
    expect(statSync(join(shared, 'large')).gid).toBe(other);
    expect(readFileSync(join(shared, 'large')).equals(content)).toBe(true);
    expect(readdirSync(workspace)).toEqual(['shared']);
  });

  it('replaces nothing that must stay, and is gone then', async () => {
    await bringWithCopy();
    writeFileSync(join(workspace, 'large'), 'mine');
    expect(await place({ mayReplace: () => false })).toBe(false);
    expect(readFileSync(join(workspace, 'large'), 'utf8')).toBe('mine');
    expect(readdirSync(workspace)).toEqual(['large']);
  });

  it('is taken once: a second place of the same object gets a copy of its own', async () => {
    await bringWithCopy();
    await place();
    expect(await place({ path: join(workspace, 'other') })).toBe(true);
    expect(readFileSync(join(workspace, 'other')).equals(content)).toBe(true);
    expect(statSync(join(workspace, 'other')).ino).not.toBe(statSync(join(workspace, 'large')).ino);
  });

  it('is not taken when somebody wrote to it, whatever its times say', async () => {
    await bringWithCopy();
    const path = join(workspace, 'early');
    const { atime, mtime } = statSync(path);
    chmodSync(path, 0o600);
    writeFileSync(path, 'other', { flag: 'r+' });
    utimesSync(path, atime, mtime);
    expect(await place()).toBe(true);
    expect(readFileSync(join(workspace, 'large')).equals(content)).toBe(true);
    copies.end();
    expect(readdirSync(workspace)).toEqual(['large']);
  });

  it('is not taken when the object is not in the cache', async () => {
    await bringWithCopy();
    cache.remove(oid);
    await expect(place()).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
  });

  it('is removed when nobody took it', async () => {
    await bringWithCopy();
    copies.end();
    expect(readdirSync(workspace)).toEqual([]);
  });

  it('is removed with an object that is not what it must be', async () => {
    await expect(bring(() => copies.begin(oid, content.length, root()), Buffer.alloc(3_000_000))).rejects.toMatchObject(
      { code: 'OBJECT_CORRUPT' },
    );
    expect(readdirSync(workspace)).toEqual([]);
    expect(copies.take(oid)).toBeUndefined();
  });

  it('stays open while somebody writes to it, though it was given up', () => {
    const { copy, isOpen } = handMade(workspace);
    copy.lend();
    copy.lend();
    copy.drop();
    expect(readdirSync(workspace)).toEqual([]);
    copy.giveBack();
    expect(isOpen()).toBe(true);
    expect(copy.borrowed).toBeUndefined();
    copy.giveBack();
    expect(isOpen()).toBe(false);
  });

  it('closes no file of others when it is lent after it was given up', () => {
    const { copy } = handMade(workspace);
    copy.drop();
    // The system gives the number that was freed to the next file.
    const other = openSync(join(workspace, 'other'), 'wx');
    copy.lend();
    copy.giveBack();
    expect(fstatSync(other).isFile()).toBe(true);
    closeSync(other);
  });

  it('is whole as soon as all is written, and closed when it is given back', async () => {
    const { copy, isOpen } = handMade(workspace);
    copy.lend();
    await copy.write(Buffer.from('1234'), 0);
    copy.complete(4);
    expect(copy.isWhole).toBe(true);
    expect(isOpen()).toBe(true);
    copy.giveBack();
    expect(isOpen()).toBe(false);
    expect(copy.isWhole).toBe(true);
  });

  it('is given up when it has another size, and when its disk is broken', async () => {
    const { copy } = handMade(workspace);
    await copy.write(Buffer.from('1234'), 0);
    copy.complete(5);
    expect(copy.isGone).toBe(true);
    const readOnly = join(workspace, 'read-only');
    writeFileSync(readOnly, '');
    const broken = new EarlyCopy(readOnly, openSync(readOnly, 'r'), () => undefined);
    await broken.write(Buffer.from('1234'), 0);
    expect(broken.isGone).toBe(true);
    expect(readdirSync(workspace)).toEqual([]);
  });
});

describe('on a full disk', () => {
  it('the copy is given up, and the object comes', async ({ skip }) => {
    const disk = smallDisk(3000) ?? skip('needs the right to mount');
    const { copy } = handMade(disk.path);
    await bring(() => copy);
    await cache.verify(oid);
    expect(copy.isGone).toBe(true);
    expect(readdirSync(disk.path)).toEqual([]);
  });

  it('the copy makes room for the object', async ({ skip }) => {
    const disk = smallDisk(7000) ?? skip('needs the right to mount');
    mkdirSync(join(disk.path, 'workspace'));
    cache = new ObjectCache(join(disk.path, 'cache'), hash);
    const { copy } = handMade(join(disk.path, 'workspace'));
    await bring(() => copy);
    await cache.verify(oid);
    expect(copy.isGone).toBe(true);
    expect(readdirSync(join(disk.path, 'workspace'))).toEqual([]);
  });

  it('copies of other objects make room, too', async ({ skip }) => {
    const disk = smallDisk(7000) ?? skip('needs the right to mount');
    mkdirSync(join(disk.path, 'workspace'));
    cache = new ObjectCache(join(disk.path, 'cache'), hash);
    const { copy } = handMade(join(disk.path, 'workspace'));
    await copy.write(content.subarray(0, 3_000_000), 0);
    await bring(
      () => undefined,
      undefined,
      () => copy.drop(),
    );
    await cache.verify(oid);
    expect(copy.isGone).toBe(true);
  });
});

it('all copies are given up where the object needs what they take, and none is begun afterwards', async () => {
  let made = 0;
  const several = new EarlyCopies({ temporaryFor: () => join(workspace, `early-${made++}`), probe: undefined });
  await bring(() => several.begin(oid, content.length, root()));
  const other = cache.oid(hash.digest(Buffer.from('other')));
  several.begin(other, content.length, root());
  expect(readdirSync(workspace)).toHaveLength(2);
  several.giveUp();
  expect(readdirSync(workspace)).toEqual([]);
  expect(several.take(oid)).toBeUndefined();
  expect(several.begin(other, content.length, root())).toBeUndefined();
});

describe('no copy is begun', () => {
  it.each<[string, () => EarlyCopy | undefined]>([
    ['of a small object', () => copies.begin(oid, 1_000_000, root())],
    [
      'where there is no room beside what arrives',
      () => {
        copies.expect(Number.MAX_SAFE_INTEGER);
        return copies.begin(oid, content.length, root());
      },
    ],
    [
      'where no file can be made',
      () =>
        new EarlyCopies({ temporaryFor: () => join(workspace, 'none', 'early'), probe: undefined }).begin(
          oid,
          content.length,
          root(),
        ),
    ],
    [
      'beside another one of the same object',
      () => {
        copies.begin(oid, content.length, root());
        return copies.begin(oid, content.length, root());
      },
    ],
  ])('%s', (_what, begin) => {
    expect(begin()).toBeUndefined();
    copies.end();
    expect(readdirSync(workspace)).toEqual([]);
  });

  it('of what is not placed here, and none through a link', async () => {
    const { repository, dir } = await testWorkspace({ linkModes: ['copy'] });
    const selections = [selectionOf('large', oid), selectionOf('linked/large', oid)];
    const early = beginEarlyCopies(repository, selections);
    symlinkSync(workspace, join(dir, 'linked'));
    const begin = (path: string, named = oid): EarlyCopy | undefined =>
      early?.begin(oid, content.length, { path, oid: named });
    expect(begin('other')).toBeUndefined();
    expect(begin('large', cache.oid(hash.digest(Buffer.alloc(1))))).toBeUndefined();
    expect(begin('linked/large')).toBeUndefined();
    expect(readdirSync(workspace)).toEqual([]);
    expect(begin('large')?.path).toContain(repository.cache.temporary.directory);
    early?.end();
    expect(readdirSync(repository.cache.temporary.directory)).toEqual([]);
  });

  it('where the cache is on another file system, but beside the target', async ({ skip }) => {
    const disk = smallDisk(3000) ?? skip('needs the right to mount');
    const { repository, dir } = await testWorkspace({ cache: disk.path, linkModes: ['copy'] });
    const early = beginEarlyCopies(repository, [selectionOf('large', oid)]);
    expect(early?.begin(oid, content.length, root())?.path.startsWith(join(dir, '.mlv-'))).toBe(true);
    early?.end();
    expect(readdirSync(dir).filter((name) => name.startsWith('.mlv-'))).toEqual([]);
  });

  it.each([['hardlink'], ['symlink']] as const)('where files are links: %s', async (mode) => {
    const { repository } = await testWorkspace({ linkModes: [mode, 'copy'] });
    expect(beginEarlyCopies(repository, [])).toBeUndefined();
  });

  it('where the file system shares blocks, and what asked for that is gone', () => {
    let asked = 0;
    const source = join(workspace, 'probe');
    const probe = (): string => {
      asked++;
      return source;
    };
    const early = new EarlyCopies({ temporaryFor: () => join(workspace, 'early'), probe });
    const first = early.begin(oid, content.length, root());
    early.begin(cache.oid(hash.digest(Buffer.alloc(1))), content.length, root());
    expect(asked).toBe(1);
    // Whether it does is the file system's matter: the probe leaves nothing either way.
    expect(readdirSync(workspace)).toEqual(first ? ['early'] : []);
    early.end();
  });
});

it('more copies than may be open are not made, and closed ones do not count', async () => {
  let made = 0;
  const many = new EarlyCopies({ temporaryFor: () => join(workspace, `early-${made++}`), probe: undefined });
  const oids = Array.from({ length: 18 }, (_, index) => cache.oid(hash.digest(Buffer.from([index]))));
  const begun = oids.slice(0, 17).map((each) => many.begin(each, content.length, root()));
  expect(begun.filter((copy) => copy !== undefined)).toHaveLength(16);
  begun[0]?.drop();
  expect(many.begin(oids[17] as Oid, content.length, root())).toBeDefined();
  many.end();
  expect(readdirSync(workspace)).toEqual([]);
});
