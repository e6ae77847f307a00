import { closeSync, constants, fstatSync, openSync, readlinkSync, readSync } from 'node:fs';
import { fileSystemError, systemErrorCode } from '../core/errors.js';

/** A link in a commit may lead anywhere (a private file, a device without an end), and a fifo makes its reader wait. */
const FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** What stands at a path where a text file is expected: its text, or where a symbolic link leads. */
export type TextFile = { text: string } | { link: string };

/**
 * Reads a text file that anybody may have put there; no link is followed. Undefined where there is no file: nothing, a
 * directory, a device. At most `limit` bytes are read. Error: `FILE_SYSTEM`.
 */
export function readTextFile(path: string, limit = Number.POSITIVE_INFINITY): TextFile | undefined {
  try {
    const link = constants.O_NOFOLLOW === undefined ? targetOfLink(path) : undefined;
    if (link !== undefined) return { link };
    const descriptor = openSync(path, FLAGS);
    try {
      return fstatSync(descriptor).isFile() ? { text: readUpTo(descriptor, limit) } : undefined;
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    const code = systemErrorCode(error);
    const link = code === 'ELOOP' || code === 'EMLINK' ? targetOfLink(path) : undefined;
    if (link !== undefined) return { link };
    // ENXIO: a socket, or a device that is not there.
    if (['ENOENT', 'ENOTDIR', 'EISDIR', 'ENXIO', 'ENODEV'].includes(code ?? '')) return undefined;
    throw fileSystemError('read', path, error);
  }
}

function readUpTo(descriptor: number, limit: number): string {
  const parts: Buffer[] = [];
  for (let total = 0; total < limit; ) {
    const buffer = Buffer.allocUnsafe(Math.min(16 * 1024, limit - total));
    const count = readSync(descriptor, buffer, 0, buffer.length, null);
    if (count === 0) break;
    parts.push(buffer.subarray(0, count));
    total += count;
  }
  return Buffer.concat(parts).toString('utf8');
}

function targetOfLink(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
