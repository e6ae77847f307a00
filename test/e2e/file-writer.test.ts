import { existsSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { fileSystemError } from '../../src/core/errors.js';
import { ObjectCache } from '../../src/objects/cache.js';
import { CacheBatch } from '../../src/objects/cache-batch.js';
import { FileWriter } from '../../src/objects/file-writer.js';
import { loadHash } from '../../src/objects/hash.js';
import type { NewFileStat } from '../../src/objects/new-file.js';
import { WriteThread } from '../../src/objects/write-thread.js';
import { randomBytes } from '../helpers/big-data.js';
import { mlv } from '../helpers/cli.js';
import { makeMlvRepository } from '../helpers/mlv-repository.js';
import { cloneRepository, commitAll } from '../helpers/repository.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

// Threads run the built program: from the sources there are none.
const program = new URL('../../dist/cli/write-worker.js', import.meta.url);
const THREADS = {
  'with a thread': () => new WriteThread({ program, fromFiles: 1, cores: 2 }),
  'without a thread': () => new WriteThread({ cores: 1 }),
  'with a thread that ends at once': () =>
    new WriteThread({ program: new URL('data:text/javascript,process.exit()'), fromFiles: 1, cores: 2 }),
  'with a thread that never takes a job': () =>
    new WriteThread({ program: new URL('data:text/javascript,setInterval(() => {}, 1e6)'), fromFiles: 1, cores: 2 }),
};

let directory: string;
let made: Map<string, Buffer> | undefined;

beforeEach(() => {
  directory = temporaryDirectory();
});

function writerOf(thread: WriteThread): FileWriter {
  return new FileWriter(thread, (path, error) => fileSystemError('write', path, error));
}

function contents(): Map<string, Buffer> {
  made ??= makeContents();
  return made;
}

/** Contents of all sizes: empty, many in a job, one in a job, and such as are in none. */
function makeContents(): Map<string, Buffer> {
  const sizes = [0, 1, 300 * 1024, ...Array.from({ length: 600 }, (_, at) => (at * 37) % 9000), 200_000, 200_000, 256];
  return new Map(sizes.map((size, at) => [`f${at}`, randomBytes(size, at)]));
}

describe.each(Object.entries(THREADS))('FileWriter %s', (_, makeThread) => {
  it('writes every file with its bytes and mode, and tells its stat', async () => {
    const writer = writerOf(makeThread());
    const told = new Map<string, NewFileStat | undefined>();
    const all = contents();
    for (const [name, bytes] of all) {
      const copy = Buffer.from(bytes);
      const mode = bytes.length % 2 === 0 ? 0o600 : 0o700;
      writer.write({ path: join(directory, name), bytes: copy, mode, done: (stat) => told.set(name, stat) });
      copy.fill(0xff);
    }
    await writer.settle();
    expect(readdirSync(directory)).toHaveLength(all.size);
    for (const [name, bytes] of all) {
      const path = join(directory, name);
      const { size, mtimeMs, ctimeMs, ino, mode } = statSync(path);
      expect(readFileSync(path).equals(bytes)).toBe(true);
      expect(told.get(name)).toMatchObject({ size, mtimeMs, ctimeMs, ino });
      expect(mode & 0o777).toBe(bytes.length % 2 === 0 ? 0o600 : 0o700);
    }
  });

  it('goes on after it was waited for, also by two at once', async () => {
    const writer = writerOf(makeThread());
    const all = [...contents()];
    const waits: Promise<void>[] = [];
    for (const [at, [name, bytes]] of all.entries()) {
      writer.write({ path: join(directory, name), bytes, mode: 0o600 });
      if (at % 200 === 199) waits.push(writer.settle(), nextTurn());
    }
    await Promise.all([...waits, writer.settle()]);
    for (const [name, bytes] of all) expect(readFileSync(join(directory, name)).equals(bytes)).toBe(true);
  });

  it('leaves a name alone that is there, and writes what follows', async () => {
    const writer = writerOf(makeThread());
    const told = new Map<string, NewFileStat | undefined>();
    for (const name of ['f3', 'f500']) writeFileSync(join(directory, name), 'mine');
    const all = contents();
    for (const [name, bytes] of all)
      writer.write({ path: join(directory, name), bytes, mode: 0o600, done: (stat) => told.set(name, stat) });
    await writer.settle();
    expect(told.size).toBe(all.size);
    for (const [name, stat] of told) {
      if (stat) expect(readFileSync(join(directory, name)).equals(all.get(name) as Buffer)).toBe(true);
      else expect(readFileSync(join(directory, name), 'utf8')).toBe('mine');
    }
    expect(
      [...told]
        .filter(([, stat]) => !stat)
        .map(([name]) => name)
        .sort(),
    ).toEqual(['f3', 'f500']);
  });

  it('says which file could not be written, and takes no more', async () => {
    const writer = writerOf(makeThread());
    const lost = join(directory, 'gone', 'f');
    const missing = expect.objectContaining({ code: 'FILE_SYSTEM', data: { path: lost, system: 'ENOENT' } });
    const write = async (): Promise<void> => {
      for (const [name, bytes] of contents()) writer.write({ path: join(directory, name), bytes, mode: 0o600 });
      writer.write({ path: lost, bytes: Buffer.from('x'), mode: 0o600 });
      await writer.settle();
    };
    await expect(write()).rejects.toThrow(missing);
    expect(() => writer.write({ path: join(directory, 'later'), bytes: Buffer.of(1), mode: 0o600 })).toThrow(missing);
    await expect(writer.settle()).rejects.toThrow(missing);
    expect(existsSync(join(directory, 'later'))).toBe(false);
  });

  it('takes no path for two where a NUL is in it', async () => {
    const writer = writerOf(makeThread());
    const path = `${join(directory, 'a')}\0${join(directory, 'b')}`;
    for (const [name, bytes] of contents()) writer.write({ path: join(directory, name), bytes, mode: 0o600 });
    expect(() => writer.write({ path, bytes: Buffer.of(1), mode: 0o600 })).toThrow();
    await expect(writer.settle()).rejects.toThrow();
    expect(['a', 'b'].filter((name) => existsSync(join(directory, name)))).toEqual([]);
  });

  it('is at nothing any more when it was told to drop what it has', () => {
    const writer = writerOf(makeThread());
    const all = contents();
    for (const [name, bytes] of all) writer.write({ path: join(directory, name), bytes, mode: 0o600 });
    writer.drop();
    const there = readdirSync(directory);
    for (const name of there) expect(readFileSync(join(directory, name)).equals(all.get(name) as Buffer)).toBe(true);
    writer.write({ path: join(directory, 'next'), bytes: Buffer.of(1), mode: 0o600 });
    writer.drop();
    expect(readdirSync(directory).filter((name) => name !== 'next')).toHaveLength(there.length);
  });

  it('stores the objects of a batch, and nothing of one that failed', async () => {
    const hash = await loadHash('blake3');
    const cache = new ObjectCache(join(directory, 'cache'), hash, makeThread());
    const batch = new CacheBatch(cache);
    const all = [...contents().values()].map((bytes) => ({ bytes, hex: hash.digest(bytes).toString('hex') }));
    for (const { bytes, hex } of all) batch.addBytes(bytes, hex);
    await batch.commit();
    for (const { bytes, hex } of all) expect(cache.read(cache.oid(hex)).equals(bytes)).toBe(true);
    expect(readdirSync(cache.temporary.directory)).toEqual([]);

    const other = new ObjectCache(join(directory, 'other'), hash, makeThread());
    const failing = new CacheBatch(other);
    const fill = async (): Promise<void> => {
      for (const [at, { bytes, hex }] of all.entries()) {
        failing.addBytes(bytes, hex);
        if (at === 500) moveFoldersAway(other.temporary.directory);
      }
      await failing.commit();
    };
    await expect(fill()).rejects.toThrow(expect.objectContaining({ code: 'FILE_SYSTEM' }));
    failing.abandon();
    expect([...other.list()]).toEqual([]);
  });
});

it('writes what a thread was at when it ended', async () => {
  const ending = `import { workerData, parentPort } from 'node:worker_threads';
    import { writeFileSync } from 'node:fs';
    parentPort.on('message', ({ memory, ticket, paths }) => {
      const header = new Int32Array(workerData[memory], 0, 4);
      if (Atomics.compareExchange(header, 0, ticket * 3, ticket * 3 + 1) !== ticket * 3) return;
      writeFileSync(paths.split('\\0')[0], 'half');
      process.exit();
    });`;
  const thread = new WriteThread({ program: new URL(`data:text/javascript,${ending}`), fromFiles: 1, cores: 2 });
  const writer = writerOf(thread);
  const all = contents();
  const first = [...all.keys()][0] as string;
  let told = 0;
  for (const [name, bytes] of all) {
    writer.write({ path: join(directory, name), bytes, mode: 0o600, done: () => told++ });
    // The thread is to have a job before it is taken back.
    while (name === 'f400' && !existsSync(join(directory, first))) await nextTurn();
  }
  await writer.settle();
  expect(thread.ended).toBe(true);
  expect(told).toBe(all.size);
  for (const [name, bytes] of all) expect(readFileSync(join(directory, name)).equals(bytes)).toBe(true);
});

/** Nothing can be written into folders that are not there, by root neither. */
function moveFoldersAway(temporary: string): void {
  for (const name of readdirSync(temporary)) {
    const path = join(temporary, name);
    if (statSync(path).isDirectory()) renameSync(path, `${path}-away`);
  }
}

it('thousands of small files come back as they were added', async () => {
  const files = Object.fromEntries(
    Array.from({ length: 2400 }, (_, at) => [`data/${at % 7}/f${at}`, `${at} `.repeat(at % 400)]),
  );
  const origin = await makeMlvRepository(files);
  await mlv(['add', 'data'], { cwd: origin });
  await mlv(['remote', 'add', 'origin', temporaryDirectory('store')], { cwd: origin });
  commitAll(origin);
  await mlv(['push'], { cwd: origin });
  const clone = cloneRepository(origin);
  await mlv(['pull'], { cwd: clone });
  for (const [name, content] of Object.entries(files)) expect(readFileSync(join(clone, name), 'utf8')).toBe(content);
  await mlv(['fsck'], { cwd: clone });
  expect(readdirSync(join(clone, '.git', 'mlv', 'tmp'))).toEqual([]);
  expect(readdirSync(join(clone, 'data')).sort()).toEqual(['0', '1', '2', '3', '4', '5', '6']);
});
