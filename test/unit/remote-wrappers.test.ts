import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { withLimit } from '../../src/remotes/limit.js';
import { MemoryRemote } from '../../src/remotes/memory.js';
import { Meter, withMeter } from '../../src/remotes/meter.js';
import { bytesBody, discardContent, type Remote, readContent } from '../../src/remotes/remote.js';
import { withRetry } from '../../src/remotes/retry.js';
import { failureOf } from '../conformance/remote.js';
import { faulty, transient } from '../helpers/faulty-remote.js';

const credentials = { describeCredentials: async () => ({ name: 'the environment' }) };

describe('withLimit', () => {
  it('never has more requests under way than it was given, over all methods', async () => {
    const memory = new MemoryRemote();
    for (let index = 0; index < 20; index++) await memory.put(`k/${index}`, bytesBody(Buffer.from('x')));
    let under = 0;
    let most = 0;
    const busy = async <T>(work: () => Promise<T>): Promise<T> => {
      most = Math.max(most, ++under);
      try {
        for (let round = 0; round < 3; round++) await turn();
        return await work();
      } finally {
        under--;
      }
    };
    const slow: Remote = {
      ...faulty(memory, []).remote,
      stat: (key) => busy(() => memory.stat(key)),
      get: (key) => busy(() => memory.get(key)),
      put: (key, body) => busy(() => memory.put(key, body)),
      delete: (keys) => busy(() => memory.delete(keys)),
    };
    const limited = withLimit(slow, { most: 3 });
    const work = Array.from({ length: 20 }, (_, index) => [
      limited.stat(`k/${index}`),
      limited.put(`n/${index}`, bytesBody(Buffer.from('y'))),
      limited.get(`k/${index}`).then(readContent),
      limited.delete([`d/${index}`]),
    ]);
    await Promise.all(work.flat());
    expect(most).toBe(3);
  });

  it('counts a body until it is read, given back, broken or aborted', async () => {
    const memory = new MemoryRemote();
    await memory.put('a', bytesBody(Buffer.alloc(1_000)));
    const { remote } = faulty(memory, [...Array.from({ length: 6 }, () => undefined), 10]);
    const limited = withLimit(remote, { most: 1 });
    const controller = new AbortController();
    const ways: (() => Promise<unknown>)[] = [
      async () => readContent(await limited.get('a')),
      async () => discardContent(await limited.get('a')),
      async () => {
        for await (const _part of (await limited.get('a')).body) break;
      },
      async () => failureOf(readContent(await limited.get('a'))),
      async () => {
        await limited.get('a', { signal: controller.signal });
        controller.abort();
      },
    ];
    for (const way of ways) {
      await way();
      expect(await limited.stat('a')).toBeDefined();
    }
    // And it does hold its place as long as none of that has happened.
    const open = await limited.get('a');
    let answered = false;
    const waiting = limited.stat('a').then(() => {
      answered = true;
    });
    for (let round = 0; round < 20; round++) await turn();
    expect(answered).toBe(false);
    await discardContent(open);
    await waiting;
  });

  it('never has more bytes under way than its budget, unless a single body has more', async () => {
    const memory = new MemoryRemote();
    let under = 0;
    let most = 0;
    const slow: Remote = {
      ...faulty(memory, []).remote,
      put: async (key, body) => {
        under += body.size;
        most = Math.max(most, under);
        for (let round = 0; round < 3; round++) await turn();
        under -= body.size;
        return memory.put(key, body);
      },
    };
    const limited = withLimit(slow, { most: 8, start: 8, bytes: 1_000 });
    const sizes = [400, 300, 300, 300, 600, 100, 100, 100, 400, 200];
    await Promise.all(sizes.map((size, index) => limited.put(`k/${index}`, bytesBody(Buffer.alloc(size)))));
    expect(most).toBe(1_000);
    await Promise.all([
      limited.put('large', bytesBody(Buffer.alloc(5_000))),
      limited.put('a', bytesBody(Buffer.from(''))),
    ]);
    expect((await memory.stat('large'))?.size).toBe(5_000);
  });

  it('frees the place of a call that fails', async () => {
    const { remote } = faulty(new MemoryRemote(), [transient(), transient()]);
    const limited = withLimit(remote, { most: 1 });
    await failureOf(limited.get('a'));
    await failureOf(limited.stat('a'));
    expect(await limited.stat('a')).toBeUndefined();
  });

  it('lets other requests pass while the reader of a list thinks', async () => {
    const memory = new MemoryRemote();
    for (const key of ['a', 'b', 'c']) await memory.put(key, bytesBody(Buffer.from(key)));
    const limited = withLimit(memory, { most: 1 });
    const seen: string[] = [];
    for await (const { key } of limited.list('')) seen.push((await readContent(await limited.get(key))).toString());
    expect(seen).toEqual(['a', 'b', 'c']);
  });
});

describe('withMeter', () => {
  it('counts requests and the bytes of bodies in both directions', async () => {
    const meter = new Meter();
    const remote = withMeter(new MemoryRemote(), meter);
    await remote.put('a', bytesBody(Buffer.alloc(1_000)));
    await remote.put('b', { size: 6, open: () => parts('abc', 'def') });
    await readContent(await remote.get('a', { range: { start: 10, length: 500 } }));
    await remote.stat('a');
    await remote.delete(['a', 'b']);
    expect(meter.snapshot()).toEqual({ requests: 5, bytesUp: 1_006, bytesDown: 500 });
  });

  it('counts a list and a delete once for every thousand keys', async () => {
    const memory = new MemoryRemote();
    const keys = Array.from({ length: 2_001 }, (_, index) => `k/${index}`);
    for (const key of keys) await memory.put(key, bytesBody(Buffer.alloc(0)));
    const meter = new Meter();
    const remote = withMeter(memory, meter);
    for await (const _entry of remote.list('k/')) meter.snapshot();
    expect(meter.snapshot().requests).toBe(3);
    await remote.delete(keys);
    expect(meter.snapshot().requests).toBe(6);
    for await (const _entry of remote.list('k/')) meter.snapshot();
    expect(meter.snapshot().requests).toBe(7);
  });

  it('counts what is sent again, below a retry', async () => {
    const meter = new Meter();
    const { remote } = faulty(new MemoryRemote(), [transient()]);
    const retrying = withRetry(withMeter(remote, meter), { sleep: async () => undefined });
    await retrying.put('a', bytesBody(Buffer.alloc(10)));
    expect(meter.snapshot().requests).toBe(2);
  });
});

describe('the wrappers', () => {
  it.each([
    ['withRetry', (remote: Remote) => withRetry(remote)],
    ['withLimit', (remote: Remote) => withLimit(remote, { most: 2 })],
    ['withMeter', (remote: Remote) => withMeter(remote, new Meter())],
  ])('%s keeps the URL and the description of credentials, and closes what is below', async (_name, wrapped) => {
    let closed = 0;
    const bare = { ...faulty(new MemoryRemote({ url: 'memory:x' }), []).remote, close: async () => void closed++ };
    expect(wrapped(bare).url).toBe('memory:x');
    expect(wrapped(bare).describeCredentials).toBeUndefined();
    expect(await wrapped({ ...bare, ...credentials }).describeCredentials?.()).toEqual({ name: 'the environment' });
    await wrapped(bare).close();
    expect(closed).toBe(1);
  });
});

async function* parts(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}
