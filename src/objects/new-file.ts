import { closeSync, openSync, rmSync, writeSync } from 'node:fs';

/** What tells later whether a file is still the one that was written: bytes, times in ms since the epoch, inode. */
export interface NewFileStat {
  size: number;
  mtimeMs: number;
  ctimeMs: number;
  ino: number;
}

/**
 * Writes a file where nothing stands, and gives what `look` finds of it while it is open; takes it away again when it does
 * not become whole. The mode is subject to the umask. System errors pass: `EEXIST` where something is there.
 */
export function writeNewFile<T>(path: string, bytes: Uint8Array, mode: number, look: (descriptor: number) => T): T {
  const descriptor = openSync(path, 'wx', mode);
  try {
    for (let offset = 0; offset < bytes.length; ) offset += writeSync(descriptor, bytes, offset, bytes.length - offset);
    return look(descriptor);
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  } finally {
    closeSync(descriptor);
  }
}
