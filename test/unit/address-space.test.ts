import { describe, expect, test, vi } from 'vitest';
import { addressSpaceLeft } from '../../src/core/address-space.js';
import { Thread } from '../../src/core/thread.js';

const MIB = 1024 * 1024;
const left = vi.hoisted(() => ({ bytes: Number.POSITIVE_INFINITY }));

vi.mock('../../src/core/address-space.js', async (original) => {
  const real = await original<typeof import('../../src/core/address-space.js')>();
  type Read = Parameters<typeof real.addressSpaceLeft>[0];
  return { addressSpaceLeft: (read?: Read) => (read ? real.addressSpaceLeft(read) : left.bytes) };
});

/** Reads the two files of a process with that limit and that size. */
function machine(limit: string, size: string): (path: string) => string {
  const files: Record<string, string> = {
    '/proc/self/limits': `Limit                     Soft Limit           Hard Limit           Units     \nMax processes             96365                96365                processes \nMax address space         ${limit}           unlimited            bytes     \n`,
    '/proc/self/status': `Name:\tnode\nVmPeak:\t 9999999 kB\nVmSize:\t ${size} kB\n`,
  };
  return (path) => files[path] as string;
}

describe('addresses that are left', () => {
  test('are those of the limit without those that are taken', () => {
    expect(addressSpaceLeft(machine('2147483648', '1048576'))).toBe(1024 * MIB);
  });

  test('are without end where there is no limit, and where it cannot be found out', () => {
    const none = (): string => {
      throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
    };
    for (const read of [machine('unlimited', '1048576'), none, () => '']) {
      expect(addressSpaceLeft(read)).toBe(Number.POSITIVE_INFINITY);
    }
  });
});

describe('a thread', () => {
  const program = new URL('data:text/javascript,setInterval(()=>{},1000)');

  test('is not started where its addresses are not to be had: that would end the process', () => {
    left.bytes = 1024 * MIB;
    expect(Thread.start(program)).toBeUndefined();
  });

  test('counts those that are being started', async () => {
    left.bytes = 2000 * MIB;
    const first = Thread.start(program);
    expect(first).toBeDefined();
    expect(Thread.start(program)).toBeUndefined();
    await first?.close();
    const next = Thread.start(program);
    expect(next).toBeDefined();
    await next?.close();
  });
});
