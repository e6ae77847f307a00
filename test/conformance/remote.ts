import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isMlvError, MlvError } from '../../src/core/errors.js';
import { bytesBody, discardContent, type Remote, type RemoteBody, readContent } from '../../src/remotes/remote.js';

/** One implementation of Remote, as the suite needs it. */
export interface RemoteSubject {
  /** A remote of its own, empty; called once. */
  open(): Promise<Remote>;
  /** The same kind of remote where its bucket or directory does not exist; left out by those that have no such thing. */
  openMissing?(): Promise<Remote>;
  close?(): Promise<void>;
  /** True where a put with `ifAbsent` is promised to leave the first writer's bytes. */
  honoursIfAbsent: boolean;
  /** False for an emulator that orders its lists by a language's rules where these differ from the keys' bytes. */
  ordersByBytes?: boolean;
  /** Entries of a page of a list; 1000 unless said. */
  pageEntries?: number;
}

const MIB = 1024 * 1024;

/** The promises of Remote, as tests: every implementation passes them. */
export function remoteConformance(name: string, subject: RemoteSubject): void {
  describe(`${name} keeps the promises of Remote`, () => {
    let remote: Remote;
    let space = 0;
    // Each test works below a prefix of its own.
    const fresh = (): string => `t${space++}`;
    const put = (key: string, text: string) => remote.put(key, bytesBody(Buffer.from(text)));
    const text = async (key: string): Promise<string> => (await readContent(await remote.get(key))).toString();
    const keys = async (prefix: string, startAfter?: string): Promise<string[]> => {
      const found: string[] = [];
      for await (const { key } of remote.list(prefix, startAfter === undefined ? {} : { startAfter })) found.push(key);
      return found;
    };

    beforeAll(async () => {
      remote = await subject.open();
    });
    afterAll(async () => {
      await remote?.close();
      await subject.close?.();
    });

    it('gives back the bytes that were put', async () => {
      const key = `${fresh()}/packs/blake3/ab/cdef.pack`;
      const bytes = randomBytes(100_000);
      expect(await remote.put(key, bytesBody(bytes))).toBe('created');
      const content = await remote.get(key);
      expect(content.size).toBe(bytes.length);
      expect(bytes.equals(await readContent(content))).toBe(true);
    });

    it('stores and gives back nothing at all', async () => {
      const key = `${fresh()}/empty`;
      await remote.put(key, bytesBody(Buffer.alloc(0)));
      expect(await remote.stat(key)).toMatchObject({ key, size: 0 });
      const content = await remote.get(key);
      expect(content.size).toBe(0);
      expect(await readContent(content)).toEqual(Buffer.alloc(0));
    });

    it('stores an empty stream', async () => {
      const key = `${fresh()}/empty`;
      await remote.put(
        key,
        streamBody(0, () => Buffer.alloc(0)),
      );
      expect(await remote.stat(key)).toMatchObject({ size: 0 });
    });

    it('stores a stream of 16 MiB byte for byte', async () => {
      const key = `${fresh()}/stream`;
      const part = randomBytes(MIB);
      await remote.put(
        key,
        streamBody(16, () => part),
      );
      const hash = createHash('sha256');
      const content = await remote.get(key);
      expect(content.size).toBe(16 * MIB);
      for await (const bytes of content.body) hash.update(bytes);
      const expected = createHash('sha256');
      for (let index = 0; index < 16; index++) expected.update(part);
      expect(hash.digest('hex')).toBe(expected.digest('hex'));
    });

    it('keeps the bytes that were in the buffer when the put ended', async () => {
      const key = `${fresh()}/reused`;
      const buffer = Buffer.from('before');
      await remote.put(key, bytesBody(buffer));
      buffer.fill('x');
      expect(await text(key)).toBe('before');
    });

    it('replaces what a key held', async () => {
      const key = `${fresh()}/key`;
      await put(key, 'the first, which is longer');
      expect(await put(key, 'the second')).toBe('created');
      expect(await text(key)).toBe('the second');
      expect(await remote.stat(key)).toMatchObject({ size: 10 });
    });

    it('tells size and time of an entry, and that there is none', async () => {
      const space = fresh();
      await put(`${space}/there`, 'twelve bytes');
      const entry = await remote.stat(`${space}/there`);
      expect(entry).toMatchObject({ key: `${space}/there`, size: 12 });
      expect(Math.abs((entry?.modified ?? 0) - Date.now())).toBeLessThan(600_000);
      expect(await remote.stat(`${space}/not-there`)).toBeUndefined();
      // Above and below what is there, where a file system has something.
      expect(await remote.stat(space)).toBeUndefined();
      expect(await remote.stat(`${space}/there/below`)).toBeUndefined();
    });

    it('names the key that a get does not find', async () => {
      const key = `${fresh()}/not-there`;
      const error = await failureOf(remote.get(key));
      expect(error).toMatchObject({ code: 'REMOTE_NOT_FOUND', data: { key, operation: 'get', missing: 'key' } });
      expect(error.message).toContain(key);
      expect(error.message).toContain(remote.url);
      const range = { start: 0, length: 1 };
      expect(await failureOf(remote.get(key, { range }))).toMatchObject({ code: 'REMOTE_NOT_FOUND' });
    });

    it.each([
      ['at the start', 0, 10],
      ['in the middle', 70_000, 20_000],
      ['of one byte', 99_999, 1],
      ['at the end', 99_000, 1_000],
      ['over the whole', 0, 100_000],
    ])('gives a range %s', async (_where, start, length) => {
      const key = `${fresh()}/ranges`;
      const bytes = randomBytes(100_000);
      await remote.put(key, bytesBody(bytes));
      const content = await remote.get(key, { range: { start, length } });
      expect(content.size).toBe(length);
      expect(bytes.subarray(start, start + length).equals(await readContent(content))).toBe(true);
    });

    it.each([
      ['ends beyond the end', 90, 11],
      ['begins at the end', 100, 1],
      ['begins beyond the end', 5_000, 10],
      ['is the whole and a byte more', 0, 101],
      ['is empty', 0, 0],
      ['has a negative start', -1, 10],
      ['has half a byte', 0, 1.5],
    ])('refuses a range that %s', async (_what, start, length) => {
      const key = `${fresh()}/ranges`;
      await remote.put(key, bytesBody(randomBytes(100)));
      expect(await failureOf(remote.get(key, { range: { start, length } }))).toMatchObject({
        code: 'REMOTE_PERMANENT',
      });
    });

    it('lists by a plain prefix, in ascending order of the keys', async () => {
      const space = fresh();
      // No key is the directory of another one: a file system cannot hold both, and mlv has none such.
      const names = ['a-b/x', 'a.b', 'a/b/c', 'a/b-c', 'a0', 'ab/c', 'b/a'];
      if (subject.ordersByBytes ?? true) names.push('b/A', 'b/_', 'B/a');
      const all = names.map((name) => `${space}/${name}`).sort();
      for (const key of names.map((name) => `${space}/${name}`)) await put(key, key);
      expect(await keys(`${space}/`)).toEqual(all);
      for (const prefix of ['a', 'a/', 'a/b', 'a-', 'b', 'b/', 'c', 'a/b/c', 'a/b/c/']) {
        const wanted = all.filter((key) => key.startsWith(`${space}/${prefix}`));
        expect(await keys(`${space}/${prefix}`), prefix).toEqual(wanted);
      }
    });

    it('tells size and time of each entry of a list', async () => {
      const space = fresh();
      await put(`${space}/x/one`, '1');
      await put(`${space}/x/three`, '333');
      const entries = [];
      for await (const entry of remote.list(`${space}/x/`)) entries.push(entry);
      expect(entries.map(({ size }) => size)).toEqual([1, 3]);
      for (const { modified } of entries) expect(Math.abs(modified - Date.now())).toBeLessThan(600_000);
    });

    it('goes on with a list after any key, whether it is there or not', async () => {
      const space = fresh();
      const all = ['a/1', 'a/2', 'b', 'b-1/x', 'c/d/e'].map((name) => `${space}/${name}`).sort();
      for (const key of all) await put(key, key);
      for (const after of [...all, `${space}/a`, `${space}/a/15`, `${space}/b/`, `${space}/c/d/f`, `${space}/`]) {
        const rest = all.filter((key) => key > after);
        expect(await keys(`${space}/`, after), after).toEqual(rest);
      }
    });

    it('lists more than two pages, each entry once', async () => {
      const space = fresh();
      const { pageEntries = 1000 } = subject;
      const all = Array.from({ length: 2.1 * pageEntries }, (_, index) => `${space}/${String(index).padStart(5, '0')}`);
      const queue = all[Symbol.iterator]();
      const worker = async (): Promise<void> => {
        for (const key of queue) await put(key, '');
      };
      await Promise.all(Array.from({ length: 16 }, worker));
      expect(await keys(`${space}/`)).toEqual(all);
      const last = pageEntries + 42;
      expect(await keys(`${space}/`, all[last])).toEqual(all.slice(last + 1));
      await remote.delete(all);
      expect(await keys(`${space}/`)).toEqual([]);
    });

    it('stops a list where its reader stops', async () => {
      const space = fresh();
      await put(`${space}/1`, '');
      await put(`${space}/2`, '');
      for await (const { key } of remote.list(`${space}/`)) {
        expect(key).toBe(`${space}/1`);
        break;
      }
      expect(await keys(`${space}/`)).toHaveLength(2);
    });

    it('deletes what is there and minds nothing that is not', async () => {
      const space = fresh();
      await put(`${space}/a`, 'a');
      await put(`${space}/b`, 'b');
      await put(`${space}/c`, 'c');
      await remote.delete([`${space}/a`, `${space}/not-there`, `${space}/b`]);
      await remote.delete([`${space}/not-there`]);
      await remote.delete([`${space}/deeper/not/there`]);
      await remote.delete([]);
      expect(await keys(`${space}/`)).toEqual([`${space}/c`]);
      expect(await remote.stat(`${space}/a`)).toBeUndefined();
      expect(await put(`${space}/a`, 'again')).toBe('created');
    });

    it('says whether it created, where it was asked to write only what is absent', async () => {
      const key = `${fresh()}/once`;
      expect(await remote.put(key, bytesBody(Buffer.from('first')), { ifAbsent: true })).toBe('created');
      const second = await remote.put(key, bytesBody(Buffer.from('other')), { ifAbsent: true });
      expect(['created', 'exists']).toContain(second);
      expect(await text(key)).toBe(second === 'exists' ? 'first' : 'other');
    });

    it.runIf(subject.honoursIfAbsent)('lets one of many win that write only what is absent', async () => {
      const key = `${fresh()}/race`;
      const racers = Array.from({ length: 16 }, (_, index) => Buffer.from(`racer ${index}`));
      const results = await Promise.all(racers.map((bytes) => remote.put(key, bytesBody(bytes), { ifAbsent: true })));
      expect(results.filter((result) => result === 'created')).toHaveLength(1);
      expect(await text(key)).toBe(`racer ${results.indexOf('created')}`);
    });

    it('shows readers whole contents only while writers replace them', async () => {
      const key = `${fresh()}/contended`;
      const contents = ['a', 'b', 'c'].map((letter) => Buffer.alloc(300_000, letter));
      await remote.put(key, bytesBody(contents[0]!));
      const writers = contents.map(async (bytes) => {
        for (let round = 0; round < 5; round++) await remote.put(key, bytesBody(bytes));
      });
      const reader = async (): Promise<void> => {
        for (let round = 0; round < 10; round++) {
          const seen = await readContent(await remote.get(key));
          expect(contents.some((bytes) => bytes.equals(seen))).toBe(true);
        }
      };
      await Promise.all([...writers, reader(), reader()]);
    });

    it.each([
      ['fewer', 3 * MIB],
      ['more', MIB],
    ])('stores nothing of a stream with %s bytes than announced', async (_what, size) => {
      const key = `${fresh()}/wrong-length`;
      const body: RemoteBody = { size, open: () => streamBody(2, () => Buffer.alloc(MIB)).open() };
      expect(await failureOf(remote.put(key, body))).toMatchObject({ code: 'REMOTE_PERMANENT' });
      expect(await remote.stat(key)).toBeUndefined();
    });

    it('stores nothing of a buffer with another length than announced', async () => {
      const key = `${fresh()}/wrong-length`;
      const body: RemoteBody = { size: 4, open: () => Buffer.from('three') };
      expect(await failureOf(remote.put(key, body))).toMatchObject({ code: 'REMOTE_PERMANENT' });
      expect(await remote.stat(key)).toBeUndefined();
    });

    it("fails with the source's own error when a stream breaks, and stores nothing of it", async () => {
      const key = `${fresh()}/broken`;
      const broken = new MlvError('FILE_CHANGED_WHILE_READ', 'the file changed');
      const body: RemoteBody = {
        size: 2 * MIB,
        async *open() {
          yield Buffer.alloc(MIB);
          throw broken;
        },
      };
      expect(await failureOf(remote.put(key, body))).toBe(broken);
      expect(await remote.stat(key)).toBeUndefined();
      expect(await keys(key)).toEqual([]);
    });

    it.each([
      '',
      '/',
      '/a',
      'a/',
      'a//b',
      '.',
      '..',
      '../a',
      'a/../b',
      'a/./b',
      'a\\b',
      'a b',
      'ä',
      'a\0b',
      'a\nb',
      'tmp/a',
      'a:b',
    ])('refuses the key %j in every method', async (key) => {
      const calls = [
        () => remote.stat(key),
        () => remote.get(key),
        () => remote.put(key, bytesBody(Buffer.from('x'))),
        () => remote.delete([key]),
      ];
      for (const call of calls) expect(await failureOf(call())).toMatchObject({ code: 'REMOTE_PERMANENT' });
    });

    it.each(['..', '../', './', '/', 'tm', 'tmp', 'tmp/'])('finds nothing outside by the prefix %j', async (prefix) => {
      expect(await keys(prefix)).toEqual([]);
    });

    it('ends an interrupted call with the reason of its signal', async () => {
      const key = `${fresh()}/interrupted`;
      await put(key, 'there');
      const reason = new MlvError('INTERRUPTED', 'interrupted by the user');
      const signal = AbortSignal.abort(reason);
      expect(await failureOf(remote.stat(key, { signal }))).toBe(reason);
      expect(await failureOf(remote.get(key, { signal }))).toBe(reason);
      expect(await failureOf(remote.put(key, bytesBody(Buffer.from('new')), { signal }))).toBe(reason);
      expect(await failureOf(remote.delete([key], { signal }))).toBe(reason);
      expect(await failureOf(remote.list(key, { signal })[Symbol.asyncIterator]().next())).toBe(reason);
      expect(await text(key)).toBe('there');
      expect(await failureOf(remote.stat(key, { signal: AbortSignal.abort() }))).toMatchObject({ code: 'INTERRUPTED' });
    });

    it('ends a put that is interrupted in the middle, and stores nothing', async () => {
      const key = `${fresh()}/interrupted`;
      const controller = new AbortController();
      const body: RemoteBody = {
        size: 64 * MIB,
        async *open() {
          for (let index = 0; index < 64; index++) {
            if (index === 3) controller.abort();
            yield Buffer.alloc(MIB);
          }
        },
      };
      const { signal } = controller;
      expect(await failureOf(remote.put(key, body, { signal }))).toMatchObject({ code: 'INTERRUPTED' });
      expect(await remote.stat(key)).toBeUndefined();
    });

    it('ends a body that is interrupted in the middle', async () => {
      const key = `${fresh()}/interrupted`;
      await remote.put(key, bytesBody(Buffer.alloc(8 * MIB)));
      const controller = new AbortController();
      const content = await remote.get(key, { signal: controller.signal });
      let received = 0;
      const reading = (async () => {
        for await (const bytes of content.body) {
          received += bytes.length;
          controller.abort();
        }
      })();
      expect(await failureOf(reading)).toMatchObject({ code: 'INTERRUPTED' });
      expect(received).toBeLessThan(8 * MIB);
    });

    it('can do without bodies that nobody reads', async () => {
      const key = `${fresh()}/unread`;
      await remote.put(key, bytesBody(Buffer.alloc(4 * MIB, 'z')));
      for (let round = 0; round < 40; round++) await discardContent(await remote.get(key));
      for await (const bytes of (await remote.get(key)).body) {
        expect(bytes.length).toBeGreaterThan(0);
        break;
      }
      expect(await readContent(await remote.get(key))).toHaveLength(4 * MIB);
    });

    it.runIf(subject.openMissing)('says that the bucket or the directory is missing, in every method', async () => {
      const missing = await subject.openMissing!();
      const error = { code: 'REMOTE_NOT_FOUND', data: { missing: expect.stringMatching(/^(?:bucket|directory)$/) } };
      expect(await failureOf(missing.stat('a/b'))).toMatchObject(error);
      expect(await failureOf(missing.get('a/b'))).toMatchObject(error);
      expect(await failureOf(missing.put('a/b', bytesBody(Buffer.from('x'))))).toMatchObject(error);
      expect(await failureOf(missing.delete(['a/b']))).toMatchObject(error);
      expect(await failureOf(missing.delete(['a/b', 'a/c']))).toMatchObject(error);
      expect(await failureOf(missing.list('')[Symbol.asyncIterator]().next())).toMatchObject(error);
      await missing.close();
    });
  });
}

/** The MlvError that a promise ends with; fails where it ends well or with anything else. */
export async function failureOf(promise: Promise<unknown>): Promise<MlvError> {
  try {
    await promise;
  } catch (error) {
    if (isMlvError(error)) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

/** A body of `count` MiB, made part by part. */
function streamBody(count: number, part: (index: number) => Buffer): RemoteBody {
  return {
    size: count * MIB,
    async *open() {
      for (let index = 0; index < count; index++) yield part(index);
    },
  };
}
