import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import { DirectoryRemote } from '../../src/remotes/directory.js';
import { directoryError } from '../../src/remotes/directory-errors.js';
import { bytesBody, readContent } from '../../src/remotes/remote.js';
import { failureOf } from '../conformance/remote.js';
import { smallDisk } from '../helpers/small-disk.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

const DAY_MS = 24 * 3600 * 1000;

let parent: string;
let base: string;
let remote: DirectoryRemote;

beforeEach(() => {
  parent = temporaryDirectory('directory-remote');
  base = join(parent, 'store');
  remote = new DirectoryRemote(base);
});

async function keysOf(prefix = ''): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of remote.list(prefix)) keys.push(key);
  return keys;
}

const put = (key: string, text = key) => remote.put(key, bytesBody(Buffer.from(text)));

describe('the base of a directory remote', () => {
  it('is made by the first put, and by nothing else', async () => {
    expect(await failureOf(remote.stat('a'))).toMatchObject({
      code: 'REMOTE_NOT_FOUND',
      data: { missing: 'directory' },
    });
    expect(await failureOf(keysOf())).toMatchObject({ code: 'REMOTE_NOT_FOUND' });
    expect(await failureOf(remote.delete(['a']))).toMatchObject({ code: 'REMOTE_NOT_FOUND' });
    expect(existsSync(base)).toBe(false);
    await put('packs/a');
    expect(readFileSync(join(base, 'packs/a'), 'utf8')).toBe('packs/a');
  });

  it('is not made where its parent is missing too, as below a mount point without its mount', async () => {
    remote = new DirectoryRemote(join(base, 'deeper'));
    const failure = await failureOf(put('a'));
    expect(failure).toMatchObject({ code: 'REMOTE_NOT_FOUND', hint: expect.stringContaining('mounted') });
    expect(existsSync(base)).toBe(false);
  });

  it('that is a file is named as such', async () => {
    writeFileSync(base, 'a file');
    const calls = [() => put('a'), () => remote.stat('a'), () => remote.get('a'), () => remote.delete(['a']), keysOf];
    for (const call of calls) {
      expect(await failureOf(call())).toMatchObject({
        code: 'REMOTE_PERMANENT',
        message: expect.stringContaining(base),
      });
    }
  });

  it('that goes away while it is listed is no end of the list', async () => {
    for (const key of ['a/1', 'b/2']) await put(key);
    const reading = (async () => {
      for await (const { key } of remote.list('')) if (key === 'a/1') renameSync(base, `${base}-away`);
    })();
    expect(await failureOf(reading)).toMatchObject({ code: 'REMOTE_NOT_FOUND' });
  });
});

