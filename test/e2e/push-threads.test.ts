import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { loadHash } from '../../src/objects/hash.js';
import { type ChunkBatch, compressBatch } from '../../src/transfer/chunk-batch.js';
import { DEFAULT_CHUNKER } from '../../src/transfer/chunker-params.js';
import { PushThread } from '../../src/transfer/push-thread.js';
import { SPAN_BYTES, SpanCutter, spanBufferBytes } from '../../src/transfer/span-cutter.js';
import { randomBytes } from '../helpers/big-data.js';
import { mlv } from '../helpers/cli.js';
import { parseDocument } from '../helpers/json-schemas.js';
import { makeMlvRepository } from '../helpers/mlv-repository.js';
import { cloneRepository, commitAll } from '../helpers/repository.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

const MiB = 1024 * 1024;
/** Larger than what a push does without threads; half of it is text. */
const CONTENT = Buffer.concat([randomBytes(9 * MiB, 1), Buffer.from('0.25,0.5,label,12345\n'.repeat(430_000))]);

// Threads run the built program: from the sources there are none.
const program = new URL('../../dist/cli/push-worker.js', import.meta.url);
let thread: PushThread | undefined;

afterEach(() => thread?.close());

async function started(): Promise<PushThread> {
  thread = await PushThread.start(program);
  if (!thread) throw new Error('no thread could be started');
  return thread;
}

describe('a thread of a push', () => {
  it.each(['blake3', 'sha256'] as const)('cuts a file as the main thread does (%s)', async (algorithm) => {
    const path = join(temporaryDirectory(), 'file');
    writeFileSync(path, CONTENT);
    const worker = await started();
    const descriptor = openSync(path, 'r');
    const file = { descriptor, size: CONTENT.length, chunker: DEFAULT_CHUNKER };
    const cutter = new SpanCutter({ ...file, params: DEFAULT_CHUNKER, hash: await loadHash(algorithm) });
    await worker.request({ kind: 'open', file: { ...file, algorithm, preference: 'auto' } });
    for (let start = 0; start < CONTENT.length; start += SPAN_BYTES) {
      const buffer = new ArrayBuffer(spanBufferBytes(DEFAULT_CHUNKER));
      const { bytes, ...span } = await worker.request({ kind: 'cut', start, buffer }, [buffer]);
      const expected = cutter.cut(start, new Uint8Array(spanBufferBytes(DEFAULT_CHUNKER)));
      expect(span).toEqual({ ...expected, bytes: undefined });
      expect(span.digests.length).toBeGreaterThan(0);
      const read = Buffer.from(bytes.buffer, span.begin, span.length);
      expect(read.equals(CONTENT.subarray(start, start + span.length))).toBe(true);
    }
    closeSync(descriptor);
  });

  it('compresses as the main thread does', async () => {
    const batch = (): ChunkBatch => ({
      bytes: new Uint8Array(CONTENT.subarray(9 * MiB - 1000, 9 * MiB + 99_000)),
      lengths: Uint32Array.of(1000, 60_000, 39_000),
    });
    const worker = await started();
    const given = batch();
    const { bytes, stored } = await worker.request({ kind: 'compress', batch: given }, [given.bytes.buffer]);
    const expected = compressBatch(batch());
    expect(given.bytes.length).toBe(0);
    expect(stored).toEqual(expected.stored);
    const length = stored.reduce((sum, each) => sum + each, 0);
    expect(Buffer.from(bytes.buffer, 0, length).equals(expected.bytes.subarray(0, length))).toBe(true);
  });

  it('says what went wrong in it, and goes on', async () => {
    const worker = await started();
    const file = {
      descriptor: 9999,
      size: 1,
      chunker: DEFAULT_CHUNKER,
      algorithm: 'blake3',
      preference: 'auto',
    } as const;
    await worker.request({ kind: 'open', file });
    const buffer = new ArrayBuffer(spanBufferBytes(DEFAULT_CHUNKER));
    await expect(worker.request({ kind: 'cut', start: 0, buffer }, [buffer])).rejects.toMatchObject({ code: 'EBADF' });
    expect(await worker.request({ kind: 'ready' })).toBeUndefined();
  });

  it('that ends answers nobody any more', async () => {
    const worker = await started();
    const request = worker.request({ kind: 'ready' });
    await worker.close();
    await Promise.allSettled([request]);
    await expect(worker.request({ kind: 'ready' })).rejects.toMatchObject({ code: 'INTERNAL' });
  });
});

it('a large file that was cut and compressed in threads comes back', async () => {
  const origin = await makeMlvRepository({ 'large.bin': CONTENT });
  await mlv(['add', 'large.bin'], { cwd: origin });
  await mlv(['remote', 'add', 'origin', temporaryDirectory('store')], { cwd: origin });
  await mlv(['config', 'set', '--project', 'remote.origin.compression', 'auto'], { cwd: origin });
  commitAll(origin);
  const pushed = parseDocument('push', await mlv(['push', '--json'], { cwd: origin }));
  expect(pushed.bytesUp).toBeGreaterThan(9 * MiB);
  expect(pushed.bytesUp).toBeLessThan(11 * MiB);
  const clone = cloneRepository(origin);
  await mlv(['pull'], { cwd: clone });
  expect(readFileSync(join(clone, 'large.bin')).equals(CONTENT)).toBe(true);
});
