import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MlvError } from '../../src/core/errors.js';
import { retryDelay } from '../../src/remotes/backoff.js';
import { MemoryRemote } from '../../src/remotes/memory.js';
import { bytesBody, discardContent, readContent } from '../../src/remotes/remote.js';
import { type RetryOptions, withRetry } from '../../src/remotes/retry.js';
import { failureOf } from '../conformance/remote.js';
import { faulty, transient } from '../helpers/faulty-remote.js';

/** Retry without a wait; what it would have waited is noted. */
function quick(extra: RetryOptions = {}): { options: RetryOptions; waits: number[] } {
  const waits: number[] = [];
  const options: RetryOptions = {
    attempts: 4,
    minDelayMs: 100,
    maxDelayMs: 300,
    random: () => 0.5,
    sleep: async (milliseconds) => void waits.push(milliseconds),
    ...extra,
  };
  return { options, waits };
}

async function filled(contents: Record<string, Uint8Array>): Promise<MemoryRemote> {
  const memory = new MemoryRemote();
  for (const [key, bytes] of Object.entries(contents)) await memory.put(key, bytesBody(bytes));
  return memory;
}

async function keysOf(entries: AsyncIterable<{ key: string }>): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of entries) keys.push(key);
  return keys;
}

describe('withRetry', () => {
  it('tries a transient failure again, with growing pauses', async () => {
    const { remote, calls } = faulty(await filled({ a: Buffer.from('x') }), [transient(), transient(), transient()]);
    const { options, waits } = quick();
    expect(await withRetry(remote, options).stat('a')).toMatchObject({ size: 1 });
    expect(calls).toHaveLength(4);
    expect(waits).toEqual([50, 100, 150]);
  });

  it('gives up after the last attempt and says how many there were', async () => {
    const { remote, calls } = faulty(
      new MemoryRemote(),
      Array.from({ length: 9 }, () => transient({ key: 'a' })),
    );
    const error = await failureOf(withRetry(remote, quick().options).put('a', bytesBody(Buffer.from('x'))));
    expect(error).toMatchObject({ code: 'REMOTE_TRANSIENT', data: { key: 'a', attempts: 4 } });
    expect(error.message).toContain('tried 4 times');
    expect(calls).toHaveLength(4);
  });

  it.each(['REMOTE_NOT_FOUND', 'REMOTE_DENIED', 'REMOTE_PERMANENT', 'DISK_FULL', 'FILE_CHANGED_WHILE_READ'] as const)(
    'never tries %s again',
    async (code) => {
      const failure = new MlvError(code, 'no');
      const { options, waits } = quick();
      for (const attempt of [0, 1, 2, 3, 4]) {
        const { remote, calls } = faulty(await filled({ a: Buffer.from('x') }), [failure]);
        const retrying = withRetry(remote, options);
        const call = [
          () => retrying.stat('a'),
          () => retrying.get('a'),
          () => retrying.put('a', bytesBody(Buffer.from('x'))),
          () => retrying.delete(['a']),
          () => keysOf(retrying.list('')),
        ][attempt];
        expect(await failureOf(call!())).toBe(failure);
        expect(calls).toHaveLength(1);
      }
      expect(waits).toEqual([]);
    },
  );

  it('opens the body afresh for each attempt', async () => {
    const memory = new MemoryRemote();
    let opened = 0;
    const body = {
      size: 4,
      async *open() {
        opened++;
        yield Buffer.from('ab');
        if (opened < 3) throw transient();
        yield Buffer.from('cd');
      },
    };
    await withRetry(memory, quick().options).put('a', body);
    expect(opened).toBe(3);
    expect((await readContent(await memory.get('a'))).toString()).toBe('abcd');
  });

  it('goes on with a broken body where it broke', async () => {
    const bytes = randomBytes(300_000);
    const { remote, calls } = faulty(await filled({ a: bytes }), [100_000, transient(), 70_000]);
    const content = await withRetry(remote, quick().options).get('a');
    expect(content.size).toBe(bytes.length);
    expect(await readContent(content)).toEqual(bytes);
    expect(calls).toEqual([
      ['get', 'a', undefined],
      ['get', 'a', { start: 100_000, length: 200_000 }],
      ['get', 'a', { start: 100_000, length: 200_000 }],
      ['get', 'a', { start: 170_000, length: 130_000 }],
    ]);
  });

  it('goes on inside of the range that was asked for', async () => {
    const bytes = randomBytes(300_000);
    const { remote, calls } = faulty(await filled({ a: bytes }), [50_000]);
    const content = await withRetry(remote, quick().options).get('a', { range: { start: 1_000, length: 200_000 } });
    expect(await readContent(content)).toEqual(bytes.subarray(1_000, 201_000));
    expect(calls[1]).toEqual(['get', 'a', { start: 51_000, length: 150_000 }]);
  });

  it('delivers every byte once, wherever bodies break', async () => {
    const bytes = randomBytes(50_000);
    const breaks = fc.array(fc.oneof(fc.nat(20_000), fc.constant('refused' as const)), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(breaks, fc.nat(49_000), async (plan, start) => {
        const failures = plan.map((step) => (step === 'refused' ? transient() : step));
        const { remote } = faulty(await filled({ a: bytes }), failures);
        const range = { start, length: bytes.length - start };
        const content = await withRetry(remote, quick({ attempts: 10 }).options).get('a', { range });
        expect((await readContent(content)).equals(bytes.subarray(start))).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it('takes a body that ends early without an error for a broken one', async () => {
    const bytes = randomBytes(1_000);
    const memory = await filled({ a: bytes });
    let gets = 0;
    const short = withRetry(
      {
        ...faulty(memory, []).remote,
        async get(key, options) {
          const content = await memory.get(key, options);
          return gets++ > 0 ? content : { size: content.size, body: once(bytes.subarray(0, 400)) };
        },
      },
      quick().options,
    );
    expect(await readContent(await short.get('a'))).toEqual(bytes);
    expect(gets).toBe(2);
  });

  it('counts attempts anew when bytes have arrived', async () => {
    const bytes = randomBytes(10_000);
    const { remote } = faulty(
      await filled({ a: bytes }),
      Array.from({ length: 20 }, () => 400),
    );
    expect(await readContent(await withRetry(remote, quick({ attempts: 2 }).options).get('a'))).toEqual(bytes);
  });

  it('gives up on a body that breaks again and again without a byte', async () => {
    const { remote, calls } = faulty(
      await filled({ a: randomBytes(10) }),
      Array.from({ length: 20 }, () => 0),
    );
    const content = await withRetry(remote, quick().options).get('a');
    expect(await failureOf(readContent(content))).toMatchObject({ code: 'REMOTE_TRANSIENT', data: { attempts: 4 } });
    expect(calls).toHaveLength(4);
  });

  it('gives back a body that is not read', async () => {
    let returned = 0;
    const body: AsyncIterable<Uint8Array> = {
      [Symbol.asyncIterator]: () => ({
        next: async () => ({ done: true, value: undefined }),
        return: async () => {
          returned++;
          return { done: true, value: undefined };
        },
      }),
    };
    const remote = withRetry({ ...faulty(new MemoryRemote(), []).remote, get: async () => ({ size: 1, body }) });
    await discardContent(await remote.get('a'));
    expect(returned).toBe(1);
  });

  it('goes on with a broken list after the last entry', async () => {
    const keys = Array.from({ length: 20 }, (_, index) => `k/${String(index).padStart(2, '0')}`);
    const memory = await filled(Object.fromEntries(keys.map((key) => [key, Buffer.from(key)])));
    const { remote, calls } = faulty(memory, [7, transient(), 0, 5]);
    expect(await keysOf(withRetry(remote, quick().options).list('k/'))).toEqual(keys);
    expect(calls.map(([, , startAfter]) => startAfter)).toEqual([undefined, 'k/06', 'k/06', 'k/06', 'k/11']);
  });

  it('stops waiting when the signal of the call, or its own, aborts', async () => {
    for (const own of [true, false]) {
      const controller = new AbortController();
      const reason = new MlvError('INTERRUPTED', 'stop');
      const { signal } = controller;
      const { remote, calls } = faulty(new MemoryRemote(), [transient(), transient()]);
      const retrying = withRetry(remote, {
        minDelayMs: 3_600_000,
        maxDelayMs: 3_600_000,
        random: () => 0.99,
        onRetry: () => setImmediate(() => controller.abort(reason)),
        ...(own && { signal }),
      });
      expect(await failureOf(retrying.stat('a', own ? {} : { signal }))).toBe(reason);
      expect(calls).toHaveLength(1);
    }
  });

  it('tells of each further attempt', async () => {
    const { remote } = faulty(new MemoryRemote(), [transient(), transient()]);
    const events: number[] = [];
    const { options } = quick({ onRetry: ({ failures, delayMs }) => events.push(failures, delayMs) });
    await withRetry(remote, options).delete(['a']);
    expect(events).toEqual([1, 50, 2, 100]);
  });
});

describe('retryDelay', () => {
  it('stays within the ceiling that doubles up to its limit', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.double({ min: 0, max: 0.999999, noNaN: true }),
        (failures, random) => {
          const delay = retryDelay(transient(), failures, { minDelayMs: 100, maxDelayMs: 5_000, random: () => random });
          expect(delay).toBeGreaterThanOrEqual(0);
          expect(delay).toBeLessThan(Math.min(5_000, 100 * 2 ** (failures - 1)));
        },
      ),
    );
  });

  it('waits at least as long as the server asks, within reason, and not as long as everybody else', () => {
    const options = { minDelayMs: 100, maxDelayMs: 1_000, random: () => 0.5 };
    expect(retryDelay(transient({ retryAfterMs: 3_000 }), 1, options)).toBe(3_050);
    expect(retryDelay(transient({ retryAfterMs: 10 }), 1, options)).toBe(60);
    expect(retryDelay(transient({ retryAfterMs: 86_400_000 }), 1, options)).toBe(120_050);
    expect(retryDelay(transient({ retryAfterMs: 'soon' }), 1, options)).toBe(50);
  });
});

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