describe('a directory remote', () => {
  it('shows nothing of a put whose process was killed, and is none the worse for it', async () => {
    const script = fileURLToPath(new URL('../helpers/put-and-hang.ts', import.meta.url));
    const child = spawn(process.execPath, ['--import', 'tsx', script, base, 'packs/ab/killed'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(readdirSync(join(base, 'tmp'))).toHaveLength(1);
    expect(await keysOf()).toEqual([]);
    expect(await remote.stat('packs/ab/killed')).toBeUndefined();
    expect(await put('packs/ab/killed', 'whole')).toBe('created');
    expect(await keysOf()).toEqual(['packs/ab/killed']);
  });

  it('removes what killed writers left more than a week ago, and nothing younger', async () => {
    await put('a');
    const [old, young] = ['old', 'young'].map((name) => join(base, 'tmp', name)) as [string, string];
    for (const path of [old, young]) writeFileSync(path, 'part');
    const now = Date.now();
    utimesSync(old, new Date(now), new Date(now - 8 * DAY_MS));
    utimesSync(young, new Date(now), new Date(now - 6 * DAY_MS));
    remote = new DirectoryRemote(base, { now: () => now });
    await put('b');
    expect([existsSync(old), existsSync(young)]).toEqual([false, true]);
  });

  it('leaves no unfinished file behind, whether a put ends well or not', async () => {
    const broken = { size: 10, open: () => failing() };
    await expect(remote.put('a', broken)).rejects.toThrow('the source broke');
    await put('b');
    await remote.put('b', bytesBody(Buffer.from('again')), { ifAbsent: true });
    await remote.put('c', bytesBody(Buffer.from('c')), { ifAbsent: true });
    expect(readdirSync(join(base, 'tmp'))).toEqual([]);
    expect(await keysOf()).toEqual(['b', 'c']);
  });

  it('follows symbolic links below its base, and ends where they lead in a circle', async () => {
    await put('packs/a');
    mkdirSync(join(parent, 'other-disk'));
    writeFileSync(join(parent, 'other-disk', 'x'), 'elsewhere');
    symlinkSync(join(parent, 'other-disk'), join(base, 'records'));
    symlinkSync('missing', join(base, 'dangling'));
    expect(await keysOf()).toEqual(['packs/a', 'records/x']);
    expect((await readContent(await remote.get('records/x'))).toString()).toBe('elsewhere');
    symlinkSync('..', join(base, 'packs', 'up'));
    const keys = await keysOf('packs/');
    expect(keys[0]).toBe('packs/a');
    expect(keys.length).toBeLessThan(100);
  });

  it('takes a file that is cut while it is read for a failure that passes', async () => {
    await remote.put('a', bytesBody(Buffer.alloc(2_000_000)));
    const content = await remote.get('a');
    truncateSync(join(base, 'a'), 1_000_000);
    expect(await failureOf(readContent(content))).toMatchObject({ code: 'REMOTE_TRANSIENT', data: { key: 'a' } });
  });

  it('opens a file no sooner than it is read', async () => {
    await put('a');
    const contents = await Promise.all(Array.from({ length: 5_000 }, () => remote.get('a')));
    expect((await readContent(contents[4_999]!)).toString()).toBe('a');
    await remote.delete(['a']);
    expect(await failureOf(readContent(contents[0]!))).toMatchObject({
      code: 'REMOTE_NOT_FOUND',
      data: { missing: 'key' },
    });
  });

  it('refuses a key below one that is a file, and says why', async () => {
    await put('a');
    expect(await failureOf(put('a/b'))).toMatchObject({ code: 'REMOTE_PERMANENT', data: { key: 'a/b' } });
    expect(await keysOf()).toEqual(['a']);
  });
});

const disk = smallDisk(4 * 1024);

describe.runIf(disk)('a directory remote on a disk', () => {
  beforeEach(() => {
    remote = new DirectoryRemote(join(disk!.path, 'store'));
  });

  it('that is full says so, keeps what it has and takes more when there is room', async () => {
    await put('small');
    const big = bytesBody(Buffer.alloc(8 * 1024 * 1024));
    expect(await failureOf(remote.put('big', big))).toMatchObject({ code: 'DISK_FULL', data: { key: 'big' } });
    expect(await keysOf()).toEqual(['small']);
    expect(await remote.put('big', bytesBody(Buffer.alloc(3 * 1024 * 1024)))).toBe('created');
  });

  it('that is read-only can be read, and says why it cannot be written', async () => {
    await put('small');
    disk!.makeReadOnly();
    try {
      expect((await readContent(await remote.get('small'))).toString()).toBe('small');
      const refused = { code: 'REMOTE_DENIED', message: expect.stringContaining('read-only') };
      expect(await failureOf(put('more'))).toMatchObject(refused);
      expect(await failureOf(remote.delete(['small']))).toMatchObject(refused);
    } finally {
      disk!.makeWritable();
    }
  });
});

describe('directoryError', () => {
  const attempt = { operation: 'put', url: '/mnt/store', key: 'a' } as const;

  it.each([
    ['ENOSPC', 'DISK_FULL'],
    ['EDQUOT', 'DISK_FULL'],
    ['EACCES', 'REMOTE_DENIED'],
    ['EPERM', 'REMOTE_DENIED'],
    ['EROFS', 'REMOTE_DENIED'],
    ['ESTALE', 'REMOTE_TRANSIENT'],
    ['ETIMEDOUT', 'REMOTE_TRANSIENT'],
    ['EIO', 'REMOTE_TRANSIENT'],
    ['ENAMETOOLONG', 'REMOTE_PERMANENT'],
    ['ELOOP', 'REMOTE_PERMANENT'],
  ] as const)('makes of %s a %s that names operation, key and place', (system, code) => {
    const failure = directoryError(attempt, Object.assign(new Error(`${system}: failed`), { code: system }));
    expect(failure).toMatchObject({ code, data: { operation: 'put', url: '/mnt/store', key: 'a', system } });
    expect(failure.message).toMatch(/^cannot store 'a' on \/mnt\/store: ./);
  });
});

async function* failing(): AsyncGenerator<Uint8Array> {
  yield Buffer.alloc(5);
  throw new Error('the source broke');
}
