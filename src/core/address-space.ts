import { readFileSync } from 'node:fs';

const UNLIMITED = Number.POSITIVE_INFINITY;

/**
 * Bytes of addresses that this process may yet take, which is not memory: programs reserve far more than they use. Finite
 * only on Linux and under a limit (`ulimit -v`), as batch systems set one. Never fails.
 */
export function addressSpaceLeft(read = (path: string): string => readFileSync(path, 'latin1')): number {
  try {
    const limit = /^Max address space +(\d+)/m.exec(read('/proc/self/limits'))?.[1];
    if (limit === undefined) return UNLIMITED;
    const taken = /^VmSize:\s+(\d+) kB/m.exec(read('/proc/self/status'))?.[1];
    return taken === undefined ? UNLIMITED : Number(limit) - 1024 * Number(taken);
  } catch {
    return UNLIMITED;
  }
}
